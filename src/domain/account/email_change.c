/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of changing an address and of taking it back. */
#include "domain/account/email_change.h"

#include "domain/account/credential.h"
#include "domain/account/email.h"
#include "domain/audit/audit.h"
#include "domain/outbox/outbox.h"
#include "domain/session/session.h"

#include <assert.h>

struct requesting {
	struct ctx *ctx;
	struct user user;
	struct span new_email;
};

static enum fault audit_change(struct ctx *ctx, const struct uuid *user_id,
                               struct span reason)
{
	return audit_append(ctx, &(struct audit_event){
				     .type = AUDIT_EMAIL_CHANGE,
				     .outcome = AUDIT_SUCCESS,
				     .user_id = *user_id,
				     .reason = reason,
				 });
}

/*
 * A taken address gets the mail that says so, a free one the link: the caller
 * cannot tell, for both take the same steps. A token that is not mailed is
 * nobody's.
 */
static enum fault mail_new_address(struct requesting *requesting)
{
	struct ctx *ctx = requesting->ctx;
	const struct identity *identity = &requesting->user.identity;
	struct user other;
	struct span token;
	struct mail mail = {
	    .template = MAIL_EMAIL_CONFIRM,
	    .user_id = identity->user_id,
	    .to = requesting->new_email,
	    .name = identity->name,
	};
	enum fault fault =
	    proof_make(ctx, PROOF_EMAIL_CHANGE, &identity->user_id,
	               requesting->new_email, &token);
	if (fault)
		return fault;
	mail.link = outbox_link(ctx, "/verify.html", token);
	fault = user_find_by_email(ctx, requesting->new_email, NULL, &other);
	if (!fault) {
		mail.template = MAIL_ALREADY_REGISTERED;
		mail.name = other.identity.name;
		mail.link = outbox_link(ctx, "/login.html", (struct span){0});
	}
	return fault && fault != FAULT_NOT_FOUND ? fault
	                                         : outbox_add(ctx, &mail);
}

static enum fault request_work(void *argument)
{
	struct requesting *requesting = argument;
	struct ctx *ctx = requesting->ctx;
	const struct uuid *user_id = &requesting->user.identity.user_id;
	enum fault fault =
	    user_set_pending_email(ctx, user_id, requesting->new_email);
	if (!fault)
		fault = mail_new_address(requesting);
	return fault ? fault : audit_change(ctx, user_id, SPAN("requested"));
}

enum fault email_change_request(struct ctx *ctx, struct span new_email,
                                struct span password)
{
	struct requesting requesting = {.ctx = ctx};
	struct credential renewed;
	enum fault fault =
	    email_canonical(ctx->arena, new_email, &requesting.new_email);
	if (fault == FAULT_VALIDATION)
		return field_errors_add(&ctx->errors, "email", "invalid",
		                        "This is not an e-mail address.");
	if (!fault)
		fault = user_find(ctx, &ctx->actor.user_id, &requesting.user);
	if (!fault)
		fault =
		    credential_check(ctx, &requesting.user, password, &renewed);
	if (fault == FAULT_INVALID_CREDENTIALS)
		return audit_refusal(
		    ctx,
		    &(struct audit_event){.type = AUDIT_EMAIL_CHANGE,
		                          .reason = SPAN("wrong_password")},
		    fault);
	return fault ? fault : db_transact(ctx->db, request_work, &requesting);
}

/* The old address is told, with a link that takes the change back. */
static enum fault tell_old_address(struct ctx *ctx,
                                   const struct identity *before,
                                   struct span new_email)
{
	struct span token;
	enum fault fault = proof_make(ctx, PROOF_EMAIL_UNDO, &before->user_id,
	                              before->email, &token);
	if (fault)
		return fault;
	return outbox_add(
	    ctx, &(struct mail){
		     .template = MAIL_EMAIL_CHANGED,
		     .user_id = before->user_id,
		     .to = before->email,
		     .name = before->name,
		     .detail = new_email,
		     .link = outbox_link(ctx, "/verify.html?undo", token),
		 });
}

static enum fault take_back(struct ctx *ctx, const struct proof *proof,
                            struct email_takeover *out)
{
	static const struct uuid nobody = {0};
	enum fault fault =
	    session_end_all(ctx, &proof->user_id, &nobody,
	                    SPAN("email_change_undone"), &out->mark);
	out->has_mark = !fault;
	return fault ? fault
	             : audit_change(ctx, &proof->user_id, SPAN("undone"));
}

enum fault email_change_take_over(struct ctx *ctx, const struct proof *proof,
                                  struct email_takeover *out)
{
	assert(db_in_transaction(ctx->db));
	struct user user;
	enum fault fault = user_find(ctx, &proof->user_id, &user);
	if (!fault)
		fault = user_set_email(ctx, &proof->user_id, proof->email);
	if (fault == FAULT_CONFLICT)
		return FAULT_TOKEN_INVALID;
	/* Tokens that were mailed to the old address end with it. */
	bool is_undo = proof->purpose == PROOF_EMAIL_UNDO;
	if (!fault)
		fault =
		    proof_void_all(ctx, &proof->user_id,
		                   is_undo ? PROOF_VOID_UNDO : PROOF_KEEP_UNDO);
	if (fault)
		return fault;
	if (is_undo)
		return take_back(ctx, proof, out);
	fault = tell_old_address(ctx, &user.identity, proof->email);
	return fault ? fault
	             : audit_change(ctx, &proof->user_id, SPAN("confirmed"));
}
