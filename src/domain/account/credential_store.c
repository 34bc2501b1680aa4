/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of passwords and their history. */
#include "domain/account/credential_store.h"

enum { RENEW, REPLACE, REMEMBER, HISTORY, FORGET };

static const struct db_statement statements[] = {
    [RENEW] = {"UPDATE user SET password_hash = ?, pepper_id = ?"
               " WHERE id = ?",
               3, 0},
    [REPLACE] = {"UPDATE user SET password_hash = ?, pepper_id = ?,"
                 " password_changed_at = ? WHERE id = ?",
                 4, 0},
    [REMEMBER] = {"INSERT IGNORE INTO password_history"
                  " (user_id, replaced_at, password_hash, pepper_id)"
                  " VALUES (?, ?, ?, ?)",
                  4, 0},
    [HISTORY] = {"SELECT password_hash, pepper_id FROM password_history"
                 " WHERE user_id = ? ORDER BY replaced_at DESC LIMIT ?",
                 2, 2},
    [FORGET] = {"DELETE FROM password_history WHERE user_id = ?"
                " AND replaced_at < (SELECT MIN(kept.replaced_at) FROM"
                " (SELECT replaced_at FROM password_history"
                " WHERE user_id = ? ORDER BY replaced_at DESC LIMIT ?)"
                " AS kept)",
                3, 0},
};

enum fault credential_store_renew(struct ctx *ctx, const struct uuid *user_id,
                                  const struct credential *credential)
{
	const struct db_value values[] = {
	    db_text(credential->hash),
	    db_text(credential->pepper_id),
	    db_uuid(user_id),
	};
	return db_run(ctx->db, &statements[RENEW], values, NULL);
}

enum fault credential_store_replace(struct ctx *ctx, const struct uuid *user_id,
                                    const struct credential *credential)
{
	const struct db_value values[] = {
	    db_text(credential->hash),
	    db_text(credential->pepper_id),
	    db_integer(ctx->now_ms),
	    db_uuid(user_id),
	};
	return db_run(ctx->db, &statements[REPLACE], values, NULL);
}

enum fault credential_store_remember(struct ctx *ctx,
                                     const struct uuid *user_id,
                                     const struct credential *credential)
{
	const struct db_value values[] = {
	    db_uuid(user_id),
	    db_integer(ctx->now_ms),
	    db_text(credential->hash),
	    db_text(credential->pepper_id),
	};
	return db_run(ctx->db, &statements[REMEMBER], values, NULL);
}

enum fault credential_store_history(struct ctx *ctx, const struct uuid *user_id,
                                    int64_t limit,
                                    const struct credential **out,
                                    size_t *count)
{
	const struct db_value values[] = {db_uuid(user_id), db_integer(limit)};
	struct db_rows rows;
	enum fault fault =
	    db_select(ctx->db, &statements[HISTORY], values, ctx->arena, &rows);
	if (fault)
		return fault;
	struct credential *history =
	    arena_array(ctx->arena, rows.count, sizeof(*history));
	if (!history)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < rows.count; i++) {
		const struct db_value *row = db_row(&rows, i);
		history[i].hash = db_to_text(&row[0]);
		history[i].pepper_id = db_to_text(&row[1]);
	}
	*out = history;
	*count = rows.count;
	return FAULT_NONE;
}

enum fault credential_store_forget(struct ctx *ctx, const struct uuid *user_id,
                                   int64_t keep)
{
	const struct db_value values[] = {
	    db_uuid(user_id),
	    db_uuid(user_id),
	    db_integer(keep),
	};
	return db_run(ctx->db, &statements[FORGET], values, NULL);
}
