/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of the record: insert, list by key, expire. Nothing updates. */
#include "domain/audit/audit_store.h"

#define USER_AGENT_BYTES 255
#define DETAIL_BYTES     1000

enum { INSERT, LIST, LIST_OF_USER, EXPIRE };

#define COLUMNS                                                           \
	"id, at, type, severity, success, user_id, actor_id, tenant_id, " \
	"session_id, ip, user_agent, request_id, reason, detail"
#define NARROWED                                                       \
	" id < ? AND at >= ? AND at < ?"                               \
	" AND (? IS NULL OR type = ?) AND (? IS NULL OR severity = ?)" \
	" AND (? < 0 OR success = ?) AND (? IS NULL OR ip = ?)"        \
	" ORDER BY id DESC LIMIT ?"

static const struct db_statement statements[] = {
    [INSERT] = {"INSERT INTO audit_event (" COLUMNS ")"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                14, 0},
    [LIST] = {"SELECT " COLUMNS " FROM audit_event WHERE" NARROWED, 12, 14},
    [LIST_OF_USER] = {"SELECT " COLUMNS " FROM audit_event"
                      " WHERE user_id = ? AND" NARROWED,
                      13, 14},
    [EXPIRE] = {"DELETE FROM audit_event WHERE at < ? LIMIT 1000", 1, 0},
};

static struct db_value id_or_null(const struct uuid *id)
{
	return uuid_is_nil(id) ? db_null() : db_uuid(id);
}

static struct db_value cut_text(struct span text, size_t limit_bytes)
{
	if (text.length > limit_bytes)
		text.length = limit_bytes;
	return db_bytes(text.at ? text.at : "", text.length);
}

enum fault audit_store_insert(struct ctx *ctx, const struct audit_entry *entry)
{
	const struct audit_event *event = entry->event;
	const struct db_value values[] = {
	    db_uuid(&entry->id),
	    db_integer(entry->at_ms),
	    db_text(entry->type),
	    db_text(entry->severity),
	    db_integer(event->outcome == AUDIT_SUCCESS),
	    id_or_null(&entry->user_id),
	    db_uuid(entry->actor_id),
	    id_or_null(&entry->tenant_id),
	    id_or_null(&entry->session_id),
	    ctx->actor.kind == ACTOR_HOST ? db_null() : db_bytes(&ctx->ip, 16),
	    cut_text(ctx->user_agent, USER_AGENT_BYTES),
	    cut_text(ctx->request_id, 40),
	    cut_text(event->reason, 64),
	    cut_text(event->detail, DETAIL_BYTES),
	};
	return db_run(ctx->db, &statements[INSERT], values, NULL);
}

static void read_record(const struct db_value *row, struct audit_record *out)
{
	*out = (struct audit_record){
	    .id = db_to_uuid(&row[0]),
	    .at_ms = db_to_integer(&row[1]),
	    .type = db_to_text(&row[2]),
	    .severity = db_to_text(&row[3]),
	    .success = db_to_integer(&row[4]) != 0,
	    .user_id = db_to_uuid(&row[5]),
	    .actor_id = db_to_uuid(&row[6]),
	    .tenant_id = db_to_uuid(&row[7]),
	    .session_id = db_to_uuid(&row[8]),
	    .user_agent = db_to_text(&row[10]),
	    .request_id = db_to_text(&row[11]),
	    .reason = db_to_text(&row[12]),
	    .detail = db_to_text(&row[13]),
	};
	/* An address has the 16 bytes of an id. */
	struct uuid ip = db_to_uuid(&row[9]);
	out->has_ip = row[9].type != DB_NULL;
	for (size_t i = 0; i < sizeof(ip.bytes); i++)
		out->ip.bytes[i] = ip.bytes[i];
}

static enum fault read_records(struct ctx *ctx, const struct db_rows *rows,
                               const struct audit_record **out, size_t *count)
{
	struct audit_record *records =
	    arena_array(ctx->arena, rows->count, sizeof(*records));
	if (!records)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < rows->count; i++)
		read_record(db_row(rows, i), &records[i]);
	*out = records;
	*count = rows->count;
	return FAULT_NONE;
}

enum fault audit_store_list(struct ctx *ctx, const struct audit_filter *filter,
                            const struct audit_record **out, size_t *count)
{
	static const struct uuid newest = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                    0xff, 0xff, 0xff, 0xff}};
	const struct db_value ip =
	    filter->has_ip ? db_bytes(&filter->ip, 16) : db_null();
	const struct db_value values[] = {
	    db_uuid(&filter->user_id),
	    db_uuid(uuid_is_nil(&filter->before) ? &newest : &filter->before),
	    db_integer(filter->since_ms),
	    db_integer(filter->until_ms ? filter->until_ms : INT64_MAX),
	    db_text(filter->type),
	    db_text(filter->type),
	    db_text(filter->severity),
	    db_text(filter->severity),
	    db_integer(filter->success),
	    db_integer(filter->success),
	    ip,
	    ip,
	    db_integer(filter->limit),
	};
	bool of_user = !uuid_is_nil(&filter->user_id);
	struct db_rows rows;
	enum fault fault =
	    db_select(ctx->db, &statements[of_user ? LIST_OF_USER : LIST],
	              of_user ? values : values + 1, ctx->arena, &rows);
	if (fault)
		return fault;
	return read_records(ctx, &rows, out, count);
}

enum fault audit_store_expire(struct ctx *ctx, int64_t before_ms)
{
	const struct db_value values[] = {db_integer(before_ms)};
	return db_run(ctx->db, &statements[EXPIRE], values, NULL);
}
