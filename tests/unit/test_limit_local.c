/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits in shared memory: as exact as those in Redis, for many processes, and
 * never forgotten because others come.
 */
#include "unit.h"

#include "domain/guard/limit_local.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOON_MS INT64_C(1768478400000)

static struct shared *shared;
static int64_t now_ms;
static int64_t remaining;
static int64_t reset_in_ms;

static const struct config_rate window = {5, 900000, 0};
static const struct config_rate bucket = {100, 60000, 10};

static int set_up(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	now_ms = NOON_MS;
	return shared == MAP_FAILED;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(shared, sizeof(*shared));
}

static bool take(const char *subject, const struct config_rate *rate)
{
	return limit_local_take(shared, span_of(subject), rate, now_ms,
	                        &remaining, &reset_in_ms);
}

static bool give(const char *subject, const struct config_rate *rate)
{
	return limit_local_give(shared, span_of(subject), rate, now_ms);
}

static void takes_as_many_as_the_window_says(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_true(take("a", &window));
		assert_int_equal(remaining, 4 - i);
		assert_int_equal(reset_in_ms, (i + 1) * 180000);
	}
	for (int i = 0; i < 3; i++) {
		assert_false(take("a", &window));
		assert_int_equal(remaining, 0);
		assert_int_equal(reset_in_ms, 180000);
	}
	assert_true(take("b", &window));
}

static void is_right_about_when_to_come_again(void **state)
{
	(void)state;
	while (take("a", &window))
		;
	now_ms += reset_in_ms - 1;
	assert_false(take("a", &window));
	assert_int_equal(reset_in_ms, 1);
	now_ms += 1;
	assert_true(take("a", &window));
	assert_false(take("a", &window));
	now_ms += 900000;
	for (int i = 0; i < 5; i++)
		assert_true(take("a", &window));
	assert_false(take("a", &window));
}

static void keeps_the_burst_of_a_bucket(void **state)
{
	int taken = 0;

	(void)state;
	while (take("a", &bucket))
		taken++;
	assert_int_equal(taken, 10);
	assert_int_equal(reset_in_ms, 600);
	/* A minute of as many calls as there are: the rate. */
	for (taken = 0; now_ms < NOON_MS + 60000; now_ms += 10)
		taken += take("a", &bucket);
	assert_in_range(taken, 99, 100);
}

/* More in a window than it has milliseconds: no step is nothing. */
static void limits_high_rates_too(void **state)
{
	const struct config_rate fast = {100000, 1000, 0};
	int taken = 0;

	(void)state;
	while (take("a", &fast))
		taken++;
	assert_int_equal(taken, 100000);
	now_ms += 1;
	for (taken = 0; take("a", &fast);)
		taken++;
	assert_int_equal(taken, 100);
}

static void gives_back_what_was_taken(void **state)
{
	(void)state;
	assert_false(give("a", &window));
	for (int i = 0; i < 5; i++)
		assert_true(take("a", &window));
	assert_false(take("a", &window));
	assert_true(give("a", &window));
	assert_true(take("a", &window));
	assert_int_equal(remaining, 0);
	for (int i = 0; i < 5; i++)
		assert_true(give("a", &window));
	assert_false(give("a", &window));
}

static void waits_no_longer_than_a_rate_takes(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(take("a", &window));
	/* The clock was wrong by a day, and is right again. */
	now_ms -= 86400000;
	assert_false(take("a", &window));
	assert_int_equal(reset_in_ms, 180000);
	/* The rate was raised. */
	assert_false(take("a", &bucket));
	assert_int_equal(reset_in_ms, 600);
}

static void attack(unsigned number)
{
	char subject[32];

	(void)snprintf(subject, sizeof(subject), "login:10.%u.%u.%u",
	               number >> 16, number >> 8 & 255, number & 255);
	(void)take(subject, &window);
}

static void a_hundred_thousand_addresses_do_not_evict_a_victim(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(take("victim", &window));
	assert_false(take("victim", &window));
	for (unsigned i = 0; i < 100000; i++)
		attack(i);
	assert_false(take("victim", &window));
	assert_int_equal(reset_in_ms, 180000);
	/* Nor does anybody else come short of room by that. */
	for (int i = 0; i < 5; i++)
		assert_true(take("bystander", &window));
	/* And a million do not either; they only keep strangers out. */
	for (unsigned i = 100000; i < 1000000; i++)
		attack(i);
	assert_false(take("victim", &window));
	assert_false(take("bystander", &window));
	assert_false(take("stranger", &window));
	assert_in_range(reset_in_ms, 1, 900000);
	now_ms += reset_in_ms;
	assert_true(take("stranger", &window));
}

static void finds_nobodys_slot_without_the_hosts_seed(void **state)
{
	uint64_t first;

	(void)state;
	assert_true(take("a", &window));
	first = atomic_load(&shared->limit_seed);
	assert_int_not_equal(first, 0);
	assert_true(take("a", &window));
	assert_int_equal(atomic_load(&shared->limit_seed), first);
	for (size_t i = 0; i < SHARED_LIMIT_SLOTS; i++)
		atomic_store(&shared->limit[i].arrival_us, 0);
	atomic_store(&shared->limit_seed, 0);
	assert_true(take("a", &window));
	assert_int_equal(remaining, 4);
	assert_int_not_equal(atomic_load(&shared->limit_seed), first);
}

static void takes_exactly_the_limit_in_many_processes(void **state)
{
	enum { PROCESSES = 8, EACH = 200, COUNT = 100 };
	const struct config_rate rate = {COUNT, 3600000, 0};
	int taken = 0;
	int status;

	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			int mine = 0;

			for (int j = 0; j < EACH; j++)
				mine += take("a", &rate);
			_exit(mine);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		taken += WEXITSTATUS(status);
	}
	assert_int_equal(taken, COUNT);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(takes_as_many_as_the_window_says),
	    CASE(is_right_about_when_to_come_again),
	    CASE(keeps_the_burst_of_a_bucket),
	    CASE(limits_high_rates_too),
	    CASE(gives_back_what_was_taken),
	    CASE(waits_no_longer_than_a_rate_takes),
	    CASE(a_hundred_thousand_addresses_do_not_evict_a_victim),
	    CASE(finds_nobodys_slot_without_the_hosts_seed),
	    CASE(takes_exactly_the_limit_in_many_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
