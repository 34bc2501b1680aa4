/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of blocked addresses. */
#include "domain/guard/block_store.h"

#include <string.h>

enum { PUT, EXTEND, REMOVE, LIST, PAGE, EXPIRE };

#define INSERT                                                \
	"INSERT INTO address_block (address, prefix, reason," \
	" source, created_by, created_at, expires_at)"        \
	" VALUES (?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE "
#define INSERT_PARAMETERS 7

/* Assigned from left to right: the moment that is compared comes last. */
#define LONGER(column)                                                         \
	column " = IF(expires_at IS NULL OR"                                   \
	       " expires_at >= VALUES(expires_at), " column ", VALUES(" column \
	       "))"

#define LIVE_BEHIND                                            \
	" FROM address_block"                                  \
	" WHERE (address > ? OR (address = ? AND prefix > ?))" \
	" AND (expires_at IS NULL OR expires_at > ?)"          \
	" ORDER BY address, prefix LIMIT ?"
#define LIVE_BEHIND_PARAMETERS 5

static const struct db_statement statements[] = {
    [PUT] = {INSERT "reason = VALUES(reason), source = VALUES(source),"
                    " created_by = VALUES(created_by),"
                    " created_at = VALUES(created_at),"
                    " expires_at = VALUES(expires_at)",
             INSERT_PARAMETERS, 0},
    [EXTEND] =
	{INSERT LONGER("reason") ", " LONGER("source") ", " LONGER(
	     "created_by") ", " LONGER("created_at") ", " LONGER("expires_at"),
         INSERT_PARAMETERS, 0},
    [REMOVE] = {"DELETE FROM address_block WHERE address = ? AND prefix = ?"
                " AND (expires_at IS NULL OR expires_at > ?)",
                3, 0},
    [LIST] = {"SELECT address, prefix, reason, source = 'auto', created_by,"
              " created_at, expires_at" LIVE_BEHIND,
              LIVE_BEHIND_PARAMETERS, 7},
    [PAGE] = {"SELECT address, prefix, expires_at" LIVE_BEHIND,
              LIVE_BEHIND_PARAMETERS, 3},
    [EXPIRE] = {"DELETE FROM address_block WHERE expires_at <= ? LIMIT 1000", 1,
                0},
};

static struct db_value address_value(const struct ip_block *block)
{
	return db_bytes(block->address.bytes, sizeof(block->address.bytes));
}

static enum fault insert(struct ctx *ctx, size_t statement,
                         const struct block_record *record)
{
	const struct db_value values[] = {
	    address_value(&record->block),
	    db_integer(record->block.prefix),
	    db_text(record->reason.at ? record->reason : SPAN("")),
	    db_text(record->is_automatic ? SPAN("auto") : SPAN("admin")),
	    uuid_is_nil(&record->created_by) ? db_null()
					     : db_uuid(&record->created_by),
	    db_integer(record->created_at_ms),
	    record->expires_at_ms ? db_integer(record->expires_at_ms)
				  : db_null(),
	};
	return db_run(ctx->db, &statements[statement], values, NULL);
}

enum fault block_store_put(struct ctx *ctx, const struct block_record *record)
{
	return insert(ctx, PUT, record);
}

enum fault block_store_extend(struct ctx *ctx,
                              const struct block_record *record)
{
	return insert(ctx, EXTEND, record);
}

enum fault block_store_remove(struct ctx *ctx, const struct ip_block *block)
{
	const struct db_value values[] = {
	    address_value(block),
	    db_integer(block->prefix),
	    db_integer(ctx->now_ms),
	};
	uint64_t matched;
	enum fault fault =
	    db_run(ctx->db, &statements[REMOVE], values, &matched);
	if (fault)
		return fault;
	return matched ? FAULT_NONE : FAULT_NOT_FOUND;
}

/* The address and prefix that every row begins with. */
static struct ip_block read_block(const struct db_value *row)
{
	struct ip_block block = {0};
	struct span address = db_to_text(&row[0]);
	if (address.length == sizeof(block.address.bytes))
		memcpy(block.address.bytes, address.at, address.length);
	block.prefix = (unsigned char)db_to_integer(&row[1]);
	return block;
}

static enum fault select_live(struct ctx *ctx, size_t statement,
                              const struct ip_block *after, int64_t limit,
                              struct db_rows *rows)
{
	static const struct ip_block lowest = {0};
	struct db_value address = address_value(after ? after : &lowest);
	const struct db_value values[] = {
	    address,
	    address,
	    db_integer(after ? after->prefix : -1),
	    db_integer(ctx->now_ms),
	    db_integer(limit),
	};
	return db_select(ctx->db, &statements[statement], values, ctx->arena,
	                 rows);
}

enum fault block_store_list(struct ctx *ctx, const struct ip_block *after,
                            int64_t limit, const struct block_record **out,
                            size_t *count)
{
	struct db_rows rows;
	enum fault fault = select_live(ctx, LIST, after, limit, &rows);
	if (fault)
		return fault;
	struct block_record *records =
	    arena_array(ctx->arena, rows.count, sizeof(*records));
	if (!records)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < rows.count; i++) {
		const struct db_value *row = db_row(&rows, i);
		records[i] = (struct block_record){
		    .block = read_block(row),
		    .reason = db_to_text(&row[2]),
		    .is_automatic = db_to_integer(&row[3]) == 1,
		    .created_by = db_to_uuid(&row[4]),
		    .created_at_ms = db_to_integer(&row[5]),
		    .expires_at_ms = db_to_integer(&row[6]),
		};
	}
	*out = records;
	*count = rows.count;
	return FAULT_NONE;
}

enum fault block_store_page(struct ctx *ctx, const struct ip_block *after,
                            int64_t limit, const struct block_row **out,
                            size_t *count)
{
	struct db_rows rows;
	enum fault fault = select_live(ctx, PAGE, after, limit, &rows);
	if (fault)
		return fault;
	struct block_row *read =
	    arena_array(ctx->arena, rows.count, sizeof(*read));
	if (!read)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < rows.count; i++) {
		const struct db_value *row = db_row(&rows, i);
		read[i] = (struct block_row){
		    .block = read_block(row),
		    .expires_at_ms = db_to_integer(&row[2]),
		};
	}
	*out = read;
	*count = rows.count;
	return FAULT_NONE;
}

enum fault block_store_expire(struct ctx *ctx)
{
	const struct db_value values[] = {db_integer(ctx->now_ms)};
	return db_run(ctx->db, &statements[EXPIRE], values, NULL);
}
