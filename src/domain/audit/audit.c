/* SPDX-License-Identifier: Apache-2.0 */
/* The types of events and what is written of each; the SQL is the store's. */
#include "domain/audit/audit.h"

#include "base/metrics.h"
#include "crypto/random.h"
#include "domain/audit/audit_store.h"

#include <assert.h>

struct audit_row {
	const char *name;
	enum audit_severity severity[2]; /* by outcome: failure, success */
};

#define INFO     AUDIT_SEVERITY_INFO
#define WARNING  AUDIT_SEVERITY_WARNING
#define CRITICAL AUDIT_SEVERITY_CRITICAL

/* clang-format off */
static const struct audit_row rows[] = {
	[AUDIT_LOGIN_ATTEMPT] = {"login_attempt", {WARNING, INFO}},
	[AUDIT_LOGOUT] = {"logout", {INFO, INFO}},
	[AUDIT_USER_REGISTER] = {"user_register", {INFO, INFO}},
	[AUDIT_EMAIL_VERIFY] = {"email_verify", {INFO, INFO}},
	[AUDIT_EMAIL_CHANGE] = {"email_change", {WARNING, WARNING}},
	[AUDIT_VERIFICATION_REQUEST] = {"verification_request", {INFO, INFO}},
	[AUDIT_PASSWORD_CHANGE] = {"password_change", {WARNING, INFO}},
	[AUDIT_PASSWORD_RESET_REQUEST] = {"password_reset_request", {INFO, INFO}},
	[AUDIT_PASSWORD_RESET] = {"password_reset", {WARNING, WARNING}},
	[AUDIT_PROFILE_UPDATE] = {"profile_update", {INFO, INFO}},
	[AUDIT_TOKEN_REFRESH] = {"token_refresh", {WARNING, INFO}},
	[AUDIT_TOKEN_REVOKE] = {"token_revoke", {INFO, INFO}},
	[AUDIT_SESSION_END] = {"session_end", {INFO, INFO}},
	[AUDIT_USER_CREATE] = {"user_create", {WARNING, WARNING}},
	[AUDIT_USER_STATUS] = {"user_status", {WARNING, WARNING}},
	[AUDIT_ROLE_CHANGE] = {"role_change", {WARNING, WARNING}},
	[AUDIT_KEY_ROTATE] = {"key_rotate", {CRITICAL, WARNING}},
	[AUDIT_POLICY_CHANGE] = {"policy_change", {WARNING, WARNING}},
	[AUDIT_IP_BLOCK] = {"ip_block", {WARNING, WARNING}},
	[AUDIT_IP_UNBLOCK] = {"ip_unblock", {WARNING, WARNING}},
	[AUDIT_ACCOUNT_LOCK] = {"account_lock", {CRITICAL, CRITICAL}},
	[AUDIT_ACCOUNT_UNLOCK] = {"account_unlock", {WARNING, WARNING}},
	[AUDIT_AUTHORIZATION_FAILED] = {"authorization_failed", {WARNING, WARNING}},
	[AUDIT_SUSPICIOUS_ACTIVITY] = {"suspicious_activity", {CRITICAL, CRITICAL}},
};
/* clang-format on */
static_assert(sizeof(rows) / sizeof(rows[0]) == AUDIT_TYPE_COUNT,
              "every type has its row");

static const char *const severity_names[] = {
    [AUDIT_SEVERITY_INFO] = "info",
    [AUDIT_SEVERITY_WARNING] = "warning",
    [AUDIT_SEVERITY_CRITICAL] = "critical",
};
static_assert(sizeof(severity_names) / sizeof(severity_names[0]) ==
                  AUDIT_SEVERITY_COUNT,
              "every severity has its name");

static const enum metric severity_metrics[] = {
    [AUDIT_SEVERITY_INFO] = METRIC_AUDIT_INFO,
    [AUDIT_SEVERITY_WARNING] = METRIC_AUDIT_WARNING,
    [AUDIT_SEVERITY_CRITICAL] = METRIC_AUDIT_CRITICAL,
};

const char *audit_type_name(enum audit_type type)
{
	if (type >= AUDIT_TYPE_COUNT || !rows[type].name)
		return "-";
	return rows[type].name;
}

const char *audit_severity_name(enum audit_severity severity)
{
	assert(severity < AUDIT_SEVERITY_COUNT);
	return severity_names[severity];
}

bool audit_is_type(struct span name)
{
	for (size_t i = 0; i < AUDIT_TYPE_COUNT; i++)
		if (rows[i].name && span_equal(span_of(rows[i].name), name))
			return true;
	return false;
}

bool audit_is_severity(struct span name)
{
	for (size_t i = 0; i < AUDIT_SEVERITY_COUNT; i++)
		if (span_equal(span_of(severity_names[i]), name))
			return true;
	return false;
}

/* Who acted: the signed-in person; nil for nobody and for the host. */
static const struct uuid *acting_user(const struct ctx *ctx)
{
	return ctx->actor.kind == ACTOR_USER ? &ctx->actor.user_id : NULL;
}

static struct uuid either(const struct uuid *given, const struct uuid *actors)
{
	return uuid_is_nil(given) ? *actors : *given;
}

enum fault audit_append(struct ctx *ctx, const struct audit_event *event)
{
	assert(db_in_transaction(ctx->db));
	assert(event->type > AUDIT_NOT_WANTED &&
	       event->type < AUDIT_TYPE_COUNT);

	const struct audit_row *row = &rows[event->type];
	enum audit_severity severity = row->severity[event->outcome];
	struct audit_entry entry = {
	    .at_ms = ctx->now_ms,
	    .type = span_of(row->name),
	    .severity = span_of(severity_names[severity]),
	    .event = event,
	    .actor_id = acting_user(ctx),
	    .user_id = either(&event->user_id, &ctx->actor.user_id),
	    .tenant_id = either(&event->tenant_id, &ctx->actor.tenant_id),
	    .session_id = either(&event->session_id, &ctx->actor.session_id),
	};
	random_uuid(ctx->now_ms, &entry.id);
	enum fault fault = audit_store_insert(ctx, &entry);
	if (!fault)
		metrics_add(severity_metrics[severity], 1);
	return fault;
}

struct alone {
	struct ctx *ctx;
	const struct audit_event *event;
};

static enum fault append_work(void *argument)
{
	const struct alone *alone = argument;
	return audit_append(alone->ctx, alone->event);
}

enum fault audit_append_alone(struct ctx *ctx, const struct audit_event *event)
{
	struct alone alone = {ctx, event};
	return db_transact(ctx->db, append_work, &alone);
}

enum fault audit_refusal(struct ctx *ctx, const struct audit_event *event,
                         enum fault verdict)
{
	assert(event->outcome == AUDIT_FAILURE);
	enum fault fault = audit_append_alone(ctx, event);
	return fault ? fault : verdict;
}

enum fault audit_list(struct ctx *ctx, const struct audit_filter *filter,
                      const struct audit_record **out, size_t *count)
{
	return audit_store_list(ctx, filter, out, count);
}

enum fault audit_expire(struct ctx *ctx, int64_t before_ms)
{
	return audit_store_expire(ctx, before_ms);
}
