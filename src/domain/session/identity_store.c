/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of identities. */
#include "domain/session/identity_store.h"

enum { FIND, SYSTEM_TENANT };

static const struct db_statement statements[] = {
    [FIND] = {"SELECT " IDENTITY_COLUMNS IDENTITY_FROM " WHERE u.id = ?", 2,
              IDENTITY_COLUMN_COUNT},
    [SYSTEM_TENANT] = {"SELECT system_tenant_id FROM installation"
                       " WHERE id = 1",
                       0, 1},
};

struct identity identity_store_read(const struct db_value *row)
{
	return (struct identity){
	    .user_id = db_to_uuid(&row[0]),
	    .tenant_id = db_to_uuid(&row[1]),
	    .email = db_to_text(&row[2]),
	    .pending_email = db_to_text(&row[3]),
	    .name = db_to_text(&row[4]),
	    .role = db_to_text(&row[5]),
	    .is_active = db_to_integer(&row[6]) == 1,
	    .is_email_verified = row[7].type != DB_NULL,
	    .created_at_ms = db_to_integer(&row[8]),
	    .generations =
		{
		    .user = db_to_integer(&row[9]),
		    .tenant = db_to_integer(&row[10]),
		    .all = db_to_integer(&row[11]),
		},
	};
}

enum fault identity_find(struct ctx *ctx, const struct uuid *user_id,
                         const struct uuid *tenant_id, struct identity *out)
{
	const struct db_value values[] = {
	    uuid_is_nil(tenant_id) ? db_null() : db_uuid(tenant_id),
	    db_uuid(user_id),
	};
	const struct db_value *row;
	enum fault fault =
	    db_select_one(ctx->db, &statements[FIND], values, ctx->arena, &row);
	if (!fault)
		*out = identity_store_read(row);
	return fault;
}

enum fault identity_system_tenant(struct ctx *ctx, struct uuid *out)
{
	const struct db_value *row;
	enum fault fault = db_select_one(ctx->db, &statements[SYSTEM_TENANT],
	                                 NULL, ctx->arena, &row);
	if (!fault)
		*out = db_to_uuid(&row[0]);
	return fault;
}
