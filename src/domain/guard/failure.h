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
 * passes that lock. Unknown accounts count the same.
 */
#ifndef DOMAIN_GUARD_FAILURE_H
#define DOMAIN_GUARD_FAILURE_H

#include "domain/ctx.h"

#include <stdbool.h>

/* One attempt at an account. */
struct attempt_at {
	struct span email;    /* canonical, or as it was sent */
	bool is_known_device; /* device_check said so for this account */
	bool has_captcha;     /* captcha_check said so */
};

/* What a claim led to, for the caller to act on after it. */
struct failure_claim {
	bool has_locked_account;  /* just now: tell the owner */
	bool has_blocked_network; /* just now: version was raised */
	int64_t guard_version;
};

/*
 * Claim an attempt, counted as failed. FAULT_CAPTCHA_REQUIRED when one is
 * wanted and was not solved, FAULT_RATE_LIMITED when the account or network has
 * to wait, FAULT_ACCOUNT_LOCKED when the pair or the account is locked; those
 * count nothing, and ctx->retry_after_ms is set.
 */
enum fault failure_claim(struct ctx *ctx, const struct attempt_at *attempt,
                         struct failure_claim *out);

/*
 * Inside the transaction of a right sign-in: the account and the pair start
 * anew; of the network only this attempt is taken back.
 */
enum fault failure_clear(struct ctx *ctx, struct span email);

/*
 * Take the claimed attempt back, for one that was no try at the password (the
 * hash gate was full, a store was away).
 */
enum fault failure_withdraw(struct ctx *ctx, struct span email);

/* Inside a transaction: an administrator lifts the locks of an account. */
enum fault failure_unlock(struct ctx *ctx, struct span email);

/* Forget what is older than guard.forget_after. */
enum fault failure_expire(struct ctx *ctx);

#endif
