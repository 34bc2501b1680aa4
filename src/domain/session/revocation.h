/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation of access tokens before their time: a mark per token, session,
 * user, tenant, or for everything, held in MariaDB and copied to Redis until
 * the last token that it refuses has died. A mark is a number: tokens that
 * carry a smaller one are refused. Revoking many is one mark.
 */
#ifndef DOMAIN_SESSION_REVOCATION_H
#define DOMAIN_SESSION_REVOCATION_H

#include "domain/ctx.h"
#include "domain/session/access_token.h"

enum revocation_kind {
	REVOKE_TOKEN,
	REVOKE_SESSION,
	REVOKE_USER,
	REVOKE_TENANT,
	REVOKE_ALL,
	REVOCATION_KIND_COUNT
};

struct revocation {
	enum revocation_kind kind;
	struct uuid subject; /* nil for REVOKE_ALL */
	int64_t number;      /* 1, or the new generation */
	struct uuid spared;  /* a session that carries on; nil: none */
	struct span reason;  /* a word of ours, for the record */
	int64_t expires_at_ms;
};

/* The marks that concern one token, in the order of the kinds. */
struct revocation_marks {
	struct span keys[REVOCATION_KIND_COUNT];       /* names in Redis */
	struct span thresholds[REVOCATION_KIND_COUNT]; /* decimal text */
	struct span session;                           /* id, to be spared */
};

/* Raise a mark inside the open transaction. */
enum fault revocation_add(struct ctx *ctx, const struct revocation *revocation);

/*
 * After the commit: copy the mark to Redis. Where that fails, this host no
 * longer trusts Redis until it was refilled, and maintenance copies the mark
 * later: that is why nothing is given back.
 */
void revocation_publish(struct ctx *ctx, const struct revocation *revocation);

/* Write the marks of a token for the admission script, in the arena. */
enum fault revocation_marks(struct ctx *ctx, const struct access_claims *claims,
                            struct revocation_marks *out);

/*
 * Ask MariaDB instead of Redis. FAULT_TOKEN_REVOKED when a mark refuses the
 * token, FAULT_UNAVAILABLE when it cannot be asked.
 */
enum fault revocation_check(struct ctx *ctx,
                            const struct access_claims *claims);

/*
 * Copy every live mark to Redis and declare it filled for this run id. Safe
 * beside others that do the same.
 */
enum fault revocation_refill(struct ctx *ctx, struct span run_id);

/* Copy marks that may not have reached Redis yet; for maintenance. */
enum fault revocation_publish_pending(struct ctx *ctx);

/* Remove marks that refuse nothing any more. */
enum fault revocation_expire(struct ctx *ctx);

#endif
