/* SPDX-License-Identifier: Apache-2.0 */
/* The Set-Cookie lines of our three cookies. */
#include "http/cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct reply reply;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_false(arena_init(&fixture->arena, (size_t)64 * 1024));
	assert_false(reply_init(&fixture->reply, &fixture->arena));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	arena_release(&fixture->arena);
	free(fixture);
	return 0;
}

static void assert_headers(const struct fixture *fixture, const char *wanted)
{
	struct span headers = text_span(&fixture->reply.headers);

	assert_int_equal(headers.length, strlen(wanted));
	assert_memory_equal(headers.at, wanted, headers.length);
}

static void sets_the_access_cookie_for_the_whole_host(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(cookie_set(&fixture->reply, COOKIE_ACCESS,
	                            SPAN("a.b-c_d"), 900, SPAN("/auth")),
	                 FAULT_NONE);
	assert_headers(fixture, "Set-Cookie: __Host-claviger_access=a.b-c_d; "
	                        "Max-Age=900; Path=/; Secure; HttpOnly; "
	                        "SameSite=Lax\r\n");
}

static void sets_the_refresh_cookie_below_the_base_path(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(cookie_set(&fixture->reply, COOKIE_REFRESH, SPAN("r"),
	                            60, SPAN("/auth")),
	                 FAULT_NONE);
	assert_headers(fixture,
	               "Set-Cookie: __Secure-claviger_refresh=r; Max-Age=60; "
	               "Path=/auth/api/v1/auth; Secure; HttpOnly; "
	               "SameSite=Strict\r\n");
}

static void lets_the_page_read_the_csrf_cookie(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
	    cookie_set(&fixture->reply, COOKIE_CSRF, SPAN("c"), 60, SPAN("")),
	    FAULT_NONE);
	assert_headers(fixture, "Set-Cookie: __Host-claviger_csrf=c; "
	                        "Max-Age=60; Path=/; Secure; "
	                        "SameSite=Strict\r\n");
}

static void keeps_the_device_cookie_from_pages_and_other_sites(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(cookie_set(&fixture->reply, COOKIE_DEVICE, SPAN("d"),
	                            60, SPAN("/auth")),
	                 FAULT_NONE);
	assert_headers(fixture, "Set-Cookie: __Host-claviger_device=d; "
	                        "Max-Age=60; Path=/; Secure; HttpOnly; "
	                        "SameSite=Strict\r\n");
}

static void removes_a_cookie_at_age_zero(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(cookie_set(&fixture->reply, COOKIE_CSRF,
	                            SPAN("secret"), 0, SPAN("")),
	                 FAULT_NONE);
	assert_headers(fixture, "Set-Cookie: __Host-claviger_csrf=; "
	                        "Max-Age=0; Path=/; Secure; "
	                        "SameSite=Strict\r\n");
}

static void refuses_values_that_would_end_the_cookie(void **state)
{
	struct fixture *fixture = *state;
	const struct span values[] = {
	    SPAN("a;b"),  SPAN("a b"),  SPAN("a,b"),  SPAN("a\"b"),
	    SPAN("a\\b"), SPAN("a\nb"), SPAN("a\0b"), SPAN("a\xc3\xa9"),
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_int_equal(cookie_set(&fixture->reply, COOKIE_ACCESS,
		                            values[i], 60, SPAN("")),
		                 FAULT_INTERNAL);
	assert_headers(fixture, "");
}

static void refuses_a_cookie_that_browsers_would_drop(void **state)
{
	struct fixture *fixture = *state;
	static char value[4096];

	memset(value, 'v', sizeof(value));
	assert_int_equal(cookie_set(&fixture->reply, COOKIE_ACCESS,
	                            (struct span){value, sizeof(value)}, 60,
	                            SPAN("")),
	                 FAULT_EXHAUSTED);
	assert_headers(fixture, "");
}

static void names_each_cookie(void **state)
{
	(void)state;
	assert_string_equal(cookie_name(COOKIE_ACCESS),
	                    "__Host-claviger_access");
	assert_string_equal(cookie_name(COOKIE_REFRESH),
	                    "__Secure-claviger_refresh");
	assert_string_equal(cookie_name(COOKIE_CSRF), "__Host-claviger_csrf");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(sets_the_access_cookie_for_the_whole_host),
	    TEST(sets_the_refresh_cookie_below_the_base_path),
	    TEST(lets_the_page_read_the_csrf_cookie),
	    TEST(keeps_the_device_cookie_from_pages_and_other_sites),
	    TEST(removes_a_cookie_at_age_zero),
	    TEST(refuses_values_that_would_end_the_cookie),
	    TEST(refuses_a_cookie_that_browsers_would_drop),
	    TEST(names_each_cookie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
