/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a session is of: a user as a member of one tenant, with everything that
 * an access token says of them, read afresh whenever one is made.
 */
#ifndef DOMAIN_SESSION_IDENTITY_H
#define DOMAIN_SESSION_IDENTITY_H

#include "domain/ctx.h"

#include <stdbool.h>
#include <stdint.h>

/* What tokens are held against; each is raised to end many at once. */
struct generations {
	int64_t user;
	int64_t tenant;
	int64_t all;
};

struct identity {
	struct uuid user_id;
	struct uuid tenant_id;
	struct span email;
	struct span pending_email; /* absent: none */
	struct span name;
	struct span role;
	bool is_active; /* user and tenant both */
	bool is_email_verified;
	int64_t created_at_ms;
	struct generations generations;
};

/*
 * Read a user as a member of a tenant; a nil tenant is the user's home.
 * FAULT_NOT_FOUND when there is no such user or membership.
 */
enum fault identity_find(struct ctx *ctx, const struct uuid *user_id,
                         const struct uuid *tenant_id, struct identity *out);

/* The tenant of the installation itself; only its roles hold platform rights.
 */
enum fault identity_system_tenant(struct ctx *ctx, struct uuid *out);

#endif
