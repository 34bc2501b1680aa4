/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failed sign-ins: counters of the account, of the network, and of the two
 * together, in MariaDB, so that neither an emptied Redis nor a rolled-back
 * sign-in resets them. An attempt is counted as failed before its password is
 * hashed, in a transaction of its own, and uncounted when it was right: of many
 * at once no more get through than may.
 *
 * A network that fails locks itself out of an account (the pair), not the
 * account: the account as a whole is locked only by failures from several
 * networks, each of which counts for half a lock at most. A known device
 * passes that lock, and has a counter of its own, for cookies can be stolen.
 * Unknown accounts count the same.
 */
#ifndef DOMAIN_GUARD_FAILURE_H
#define DOMAIN_GUARD_FAILURE_H

#include "domain/ctx.h"
#include "domain/session/identity.h"

#include <stdbool.h>

/* One attempt at an account. */
struct attempt_at {
	struct span email;            /* canonical, or as it was sent */
	const struct identity *owner; /* NULL: nobody has this address */
	struct span device;    /* a cookie that device_check found good */
	bool has_captcha;      /* captcha_check said so */
	int64_t limit_wait_ms; /* the account's rate limit is used up so long */
};

/* What a claim led to. */
struct failure_claim {
	int64_t failures_before; /* of the account */
	bool is_share;           /* it counted for the account's lock */
	bool has_locked_account; /* it was the last that may be */
	bool has_locked_pair;
	bool is_first_lock;    /* of the pair */
	bool has_to_block;     /* its network has failed too often */
	bool has_blocked;      /* failure_announce did that just now */
	int64_t guard_version; /* then: to publish after the commit */
};

/*
 * Claim an attempt, counted as failed. FAULT_ACCOUNT_LOCKED when the pair or
 * the account is locked, FAULT_RATE_LIMITED when the pair or network has to
 * wait or the account's rate limit binds, FAULT_CAPTCHA_REQUIRED when one is
 * wanted and was not solved; those count nothing, and ctx->retry_after_ms is
 * set for the first two.
 *
 * The account's rate limit does not bind a network that has not failed at this
 * account, nor a known device: an attacker elsewhere cannot use it up for the
 * owner.
 */
enum fault failure_claim(struct ctx *ctx, const struct attempt_at *attempt,
                         struct failure_claim *out);

/*
 * Inside the transaction that records that a claimed attempt failed: say what
 * it led to. A lock is audited and the owner gets a mail (a void one for
 * nobody); a network that failed too often is blocked. Not said by the claim,
 * which knows nothing of the password yet: the last attempt may be right.
 */
enum fault failure_announce(struct ctx *ctx, const struct attempt_at *attempt,
                            struct failure_claim *claim);

/*
 * Inside the transaction of a right sign-in: the account, the pair and the
 * device start anew; of the network only this attempt is taken back. Tells the
 * owner when failures went before and the device is a new one.
 */
enum fault failure_clear(struct ctx *ctx, const struct attempt_at *attempt,
                         const struct failure_claim *claim);

/*
 * Take the claimed attempt back, for one that was no try at the password (the
 * hash gate was full, a store was away).
 */
enum fault failure_withdraw(struct ctx *ctx, const struct attempt_at *attempt,
                            const struct failure_claim *claim);

/*
 * Inside a transaction: lift the locks of an account, for an administrator or
 * whoever proved to own the address.
 */
enum fault failure_unlock(struct ctx *ctx, struct span email);

/* The account's subject as text, to charge its rate limit by. */
enum fault failure_subject(struct ctx *ctx, struct span email,
                           struct span *out);

/* Forget what is older than guard.forget_after, a bounded number at a time. */
enum fault failure_expire(struct ctx *ctx);

#endif
