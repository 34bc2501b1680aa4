/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of the outbox. */
#include "domain/outbox/outbox_store.h"

#define ERROR_BYTES 200

enum { INSERT, DUE, FINISH, POSTPONE, EXPIRE };

static const struct db_statement statements[] = {
    [INSERT] = {"INSERT INTO outbox (id, template, user_id, key_id, sealed,"
                " state, next_at, created_at, finished_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                9, 0},
    [DUE] = {"SELECT id, template, user_id, key_id, sealed, state,"
             " attempts, created_at FROM outbox"
             " WHERE state = 'waiting' AND next_at <= ?"
             " ORDER BY next_at LIMIT 20",
             1, 8},
    [FINISH] = {"UPDATE outbox SET state = ?, finished_at = ?,"
                " last_error = ?, sealed = '', attempts = attempts + 1"
                " WHERE id = ?",
                4, 0},
    [POSTPONE] = {"UPDATE outbox SET next_at = ?, last_error = ?,"
                  " attempts = attempts + 1 WHERE id = ?",
                  3, 0},
    [EXPIRE] = {"DELETE FROM outbox WHERE finished_at < ? LIMIT 1000", 1, 0},
};

enum fault outbox_store_insert(struct ctx *ctx, const struct outbox_row *row)
{
	const struct db_value values[] = {
	    db_uuid(&row->id),
	    db_text(row->template),
	    uuid_is_nil(&row->user_id) ? db_null() : db_uuid(&row->user_id),
	    db_text(row->key_id),
	    db_text(row->sealed),
	    db_text(row->state),
	    db_integer(ctx->now_ms),
	    db_integer(ctx->now_ms),
	    /* What is never sent is finished at once. */
	    span_equal(row->state, SPAN("void")) ? db_integer(ctx->now_ms)
						 : db_null(),
	};
	return db_run(ctx->db, &statements[INSERT], values, NULL);
}

enum fault outbox_store_due(struct ctx *ctx, const struct outbox_row **out,
                            size_t *count)
{
	const struct db_value values[] = {db_integer(ctx->now_ms)};
	struct db_rows rows;
	enum fault fault =
	    db_select(ctx->db, &statements[DUE], values, ctx->arena, &rows);
	if (fault)
		return fault;
	struct outbox_row *due =
	    arena_array(ctx->arena, rows.count, sizeof(*due));
	if (!due)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < rows.count; i++) {
		const struct db_value *row = db_row(&rows, i);
		due[i] = (struct outbox_row){
		    .id = db_to_uuid(&row[0]),
		    .template = db_to_text(&row[1]),
		    .user_id = db_to_uuid(&row[2]),
		    .key_id = db_to_text(&row[3]),
		    .sealed = db_to_text(&row[4]),
		    .state = db_to_text(&row[5]),
		    .attempts = db_to_integer(&row[6]),
		    .created_at_ms = db_to_integer(&row[7]),
		};
	}
	*out = due;
	*count = rows.count;
	return FAULT_NONE;
}

static struct db_value error_value(struct span error)
{
	if (error.length > ERROR_BYTES)
		error.length = ERROR_BYTES;
	return db_bytes(error.at ? error.at : "", error.length);
}

enum fault outbox_store_finish(struct ctx *ctx, const struct uuid *id,
                               const char *state, struct span error)
{
	const struct db_value values[] = {
	    db_text(span_of(state)),
	    db_integer(ctx->now_ms),
	    error_value(error),
	    db_uuid(id),
	};
	return db_run(ctx->db, &statements[FINISH], values, NULL);
}

enum fault outbox_store_postpone(struct ctx *ctx, const struct uuid *id,
                                 int64_t next_at_ms, struct span error)
{
	const struct db_value values[] = {
	    db_integer(next_at_ms),
	    error_value(error),
	    db_uuid(id),
	};
	return db_run(ctx->db, &statements[POSTPONE], values, NULL);
}

enum fault outbox_store_expire(struct ctx *ctx, int64_t before_ms)
{
	const struct db_value values[] = {db_integer(before_ms)};
	return db_run(ctx->db, &statements[EXPIRE], values, NULL);
}
