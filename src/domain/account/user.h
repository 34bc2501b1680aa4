/* SPDX-License-Identifier: Apache-2.0 */
/* Users: the rows behind identities, with what signing in needs. */
#ifndef DOMAIN_ACCOUNT_USER_H
#define DOMAIN_ACCOUNT_USER_H

#include "domain/ctx.h"
#include "domain/session/identity.h"

#include <stdbool.h>

enum user_status { USER_ACTIVE, USER_DISABLED };

struct user {
	struct identity identity;
	struct span password_hash; /* PHC string */
	struct span pepper_id;
	bool is_disabled;
	int64_t password_changed_at_ms;
};

/*
 * Find a user by canonical address, as a member of a tenant (nil: home).
 * FAULT_NOT_FOUND.
 */
enum fault user_find_by_email(struct ctx *ctx, struct span email,
                              const struct uuid *tenant_id, struct user *out);
enum fault user_find(struct ctx *ctx, const struct uuid *user_id,
                     struct user *out);

/* What a new row needs; ids are made by the caller. */
struct user_draft {
	struct uuid id;
	struct uuid tenant_id; /* the home, of which they get the role */
	struct span email;
	struct span name;
	struct span role;
	struct span password_hash;
	struct span pepper_id;
	bool is_email_verified;
};

/*
 * Inside a transaction: the user and their membership. FAULT_CONFLICT when the
 * address is taken.
 */
enum fault user_insert(struct ctx *ctx, const struct user_draft *draft);

/* Inside a transaction: a tenant of this name. */
enum fault user_insert_tenant(struct ctx *ctx, const struct uuid *id,
                              struct span name);

/*
 * Single changes, inside a transaction. FAULT_NOT_FOUND when there is no such
 * user; FAULT_CONFLICT for an address that another has.
 */
enum fault user_set_status(struct ctx *ctx, const struct uuid *user_id,
                           enum user_status status);
enum fault user_set_name(struct ctx *ctx, const struct uuid *user_id,
                         struct span name);
enum fault user_set_verified(struct ctx *ctx, const struct uuid *user_id);
enum fault user_set_pending_email(struct ctx *ctx, const struct uuid *user_id,
                                  struct span email);
enum fault user_set_email(struct ctx *ctx, const struct uuid *user_id,
                          struct span email);
enum fault user_set_role(struct ctx *ctx, const struct uuid *user_id,
                         const struct uuid *tenant_id, struct span role);

struct user_record {
	struct uuid id;
	struct span email, name, status;
	bool is_email_verified;
	int64_t created_at_ms;
	struct span roles; /* "Tenant: role, …" for people */
};

/* Users in order of id behind after (nil: from the first). */
enum fault user_list(struct ctx *ctx, const struct uuid *after, int64_t limit,
                     const struct user_record **out, size_t *count);

#endif
