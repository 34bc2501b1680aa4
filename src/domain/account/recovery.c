/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of replacing a password. */
#include "domain/account/recovery.h"

#include "domain/account/credential.h"
#include "domain/account/email.h"
#include "domain/account/password_policy.h"
#include "domain/account/proof.h"
#include "domain/audit/audit.h"
#include "domain/guard/failure.h"
#include "domain/outbox/outbox.h"
#include "domain/session/session.h"

struct forgetting {
	struct ctx *ctx;
	struct span email;
};

/* The row that an unknown address writes: it looks and costs the same. */
static struct mail void_mail(struct ctx *ctx, struct span email)
{
	return (struct mail){
	    .template = MAIL_RESET,
	    .fate = MAIL_VOID,
	    .to = email,
	    .link = outbox_link(ctx, "/reset.html", SPAN("-")),
	};
}

static enum fault forgot_work(void *argument)
{
	const struct forgetting *forgetting = argument;
	struct ctx *ctx = forgetting->ctx;
	struct user user = {0};
	struct span token;
	struct mail mail = void_mail(ctx, forgetting->email);
	enum fault fault =
	    user_find_by_email(ctx, forgetting->email, NULL, &user);
	bool is_somebody = !fault && !user.is_disabled;
	if (fault && fault != FAULT_NOT_FOUND)
		return fault;
	fault = proof_make(ctx, PROOF_RESET, &user.identity.user_id,
	                   forgetting->email, &token);
	if (!fault && is_somebody) {
		mail.fate = MAIL_TO_SEND;
		mail.user_id = user.identity.user_id;
		mail.name = user.identity.name;
		mail.link = outbox_link(ctx, "/reset.html", token);
	}
	/* Mailed too often of late: nobody is told. */
	if (!fault || fault == FAULT_RATE_LIMITED)
		fault = outbox_add(ctx, &mail);
	if (fault)
		return fault;
	return audit_append(
	    ctx, &(struct audit_event){
		     .type = AUDIT_PASSWORD_RESET_REQUEST,
		     .outcome = is_somebody ? AUDIT_SUCCESS : AUDIT_FAILURE,
		     .user_id = user.identity.user_id,
		     .reason = is_somebody ? SPAN("") : SPAN("no_account"),
		 });
}

enum fault recovery_forgot(struct ctx *ctx, struct span email)
{
	struct forgetting forgetting = {.ctx = ctx};
	enum fault fault =
	    email_canonical(ctx->arena, email, &forgetting.email);
	if (fault == FAULT_VALIDATION)
		return field_errors_add(&ctx->errors, "email", "invalid",
		                        "This is not an e-mail address.");
	return fault ? fault : db_transact(ctx->db, forgot_work, &forgetting);
}

/* A replacement on its way through the transaction. */
struct replacing {
	struct ctx *ctx;
	struct user user;
	struct credential credential;
	struct span token;  /* absent for a change */
	struct uuid spared; /* the session that goes on */
	enum audit_type type;
	struct revocation mark;
};

static enum fault check_policy(struct ctx *ctx, const struct user *user,
                               struct span new_password)
{
	return password_policy_check(ctx, "new_password", new_password,
	                             user->identity.email, &user->identity.name,
	                             1);
}

/* The part that hashes: not one of the last ones, then its own hash. */
static enum fault hash_new_password(struct ctx *ctx, const struct user *user,
                                    struct span new_password,
                                    struct credential *out)
{
	enum fault fault =
	    credential_check_history(ctx, "new_password", user, new_password);
	return fault ? fault : credential_make(ctx, new_password, out);
}

static enum fault tell_owner(struct replacing *replacing)
{
	struct ctx *ctx = replacing->ctx;
	const struct identity *identity = &replacing->user.identity;
	return outbox_add(
	    ctx, &(struct mail){
		     .template = MAIL_PASSWORD_CHANGED,
		     .user_id = identity->user_id,
		     .to = identity->email,
		     .name = identity->name,
		     .link = outbox_link(ctx, "/forgot.html", (struct span){0}),
		 });
}

/* What every replacement does, however it was allowed. */
static enum fault replace(struct replacing *replacing)
{
	struct ctx *ctx = replacing->ctx;
	const struct uuid *user_id = &replacing->user.identity.user_id;
	enum fault fault =
	    credential_replace(ctx, &replacing->user, &replacing->credential);
	if (!fault)
		fault = proof_void_all(ctx, user_id, PROOF_KEEP_UNDO);
	if (!fault)
		fault =
		    session_end_all(ctx, user_id, &replacing->spared,
		                    span_of(audit_type_name(replacing->type)),
		                    &replacing->mark);
	if (!fault)
		fault = tell_owner(replacing);
	if (!fault)
		fault = audit_append(ctx, &(struct audit_event){
					      .type = replacing->type,
					      .outcome = AUDIT_SUCCESS,
					      .user_id = *user_id,
					  });
	return fault;
}

static enum fault replace_and_publish(struct replacing *replacing,
                                      db_work *work)
{
	enum fault fault = db_transact(replacing->ctx->db, work, replacing);
	if (!fault)
		revocation_publish(replacing->ctx, &replacing->mark);
	return fault;
}

static enum fault claim_work(void *argument)
{
	static const enum proof_purpose purpose = PROOF_RESET;
	struct replacing *replacing = argument;
	struct proof proof;
	return proof_use(replacing->ctx, replacing->token, &purpose, 1, &proof);
}

static enum fault reset_work(void *argument)
{
	struct replacing *replacing = argument;
	const struct identity *identity = &replacing->user.identity;
	/* Who got the mail can read the address, and is no guesser. */
	enum fault fault =
	    user_set_verified(replacing->ctx, &identity->user_id);
	if (!fault)
		fault = failure_unlock(replacing->ctx, identity->email);
	return fault ? fault : replace(replacing);
}

/*
 * The token is claimed before anything is hashed, so that of many who present
 * it at once one hashes and all others are told at once; it is given back when
 * the new password is refused.
 */
static enum fault claim_and_reset(struct replacing *replacing,
                                  struct span new_password)
{
	struct ctx *ctx = replacing->ctx;
	enum fault fault = db_transact(ctx->db, claim_work, replacing);
	if (fault)
		return fault;
	fault = hash_new_password(ctx, &replacing->user, new_password,
	                          &replacing->credential);
	if (!fault)
		fault = replace_and_publish(replacing, reset_work);
	if (fault && proof_release(ctx, replacing->token))
		return FAULT_UNAVAILABLE;
	return fault;
}

static enum fault reset(struct replacing *replacing, struct span new_password)
{
	struct ctx *ctx = replacing->ctx;
	struct proof proof;
	enum fault fault =
	    proof_peek(ctx, replacing->token, PROOF_RESET, &proof);
	if (!fault)
		fault = user_find(ctx, &proof.user_id, &replacing->user);
	if (fault == FAULT_NOT_FOUND || (!fault && replacing->user.is_disabled))
		return FAULT_TOKEN_INVALID;
	if (!fault)
		fault = check_policy(ctx, &replacing->user, new_password);
	return fault ? fault : claim_and_reset(replacing, new_password);
}

enum fault recovery_reset(struct ctx *ctx, struct span token,
                          struct span new_password)
{
	struct replacing replacing = {
	    .ctx = ctx,
	    .token = token,
	    .type = AUDIT_PASSWORD_RESET,
	};
	enum fault fault = reset(&replacing, new_password);
	if (fault != FAULT_TOKEN_INVALID)
		return fault;
	return audit_refusal(
	    ctx,
	    &(struct audit_event){.type = AUDIT_PASSWORD_RESET,
	                          .reason = SPAN("token_invalid")},
	    fault);
}

static enum fault change_work(void *argument)
{
	return replace(argument);
}

enum fault recovery_change(struct ctx *ctx, struct span current_password,
                           struct span new_password)
{
	struct replacing replacing = {
	    .ctx = ctx,
	    .spared = ctx->actor.session_id,
	    .type = AUDIT_PASSWORD_CHANGE,
	};
	struct credential renewed;
	enum fault fault = user_find(ctx, &ctx->actor.user_id, &replacing.user);
	if (!fault)
		fault = credential_check(ctx, &replacing.user, current_password,
		                         &renewed);
	if (fault == FAULT_INVALID_CREDENTIALS)
		return audit_refusal(
		    ctx,
		    &(struct audit_event){.type = AUDIT_PASSWORD_CHANGE,
		                          .reason = SPAN("wrong_password")},
		    fault);
	if (!fault)
		fault = check_policy(ctx, &replacing.user, new_password);
	if (!fault)
		fault = hash_new_password(ctx, &replacing.user, new_password,
		                          &replacing.credential);
	return fault ? fault : replace_and_publish(&replacing, change_work);
}
