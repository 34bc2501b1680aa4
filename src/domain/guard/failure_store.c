/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQL of failed sign-ins. An INSERT that meets its row locks it for good
 * (not shared first), so two of them never wait for one another.
 * RETURNING would read it in the same step, but cannot be prepared.
 */
#include "domain/guard/failure_store.h"

enum { TAKE, READ, SAVE, RENEW, LESSEN, HALVE, DELETE, DELETE_PAIRS, EXPIRE };

#define ROW " WHERE kind = ? AND subject = ?"

static const struct db_statement statements[] = {
    [TAKE] = {"INSERT INTO sign_in_failure"
              " (kind, subject, account, failures, last_at)"
              " VALUES (?, ?, ?, 0, ?)"
              " ON DUPLICATE KEY UPDATE failures = failures",
              4, 0},
    [READ] = {"SELECT failures, locks, epoch, counted, last_at, next_at,"
              " locked_until FROM sign_in_failure" ROW,
              2, 7},
    [SAVE] = {"UPDATE sign_in_failure SET failures = ?, locks = ?,"
              " epoch = ?, counted = ?, last_at = ?, next_at = ?,"
              " locked_until = ?" ROW,
              9, 0},
    [RENEW] = {"UPDATE sign_in_failure SET failures = 0, locks = 0,"
               " epoch = epoch + 1, counted = 0, next_at = 0,"
               " locked_until = 0" ROW,
               2, 0},
    [LESSEN] = {"UPDATE sign_in_failure SET next_at = 0,"
                " failures = GREATEST(failures, 1) - 1" ROW,
                2, 0},
    [HALVE] = {"UPDATE sign_in_failure SET failures = failures DIV 2" ROW
               " AND failures >= ?",
               3, 0},
    [DELETE] = {"DELETE FROM sign_in_failure" ROW, 2, 0},
    [DELETE_PAIRS] = {"DELETE FROM sign_in_failure WHERE account = ?", 1, 0},
    [EXPIRE] = {"DELETE FROM sign_in_failure"
                " WHERE last_at < ? AND locked_until < ?"
                " ORDER BY last_at LIMIT 1000",
                2, 0},
};

static struct db_value kind_of(const struct failure_row *row)
{
	return db_text(span_of(row->kind));
}

static struct db_value subject_of(const struct failure_row *row)
{
	return db_bytes(row->subject, sizeof(row->subject));
}

enum fault failure_store_take(struct ctx *ctx, struct failure_row *row)
{
	const struct db_value values[] = {
	    kind_of(row),
	    subject_of(row),
	    db_text(row->account),
	    db_integer(ctx->now_ms),
	};
	const struct db_value *found;
	enum fault fault = db_run(ctx->db, &statements[TAKE], values, NULL);
	if (!fault)
		fault = db_select_one(ctx->db, &statements[READ], values,
		                      ctx->arena, &found);
	if (fault)
		return fault;
	row->failures = db_to_integer(&found[0]);
	row->locks = db_to_integer(&found[1]);
	row->epoch = db_to_integer(&found[2]);
	row->counted = db_to_integer(&found[3]);
	row->last_at_ms = db_to_integer(&found[4]);
	row->next_at_ms = db_to_integer(&found[5]);
	row->locked_until_ms = db_to_integer(&found[6]);
	return FAULT_NONE;
}

enum fault failure_store_save(struct ctx *ctx, const struct failure_row *row)
{
	const struct db_value values[] = {
	    db_integer(row->failures),
	    db_integer(row->locks),
	    db_integer(row->epoch),
	    db_integer(row->counted),
	    db_integer(row->last_at_ms),
	    db_integer(row->next_at_ms),
	    db_integer(row->locked_until_ms),
	    kind_of(row),
	    subject_of(row),
	};
	return db_run(ctx->db, &statements[SAVE], values, NULL);
}

static enum fault change(struct ctx *ctx, size_t statement,
                         const struct failure_row *row)
{
	const struct db_value values[] = {kind_of(row), subject_of(row)};
	return db_run(ctx->db, &statements[statement], values, NULL);
}

enum fault failure_store_renew(struct ctx *ctx, const struct failure_row *row)
{
	return change(ctx, RENEW, row);
}

enum fault failure_store_lessen(struct ctx *ctx, const struct failure_row *row)
{
	return change(ctx, LESSEN, row);
}

enum fault failure_store_halve(struct ctx *ctx, const struct failure_row *row,
                               int64_t least)
{
	const struct db_value values[] = {
	    kind_of(row),
	    subject_of(row),
	    db_integer(least),
	};
	uint64_t matched;
	enum fault fault =
	    db_run(ctx->db, &statements[HALVE], values, &matched);
	if (!fault && matched == 0)
		fault = FAULT_CONFLICT;
	return fault;
}

enum fault failure_store_delete(struct ctx *ctx, const struct failure_row *row)
{
	return change(ctx, DELETE, row);
}

enum fault failure_store_delete_pairs(struct ctx *ctx, struct span account)
{
	const struct db_value values[] = {db_text(account)};
	return db_run(ctx->db, &statements[DELETE_PAIRS], values, NULL);
}

enum fault failure_store_expire(struct ctx *ctx, int64_t before_ms)
{
	const struct db_value values[] = {
	    db_integer(before_ms),
	    db_integer(ctx->now_ms),
	};
	return db_run(ctx->db, &statements[EXPIRE], values, NULL);
}
