/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of what happened: one event, one row, written in the transaction
 * of the change that it tells of. Events are only ever added and read.
 */
#ifndef DOMAIN_AUDIT_AUDIT_H
#define DOMAIN_AUDIT_AUDIT_H

#include "domain/ctx.h"

#include <stdbool.h>
#include <stddef.h>

/* Names and severities are rows of audit.c. */
enum audit_type {
	AUDIT_NONE = 0,
	AUDIT_NOT_WANTED, /* a route that changes nothing */
	AUDIT_LOGIN_ATTEMPT,
	AUDIT_LOGOUT,
	AUDIT_USER_REGISTER,
	AUDIT_EMAIL_VERIFY,
	AUDIT_EMAIL_CHANGE,
	AUDIT_VERIFICATION_REQUEST,
	AUDIT_PASSWORD_CHANGE,
	AUDIT_PASSWORD_RESET_REQUEST,
	AUDIT_PASSWORD_RESET,
	AUDIT_PROFILE_UPDATE,
	AUDIT_TOKEN_REFRESH,
	AUDIT_TOKEN_REVOKE,
	AUDIT_SESSION_END,
	AUDIT_USER_CREATE,
	AUDIT_USER_STATUS,
	AUDIT_ROLE_CHANGE,
	AUDIT_KEY_ROTATE,
	AUDIT_POLICY_CHANGE,
	AUDIT_IP_BLOCK,
	AUDIT_IP_UNBLOCK,
	AUDIT_ACCOUNT_LOCK,
	AUDIT_ACCOUNT_UNLOCK,
	AUDIT_AUTHORIZATION_FAILED,
	AUDIT_SUSPICIOUS_ACTIVITY,
	AUDIT_TYPE_COUNT
};

enum audit_severity {
	AUDIT_SEVERITY_INFO,
	AUDIT_SEVERITY_WARNING,
	AUDIT_SEVERITY_CRITICAL,
	AUDIT_SEVERITY_COUNT
};

enum audit_outcome { AUDIT_FAILURE = 0, AUDIT_SUCCESS };

/*
 * What the caller knows beyond the ctx. reason is a word of ours
 * ("wrong_password"); detail is free text that may come from outside (the
 * address that was tried). Nil ids are not recorded; without user_id the actor
 * is whom the event concerns.
 */
struct audit_event {
	enum audit_type type;
	enum audit_outcome outcome;
	struct uuid user_id;
	struct uuid tenant_id;
	struct uuid session_id;
	struct span reason;
	struct span detail;
};

/*
 * Add an event inside the open transaction; asserts that there is one. Counts
 * the metrics of the severity.
 */
enum fault audit_append(struct ctx *ctx, const struct audit_event *event);

/* The same in a transaction of its own, for what changes nothing else. */
enum fault audit_append_alone(struct ctx *ctx, const struct audit_event *event);

/*
 * Record in a transaction of its own that something was refused, and give the
 * verdict on; FAULT_UNAVAILABLE when it cannot be recorded.
 */
enum fault audit_refusal(struct ctx *ctx, const struct audit_event *event,
                         enum fault verdict);

const char *audit_type_name(enum audit_type type);
const char *audit_severity_name(enum audit_severity severity);

/* What a list is narrowed to; absent spans, nil ids and zeroes do not. */
struct audit_filter {
	struct uuid user_id;
	struct span type;
	struct span severity;
	int success; /* -1 any, 0, 1 */
	bool has_ip;
	struct ip ip;
	int64_t since_ms;
	int64_t until_ms;
	struct uuid before; /* newest first: ids below this one */
	int64_t limit;
};

struct audit_record {
	struct uuid id;
	int64_t at_ms;
	struct span type;
	struct span severity;
	bool success;
	struct uuid user_id, actor_id, tenant_id, session_id;
	bool has_ip;
	struct ip ip;
	struct span user_agent, request_id, reason, detail;
};

/* Newest first, at most filter->limit records in the arena. */
enum fault audit_list(struct ctx *ctx, const struct audit_filter *filter,
                      const struct audit_record **out, size_t *count);

/* Whether this is the name of a type / a severity. */
bool audit_is_type(struct span name);
bool audit_is_severity(struct span name);

/* Remove events older than before_ms, a bounded number at a time. */
enum fault audit_expire(struct ctx *ctx, int64_t before_ms);

#endif
