/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles and what they may: a const table. Rights over the platform count only
 * for members of the system tenant.
 */
#ifndef DOMAIN_ACCESS_ROLE_H
#define DOMAIN_ACCESS_ROLE_H

#include "base/text.h"
#include "domain/ctx.h"

#include <stdbool.h>

enum permission {
	PERM_UNSET = 0, /* no route may have it */
	PERM_NOTHING,   /* being who the route wants is enough */
	PERM_PLATFORM_AUDIT_READ,
	PERM_PLATFORM_USER_REVOKE,
	PERM_PLATFORM_USER_UNLOCK,
	PERM_PLATFORM_POLICY_READ,
	PERM_PLATFORM_POLICY_WRITE,
	PERM_PLATFORM_BLOCK_READ,
	PERM_PLATFORM_BLOCK_WRITE,
	PERMISSION_COUNT
};

/* "platform:audit_read"; "-" for PERM_NOTHING. */
const char *role_permission_name(enum permission permission);

/* Whether this is a role that a member can have. */
bool role_is_known(struct span role);

/* Whether the actor's role, in the actor's tenant, has a permission. */
bool role_allows(const struct actor *actor, enum permission permission);

#endif
