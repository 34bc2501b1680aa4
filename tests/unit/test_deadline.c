/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that are shut down when their time has come. */
#include "server/deadline.h"

#include "base/clock.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	int ends[2];
};

static struct fixture fixture;

static int set_up(void **state)
{
	*state = &fixture;
	deadline_init();
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fixture.ends);
}

static int tear_down(void **state)
{
	(void)state;
	(void)close(fixture.ends[0]);
	(void)close(fixture.ends[1]);
	return 0;
}

static void ends_a_read_that_waits(void **state)
{
	int64_t started = clock_monotonic_us();
	char byte;

	(void)state;
	deadline_arm(fixture.ends[0], SHUT_RD, 50);
	assert_int_equal(read(fixture.ends[0], &byte, 1), 0);
	assert_true(clock_monotonic_us() - started >= 40000);
	assert_true(deadline_disarm());
	/* The other direction still works: an answer can be given. */
	assert_int_equal(write(fixture.ends[0], "x", 1), 1);
	assert_int_equal(read(fixture.ends[1], &byte, 1), 1);
}

static void ends_a_read_that_begins_too_late(void **state)
{
	char byte;

	(void)state;
	deadline_arm(fixture.ends[0], SHUT_RD, -5);
	(void)poll(NULL, 0, 50);
	assert_int_equal(read(fixture.ends[0], &byte, 1), 0);
	assert_true(deadline_disarm());
}

static void ends_a_write_that_waits(void **state)
{
	static char bytes[1 << 20];
	ssize_t written = 1;

	(void)state;
	deadline_arm(fixture.ends[0], SHUT_RDWR, 50);
	while (written > 0)
		written =
		    send(fixture.ends[0], bytes, sizeof(bytes), MSG_NOSIGNAL);
	assert_int_equal(written, -1);
	assert_true(deadline_disarm());
}

static void does_nothing_once_disarmed(void **state)
{
	char byte;

	(void)state;
	deadline_arm(fixture.ends[0], SHUT_RDWR, 20);
	assert_false(deadline_disarm());
	(void)poll(NULL, 0, 50);
	assert_int_equal(write(fixture.ends[1], "x", 1), 1);
	assert_int_equal(read(fixture.ends[0], &byte, 1), 1);
}

static void starts_over_when_armed_again(void **state)
{
	(void)state;
	deadline_arm(fixture.ends[0], SHUT_RDWR, 1);
	(void)poll(NULL, 0, 30);
	deadline_arm(fixture.ends[1], SHUT_RDWR, 60000);
	assert_false(deadline_disarm());
}

static void keeps_its_time_when_an_earlier_one_was_disarmed(void **state)
{
	int64_t started = clock_monotonic_us();
	char byte;

	(void)state;
	deadline_arm(fixture.ends[0], SHUT_RDWR, 20);
	assert_false(deadline_disarm());
	deadline_arm(fixture.ends[0], SHUT_RD, 80);
	assert_int_equal(read(fixture.ends[0], &byte, 1), 0);
	assert_true(clock_monotonic_us() - started >= 80000);
	assert_true(deadline_disarm());
}

static void comes_earlier_than_one_that_was_disarmed(void **state)
{
	int64_t started = clock_monotonic_us();
	char byte;

	(void)state;
	deadline_arm(fixture.ends[0], SHUT_RDWR, 60000);
	assert_false(deadline_disarm());
	deadline_arm(fixture.ends[0], SHUT_RD, 20);
	assert_int_equal(read(fixture.ends[0], &byte, 1), 0);
	assert_true(clock_monotonic_us() - started < 10000000);
	assert_true(deadline_disarm());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(ends_a_read_that_waits),
	    TEST(ends_a_read_that_begins_too_late),
	    TEST(ends_a_write_that_waits),
	    TEST(does_nothing_once_disarmed),
	    TEST(starts_over_when_armed_again),
	    TEST(keeps_its_time_when_an_earlier_one_was_disarmed),
	    TEST(comes_earlier_than_one_that_was_disarmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
