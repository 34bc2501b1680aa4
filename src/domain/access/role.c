/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of roles and permissions. */
#include "domain/access/role.h"

#include <assert.h>

struct permission_row {
	const char *name;
	bool wants_system_tenant;
};

/* clang-format off */
static const struct permission_row permissions[] = {
	[PERM_UNSET] = {"?", true},
	[PERM_NOTHING] = {"-", false},
	[PERM_PLATFORM_AUDIT_READ] = {"platform:audit_read", true},
	[PERM_PLATFORM_USER_REVOKE] = {"platform:user_revoke", true},
	[PERM_PLATFORM_USER_UNLOCK] = {"platform:user_unlock", true},
	[PERM_PLATFORM_POLICY_READ] = {"platform:policy_read", true},
	[PERM_PLATFORM_POLICY_WRITE] = {"platform:policy_write", true},
	[PERM_PLATFORM_BLOCK_READ] = {"platform:block_read", true},
	[PERM_PLATFORM_BLOCK_WRITE] = {"platform:block_write", true},
};
/* clang-format on */
static_assert(sizeof(permissions) / sizeof(permissions[0]) == PERMISSION_COUNT,
              "every permission has its row");

#define MAY(permission) (1u << (permission))
#define EVERYTHING      (~0u)

struct role_row {
	const char *name;
	unsigned rights;
};

static const struct role_row roles[] = {
    {"owner", EVERYTHING},
    {"admin",
     MAY(PERM_PLATFORM_AUDIT_READ) | MAY(PERM_PLATFORM_USER_REVOKE) |
         MAY(PERM_PLATFORM_USER_UNLOCK) | MAY(PERM_PLATFORM_POLICY_READ) |
         MAY(PERM_PLATFORM_POLICY_WRITE) | MAY(PERM_PLATFORM_BLOCK_READ) |
         MAY(PERM_PLATFORM_BLOCK_WRITE)},
    {"auditor", MAY(PERM_PLATFORM_AUDIT_READ) | MAY(PERM_PLATFORM_POLICY_READ) |
                    MAY(PERM_PLATFORM_BLOCK_READ)},
    {"member", 0},
};

static const struct role_row *find(struct span role)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (span_equal(span_of(roles[i].name), role))
			return &roles[i];
	return NULL;
}

const char *role_permission_name(enum permission permission)
{
	assert(permission < PERMISSION_COUNT);
	return permissions[permission].name;
}

bool role_is_known(struct span role)
{
	return find(role) != NULL;
}

bool role_allows(const struct actor *actor, enum permission permission)
{
	if (permission == PERM_NOTHING)
		return true;
	if (permission == PERM_UNSET || permission >= PERMISSION_COUNT)
		return false;
	if (permissions[permission].wants_system_tenant &&
	    !actor->is_in_system_tenant)
		return false;
	const struct role_row *role = find(actor->role);
	return role && (role->rights & MAY(permission));
}
