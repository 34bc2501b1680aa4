/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs by mail: tokens that show who can read an address. Each works once,
 * for one purpose, for a bounded time; a new one voids the older ones of its
 * purpose (but for undo links, which must outlast later changes).
 */
#ifndef DOMAIN_ACCOUNT_PROOF_H
#define DOMAIN_ACCOUNT_PROOF_H

#include "crypto/token.h"
#include "domain/ctx.h"

enum proof_purpose {
	PROOF_NONE = 0,
	PROOF_VERIFY,
	PROOF_RESET,
	PROOF_EMAIL_CHANGE,
	PROOF_EMAIL_UNDO,
	PROOF_PURPOSE_COUNT
};

struct proof {
	enum proof_purpose purpose;
	struct uuid user_id;
	struct span email; /* the address it was sent for */
};

/*
 * Inside a transaction: make a token, void the older ones of the purpose.
 * token gets its text in the arena. For a user that does not exist (the nil id)
 * as many statements run and a token comes back that opens nothing, so that
 * an unknown address costs what a known one costs. FAULT_RATE_LIMITED when the
 * user had three of this purpose within the last hour: ctx->retry_after_ms says
 * when there is room again, and nothing is changed.
 */
enum fault proof_make(struct ctx *ctx, enum proof_purpose purpose,
                      const struct uuid *user_id, struct span email,
                      struct span *token);

/*
 * Inside a transaction: use a token up, exactly one winner. FAULT_TOKEN_INVALID
 * when it is unknown, used, voided, expired, or of another purpose than the
 * count ones given.
 */
enum fault proof_use(struct ctx *ctx, struct span token,
                     const enum proof_purpose *purposes, size_t count,
                     struct proof *out);

/*
 * Make a token usable again that proof_use took at this very moment
 * (ctx->now_ms), when what it was used for did not come about.
 */
enum fault proof_release(struct ctx *ctx, struct span token);

/*
 * Look at a token that proof_use would take now, without using it.
 * FAULT_TOKEN_INVALID.
 */
enum fault proof_peek(struct ctx *ctx, struct span token,
                      enum proof_purpose purpose, struct proof *out);

/*
 * Inside a transaction: void the tokens of a user. Who stole an account must
 * not be able to void its owner's way back, so a change keeps the undo links;
 * only taking a change back voids those too.
 */
enum proof_undo { PROOF_KEEP_UNDO, PROOF_VOID_UNDO };
enum fault proof_void_all(struct ctx *ctx, const struct uuid *user_id,
                          enum proof_undo undo);

/* Remove what expired before this moment. */
enum fault proof_expire(struct ctx *ctx, int64_t before_ms);

#endif
