/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction shape for everything that is done to a user by others. */
#include "domain/account/administration.h"

#include "domain/access/role.h"
#include "domain/account/email.h"
#include "domain/audit/audit.h"
#include "domain/guard/failure.h"
#include "domain/session/session.h"

struct measure {
	struct ctx *ctx;
	const struct uuid *user_id;   /* whom it concerns; may be NULL */
	const struct uuid *tenant_id; /* likewise */
	const struct uuid *token_id;  /* likewise */
	enum user_status status;
	struct span reason;
	struct revocation mark;
};

static enum fault note(struct measure *measure, enum audit_type type,
                       struct span reason)
{
	struct audit_event event = {
	    .type = type,
	    .outcome = AUDIT_SUCCESS,
	    .reason = reason,
	};
	if (measure->user_id)
		event.user_id = *measure->user_id;
	if (measure->tenant_id)
		event.tenant_id = *measure->tenant_id;
	return audit_append(measure->ctx, &event);
}

static enum fault end_sessions(struct measure *measure)
{
	static const struct uuid nobody = {0};
	return session_end_all(measure->ctx, measure->user_id, &nobody,
	                       measure->reason, &measure->mark);
}

static enum fault status_work(void *argument)
{
	struct measure *measure = argument;
	enum fault fault =
	    user_set_status(measure->ctx, measure->user_id, measure->status);
	if (!fault && measure->status == USER_DISABLED)
		fault = end_sessions(measure);
	return fault ? fault
	             : note(measure, AUDIT_USER_STATUS, measure->reason);
}

static enum fault role_work(void *argument)
{
	struct measure *measure = argument;
	enum fault fault = user_set_role(measure->ctx, measure->user_id,
	                                 measure->tenant_id, measure->reason);
	if (!fault)
		fault = session_renew_all(measure->ctx, measure->user_id,
		                          SPAN("role_change"), &measure->mark);
	return fault ? fault
	             : note(measure, AUDIT_ROLE_CHANGE, measure->reason);
}

static enum fault revoke_work(void *argument)
{
	struct measure *measure = argument;
	enum fault fault = end_sessions(measure);
	return fault ? fault
	             : note(measure, AUDIT_TOKEN_REVOKE, measure->reason);
}

static enum fault take(struct measure *measure, db_work *work)
{
	struct user user;
	enum fault fault = FAULT_NONE;
	if (measure->user_id)
		fault = user_find(measure->ctx, measure->user_id, &user);
	if (!fault)
		fault = db_transact(measure->ctx->db, work, measure);
	if (!fault && measure->mark.number > 0)
		revocation_publish(measure->ctx, &measure->mark);
	return fault;
}

enum fault administration_set_status(struct ctx *ctx,
                                     const struct uuid *user_id,
                                     enum user_status status)
{
	struct measure measure = {
	    .ctx = ctx,
	    .user_id = user_id,
	    .status = status,
	    .reason =
		status == USER_ACTIVE ? SPAN("enabled") : SPAN("disabled"),
	};
	return take(&measure, status_work);
}

enum fault administration_set_role(struct ctx *ctx, const struct uuid *user_id,
                                   const struct uuid *tenant_id,
                                   struct span role)
{
	struct measure measure = {
	    .ctx = ctx,
	    .user_id = user_id,
	    .tenant_id = tenant_id,
	    .reason = role,
	};
	if (!role_is_known(role))
		return FAULT_VALIDATION;
	return take(&measure, role_work);
}

enum fault administration_revoke(struct ctx *ctx, const struct uuid *user_id,
                                 struct span reason)
{
	struct measure measure = {
	    .ctx = ctx,
	    .user_id = user_id,
	    .reason = reason,
	};
	return take(&measure, revoke_work);
}

struct unlocking {
	struct ctx *ctx;
	struct span email;
	struct user user; /* zeroed: nobody has the address */
};

static enum fault unlock_work(void *argument)
{
	struct unlocking *unlocking = argument;
	struct ctx *ctx = unlocking->ctx;
	enum fault fault = failure_unlock(ctx, unlocking->email);
	return fault ? fault
	             : audit_append(
			   ctx, &(struct audit_event){
				    .type = AUDIT_ACCOUNT_UNLOCK,
				    .outcome = AUDIT_SUCCESS,
				    .user_id = unlocking->user.identity.user_id,
				    .detail = unlocking->email,
				});
}

enum fault administration_unlock(struct ctx *ctx, const struct uuid *user_id)
{
	struct unlocking unlocking = {.ctx = ctx};
	enum fault fault = user_find(ctx, user_id, &unlocking.user);
	unlocking.email = unlocking.user.identity.email;
	return fault ? fault : db_transact(ctx->db, unlock_work, &unlocking);
}

enum fault administration_unlock_address(struct ctx *ctx, struct span address)
{
	struct unlocking unlocking = {.ctx = ctx};
	enum fault fault =
	    email_canonical(ctx->arena, address, &unlocking.email);
	if (!fault)
		fault = user_find_by_email(ctx, unlocking.email, NULL,
		                           &unlocking.user);
	if (fault && fault != FAULT_NOT_FOUND)
		return fault;
	return db_transact(ctx->db, unlock_work, &unlocking);
}

static enum fault revoke_token_work(void *argument)
{
	struct measure *measure = argument;
	measure->mark = (struct revocation){
	    .kind = REVOKE_TOKEN,
	    .subject = *measure->token_id,
	    .number = 1,
	    .reason = measure->reason,
	};
	enum fault fault = revocation_add(measure->ctx, &measure->mark);
	return fault ? fault
	             : note(measure, AUDIT_TOKEN_REVOKE, measure->reason);
}

enum fault administration_revoke_token(struct ctx *ctx,
                                       const struct uuid *token_id,
                                       struct span reason)
{
	struct measure measure = {
	    .ctx = ctx,
	    .token_id = token_id,
	    .reason = reason,
	};
	return take(&measure, revoke_token_work);
}

static enum fault revoke_tenant_work(void *argument)
{
	struct measure *measure = argument;
	enum fault fault = session_end_tenant(measure->ctx, measure->tenant_id,
	                                      measure->reason, &measure->mark);
	return fault ? fault
	             : note(measure, AUDIT_TOKEN_REVOKE, measure->reason);
}

enum fault administration_revoke_tenant(struct ctx *ctx,
                                        const struct uuid *tenant_id,
                                        struct span reason)
{
	struct measure measure = {
	    .ctx = ctx,
	    .tenant_id = tenant_id,
	    .reason = reason,
	};
	return take(&measure, revoke_tenant_work);
}

static enum fault revoke_all_work(void *argument)
{
	struct measure *measure = argument;
	enum fault fault = session_end_everything(measure->ctx, measure->reason,
	                                          &measure->mark);
	return fault ? fault
	             : note(measure, AUDIT_TOKEN_REVOKE, measure->reason);
}

enum fault administration_revoke_all(struct ctx *ctx, struct span reason)
{
	struct measure measure = {.ctx = ctx, .reason = reason};
	return take(&measure, revoke_all_work);
}
