/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing in. The password is hashed before anything is decided, and the
 * session is opened with the generations that were read before hashing, so
 * that a change in between ends it.
 */
#include "domain/account/login.h"

#include "base/metrics.h"
#include "domain/account/credential.h"
#include "domain/account/email.h"
#include "domain/account/password_policy.h"
#include "domain/audit/audit.h"

struct attempt {
	struct ctx *ctx;
	const struct login *login;
	struct span email; /* canonical, or as it was sent */
	bool is_known;
	struct user user;
	struct credential renewed;
	struct session_tokens *out;
};

/* Who it may be. Whatever is no address is nobody's. */
static enum fault find_user(struct attempt *attempt)
{
	struct ctx *ctx = attempt->ctx;
	const struct login *login = attempt->login;
	attempt->email = login->email;
	enum fault fault =
	    email_canonical(ctx->arena, login->email, &attempt->email);
	if (fault == FAULT_VALIDATION)
		return FAULT_NONE;
	if (!fault)
		fault = user_find_by_email(ctx, attempt->email,
		                           &login->tenant_id, &attempt->user);
	attempt->is_known = !fault;
	return fault == FAULT_NOT_FOUND ? FAULT_NONE : fault;
}

/* The password, then the account; reason says what was wrong. */
static enum fault check(struct attempt *attempt, struct span *reason)
{
	struct ctx *ctx = attempt->ctx;
	const struct user *user = attempt->is_known ? &attempt->user : NULL;
	enum fault fault = credential_check(ctx, user, attempt->login->password,
	                                    &attempt->renewed);
	if (fault == FAULT_INVALID_CREDENTIALS || !user) {
		*reason = user ? SPAN("wrong_password") : SPAN("unknown_user");
		return fault ? fault : FAULT_INVALID_CREDENTIALS;
	}
	if (!fault && !user->identity.is_active) {
		*reason = SPAN("disabled");
		return FAULT_INVALID_CREDENTIALS;
	}
	return fault;
}

static enum fault note_failure(struct attempt *attempt, struct span reason)
{
	struct audit_event event = {
	    .type = AUDIT_LOGIN_ATTEMPT,
	    .outcome = AUDIT_FAILURE,
	    .reason = reason,
	    .detail = attempt->email,
	};
	if (attempt->is_known)
		event.user_id = attempt->user.identity.user_id;
	metrics_add(METRIC_LOGIN_FAILURES, 1);
	enum fault fault = audit_append_alone(attempt->ctx, &event);
	return fault ? fault : FAULT_INVALID_CREDENTIALS;
}

static enum fault open_work(void *argument)
{
	struct attempt *attempt = argument;
	struct ctx *ctx = attempt->ctx;
	const struct identity *identity = &attempt->user.identity;
	const struct session_start start = {
	    .kind = attempt->login->kind,
	    .device_name = attempt->login->device_name,
	    .amr = SPAN("pwd"),
	};
	enum fault fault = FAULT_NONE;
	if (attempt->renewed.hash.at)
		fault = credential_renew(ctx, &identity->user_id,
		                         &attempt->renewed);
	if (!fault)
		fault = session_open(ctx, identity, &start, attempt->out);
	if (!fault)
		fault = audit_append(ctx,
		                     &(struct audit_event){
					 .type = AUDIT_LOGIN_ATTEMPT,
					 .outcome = AUDIT_SUCCESS,
					 .user_id = identity->user_id,
					 .tenant_id = identity->tenant_id,
					 .session_id = attempt->out->session_id,
					 .reason = SPAN("password"),
				     });
	return fault;
}

enum fault login_with_password(struct ctx *ctx, const struct login *login,
                               struct session_tokens *out)
{
	struct attempt attempt = {.ctx = ctx, .login = login, .out = out};
	struct span reason = {0};
	/* Refused before hashing, whoever it is: nobody's password is so long.
	 */
	if (password_policy_is_too_long(ctx->config, login->password))
		return note_failure(&attempt, SPAN("password_too_long"));
	enum fault fault = find_user(&attempt);
	if (!fault)
		fault = check(&attempt, &reason);
	if (fault == FAULT_INVALID_CREDENTIALS)
		return note_failure(&attempt, reason);
	if (!fault)
		fault = db_transact(ctx->db, open_work, &attempt);
	if (!fault)
		metrics_add(METRIC_LOGIN_SUCCESSES, 1);
	return fault;
}
