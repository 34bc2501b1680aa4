/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admission: everything that is asked before a request is served (its rate
 * limits, the revocation of its token) is one question with one answer, in one
 * Redis round trip. When Redis is away, limits hold in the host's shared memory
 * and revocations in MariaDB.
 */
#ifndef DOMAIN_GUARD_GUARD_H
#define DOMAIN_GUARD_GUARD_H

#include "domain/ctx.h"
#include "domain/session/access_token.h"

#include <stdbool.h>
#include <stdint.h>

/* What a route is limited by; the rates are settings (limit.*). */
enum limit_policy {
	LIMIT_UNSET = 0, /* no route may have it */
	LIMIT_NOTHING,
	LIMIT_LOGIN,
	LIMIT_REGISTRATION,
	LIMIT_RESET,
	LIMIT_VERIFICATION,
	LIMIT_API,
	LIMIT_POLICY_COUNT
};

struct admission {
	bool is_limited;
	bool is_revoked;
	bool has_limit; /* the following say something */
	int64_t limit;
	int64_t remaining;
	int64_t window_s;
	int64_t reset_in_ms;
};

/* "login", "api"; for logs, headers and the route listing. */
const char *guard_policy_name(enum limit_policy policy);

/*
 * Count this request against its policy for the client's network, and look
 * whether the token (NULL: none) was revoked. FAULT_UNAVAILABLE only when the
 * revocation can be asked nowhere: nobody is let in then.
 */
enum fault guard_admit(struct ctx *ctx, enum limit_policy policy,
                       const struct access_claims *claims,
                       struct admission *out);

/*
 * Give the attempt that was admitted back: a right password is no attack. The
 * admission then tells what is left with it.
 */
void guard_refund(struct ctx *ctx, enum limit_policy policy,
                  struct admission *admission);

#endif
