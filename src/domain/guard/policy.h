/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limit policies: a name, and the rate in force. The configuration gives each
 * its rate; an administrator may change it for all hosts, which is a row in
 * MariaDB. Processes hold a copy and are told by the guard's version, which
 * every admission brings along, when theirs is old.
 */
#ifndef DOMAIN_GUARD_POLICY_H
#define DOMAIN_GUARD_POLICY_H

#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctx;

/* What a route, or something beside the routes, is limited by. */
enum limit_policy {
	LIMIT_UNSET = 0, /* no route may have it */
	LIMIT_NOTHING,
	LIMIT_API, /* API_USER or API_ANONYMOUS, by who calls */
	/* From here on each has a rate. */
	LIMIT_LOGIN,         /* by network */
	LIMIT_LOGIN_ACCOUNT, /* by account */
	LIMIT_REGISTRATION,  /* by network */
	LIMIT_RESET,         /* by network */
	LIMIT_VERIFICATION,  /* by network */
	LIMIT_API_USER,      /* by user */
	LIMIT_API_ANONYMOUS, /* by network */
	LIMIT_API_KEY,       /* by key */
	LIMIT_WEBSOCKET,     /* by user or network */
	LIMIT_FACTOR,        /* by user */
	LIMIT_POLICY_COUNT
};
#define LIMIT_POLICY_FIRST LIMIT_LOGIN

/* The rates in force, as one process knows them. */
struct policies {
	struct config_rate rate[LIMIT_POLICY_COUNT];
	bool is_changed[LIMIT_POLICY_COUNT]; /* by an administrator */
	int64_t version; /* what Redis said when they were read; 0: nothing */
};

/* "login", "api_user"; for keys, headers, metrics and the admin's calls. */
const char *policy_name(enum limit_policy policy);

/* The policy of a name that can be changed; LIMIT_UNSET for any other. */
enum limit_policy policy_find(struct span name);

/* The rates of the configuration. */
void policy_configured(const struct config *config, struct policies *out);

/*
 * The configuration's rates with the changed ones of MariaDB over them. A row
 * of no policy of ours, or out of bounds, counts for nothing. out is left as it
 * was on a fault; its version is the caller's.
 */
enum fault policy_load(struct ctx *ctx, struct policies *out);

/*
 * Change a policy, or with a NULL rate take the change back. Raises the guard's
 * version and audits (policy_change) in the same transaction, then publishes
 * the version. FAULT_VALIDATION for a rate out of bounds (count 1 … 1,000,000,
 * window 1 s … 30 d, burst 0 … 1,000,000).
 */
enum fault policy_change(struct ctx *ctx, enum limit_policy policy,
                         const struct config_rate *rate);

struct policy_wish {
	enum limit_policy policy;
	const struct config_rate *rate; /* NULL: as configured */
};

/*
 * The same for several, all or none of them: one transaction, one raise of the
 * version, an event for each (reason is its name, detail its old and new rate).
 * For PATCH /admin/policies.
 */
enum fault policy_change_many(struct ctx *ctx, const struct policy_wish *wishes,
                              size_t count);

#endif
