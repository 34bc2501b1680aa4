/* SPDX-License-Identifier: Apache-2.0 */
/* Making what a client gets of a session, for opening and for renewing one. */
#include "domain/session/session_tokens.h"

#include "crypto/token.h"
#include "domain/session/access_token.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void session_tokens_describe(struct ctx *ctx, const struct session_row *row,
                             const struct identity *identity,
                             struct session_tokens *out)
{
	int64_t until = earlier(row->idle_expires_at_ms, row->expires_at_ms);
	out->session_id = row->id;
	out->kind = row->kind;
	out->identity = *identity;
	out->access_life_s = ctx->config->session.access_ttl / 1000;
	out->refresh_life_s = (until - ctx->now_ms) / 1000;
}

enum fault session_tokens_make(struct ctx *ctx, const struct session_row *row,
                               const struct identity *identity,
                               struct session_tokens *out)
{
	char text[TOKEN_TEXT_BYTES];
	struct token_hash hash;
	enum fault fault = token_make(text, &hash);
	if (!fault)
		fault = session_store_add_token(ctx, row, &hash);
	if (!fault)
		fault = access_token_make(ctx, identity, &row->id, row->amr,
		                          row->auth_at_ms, &out->access_token);
	if (fault)
		return fault;
	out->refresh_token = arena_copy(ctx->arena, span_of(text));
	digest_wipe(text, sizeof(text));
	if (!out->refresh_token.at)
		return FAULT_EXHAUSTED;
	session_tokens_describe(ctx, row, identity, out);
	return FAULT_NONE;
}
