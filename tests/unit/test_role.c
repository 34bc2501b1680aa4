/* SPDX-License-Identifier: Apache-2.0 */
/* Who may what: denied unless a table says otherwise. */
#include "unit.h"

#include "domain/access/role.h"

#include <assert.h>

static bool allows(const char *role, bool is_in_system_tenant,
                   enum permission permission)
{
	const struct actor actor = {
	    .kind = ACTOR_USER,
	    .role = span_of(role),
	    .is_in_system_tenant = is_in_system_tenant,
	};

	return role_allows(&actor, permission);
}

/* Every platform right, and the roles of the system tenant that hold it. */
static const struct {
	enum permission permission;
	const char *name;
	bool owner, admin, auditor, member;
} rows[] = {
    {PERM_PLATFORM_AUDIT_READ, "platform:audit_read", true, true, true, false},
    {PERM_PLATFORM_USER_REVOKE, "platform:user_revoke", true, true, false,
     false},
    {PERM_PLATFORM_USER_UNLOCK, "platform:user_unlock", true, true, false,
     false},
    {PERM_PLATFORM_POLICY_READ, "platform:policy_read", true, true, true,
     false},
    {PERM_PLATFORM_POLICY_WRITE, "platform:policy_write", true, true, false,
     false},
    {PERM_PLATFORM_BLOCK_READ, "platform:block_read", true, true, true, false},
    {PERM_PLATFORM_BLOCK_WRITE, "platform:block_write", true, true, false,
     false},
};
static_assert(COUNT_OF(rows) == PERMISSION_COUNT - PERM_NOTHING - 1,
              "every permission is decided upon here");

static void gives_each_role_of_the_system_tenant_its_rights(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum permission permission = rows[i].permission;

		assert_string_equal(role_permission_name(permission),
		                    rows[i].name);
		assert_int_equal(allows("owner", true, permission),
		                 rows[i].owner);
		assert_int_equal(allows("admin", true, permission),
		                 rows[i].admin);
		assert_int_equal(allows("auditor", true, permission),
		                 rows[i].auditor);
		assert_int_equal(allows("member", true, permission),
		                 rows[i].member);
	}
}

/* Owning a tenant of one's own gives no right over the platform. */
static void gives_no_platform_right_to_any_other_tenant(void **state)
{
	static const char *const roles[] = {"owner", "admin", "auditor",
	                                    "member"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		for (size_t j = 0; j < COUNT_OF(rows); j++)
			assert_false(
			    allows(roles[i], false, rows[j].permission));
}

static const char *const unknown[] = {"",
                                      "Owner",
                                      "OWNER",
                                      "owner ",
                                      " owner",
                                      "owners",
                                      "own",
                                      "root",
                                      "*",
                                      "system",
                                      "owner\tadmin",
                                      "0",
                                      "admin,owner",
                                      "member;"};

static void gives_no_right_to_a_role_it_does_not_know(void **state)
{
	const struct actor absent = {.is_in_system_tenant = true};
	const struct actor cut = {.role = SPAN("owner\0"),
	                          .is_in_system_tenant = true};

	(void)state;
	for (size_t j = 0; j < COUNT_OF(rows); j++) {
		for (size_t i = 0; i < COUNT_OF(unknown); i++)
			assert_false(
			    allows(unknown[i], true, rows[j].permission));
		assert_false(role_allows(&absent, rows[j].permission));
		assert_false(role_allows(&cut, rows[j].permission));
	}
}

static void knows_its_roles_and_no_other(void **state)
{
	(void)state;
	assert_true(role_is_known(SPAN("owner")));
	assert_true(role_is_known(SPAN("admin")));
	assert_true(role_is_known(SPAN("auditor")));
	assert_true(role_is_known(SPAN("member")));
	for (size_t i = 0; i < COUNT_OF(unknown); i++)
		assert_false(role_is_known(span_of(unknown[i])));
	assert_false(role_is_known((struct span){0}));
	assert_false(role_is_known(SPAN("owner\0")));
}

/* A forgotten column denies, to the owner of the system, too. */
static void allows_nobody_what_was_not_declared(void **state)
{
	(void)state;
	assert_false(allows("owner", true, PERM_UNSET));
	assert_false(allows("owner", true, PERMISSION_COUNT));
	assert_false(
	    allows("owner", true, (enum permission)(PERMISSION_COUNT + 1)));
	assert_string_equal(role_permission_name(PERM_UNSET), "?");
}

static void allows_everybody_what_wants_no_right(void **state)
{
	const struct actor nobody = {0};

	(void)state;
	assert_true(role_allows(&nobody, PERM_NOTHING));
	assert_true(allows("member", false, PERM_NOTHING));
	assert_string_equal(role_permission_name(PERM_NOTHING), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_each_role_of_the_system_tenant_its_rights),
	    cmocka_unit_test(gives_no_platform_right_to_any_other_tenant),
	    cmocka_unit_test(gives_no_right_to_a_role_it_does_not_know),
	    cmocka_unit_test(knows_its_roles_and_no_other),
	    cmocka_unit_test(allows_nobody_what_was_not_declared),
	    cmocka_unit_test(allows_everybody_what_wants_no_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
