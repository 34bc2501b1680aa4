/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of limit policies. */
#include "domain/guard/policy_store.h"

enum { LIST, PUT, REMOVE };

static const struct db_statement statements[] = {
    [LIST] = {"SELECT name, count, window_ms, burst FROM limit_policy", 0, 4},
    [PUT] = {"INSERT INTO limit_policy"
             " (name, count, window_ms, burst, changed_by, changed_at)"
             " VALUES (?, ?, ?, ?, ?, ?)"
             " ON DUPLICATE KEY UPDATE count = VALUES(count),"
             " window_ms = VALUES(window_ms), burst = VALUES(burst),"
             " changed_by = VALUES(changed_by),"
             " changed_at = VALUES(changed_at)",
             6, 0},
    [REMOVE] = {"DELETE FROM limit_policy WHERE name = ?", 1, 0},
};

enum fault policy_store_list(struct ctx *ctx, const struct policy_row **out,
                             size_t *count)
{
	struct db_rows rows;
	enum fault fault =
	    db_select(ctx->db, &statements[LIST], NULL, ctx->arena, &rows);
	if (fault)
		return fault;
	struct policy_row *policies =
	    arena_array(ctx->arena, rows.count, sizeof(*policies));
	if (!policies)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < rows.count; i++) {
		const struct db_value *row = db_row(&rows, i);
		policies[i].name = db_to_text(&row[0]);
		policies[i].rate.count = db_to_integer(&row[1]);
		policies[i].rate.window_ms = db_to_integer(&row[2]);
		policies[i].rate.burst = db_to_integer(&row[3]);
	}
	*out = policies;
	*count = rows.count;
	return FAULT_NONE;
}

enum fault policy_store_put(struct ctx *ctx, const struct policy_row *row)
{
	const struct uuid *who = &ctx->actor.user_id;
	const struct db_value values[] = {
	    db_text(row->name),
	    db_integer(row->rate.count),
	    db_integer(row->rate.window_ms),
	    db_integer(row->rate.burst),
	    uuid_is_nil(who) ? db_null() : db_uuid(who),
	    db_integer(ctx->now_ms),
	};
	return db_run(ctx->db, &statements[PUT], values, NULL);
}

enum fault policy_store_remove(struct ctx *ctx, struct span name)
{
	const struct db_value values[] = {db_text(name)};
	return db_run(ctx->db, &statements[REMOVE], values, NULL);
}
