/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of revocation marks. */
#include "domain/session/revocation_store.h"

enum { RAISE, PAGE, PENDING, PUBLISHED, OF_TOKEN, EXPIRE };

/* Numbers as the enum, so that key order is the enum's order. */
#define COLUMNS "kind + 0, subject, number, spared_session_id, expires_at"

static const struct db_statement statements[] = {
    [RAISE] = {"INSERT INTO revocation (kind, subject, number,"
               " spared_session_id, reason, created_at, expires_at)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)"
               " ON DUPLICATE KEY UPDATE"
               " spared_session_id = IF(VALUES(number) > number,"
               " VALUES(spared_session_id), spared_session_id),"
               " reason = IF(VALUES(number) > number,"
               " VALUES(reason), reason),"
               " expires_at = GREATEST(expires_at, VALUES(expires_at)),"
               " published_at = NULL,"
               " number = GREATEST(number, VALUES(number))",
               7, 0},
    [PAGE] = {"SELECT " COLUMNS " FROM revocation"
              " WHERE expires_at > ? AND (kind > ?"
              " OR (kind = ? AND subject > ?))"
              " ORDER BY kind, subject LIMIT ?",
              5, 5},
    [PENDING] = {"SELECT " COLUMNS " FROM revocation"
                 " WHERE published_at IS NULL AND expires_at > ?"
                 " LIMIT ?",
                 2, 5},
    [PUBLISHED] = {"UPDATE revocation SET published_at = ?"
                   " WHERE kind = ? AND subject = ? AND number = ?",
                   4, 0},
    [OF_TOKEN] = {"SELECT " COLUMNS " FROM revocation WHERE"
                  " (kind, subject) IN (('token', ?), ('session', ?),"
                  " ('user', ?), ('tenant', ?), ('all', ?))"
                  " AND expires_at > ?",
                  6, 5},
    [EXPIRE] = {"DELETE FROM revocation WHERE expires_at < ? LIMIT 1000", 1, 0},
};

static const struct uuid nil = {0};

/* MariaDB counts the words of an ENUM from one. */
static struct db_value kind_value(enum revocation_kind kind)
{
	return db_integer((int64_t)kind + 1);
}

enum fault revocation_store_raise(struct ctx *ctx,
                                  const struct revocation *revocation)
{
	const struct db_value values[] = {
	    kind_value(revocation->kind),
	    db_uuid(&revocation->subject),
	    db_integer(revocation->number),
	    uuid_is_nil(&revocation->spared) ? db_null()
					     : db_uuid(&revocation->spared),
	    db_text(revocation->reason),
	    db_integer(ctx->now_ms),
	    db_integer(revocation->expires_at_ms),
	};
	return db_run(ctx->db, &statements[RAISE], values, NULL);
}

static enum fault read_rows(struct ctx *ctx, const struct db_rows *rows,
                            const struct revocation **out, size_t *count)
{
	struct revocation *marks =
	    arena_array(ctx->arena, rows->count, sizeof(*marks));
	if (!marks)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < rows->count; i++) {
		const struct db_value *row = db_row(rows, i);
		marks[i] = (struct revocation){
		    .kind = (enum revocation_kind)(db_to_integer(&row[0]) - 1),
		    .subject = db_to_uuid(&row[1]),
		    .number = db_to_integer(&row[2]),
		    .spared = db_to_uuid(&row[3]),
		    .expires_at_ms = db_to_integer(&row[4]),
		};
	}
	*out = marks;
	*count = rows->count;
	return FAULT_NONE;
}

static enum fault select_marks(struct ctx *ctx, size_t statement,
                               const struct db_value *values,
                               const struct revocation **out, size_t *count)
{
	struct db_rows rows;
	enum fault fault = db_select(ctx->db, &statements[statement], values,
	                             ctx->arena, &rows);
	return fault ? fault : read_rows(ctx, &rows, out, count);
}

enum fault revocation_store_page(struct ctx *ctx,
                                 const struct revocation *after,
                                 const struct revocation **out, size_t *count)
{
	struct db_value kind = after ? kind_value(after->kind) : db_integer(0);
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    kind,
	    kind,
	    db_uuid(after ? &after->subject : &nil),
	    db_integer(REVOCATION_PAGE),
	};
	return select_marks(ctx, PAGE, values, out, count);
}

enum fault revocation_store_pending(struct ctx *ctx,
                                    const struct revocation **out,
                                    size_t *count)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    db_integer(REVOCATION_PAGE),
	};
	return select_marks(ctx, PENDING, values, out, count);
}

enum fault revocation_store_published(struct ctx *ctx,
                                      const struct revocation *revocation)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    kind_value(revocation->kind),
	    db_uuid(&revocation->subject),
	    db_integer(revocation->number),
	};
	return db_run(ctx->db, &statements[PUBLISHED], values, NULL);
}

enum fault revocation_store_of_token(struct ctx *ctx,
                                     const struct access_claims *claims,
                                     const struct revocation **out,
                                     size_t *count)
{
	const struct db_value values[] = {
	    db_uuid(&claims->token_id),
	    db_uuid(&claims->session_id),
	    db_uuid(&claims->user_id),
	    db_uuid(&claims->tenant_id),
	    db_uuid(&nil),
	    db_integer(ctx->now_ms),
	};
	return select_marks(ctx, OF_TOKEN, values, out, count);
}

enum fault revocation_store_expire(struct ctx *ctx)
{
	const struct db_value values[] = {db_integer(ctx->now_ms)};
	return db_run(ctx->db, &statements[EXPIRE], values, NULL);
}
