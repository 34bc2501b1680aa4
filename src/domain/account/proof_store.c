/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of mailed tokens. */
#include "domain/account/proof_store.h"

enum { INSERT, VOID, VOID_ALL, COUNT_SINCE, USE, RELEASE, FIND, EXPIRE };

/* Purposes are numbers of the enum; MariaDB counts ENUM words from one too. */
static const struct db_statement statements[] = {
    [INSERT] = {"INSERT INTO email_token (token_hash, user_id, purpose,"
                " email, created_at, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                6, 0},
    [VOID] = {"UPDATE email_token SET used_at = ? WHERE user_id = ?"
              " AND purpose = ? AND used_at IS NULL",
              3, 0},
    [VOID_ALL] = {"UPDATE email_token SET used_at = ? WHERE user_id = ?"
                  " AND used_at IS NULL"
                  " AND (? OR purpose <> 'email_undo')",
                  3, 0},
    [COUNT_SINCE] =
	{"SELECT COUNT(*), MIN(created_at) FROM email_token WHERE user_id = ?"
         " AND purpose = ? AND created_at > ?",
         3, 2},
    [USE] = {"UPDATE email_token SET used_at = ? WHERE token_hash = ?"
             " AND used_at IS NULL AND expires_at > ?",
             3, 0},
    [RELEASE] = {"UPDATE email_token SET used_at = NULL"
                 " WHERE token_hash = ? AND used_at = ?",
                 2, 0},
    [FIND] = {"SELECT purpose + 0, user_id, email,"
              " used_at IS NULL AND expires_at > ?"
              " FROM email_token WHERE token_hash = ?",
              2, 4},
    [EXPIRE] = {"DELETE FROM email_token WHERE expires_at < ? LIMIT 1000", 1,
                0},
};

static struct db_value hash_value(const struct token_hash *hash)
{
	return db_bytes(hash->bytes, sizeof(hash->bytes));
}

enum fault proof_store_insert(struct ctx *ctx, const struct token_hash *hash,
                              const struct proof *proof, int64_t life_ms)
{
	const struct db_value values[] = {
	    hash_value(hash),           db_uuid(&proof->user_id),
	    db_integer(proof->purpose), db_text(proof->email),
	    db_integer(ctx->now_ms),    db_integer(ctx->now_ms + life_ms),
	};
	return db_run(ctx->db, &statements[INSERT], values, NULL);
}

enum fault proof_store_void(struct ctx *ctx, const struct uuid *user_id,
                            enum proof_purpose purpose)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    db_uuid(user_id),
	    db_integer(purpose),
	};
	return db_run(ctx->db, &statements[VOID], values, NULL);
}

enum fault proof_store_void_all(struct ctx *ctx, const struct uuid *user_id,
                                enum proof_undo undo)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    db_uuid(user_id),
	    db_integer(undo == PROOF_VOID_UNDO),
	};
	return db_run(ctx->db, &statements[VOID_ALL], values, NULL);
}

enum fault proof_store_count_since(struct ctx *ctx, const struct uuid *user_id,
                                   enum proof_purpose purpose, int64_t since_ms,
                                   int64_t *count, int64_t *first_at_ms)
{
	const struct db_value values[] = {
	    db_uuid(user_id),
	    db_integer(purpose),
	    db_integer(since_ms),
	};
	const struct db_value *row;
	enum fault fault = db_select_one(ctx->db, &statements[COUNT_SINCE],
	                                 values, ctx->arena, &row);
	if (fault)
		return fault;
	*count = db_to_integer(&row[0]);
	*first_at_ms = db_to_integer(&row[1]);
	return FAULT_NONE;
}

enum fault proof_store_use(struct ctx *ctx, const struct token_hash *hash,
                           bool *won)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    hash_value(hash),
	    db_integer(ctx->now_ms),
	};
	uint64_t matched;
	enum fault fault = db_run(ctx->db, &statements[USE], values, &matched);
	*won = !fault && matched == 1;
	return fault;
}

enum fault proof_store_release(struct ctx *ctx, const struct token_hash *hash)
{
	const struct db_value values[] = {
	    hash_value(hash),
	    db_integer(ctx->now_ms),
	};
	return db_run(ctx->db, &statements[RELEASE], values, NULL);
}

enum fault proof_store_find(struct ctx *ctx, const struct token_hash *hash,
                            struct proof *out, bool *is_usable)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    hash_value(hash),
	};
	const struct db_value *row;
	enum fault fault =
	    db_select_one(ctx->db, &statements[FIND], values, ctx->arena, &row);
	if (fault)
		return fault;
	out->purpose = (enum proof_purpose)db_to_integer(&row[0]);
	out->user_id = db_to_uuid(&row[1]);
	out->email = db_to_text(&row[2]);
	*is_usable = db_to_integer(&row[3]) == 1;
	return FAULT_NONE;
}

enum fault proof_store_expire(struct ctx *ctx, int64_t before_ms)
{
	const struct db_value values[] = {db_integer(before_ms)};
	return db_run(ctx->db, &statements[EXPIRE], values, NULL);
}
