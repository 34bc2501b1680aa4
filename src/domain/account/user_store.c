/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of users, their tenants and memberships. */
#include "domain/account/user.h"

#include "domain/session/identity_store.h"

enum {
	BY_EMAIL,
	BY_ID,
	INSERT_USER,
	INSERT_TENANT,
	SET_ROLE,
	SET_STATUS,
	SET_NAME,
	SET_VERIFIED,
	SET_PENDING,
	SET_EMAIL,
	LIST,
};

#define USER                                                          \
	"SELECT " IDENTITY_COLUMNS ", u.password_hash, u.pepper_id,"  \
	" u.password_changed_at, u.status = 'disabled'" IDENTITY_FROM \
	" WHERE "
#define USER_COLUMN_COUNT (IDENTITY_COLUMN_COUNT + 4)

static const struct db_statement statements[] = {
    [BY_EMAIL] = {USER "u.email = ?", 2, USER_COLUMN_COUNT},
    [BY_ID] = {USER "u.id = ?", 2, USER_COLUMN_COUNT},
    [INSERT_USER] = {"INSERT INTO user (id, email, name, email_verified_at,"
                     " password_hash, pepper_id, password_changed_at,"
                     " home_tenant_id, created_at)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     9, 0},
    [INSERT_TENANT] = {"INSERT INTO tenant (id, name, created_at)"
                       " VALUES (?, ?, ?)",
                       3, 0},
    [SET_ROLE] = {"INSERT INTO membership"
                  " (tenant_id, user_id, role, created_at)"
                  " VALUES (?, ?, ?, ?)"
                  " ON DUPLICATE KEY UPDATE role = VALUES(role)",
                  4, 0},
    [SET_STATUS] = {"UPDATE user SET status = ? WHERE id = ?", 2, 0},
    [SET_NAME] = {"UPDATE user SET name = ? WHERE id = ?", 2, 0},
    [SET_VERIFIED] = {"UPDATE user SET email_verified_at ="
                      " COALESCE(email_verified_at, ?) WHERE id = ?",
                      2, 0},
    [SET_PENDING] = {"UPDATE user SET pending_email = ? WHERE id = ?", 2, 0},
    [SET_EMAIL] = {"UPDATE user SET email = ?, pending_email = NULL,"
                   " email_verified_at = ? WHERE id = ?",
                   3, 0},
    [LIST] = {"SELECT u.id, u.email, u.name, u.status, u.email_verified_at,"
              " u.created_at, (SELECT GROUP_CONCAT(t.name, ': ', m.role"
              " ORDER BY t.id SEPARATOR ', ') FROM membership m"
              " JOIN tenant t ON t.id = m.tenant_id"
              " WHERE m.user_id = u.id)"
              " FROM user u WHERE u.id > ? ORDER BY u.id LIMIT ?",
              2, 7},
};

static struct user read_user(const struct db_value *row)
{
	const struct db_value *rest = row + IDENTITY_COLUMN_COUNT;
	return (struct user){
	    .identity = identity_store_read(row),
	    .password_hash = db_to_text(&rest[0]),
	    .pepper_id = db_to_text(&rest[1]),
	    .password_changed_at_ms = db_to_integer(&rest[2]),
	    .is_disabled = db_to_integer(&rest[3]) == 1,
	};
}

static enum fault find(struct ctx *ctx, size_t statement,
                       const struct uuid *tenant_id, struct db_value whom,
                       struct user *out)
{
	bool is_home = !tenant_id || uuid_is_nil(tenant_id);
	const struct db_value values[] = {
	    is_home ? db_null() : db_uuid(tenant_id),
	    whom,
	};
	const struct db_value *row;
	enum fault fault = db_select_one(ctx->db, &statements[statement],
	                                 values, ctx->arena, &row);
	if (!fault)
		*out = read_user(row);
	return fault;
}

enum fault user_find_by_email(struct ctx *ctx, struct span email,
                              const struct uuid *tenant_id, struct user *out)
{
	return find(ctx, BY_EMAIL, tenant_id, db_text(email), out);
}

enum fault user_find(struct ctx *ctx, const struct uuid *user_id,
                     struct user *out)
{
	return find(ctx, BY_ID, NULL, db_uuid(user_id), out);
}

enum fault user_insert(struct ctx *ctx, const struct user_draft *draft)
{
	const struct db_value values[] = {
	    db_uuid(&draft->id),
	    db_text(draft->email),
	    db_bytes(draft->name.length ? draft->name.at : "",
	             draft->name.length),
	    draft->is_email_verified ? db_integer(ctx->now_ms) : db_null(),
	    db_text(draft->password_hash),
	    db_text(draft->pepper_id),
	    db_integer(ctx->now_ms),
	    db_uuid(&draft->tenant_id),
	    db_integer(ctx->now_ms),
	};
	enum fault fault =
	    db_run(ctx->db, &statements[INSERT_USER], values, NULL);
	if (fault)
		return fault;
	return user_set_role(ctx, &draft->id, &draft->tenant_id, draft->role);
}

enum fault user_insert_tenant(struct ctx *ctx, const struct uuid *id,
                              struct span name)
{
	const struct db_value values[] = {
	    db_uuid(id),
	    db_text(name),
	    db_integer(ctx->now_ms),
	};
	return db_run(ctx->db, &statements[INSERT_TENANT], values, NULL);
}

enum fault user_set_role(struct ctx *ctx, const struct uuid *user_id,
                         const struct uuid *tenant_id, struct span role)
{
	const struct db_value values[] = {
	    db_uuid(tenant_id),
	    db_uuid(user_id),
	    db_text(role),
	    db_integer(ctx->now_ms),
	};
	return db_run(ctx->db, &statements[SET_ROLE], values, NULL);
}

/* Statements that change one user: nobody matched is FAULT_NOT_FOUND. */
static enum fault change(struct ctx *ctx, size_t statement,
                         const struct db_value *values)
{
	uint64_t matched;
	enum fault fault =
	    db_run(ctx->db, &statements[statement], values, &matched);
	if (!fault && matched == 0)
		fault = FAULT_NOT_FOUND;
	return fault;
}

enum fault user_set_status(struct ctx *ctx, const struct uuid *user_id,
                           enum user_status status)
{
	const struct db_value values[] = {
	    db_text(status == USER_ACTIVE ? SPAN("active") : SPAN("disabled")),
	    db_uuid(user_id),
	};
	return change(ctx, SET_STATUS, values);
}

enum fault user_set_name(struct ctx *ctx, const struct uuid *user_id,
                         struct span name)
{
	const struct db_value values[] = {
	    db_bytes(name.length ? name.at : "", name.length),
	    db_uuid(user_id),
	};
	return change(ctx, SET_NAME, values);
}

enum fault user_set_verified(struct ctx *ctx, const struct uuid *user_id)
{
	const struct db_value values[] = {
	    db_integer(ctx->now_ms),
	    db_uuid(user_id),
	};
	return change(ctx, SET_VERIFIED, values);
}

enum fault user_set_pending_email(struct ctx *ctx, const struct uuid *user_id,
                                  struct span email)
{
	const struct db_value values[] = {db_text(email), db_uuid(user_id)};
	return change(ctx, SET_PENDING, values);
}

enum fault user_set_email(struct ctx *ctx, const struct uuid *user_id,
                          struct span email)
{
	const struct db_value values[] = {
	    db_text(email),
	    db_integer(ctx->now_ms),
	    db_uuid(user_id),
	};
	return change(ctx, SET_EMAIL, values);
}

enum fault user_list(struct ctx *ctx, const struct uuid *after, int64_t limit,
                     const struct user_record **out, size_t *count)
{
	const struct db_value values[] = {db_uuid(after), db_integer(limit)};
	struct db_rows rows;
	enum fault fault =
	    db_select(ctx->db, &statements[LIST], values, ctx->arena, &rows);
	if (fault)
		return fault;
	struct user_record *records =
	    arena_array(ctx->arena, rows.count, sizeof(*records));
	if (!records)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < rows.count; i++) {
		const struct db_value *row = db_row(&rows, i);
		records[i] = (struct user_record){
		    .id = db_to_uuid(&row[0]),
		    .email = db_to_text(&row[1]),
		    .name = db_to_text(&row[2]),
		    .status = db_to_text(&row[3]),
		    .is_email_verified = row[4].type != DB_NULL,
		    .created_at_ms = db_to_integer(&row[5]),
		    .roles = db_to_text(&row[6]),
		};
	}
	*out = records;
	*count = rows.count;
	return FAULT_NONE;
}
