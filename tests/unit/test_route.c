/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths a pattern matches. */
#include "http/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool matches(const char *pattern, const char *path)
{
	struct route_parameters parameters;

	return route_match(pattern, span_of(path), &parameters);
}

static void matches_a_path_without_parameters_exactly(void **state)
{
	(void)state;
	assert_true(matches("/healthz", "/healthz"));
	assert_true(matches("/", "/"));
	assert_false(matches("/healthz", "/Healthz"));
	assert_false(matches("/healthz", "/healthz/"));
	assert_false(matches("/healthz", "/health"));
	assert_false(matches("/healthz", "/healthzz"));
	assert_false(matches("/healthz", "/"));
	assert_false(matches("/healthz", ""));
	assert_false(matches("/a/b", "/a"));
	assert_false(matches("/a", "/a/b"));
	assert_false(
	    route_match("/a", (struct span){0}, &(struct route_parameters){0}));
}

static void gives_parameters_in_the_order_of_the_pattern(void **state)
{
	struct route_parameters parameters;

	(void)state;
	assert_true(route_match("/t/{id}/members/{user_id}",
	                        SPAN("/t/abc/members/x y"), &parameters));
	assert_int_equal(parameters.count, 2);
	assert_true(span_equal(parameters.at[0], SPAN("abc")));
	assert_true(span_equal(parameters.at[1], SPAN("x y")));
}

static void takes_one_segment_that_is_not_empty_for_a_parameter(void **state)
{
	(void)state;
	assert_false(matches("/t/{id}", "/t/"));
	assert_false(matches("/t/{id}", "/t"));
	assert_false(matches("/t/{id}", "/t/a/b"));
	assert_false(matches("/t/{id}", "/t/a/"));
	assert_false(matches("/t/{id}/x", "/t//x"));
	assert_true(matches("/t/{id}", "/t/{id}"));
	assert_true(matches("/t/{}", "/t/{}"));
	assert_false(matches("/t/{}", "/t/a"));
}

static void leaves_parameters_alone_without_a_match(void **state)
{
	struct route_parameters parameters = {.count = 3};

	(void)state;
	assert_false(route_match("/t/{id}/x", SPAN("/t/a/y"), &parameters));
	assert_int_equal(parameters.count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(matches_a_path_without_parameters_exactly),
	    cmocka_unit_test(gives_parameters_in_the_order_of_the_pattern),
	    cmocka_unit_test(
		takes_one_segment_that_is_not_empty_for_a_parameter),
	    cmocka_unit_test(leaves_parameters_alone_without_a_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
