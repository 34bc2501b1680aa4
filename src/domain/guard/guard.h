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
#include "domain/guard/policy.h"
#include "domain/session/access_token.h"

#include <stdbool.h>
#include <stdint.h>

struct admission {
	bool is_stale; /* ctx->policies are older than guard_version: nothing
	                * was counted; read them anew and ask again */
	bool is_limited;
	bool is_revoked;
	bool is_local;            /* counted in the host's shared memory */
	bool has_limit;           /* the following say something */
	enum limit_policy policy; /* the one that is told of */
	int64_t limit;            /* in window_s */
	int64_t burst;            /* the most at once; 0: the limit itself */
	int64_t remaining;
	int64_t window_s;
	int64_t reset_in_ms;
	int64_t guard_version; /* 0: not known, ask MariaDB */
};

/*
 * Count this request against its policy, for the user or else the client's
 * network (IPv6 by /64, with a wider rate for the /48), and look whether the
 * token (NULL: none) was revoked. With several limits the tightest is told of;
 * when any refuses, none is charged. FAULT_UNAVAILABLE only when the revocation
 * can be asked nowhere: nobody is let in then.
 */
enum fault guard_admit(struct ctx *ctx, enum limit_policy policy,
                       const struct access_claims *claims,
                       struct admission *out);

/*
 * Count an attempt against a policy by a subject of the caller's, such as an
 * account: FAULT_RATE_LIMITED with ctx->retry_after_ms. For what is only known
 * once the body was read.
 */
enum fault guard_charge(struct ctx *ctx, enum limit_policy policy,
                        struct span subject);

/*
 * Give back the attempt that was admitted, or one that was charged: a right
 * password is no attack. The admission (NULL: none) then tells what is left.
 */
void guard_refund(struct ctx *ctx, enum limit_policy policy,
                  struct admission *admission);
void guard_refund_charge(struct ctx *ctx, enum limit_policy policy,
                         struct span subject);

/*
 * Copy the guard's version and every live revocation to Redis, and declare it
 * filled for this run id. Safe beside others that do the same.
 */
enum fault guard_refill(struct ctx *ctx, struct span run_id);

#endif
