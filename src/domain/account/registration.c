/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registration. Known and unknown addresses take the same steps: the password
 * is hashed, a transaction writes a mail and an event. What differs is hidden
 * from the client.
 */
#include "domain/account/registration.h"

#include "base/metrics.h"
#include "crypto/random.h"
#include "domain/account/credential.h"
#include "domain/account/email.h"
#include "domain/account/email_change.h"
#include "domain/account/password_policy.h"
#include "domain/account/proof.h"
#include "domain/audit/audit.h"
#include "domain/outbox/outbox.h"

/* A tenant, a user, a membership. */
#define INSERT_STATEMENTS 3

static const struct uuid nobody = {0};

struct drafting {
	struct ctx *ctx;
	const struct registration *wanted;
	struct span email;
	struct credential credential;
};

static enum fault check_email(struct ctx *ctx, struct span address,
                              struct span *out)
{
	enum fault fault = email_canonical(ctx->arena, address, out);
	if (fault == FAULT_VALIDATION)
		return field_errors_add(&ctx->errors, "email", "invalid",
		                        "This is not an e-mail address.");
	return fault;
}

/*
 * Mail a link with a fresh token. For nobody (the nil id) and for who was
 * mailed too often of late the same is written, and never sent.
 */
static enum fault mail_proof(struct ctx *ctx, const struct uuid *user_id,
                             struct span email, struct span name)
{
	struct span token = SPAN("-");
	enum fault fault =
	    proof_make(ctx, PROOF_VERIFY, user_id, email, &token);
	bool is_muted = fault == FAULT_RATE_LIMITED || uuid_is_nil(user_id);
	if (fault && fault != FAULT_RATE_LIMITED)
		return fault;
	return outbox_add(ctx,
	                  &(struct mail){
			      .template = MAIL_VERIFY,
			      .fate = is_muted ? MAIL_VOID : MAIL_TO_SEND,
			      .user_id = *user_id,
			      .to = email,
			      .name = name,
			      .link = outbox_link(ctx, "/verify.html", token),
			  });
}

static enum fault audit_registration(struct ctx *ctx, const struct uuid *user,
                                     enum audit_outcome outcome,
                                     struct span reason)
{
	return audit_append(ctx, &(struct audit_event){
				     .type = AUDIT_USER_REGISTER,
				     .outcome = outcome,
				     .user_id = *user,
				     .reason = reason,
				 });
}

/* As many statements as a new account takes, which reach nobody. */
static enum fault spend_an_insert(struct ctx *ctx)
{
	struct span token;
	enum fault fault = FAULT_NOT_FOUND;
	for (int i = 0; i < INSERT_STATEMENTS && fault == FAULT_NOT_FOUND; i++)
		fault = user_set_verified(ctx, &nobody);
	if (fault != FAULT_NOT_FOUND)
		return fault;
	return proof_make(ctx, PROOF_VERIFY, &nobody, SPAN("-"), &token);
}

static enum fault greet_owner(struct drafting *drafting,
                              const struct user *owner)
{
	struct ctx *ctx = drafting->ctx;
	enum fault fault = spend_an_insert(ctx);
	if (!fault)
		fault =
		    outbox_add(ctx, &(struct mail){
					.template = MAIL_ALREADY_REGISTERED,
					.user_id = owner->identity.user_id,
					.to = owner->identity.email,
					.name = owner->identity.name,
					.link = outbox_link(ctx, "/login.html",
		                                            (struct span){0}),
				    });
	if (!fault)
		fault = audit_registration(ctx, &owner->identity.user_id,
		                           AUDIT_FAILURE,
		                           SPAN("already_registered"));
	return fault;
}

static enum fault insert_person(struct drafting *drafting)
{
	struct ctx *ctx = drafting->ctx;
	const struct registration *wanted = drafting->wanted;
	struct user_draft draft = {
	    .email = drafting->email,
	    .name = wanted->name,
	    .role = SPAN("owner"),
	    .password_hash = drafting->credential.hash,
	    .pepper_id = drafting->credential.pepper_id,
	};
	random_uuid(ctx->now_ms, &draft.id);
	random_uuid(ctx->now_ms, &draft.tenant_id);
	struct span tenant_name = wanted->tenant_name;
	if (!tenant_name.length)
		tenant_name =
		    wanted->name.length ? wanted->name : SPAN("Personal");
	enum fault fault =
	    user_insert_tenant(ctx, &draft.tenant_id, tenant_name);
	if (!fault)
		fault = user_insert(ctx, &draft);
	if (!fault)
		fault = mail_proof(ctx, &draft.id, draft.email, draft.name);
	if (!fault)
		fault = audit_registration(ctx, &draft.id, AUDIT_SUCCESS,
		                           (struct span){0});
	return fault;
}

static enum fault register_work(void *argument)
{
	struct drafting *drafting = argument;
	struct user owner;
	enum fault fault =
	    user_find_by_email(drafting->ctx, drafting->email, NULL, &owner);
	if (!fault)
		return greet_owner(drafting, &owner);
	return fault == FAULT_NOT_FOUND ? insert_person(drafting) : fault;
}

enum fault registration_register(struct ctx *ctx,
                                 const struct registration *wanted)
{
	if (ctx->config->account.registration == REGISTRATION_CLOSED)
		return FAULT_FORBIDDEN;
	struct drafting drafting = {.ctx = ctx, .wanted = wanted};
	const struct span words[] = {wanted->name, wanted->tenant_name};
	enum fault email_fault =
	    check_email(ctx, wanted->email, &drafting.email);
	enum fault fault = password_policy_check(
	    ctx, "password", wanted->password, drafting.email, words, 2);
	if (!fault)
		fault = email_fault;
	if (!fault)
		fault = credential_make(ctx, wanted->password,
		                        &drafting.credential);
	if (!fault)
		fault = db_transact(ctx->db, register_work, &drafting);
	/* Two at once: the other made it, so this one is known now. */
	if (fault == FAULT_CONFLICT)
		fault = db_transact(ctx->db, register_work, &drafting);
	if (!fault)
		metrics_add(METRIC_REGISTRATIONS, 1);
	return fault;
}

struct resending {
	struct ctx *ctx;
	struct span email;
};

static enum fault resend_work(void *argument)
{
	const struct resending *resending = argument;
	struct ctx *ctx = resending->ctx;
	struct user user = {0};
	enum fault fault =
	    user_find_by_email(ctx, resending->email, NULL, &user);
	bool is_waiting =
	    !fault && !user.is_disabled && !user.identity.is_email_verified;
	if (fault && fault != FAULT_NOT_FOUND)
		return fault;
	fault = mail_proof(ctx, is_waiting ? &user.identity.user_id : &nobody,
	                   resending->email, user.identity.name);
	if (fault)
		return fault;
	return audit_append(
	    ctx, &(struct audit_event){
		     .type = AUDIT_VERIFICATION_REQUEST,
		     .outcome = is_waiting ? AUDIT_SUCCESS : AUDIT_FAILURE,
		     .user_id = user.identity.user_id,
		 });
}

enum fault registration_resend(struct ctx *ctx, struct span email)
{
	struct resending resending = {.ctx = ctx};
	enum fault fault = check_email(ctx, email, &resending.email);
	return fault ? fault : db_transact(ctx->db, resend_work, &resending);
}

struct verifying {
	struct ctx *ctx;
	struct span token;
	struct email_takeover takeover;
};

static enum fault confirm(struct ctx *ctx, const struct proof *proof)
{
	enum fault fault = user_set_verified(ctx, &proof->user_id);
	if (fault)
		return fault;
	return audit_append(ctx, &(struct audit_event){
				     .type = AUDIT_EMAIL_VERIFY,
				     .outcome = AUDIT_SUCCESS,
				     .user_id = proof->user_id,
				 });
}

static enum fault verify_work(void *argument)
{
	static const enum proof_purpose purposes[] = {
	    PROOF_VERIFY, PROOF_EMAIL_CHANGE, PROOF_EMAIL_UNDO};
	struct verifying *verifying = argument;
	struct ctx *ctx = verifying->ctx;
	struct proof proof;
	verifying->takeover = (struct email_takeover){0};
	enum fault fault =
	    proof_use(ctx, verifying->token, purposes, 3, &proof);
	if (fault)
		return fault;
	if (proof.purpose == PROOF_VERIFY)
		return confirm(ctx, &proof);
	return email_change_take_over(ctx, &proof, &verifying->takeover);
}

enum fault registration_verify(struct ctx *ctx, struct span token)
{
	struct verifying verifying = {.ctx = ctx, .token = token};
	enum fault fault = db_transact(ctx->db, verify_work, &verifying);
	if (!fault && verifying.takeover.has_mark)
		revocation_publish(ctx, &verifying.takeover.mark);
	if (fault != FAULT_TOKEN_INVALID)
		return fault;
	return audit_refusal(
	    ctx,
	    &(struct audit_event){.type = AUDIT_EMAIL_VERIFY,
	                          .reason = SPAN("token_invalid")},
	    fault);
}

struct adding {
	struct ctx *ctx;
	struct user_draft draft;
};

static enum fault add_work(void *argument)
{
	struct adding *adding = argument;
	struct ctx *ctx = adding->ctx;
	enum fault fault = user_insert(ctx, &adding->draft);
	if (!fault)
		fault =
		    audit_append(ctx, &(struct audit_event){
					  .type = AUDIT_USER_CREATE,
					  .outcome = AUDIT_SUCCESS,
					  .user_id = adding->draft.id,
					  .tenant_id = adding->draft.tenant_id,
					  .reason = adding->draft.role,
				      });
	return fault;
}

enum fault registration_add(struct ctx *ctx, const struct host_user *wanted)
{
	struct credential credential;
	struct adding adding = {
	    .ctx = ctx,
	    .draft =
		{
		    .tenant_id = ctx->system_tenant_id,
		    .name = wanted->name,
		    .role = wanted->role,
		    .is_email_verified = wanted->is_verified,
		},
	};
	struct user_draft *draft = &adding.draft;
	enum fault fault = check_email(ctx, wanted->email, &draft->email);
	if (!fault)
		fault = password_policy_check(ctx, "password", wanted->password,
		                              draft->email, &wanted->name, 1);
	if (!fault)
		fault = credential_make(ctx, wanted->password, &credential);
	if (fault)
		return fault;
	random_uuid(ctx->now_ms, &draft->id);
	draft->password_hash = credential.hash;
	draft->pepper_id = credential.pepper_id;
	return db_transact(ctx->db, add_work, &adding);
}
