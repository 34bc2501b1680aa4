/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the environment, and taking a secret out of it. */
#define _GNU_SOURCE 1 /* environ */

#include "unit.h"

#include "base/environment.h"

#include <stdlib.h>
#include <unistd.h>

#define NAME "CLAVIGER_TEST_SECRET"

static void gives_a_value_or_nothing(void **state)
{
	(void)state;
	assert_null(environment_get(NAME));
	assert_int_equal(setenv(NAME, "value", 1), 0);
	assert_string_equal(environment_get(NAME), "value");
	assert_int_equal(unsetenv(NAME), 0);
	assert_null(environment_get(NAME));
}

static void wipes_the_bytes_where_they_stand(void **state)
{
	char entry[] = NAME "=secret";

	(void)state;
	assert_int_equal(putenv(entry), 0);
	environment_wipe(NAME);
	assert_null(environment_get(NAME));
	assert_memory_equal(entry, NAME "=\0\0\0\0\0\0", sizeof(entry));
}

/* execve takes any list; getenv would show the first only. */
static void wipes_a_name_that_stands_there_twice(void **state)
{
	char first[] = NAME "=secret";
	char other[] = NAME "_2=other";
	char second[] = NAME "=hidden";
	char *entries[] = {first, other, second, NULL};
	char **before = environ;

	(void)state;
	environ = entries;
	environment_wipe(NAME);
	assert_null(environment_get(NAME));
	assert_string_equal(environment_get(NAME "_2"), "other");
	environ = before;
	assert_memory_equal(first, NAME "=\0\0\0\0\0\0", sizeof(first));
	assert_memory_equal(second, NAME "=\0\0\0\0\0\0", sizeof(second));
}

static void wipes_nothing_that_is_not_there(void **state)
{
	char **before = environ;

	(void)state;
	environment_wipe(NAME);
	environ = NULL;
	environment_wipe(NAME);
	environ = before;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_a_value_or_nothing),
	    cmocka_unit_test(wipes_the_bytes_where_they_stand),
	    cmocka_unit_test(wipes_a_name_that_stands_there_twice),
	    cmocka_unit_test(wipes_nothing_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
