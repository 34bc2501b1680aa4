/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing in. An attempt is claimed, counted as failed, before its password is
 * hashed, and the password is hashed before anything is decided; the session is
 * opened with the generations that were read before hashing, so that a change
 * in between ends it.
 */
#include "domain/account/login.h"

#include "base/log.h"
#include "base/metrics.h"
#include "domain/account/credential.h"
#include "domain/account/email.h"
#include "domain/account/password_policy.h"
#include "domain/audit/audit.h"
#include "domain/guard/captcha.h"
#include "domain/guard/device.h"
#include "domain/guard/failure.h"
#include "domain/guard/guard.h"
#include "domain/guard/version.h"

#define LOGGED_BYTES 254 /* of an address as it was sent */

struct attempt {
	struct ctx *ctx;
	const struct login *login;
	bool is_known;
	struct user user;
	struct attempt_at at;
	struct failure_claim claim;
	bool is_claimed;
	bool is_charged;
	struct span subject; /* of the account's rate limit */
	struct span reason;  /* why it failed */
	struct credential renewed;
	struct session_tokens *out;
};

/* Who it may be. Whatever is no address is nobody's. */
static enum fault find_user(struct attempt *attempt)
{
	struct ctx *ctx = attempt->ctx;
	const struct login *login = attempt->login;
	enum fault fault =
	    email_canonical(ctx->arena, login->email, &attempt->at.email);
	if (fault == FAULT_VALIDATION)
		return FAULT_NONE;
	if (!fault)
		fault = user_find_by_email(ctx, attempt->at.email,
		                           &login->tenant_id, &attempt->user);
	attempt->is_known = !fault;
	if (attempt->is_known)
		attempt->at.owner = &attempt->user.identity;
	return fault == FAULT_NOT_FOUND ? FAULT_NONE : fault;
}

/* Whether the device is one of theirs; the check is made for nobody, too. */
static void recognise_device(struct attempt *attempt)
{
	const struct login *login = attempt->login;
	bool is_known = device_check(
	    attempt->ctx, &attempt->user.identity.user_id, login->device);
	if (is_known)
		attempt->at.device = login->device;
}

/*
 * The account's rate limit, over all networks. That it is used up is not the
 * end: whom it binds is for the claim to say, which knows who has failed.
 */
static enum fault charge(struct attempt *attempt)
{
	struct ctx *ctx = attempt->ctx;
	enum fault fault =
	    failure_subject(ctx, attempt->at.email, &attempt->subject);
	if (!fault)
		fault =
		    guard_charge(ctx, LIMIT_LOGIN_ACCOUNT, attempt->subject);
	attempt->is_charged = !fault;
	if (fault != FAULT_RATE_LIMITED)
		return fault;
	attempt->at.limit_wait_ms = ctx->retry_after_ms;
	return FAULT_NONE;
}

/* What was no attempt at the password, or a right one, is given back. */
static void refund(struct attempt *attempt)
{
	if (attempt->is_charged)
		guard_refund_charge(attempt->ctx, LIMIT_LOGIN_ACCOUNT,
		                    attempt->subject);
	attempt->is_charged = false;
}

/* A captcha's answer is used up only where one is wanted. */
static enum fault claim(struct attempt *attempt)
{
	struct ctx *ctx = attempt->ctx;
	struct span answer = attempt->login->captcha;
	enum fault fault = failure_claim(ctx, &attempt->at, &attempt->claim);
	if (fault == FAULT_CAPTCHA_REQUIRED && answer.at) {
		fault = captcha_check(ctx, answer);
		attempt->at.has_captcha = !fault;
		if (!fault)
			fault =
			    failure_claim(ctx, &attempt->at, &attempt->claim);
	}
	attempt->is_claimed = !fault;
	if (fault == FAULT_CAPTCHA_REQUIRED)
		metrics_add(METRIC_CAPTCHA_WANTED, 1);
	return fault;
}

static enum fault prepare(struct attempt *attempt)
{
	enum fault fault = find_user(attempt);
	if (fault)
		return fault;
	recognise_device(attempt);
	fault = charge(attempt);
	return fault ? fault : claim(attempt);
}

/* The password, then the account; reason says what was wrong. */
static enum fault check(struct attempt *attempt)
{
	struct ctx *ctx = attempt->ctx;
	const struct user *user = attempt->is_known ? &attempt->user : NULL;
	enum fault fault = credential_check(ctx, user, attempt->login->password,
	                                    &attempt->renewed);
	if (fault == FAULT_INVALID_CREDENTIALS || (!fault && !user)) {
		attempt->reason =
		    user ? SPAN("wrong_password") : SPAN("unknown_user");
		return FAULT_INVALID_CREDENTIALS;
	}
	if (!fault && !user->identity.is_active) {
		attempt->reason = SPAN("disabled");
		return FAULT_INVALID_CREDENTIALS;
	}
	return fault;
}

/*
 * The line that fail2ban reads: the address first, and last what comes from
 * outside, so that nothing in it can be taken for an address.
 */
static void log_failure(const struct attempt *attempt, struct span reason)
{
	char client[IP_TEXT_BYTES];
	struct log_line line;
	struct span user = attempt->login->email;
	if (user.length > LOGGED_BYTES)
		user.length = LOGGED_BYTES;
	log_begin(&line, LOG_WARNING, "login_failed");
	json_string(&line.json, "client",
	            span_of(ip_format(&attempt->ctx->ip, client)));
	json_string(&line.json, "reason", reason);
	json_string(&line.json, "user", user);
	log_end(&line);
}

static enum fault failure_work(void *argument)
{
	struct attempt *attempt = argument;
	struct audit_event event = {
	    .type = AUDIT_LOGIN_ATTEMPT,
	    .outcome = AUDIT_FAILURE,
	    .reason = attempt->reason,
	    .detail = attempt->at.email,
	};
	if (attempt->is_known)
		event.user_id = attempt->user.identity.user_id;
	enum fault fault = audit_append(attempt->ctx, &event);
	if (!fault && attempt->is_claimed)
		fault = failure_announce(attempt->ctx, &attempt->at,
		                         &attempt->claim);
	return fault;
}

static enum fault note_failure(struct attempt *attempt)
{
	struct ctx *ctx = attempt->ctx;
	metrics_add(METRIC_LOGIN_FAILURES, 1);
	log_failure(attempt, attempt->reason);
	enum fault fault = db_transact(ctx->db, failure_work, attempt);
	if (!fault && attempt->claim.has_blocked)
		version_publish(ctx, attempt->claim.guard_version);
	return fault ? fault : FAULT_INVALID_CREDENTIALS;
}

static const struct {
	enum fault fault;
	struct span reason;
} refusals[] = {
    {FAULT_ACCOUNT_LOCKED, {"locked", 6}},
    {FAULT_RATE_LIMITED, {"limited", 7}},
    {FAULT_CAPTCHA_REQUIRED, {"captcha_required", 16}},
};

/*
 * Ended before or at the hash for another reason than the password. Refusals
 * are logged, not audited: who is locked out cannot fill the record.
 */
static enum fault give_up(struct attempt *attempt, enum fault fault)
{
	struct ctx *ctx = attempt->ctx;
	int64_t retry_after_ms = ctx->retry_after_ms;
	/* A full house is our trouble, unless it is guesses that fill it. */
	if (fault == FAULT_BUSY && attempt->claim.failures_before > 0)
		fault = FAULT_RATE_LIMITED;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].fault == fault)
			log_failure(attempt, refusals[i].reason);
	refund(attempt);
	if (attempt->is_claimed &&
	    failure_withdraw(ctx, &attempt->at, &attempt->claim))
		log_note(LOG_WARNING, "attempt_not_withdrawn", NULL);
	ctx->retry_after_ms = retry_after_ms;
	return fault;
}

static enum fault note_success(struct attempt *attempt)
{
	const struct identity *identity = &attempt->user.identity;
	return audit_append(attempt->ctx,
	                    &(struct audit_event){
				.type = AUDIT_LOGIN_ATTEMPT,
				.outcome = AUDIT_SUCCESS,
				.user_id = identity->user_id,
				.tenant_id = identity->tenant_id,
				.session_id = attempt->out->session_id,
				.reason = SPAN("password"),
			    });
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
		fault = note_success(attempt);
	/* Last: all who sign in from one network pass its counter. */
	return fault ? fault
	             : failure_clear(ctx, &attempt->at, &attempt->claim);
}

static enum fault open_session(struct attempt *attempt)
{
	enum fault fault = db_transact(attempt->ctx->db, open_work, attempt);
	if (fault)
		return fault;
	refund(attempt);
	metrics_add(METRIC_LOGIN_SUCCESSES, 1);
	return FAULT_NONE;
}

enum fault login_with_password(struct ctx *ctx, const struct login *login,
                               struct session_tokens *out)
{
	struct attempt attempt = {
	    .ctx = ctx,
	    .login = login,
	    .at = {.email = login->email},
	    .reason = SPAN("password_too_long"),
	    .out = out,
	};
	/* Refused before hashing, whoever it is: nobody's password is so long.
	 */
	if (password_policy_is_too_long(ctx->config, login->password))
		return note_failure(&attempt);
	enum fault fault = prepare(&attempt);
	if (!fault)
		fault = check(&attempt);
	if (fault == FAULT_INVALID_CREDENTIALS)
		return note_failure(&attempt);
	return fault ? give_up(&attempt, fault) : open_session(&attempt);
}
