/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of things that may be used once: who inserts the row has won. */
#include "domain/guard/captcha_store.h"

enum { USE, EXPIRE };

static const struct db_statement statements[] = {
    [USE] = {"INSERT INTO used_once (hash, expires_at) VALUES (?, ?)", 2, 0},
    [EXPIRE] = {"DELETE FROM used_once WHERE expires_at < ? LIMIT 1000", 1, 0},
};

enum fault captcha_store_use(struct ctx *ctx,
                             const struct captcha_solution *solution)
{
	const struct db_value values[] = {
	    db_bytes(solution->hash, sizeof(solution->hash)),
	    db_integer(solution->expires_at_ms),
	};
	return db_run(ctx->db, &statements[USE], values, NULL);
}

enum fault captcha_store_expire(struct ctx *ctx)
{
	const struct db_value values[] = {db_integer(ctx->now_ms)};
	return db_run(ctx->db, &statements[EXPIRE], values, NULL);
}
