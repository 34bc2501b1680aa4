/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of the guard's version. */
#include "domain/guard/version_store.h"

enum { RAISE, READ };

static const struct db_statement statements[] = {
    [RAISE] = {"UPDATE installation SET guard_version = guard_version + 1"
               " WHERE id = 1",
               0, 0},
    [READ] = {"SELECT guard_version FROM installation WHERE id = 1", 0, 1},
};

enum fault version_store_raise(struct ctx *ctx)
{
	return db_run(ctx->db, &statements[RAISE], NULL, NULL);
}

enum fault version_store_read(struct ctx *ctx, int64_t *out)
{
	const struct db_value *row;
	enum fault fault =
	    db_select_one(ctx->db, &statements[READ], NULL, ctx->arena, &row);
	if (!fault)
		*out = db_to_integer(&row[0]);
	return fault;
}
