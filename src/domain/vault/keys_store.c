/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of the key ring. */
#include "domain/vault/keys_store.h"

#include <string.h>

enum { LIST, INSERT, SUPERSEDE, RETIRE };

static const struct db_statement statements[] = {
    [LIST] = {"SELECT id, purpose, state, sealed, created_at, retires_at"
              " FROM key_ring WHERE state <> 'retired'",
              0, 6},
    [INSERT] = {"INSERT INTO key_ring"
                " (id, purpose, state, sealed, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                5, 0},
    [SUPERSEDE] = {"UPDATE key_ring SET state = 'retiring', retires_at = ?"
                   " WHERE purpose = ? AND state = 'current'",
                   2, 0},
    [RETIRE] = {"UPDATE key_ring SET state = 'retired', sealed = ''"
                " WHERE state = 'retiring' AND retires_at < ?",
                1, 0},
};

static enum fault read_row(const struct db_value *row, struct key_row *out)
{
	struct span id = db_to_text(&row[0]);
	if (id.length >= KEYRING_ID_BYTES)
		return FAULT_VALIDATION;
	memcpy(out->header.id, id.at, id.length);
	out->header.purpose = keyring_purpose_parse(db_to_text(&row[1]));
	out->header.state = keyring_state_parse(db_to_text(&row[2]));
	out->sealed = db_to_text(&row[3]);
	out->header.created_at_ms = db_to_integer(&row[4]);
	out->header.retires_at_ms = db_to_integer(&row[5]);
	return FAULT_NONE;
}

enum fault keys_store_list(struct ctx *ctx, const struct key_row **out,
                           size_t *count)
{
	struct db_rows rows;
	enum fault fault =
	    db_select(ctx->db, &statements[LIST], NULL, ctx->arena, &rows);
	if (fault)
		return fault;
	struct key_row *keys =
	    arena_array(ctx->arena, rows.count, sizeof(*keys));
	if (!keys)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; !fault && i < rows.count; i++)
		fault = read_row(db_row(&rows, i), &keys[i]);
	*out = keys;
	*count = rows.count;
	return fault;
}

enum fault keys_store_insert(struct ctx *ctx, const struct key *header,
                             struct span sealed)
{
	const struct db_value values[] = {
	    db_text(span_of(header->id)),
	    db_text(span_of(keyring_purpose_name(header->purpose))),
	    db_text(span_of(keyring_state_name(header->state))),
	    db_text(sealed),
	    db_integer(header->created_at_ms),
	};
	return db_run(ctx->db, &statements[INSERT], values, NULL);
}

enum fault keys_store_supersede(struct ctx *ctx, enum key_purpose purpose,
                                int64_t retires_at_ms)
{
	const struct db_value values[] = {
	    retires_at_ms ? db_integer(retires_at_ms) : db_null(),
	    db_text(span_of(keyring_purpose_name(purpose))),
	};
	return db_run(ctx->db, &statements[SUPERSEDE], values, NULL);
}

enum fault keys_store_retire(struct ctx *ctx)
{
	const struct db_value values[] = {db_integer(ctx->now_ms)};
	return db_run(ctx->db, &statements[RETIRE], values, NULL);
}
