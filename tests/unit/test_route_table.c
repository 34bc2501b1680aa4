/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The route table, walked as a reviewer would: no column of policy is left out,
 * nothing changes unrecorded, every input ends, and who is let in without
 * signing in stands here once more, so that letting in one more is deliberate.
 */
#include "unit.h"

#include "api/handlers.h"
#include "api/route_table.h"
#include "http/route.h"

#define FIELDS_MOST 32

/* Every row that wants no sign-in. Add one here only after thinking twice. */
static const struct {
	enum http_method method;
	const char *pattern;
} open_to_anyone[] = {
    {HTTP_GET, "/healthz"},
    {HTTP_GET, "/api/v1/openapi.json"},
    {HTTP_POST, "/api/v1/auth/register"},
    {HTTP_POST, "/api/v1/auth/verify-email"},
    {HTTP_POST, "/api/v1/auth/verify-email/resend"},
    {HTTP_POST, "/api/v1/auth/login"},
    {HTTP_POST, "/api/v1/auth/refresh"},
    {HTTP_POST, "/api/v1/auth/logout"},
    {HTTP_POST, "/api/v1/auth/password/forgot"},
    {HTTP_POST, "/api/v1/auth/password/reset"},
};

/* What looks at passwords or mailed tokens, and must be limited as such. */
static const struct {
	enum http_method method;
	const char *pattern;
	enum limit_policy limit;
} limited[] = {
    {HTTP_POST, "/api/v1/auth/register", LIMIT_REGISTRATION},
    {HTTP_POST, "/api/v1/auth/verify-email", LIMIT_VERIFICATION},
    {HTTP_POST, "/api/v1/auth/verify-email/resend", LIMIT_VERIFICATION},
    {HTTP_POST, "/api/v1/auth/login", LIMIT_LOGIN},
    {HTTP_POST, "/api/v1/auth/password/forgot", LIMIT_RESET},
    {HTTP_POST, "/api/v1/auth/password/change", LIMIT_LOGIN},
    {HTTP_PATCH, "/api/v1/me", LIMIT_LOGIN}, /* a new address wants it */
};

static bool changes_state(const struct route *route)
{
	return route->method != HTTP_GET && route->method != HTTP_HEAD;
}

static const struct route *find(enum http_method method, const char *pattern)
{
	for (size_t i = 0; i < route_table_count; i++)
		if (route_table[i].method == method &&
		    strcmp(route_table[i].pattern, pattern) == 0)
			return &route_table[i];
	return NULL;
}

static void leaves_no_column_of_policy_out(void **state)
{
	(void)state;
	assert_true(route_table_count > 0);
	for (size_t i = 0; i < route_table_count; i++) {
		const struct route *route = &route_table[i];

		assert_true(route->method > HTTP_METHOD_NONE &&
		            route->method < HTTP_OTHER);
		assert_true(route->who > WHO_UNSET && route->who < WHO_COUNT);
		assert_true(route->need > NEED_UNSET &&
		            route->need < NEED_COUNT);
		assert_true(route->permission > PERM_UNSET &&
		            route->permission < PERMISSION_COUNT);
		assert_true(route->limit > LIMIT_UNSET &&
		            route->limit < LIMIT_POLICY_COUNT);
		assert_true(route->audit > AUDIT_NONE &&
		            route->audit < AUDIT_TYPE_COUNT);
		assert_non_null(route->handle);
	}
}

static void has_one_row_a_method_and_pattern(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_table_count; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(route_table[i].method ==
			                 route_table[j].method &&
			             strcmp(route_table[i].pattern,
			                    route_table[j].pattern) == 0);
}

/* No two rows of a method may match one path: order would decide. */
static void matches_a_path_by_one_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_table_count; i++)
		for (size_t j = 0; j < route_table_count; j++) {
			struct route_parameters parameters;

			if (i == j ||
			    route_table[i].method != route_table[j].method)
				continue;
			assert_false(route_match(
			    route_table[i].pattern,
			    span_of(route_table[j].pattern), &parameters));
		}
}

static void writes_patterns_as_paths_are_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_table_count; i++) {
		const char *pattern = route_table[i].pattern;
		struct route_parameters parameters;

		assert_int_equal(pattern[0], '/');
		assert_true(pattern[strlen(pattern) - 1] != '/');
		assert_null(strstr(pattern, "//"));
		assert_int_equal(strspn(pattern, "abcdefghijklmnopqrstuvwxyz"
		                                 "0123456789/-._{}"),
		                 strlen(pattern));
		/* Every {name} is one parameter. */
		assert_true(
		    route_match(pattern, span_of(pattern), &parameters));
		for (size_t j = 0; j < parameters.count; j++)
			assert_int_equal(parameters.at[j].at[0], '{');
		assert_int_equal(parameters.count > 0,
		                 strchr(pattern, '{') != NULL);
	}
}

static void records_whatever_changes_something(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_table_count; i++) {
		const struct route *route = &route_table[i];

		if (changes_state(route) != (route->audit != AUDIT_NOT_WANTED))
			fail_msg("%s %s records %s",
			         http_method_name(route->method),
			         route->pattern, audit_type_name(route->audit));
	}
}

/* CH-03, and what a page may send without a preflight. */
static void reads_a_body_only_where_something_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_table_count; i++)
		assert_false(!changes_state(&route_table[i]) &&
		             route_table[i].input);
}

static void lets_in_without_sign_in_who_is_listed_here(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(open_to_anyone); i++) {
		const struct route *route =
		    find(open_to_anyone[i].method, open_to_anyone[i].pattern);

		if (!route || route->who != WHO_ANYONE)
			fail_msg("%s is not open to anyone any more",
			         open_to_anyone[i].pattern);
	}
	for (size_t i = 0; i < route_table_count; i++)
		count += route_table[i].who == WHO_ANYONE;
	assert_int_equal(count, COUNT_OF(open_to_anyone));
}

/* Who is nobody has no confirmed address and no rights. */
static void wants_nothing_of_anyone_that_only_users_have(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_table_count; i++) {
		const struct route *route = &route_table[i];

		if (route->who == WHO_USER)
			continue;
		assert_int_equal(route->need, NEED_NOTHING);
		assert_int_equal(route->permission, PERM_NOTHING);
	}
}

static void wants_a_confirmed_address_for_every_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_table_count; i++)
		assert_true(route_table[i].permission == PERM_NOTHING ||
		            route_table[i].need == NEED_VERIFIED);
}

/* What must answer while the stores are down, and that alone, is not limited.
 */
static void limits_all_but_the_operators_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_table_count; i++) {
		const struct route *route = &route_table[i];
		bool is_health = strcmp(route->pattern, "/healthz") == 0;

		assert_int_equal(route->limit == LIMIT_NOTHING,
		                 route->who == WHO_OPERATIONS || is_health);
	}
}

static void limits_guesses_more_than_the_rest(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(limited); i++) {
		const struct route *route =
		    find(limited[i].method, limited[i].pattern);

		assert_non_null(route);
		assert_int_equal(route->limit, limited[i].limit);
	}
}

/* The fields of an input, up to the zero row that must be there. */
static size_t check_fields(const struct route_input *input)
{
	size_t count = 0;

	for (; count < FIELDS_MOST && input->fields[count].name; count++) {
		const struct json_field *field = &input->fields[count];

		assert_true(field->kind > JSON_FIELD_NONE &&
		            field->kind <= JSON_FIELD_TREE);
		assert_true(field->offset < input->bytes);
		assert_true(field->minimum <= field->maximum);
		if (field->kind == JSON_FIELD_STRING ||
		    field->kind == JSON_FIELD_SECRET)
			assert_true(field->maximum > 0);
		for (size_t i = 0; i < count; i++) {
			assert_string_not_equal(input->fields[i].name,
			                        field->name);
			assert_true(input->fields[i].offset != field->offset);
		}
	}
	assert_true(count < FIELDS_MOST);
	assert_int_equal(input->fields[count].kind, JSON_FIELD_NONE);
	return count;
}

static void ends_every_table_of_input(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_table_count; i++)
		if (route_table[i].input)
			assert_true(check_fields(route_table[i].input) > 0);
}

/* RB-04: nobody can set what the server alone decides. */
static void takes_no_field_that_would_make_one_more_than_one_is(void **state)
{
	static const char *const never[] = {
	    "role",           "is_admin",    "admin",         "verified",
	    "email_verified", "id",          "user_id",       "status",
	    "owner",          "permissions", "scopes",        "scope",
	    "generation",     "roles",       "password_hash", "verified_at"};

	(void)state;
	for (size_t i = 0; i < route_table_count; i++) {
		const struct route_input *input = route_table[i].input;

		for (size_t j = 0; input && input->fields[j].name; j++)
			for (size_t k = 0; k < COUNT_OF(never); k++)
				assert_string_not_equal(input->fields[j].name,
				                        never[k]);
	}
}

static void names_every_caller_and_need(void **state)
{
	(void)state;
	assert_string_equal(route_who_name(WHO_ANYONE), "anyone");
	assert_string_equal(route_who_name(WHO_USER), "user");
	assert_string_equal(route_who_name(WHO_OPERATIONS), "operations");
	assert_string_equal(route_need_name(NEED_NOTHING), "-");
	assert_string_equal(route_need_name(NEED_VERIFIED), "verified");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(leaves_no_column_of_policy_out),
	    cmocka_unit_test(has_one_row_a_method_and_pattern),
	    cmocka_unit_test(matches_a_path_by_one_row),
	    cmocka_unit_test(writes_patterns_as_paths_are_written),
	    cmocka_unit_test(records_whatever_changes_something),
	    cmocka_unit_test(reads_a_body_only_where_something_changes),
	    cmocka_unit_test(lets_in_without_sign_in_who_is_listed_here),
	    cmocka_unit_test(wants_nothing_of_anyone_that_only_users_have),
	    cmocka_unit_test(wants_a_confirmed_address_for_every_right),
	    cmocka_unit_test(limits_all_but_the_operators_own),
	    cmocka_unit_test(limits_guesses_more_than_the_rest),
	    cmocka_unit_test(ends_every_table_of_input),
	    cmocka_unit_test(
		takes_no_field_that_would_make_one_more_than_one_is),
	    cmocka_unit_test(names_every_caller_and_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
