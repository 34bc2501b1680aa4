/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of sessions and refresh tokens. */
#include "domain/session/session_store.h"

#include <string.h>

#define USER_AGENT_BYTES 255

enum {
	INSERT,
	ADD_TOKEN,
	USE_TOKEN,
	SET_SUCCESSOR,
	BY_TOKEN,
	TOUCH,
	END,
	END_OTHERS,
	RAISE_GENERATION,
	READ_GENERATION,
	RAISE_TENANT,
	READ_TENANT,
	RAISE_ALL,
	READ_ALL,
	CARRY_OVER,
	CARRY_ALL_OVER,
	COUNT_LIVE,
	END_OLDEST,
	LIST,
	EXPIRE,
};

/* Not ended, not timed out, and not left behind by its user's generation. */
#define LIVE                                                              \
	" s.user_id = ? AND s.ended_at IS NULL AND s.idle_expires_at > ?" \
	" AND s.expires_at > ? AND s.user_generation = u.generation"

static const struct db_statement statements[] = {
    [INSERT] = {"INSERT INTO session (id, user_id, tenant_id, kind,"
                " user_generation, tenant_generation, all_generation,"
                " device_name, user_agent, ip, amr, auth_at, created_at,"
                " last_used_at, idle_expires_at, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                16, 0},
    [ADD_TOKEN] = {"INSERT INTO refresh_token"
                   " (token_hash, session_id, created_at, expires_at)"
                   " VALUES (?, ?, ?, ?)",
                   4, 0},
    [USE_TOKEN] = {"UPDATE refresh_token SET used_at = ?"
                   " WHERE token_hash = ? AND used_at IS NULL"
                   " AND expires_at > ?",
                   3, 0},
    [SET_SUCCESSOR] = {"UPDATE refresh_token SET successor = ?"
                       " WHERE token_hash = ?",
                       2, 0},
    [BY_TOKEN] = {"SELECT s.id, s.user_id, s.tenant_id, s.kind = 'cookie',"
                  " s.user_generation, s.tenant_generation,"
                  " s.all_generation, s.amr, s.auth_at, s.idle_expires_at,"
                  " s.expires_at, s.ended_at IS NOT NULL,"
                  " r.used_at, r.expires_at, r.successor"
                  " FROM refresh_token r JOIN session s"
                  " ON s.id = r.session_id WHERE r.token_hash = ?",
                  1, 15},
    [TOUCH] = {"UPDATE session SET last_used_at = ?, idle_expires_at = ?,"
               " ip = ?, user_agent = ? WHERE id = ?",
               5, 0},
    [END] = {"UPDATE session SET ended_at = ?, end_reason = ?"
             " WHERE id = ? AND user_id = ? AND ended_at IS NULL",
             4, 0},
    [END_OTHERS] = {"UPDATE session SET ended_at = ?, end_reason = ?"
                    " WHERE user_id = ? AND ended_at IS NULL AND id <> ?",
                    4, 0},
    [RAISE_GENERATION] = {"UPDATE user SET generation = generation + 1"
                          " WHERE id = ?",
                          1, 0},
    [READ_GENERATION] = {"SELECT generation FROM user WHERE id = ?", 1, 1},
    [RAISE_TENANT] = {"UPDATE tenant SET generation = generation + 1"
                      " WHERE id = ?",
                      1, 0},
    [READ_TENANT] = {"SELECT generation FROM tenant WHERE id = ?", 1, 1},
    [RAISE_ALL] = {"UPDATE installation SET generation = generation + 1"
                   " WHERE id = 1",
                   0, 0},
    [READ_ALL] = {"SELECT generation FROM installation WHERE id = 1", 0, 1},
    [CARRY_OVER] = {"UPDATE session SET user_generation = ? WHERE id = ?", 2,
                    0},
    [CARRY_ALL_OVER] = {"UPDATE session SET user_generation = ?"
                        " WHERE user_id = ? AND user_generation = ?"
                        " AND ended_at IS NULL",
                        3, 0},
    [COUNT_LIVE] = {"SELECT COUNT(*) FROM session s JOIN user u"
                    " ON u.id = s.user_id WHERE" LIVE,
                    3, 1},
    /* Live ones, too: those that timed out take no place. */
    [END_OLDEST] = {"UPDATE session SET ended_at = ?,"
                    " end_reason = 'too_many_sessions'"
                    " WHERE user_id = ? AND ended_at IS NULL"
                    " AND idle_expires_at > ? AND expires_at > ?"
                    " AND user_generation ="
                    " (SELECT generation FROM user WHERE id = ?)"
                    " ORDER BY last_used_at LIMIT ?",
                    6, 0},
    [LIST] = {"SELECT s.id, s.device_name, s.user_agent, s.ip,"
              " s.created_at, s.last_used_at,"
              " LEAST(s.idle_expires_at, s.expires_at)"
              " FROM session s JOIN user u ON u.id = s.user_id"
              " WHERE" LIVE " AND s.id < ? ORDER BY s.id DESC LIMIT ?",
              5, 7},
    [EXPIRE] = {"DELETE FROM session WHERE expires_at < ? LIMIT 20", 1, 0},
};

static const struct uuid newest_id = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff}};

static struct db_value user_agent_value(const struct ctx *ctx)
{
	size_t length = ctx->user_agent.length;
	if (length > USER_AGENT_BYTES)
		length = USER_AGENT_BYTES;
	return db_bytes(length ? ctx->user_agent.at : "", length);
}

enum fault session_store_insert(struct ctx *ctx, const struct session_row *row,
                                const struct session_start *start)
{
	const struct db_value values[] = {
	    db_uuid(&row->id),
	    db_uuid(&row->user_id),
	    db_uuid(&row->tenant_id),
	    db_text(row->kind == SESSION_COOKIE ? SPAN("cookie")
	                                        : SPAN("token")),
	    db_integer(row->generations.user),
	    db_integer(row->generations.tenant),
	    db_integer(row->generations.all),
	    db_bytes(start->device_name.length ? start->device_name.at : "",
	             start->device_name.length),
	    user_agent_value(ctx),
	    db_bytes(&ctx->ip, 16),
	    db_text(row->amr),
	    db_integer(row->auth_at_ms),
	    db_integer(ctx->now_ms),
	    db_integer(ctx->now_ms),
	    db_integer(row->idle_expires_at_ms),
	    db_integer(row->expires_at_ms),
	};
	return db_run(ctx->db, &statements[INSERT], values, NULL);
}

enum fault session_store_add_token(struct ctx *ctx,
                                   const struct session_row *row,
                                   const struct token_hash *hash)
{
	int64_t expires = row->idle_expires_at_ms < row->expires_at_ms
	                      ? row->idle_expires_at_ms
	                      : row->expires_at_ms;
	const struct db_value values[] = {
	    db_bytes(hash->bytes, sizeof(hash->bytes)),
	    db_uuid(&row->id),
	    db_integer(ctx->now_ms),
	    db_integer(expires),
	};
	return db_run(ctx->db, &statements[ADD_TOKEN], values, NULL);
}

enum fault session_store_use_token(struct ctx *ctx,
                                   const struct token_hash *hash, bool *won)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    db_bytes(hash->bytes, sizeof(hash->bytes)),
	    db_integer(ctx->now_ms),
	};
	uint64_t matched;
	enum fault fault =
	    db_run(ctx->db, &statements[USE_TOKEN], values, &matched);
	*won = !fault && matched == 1;
	return fault;
}

enum fault session_store_set_successor(struct ctx *ctx,
                                       const struct token_hash *hash,
                                       struct span sealed)
{
	const struct db_value values[] = {
	    db_text(sealed),
	    db_bytes(hash->bytes, sizeof(hash->bytes)),
	};
	return db_run(ctx->db, &statements[SET_SUCCESSOR], values, NULL);
}

enum fault session_store_by_token(struct ctx *ctx,
                                  const struct token_hash *hash,
                                  struct session_row *out)
{
	const struct db_value values[] = {
	    db_bytes(hash->bytes, sizeof(hash->bytes))};
	const struct db_value *row;
	enum fault fault = db_select_one(ctx->db, &statements[BY_TOKEN], values,
	                                 ctx->arena, &row);
	if (fault)
		return fault;
	*out = (struct session_row){
	    .id = db_to_uuid(&row[0]),
	    .user_id = db_to_uuid(&row[1]),
	    .tenant_id = db_to_uuid(&row[2]),
	    .kind = db_to_integer(&row[3]) ? SESSION_COOKIE : SESSION_TOKEN,
	    .generations = {db_to_integer(&row[4]), db_to_integer(&row[5]),
	                    db_to_integer(&row[6])},
	    .amr = db_to_text(&row[7]),
	    .auth_at_ms = db_to_integer(&row[8]),
	    .idle_expires_at_ms = db_to_integer(&row[9]),
	    .expires_at_ms = db_to_integer(&row[10]),
	    .is_ended = db_to_integer(&row[11]) != 0,
	    .token_used_at_ms = db_to_integer(&row[12]),
	    .token_expires_at_ms = db_to_integer(&row[13]),
	    .successor = db_to_text(&row[14]),
	};
	return FAULT_NONE;
}

enum fault session_store_touch(struct ctx *ctx, const struct session_row *row)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms), db_integer(row->idle_expires_at_ms),
	    db_bytes(&ctx->ip, 16),  user_agent_value(ctx),
	    db_uuid(&row->id),
	};
	return db_run(ctx->db, &statements[TOUCH], values, NULL);
}

enum fault session_store_end(struct ctx *ctx, const struct uuid *session_id,
                             const struct uuid *user_id, struct span reason)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    db_text(reason),
	    db_uuid(session_id),
	    db_uuid(user_id),
	};
	uint64_t matched;
	enum fault fault = db_run(ctx->db, &statements[END], values, &matched);
	if (!fault && matched == 0)
		fault = FAULT_NOT_FOUND;
	return fault;
}

enum fault session_store_end_others(struct ctx *ctx, const struct uuid *user_id,
                                    const struct uuid *spared,
                                    struct span reason)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    db_text(reason),
	    db_uuid(user_id),
	    db_uuid(spared),
	};
	return db_run(ctx->db, &statements[END_OTHERS], values, NULL);
}

/* Raise a generation and read it back; the two share their parameters. */
static enum fault next_generation(struct ctx *ctx, size_t raise, size_t read,
                                  const struct db_value *values, int64_t *out)
{
	const struct db_value *row;
	uint64_t matched;
	enum fault fault =
	    db_run(ctx->db, &statements[raise], values, &matched);
	if (!fault && matched == 0)
		fault = FAULT_NOT_FOUND;
	if (!fault)
		fault = db_select_one(ctx->db, &statements[read], values,
		                      ctx->arena, &row);
	if (!fault)
		*out = db_to_integer(&row[0]);
	return fault;
}

enum fault session_store_next_generation(struct ctx *ctx,
                                         const struct uuid *user_id,
                                         int64_t *generation)
{
	const struct db_value values[] = {db_uuid(user_id)};
	return next_generation(ctx, RAISE_GENERATION, READ_GENERATION, values,
	                       generation);
}

enum fault session_store_next_tenant_generation(struct ctx *ctx,
                                                const struct uuid *tenant_id,
                                                int64_t *generation)
{
	const struct db_value values[] = {db_uuid(tenant_id)};
	return next_generation(ctx, RAISE_TENANT, READ_TENANT, values,
	                       generation);
}

enum fault session_store_next_all_generation(struct ctx *ctx,
                                             int64_t *generation)
{
	return next_generation(ctx, RAISE_ALL, READ_ALL, NULL, generation);
}

enum fault session_store_carry_over(struct ctx *ctx,
                                    const struct uuid *session_id,
                                    int64_t generation)
{
	const struct db_value values[] = {
	    db_integer(generation),
	    db_uuid(session_id),
	};
	return db_run(ctx->db, &statements[CARRY_OVER], values, NULL);
}

enum fault session_store_carry_all_over(struct ctx *ctx,
                                        const struct uuid *user_id,
                                        int64_t generation)
{
	const struct db_value values[] = {
	    db_integer(generation),
	    db_uuid(user_id),
	    db_integer(generation - 1),
	};
	return db_run(ctx->db, &statements[CARRY_ALL_OVER], values, NULL);
}

enum fault session_store_make_room(struct ctx *ctx, const struct uuid *user_id)
{
	const struct db_value whose[] = {
	    db_uuid(user_id),
	    db_integer(ctx->now_ms),
	    db_integer(ctx->now_ms),
	};
	const struct db_value *row;
	enum fault fault = db_select_one(ctx->db, &statements[COUNT_LIVE],
	                                 whose, ctx->arena, &row);
	if (fault)
		return fault;
	int64_t surplus =
	    db_to_integer(&row[0]) + 1 - ctx->config->session.limit_per_user;
	if (surplus <= 0)
		return FAULT_NONE;
	const struct db_value values[] = {
	    db_integer(ctx->now_ms), db_uuid(user_id), db_integer(ctx->now_ms),
	    db_integer(ctx->now_ms), db_uuid(user_id), db_integer(surplus),
	};
	return db_run(ctx->db, &statements[END_OLDEST], values, NULL);
}

enum fault session_store_list(struct ctx *ctx, const struct uuid *user_id,
                              const struct uuid *before, int64_t limit,
                              const struct session_record **out, size_t *count)
{
	const struct db_value values[] = {
	    db_uuid(user_id),
	    db_integer(ctx->now_ms),
	    db_integer(ctx->now_ms),
	    db_uuid(uuid_is_nil(before) ? &newest_id : before),
	    db_integer(limit),
	};
	struct db_rows rows;
	enum fault fault =
	    db_select(ctx->db, &statements[LIST], values, ctx->arena, &rows);
	if (fault)
		return fault;
	struct session_record *records =
	    arena_array(ctx->arena, rows.count, sizeof(*records));
	if (!records)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < rows.count; i++) {
		const struct db_value *row = db_row(&rows, i);
		struct uuid ip = db_to_uuid(&row[3]);
		records[i] = (struct session_record){
		    .id = db_to_uuid(&row[0]),
		    .device_name = db_to_text(&row[1]),
		    .user_agent = db_to_text(&row[2]),
		    .created_at_ms = db_to_integer(&row[4]),
		    .last_used_at_ms = db_to_integer(&row[5]),
		    .expires_at_ms = db_to_integer(&row[6]),
		};
		memcpy(records[i].ip.bytes, ip.bytes, sizeof(ip.bytes));
	}
	*out = records;
	*count = rows.count;
	return FAULT_NONE;
}

enum fault session_store_expire(struct ctx *ctx, int64_t before_ms)
{
	const struct db_value values[] = {db_integer(before_ms)};
	return db_run(ctx->db, &statements[EXPIRE], values, NULL);
}
