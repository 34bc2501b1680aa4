/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of mailed tokens. */
#include "domain/account/proof.h"

#include "domain/account/proof_store.h"

#include <assert.h>
#include <stddef.h>

#define MAILS_AN_HOUR 3
#define HOUR_MS       INT64_C(3600000)

static const size_t life_offsets[] = {
    [PROOF_VERIFY] = offsetof(struct config, account.verify_ttl),
    [PROOF_RESET] = offsetof(struct config, account.reset_ttl),
    [PROOF_EMAIL_CHANGE] = offsetof(struct config, account.verify_ttl),
    [PROOF_EMAIL_UNDO] = offsetof(struct config, account.undo_ttl),
};
static_assert(sizeof(life_offsets) / sizeof(life_offsets[0]) ==
                  PROOF_PURPOSE_COUNT,
              "every purpose has its life");

static int64_t life_of(const struct config *config, enum proof_purpose purpose)
{
	assert(purpose > PROOF_NONE && purpose < PROOF_PURPOSE_COUNT);
	const char *base = (const char *)config;
	return *(const int64_t *)(const void *)(base + life_offsets[purpose]);
}

/* For nobody there is no row: a statement that reaches nobody costs as much. */
static enum fault insert(struct ctx *ctx, const struct token_hash *hash,
                         const struct proof *proof)
{
	if (uuid_is_nil(&proof->user_id))
		return proof_store_void(ctx, &proof->user_id, proof->purpose);
	return proof_store_insert(ctx, hash, proof,
	                          life_of(ctx->config, proof->purpose));
}

enum fault proof_make(struct ctx *ctx, enum proof_purpose purpose,
                      const struct uuid *user_id, struct span email,
                      struct span *token)
{
	assert(db_in_transaction(ctx->db));
	int64_t recent, first_at_ms;
	enum fault fault = proof_store_count_since(ctx, user_id, purpose,
	                                           ctx->now_ms - HOUR_MS,
	                                           &recent, &first_at_ms);
	if (fault)
		return fault;
	if (recent >= MAILS_AN_HOUR) {
		ctx->retry_after_ms = first_at_ms + HOUR_MS - ctx->now_ms;
		return FAULT_RATE_LIMITED;
	}

	char text[TOKEN_TEXT_BYTES];
	struct token_hash hash;
	const struct proof proof = {purpose, *user_id, email};
	fault = token_make(text, &hash);
	if (!fault && purpose != PROOF_EMAIL_UNDO)
		fault = proof_store_void(ctx, user_id, purpose);
	if (!fault)
		fault = insert(ctx, &hash, &proof);
	if (fault)
		return fault;
	*token = arena_copy(ctx->arena, span_of(text));
	digest_wipe(text, sizeof(text));
	return token->at ? FAULT_NONE : FAULT_EXHAUSTED;
}

static bool is_one_of(enum proof_purpose purpose,
                      const enum proof_purpose *purposes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (purposes[i] == purpose)
			return true;
	return false;
}

enum fault proof_use(struct ctx *ctx, struct span token,
                     const enum proof_purpose *purposes, size_t count,
                     struct proof *out)
{
	assert(db_in_transaction(ctx->db));
	struct token_hash hash;
	bool won = false, is_usable;
	enum fault fault = token_hash(token, &hash);
	if (!fault)
		fault = proof_store_use(ctx, &hash, &won);
	if (!fault && !won)
		fault = FAULT_TOKEN_INVALID;
	if (!fault)
		fault = proof_store_find(ctx, &hash, out, &is_usable);
	/* Of another purpose: the fault rolls the use back. */
	if (!fault && !is_one_of(out->purpose, purposes, count))
		fault = FAULT_TOKEN_INVALID;
	return fault;
}

enum fault proof_release(struct ctx *ctx, struct span token)
{
	struct token_hash hash;
	enum fault fault = token_hash(token, &hash);
	return fault ? fault : proof_store_release(ctx, &hash);
}

enum fault proof_peek(struct ctx *ctx, struct span token,
                      enum proof_purpose purpose, struct proof *out)
{
	struct token_hash hash;
	bool is_usable = false;
	enum fault fault = token_hash(token, &hash);
	if (!fault)
		fault = proof_store_find(ctx, &hash, out, &is_usable);
	if (fault == FAULT_NOT_FOUND)
		return FAULT_TOKEN_INVALID;
	if (!fault && (!is_usable || out->purpose != purpose))
		fault = FAULT_TOKEN_INVALID;
	return fault;
}

enum fault proof_void_all(struct ctx *ctx, const struct uuid *user_id,
                          enum proof_undo undo)
{
	return proof_store_void_all(ctx, user_id, undo);
}

enum fault proof_expire(struct ctx *ctx, int64_t before_ms)
{
	return proof_store_expire(ctx, before_ms);
}
