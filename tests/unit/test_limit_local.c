/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits in the host's shared memory (requirements RL-01, RL-07, RL-09): the
 * count is exact, for one process and for many at once, and a place comes back
 * when it was said to.
 */
#include "unit.h"

#include "domain/guard/limit_local.h"
#include "folder.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW       INT64_C(1768473000000)
#define MINUTE_MS INT64_C(60000)
#define PROCESSES 16
#define ROUNDS    40

static struct shared *shared;

/* What children tell, and the gate that they start at. */
static struct {
	_Atomic int ready;
	_Atomic int go;
	_Atomic int granted[ROUNDS];
} * tally;

static int set_up(void **state)
{
	(void)state;
	folder_make();
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return tally == MAP_FAILED || shared_open(folder_path("."), &shared);
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove();
	return 0;
}

static int forget_all(void **state)
{
	(void)state;
	memset(shared->limit, 0, sizeof(shared->limit));
	memset(tally, 0, sizeof(*tally));
	return 0;
}

/* What the last take said. */
static int64_t remaining, reset_in_ms;

static bool take(const char *subject, int64_t count, int64_t window_ms,
                 int64_t at_ms)
{
	const struct config_rate rate = {count, window_ms};

	return limit_local_take(shared, span_of(subject), &rate, at_ms,
	                        &remaining, &reset_in_ms);
}

static const struct config_rate rates[] = {
    {1, 1000},
    {5, 15 * MINUTE_MS},
    {3, 60 * MINUTE_MS},
    {100, MINUTE_MS},
    {7, 100},
    {1000, 1000},
    {7000, MINUTE_MS},
    {59999, MINUTE_MS},
    {1000000, MINUTE_MS},
    {1000000, 1000},
};

static void admits_exactly_the_count_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "rate:%zu", i);
		for (int64_t left = rates[i].count; left > 0; left--) {
			assert_true(take(subject, rates[i].count,
			                 rates[i].window_ms, NOW));
			assert_int_equal(remaining, left - 1);
			assert_true(reset_in_ms > 0);
		}
		for (int j = 0; j < 10; j++) {
			assert_false(take(subject, rates[i].count,
			                  rates[i].window_ms, NOW));
			assert_int_equal(remaining, 0);
			assert_true(reset_in_ms > 0);
		}
	}
}

static void admits_again_when_it_said_so_and_not_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		int64_t at = NOW, admitted = 0;
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "rate:%zu", i);
		while (admitted < rates[i].count + 20) {
			if (take(subject, rates[i].count, rates[i].window_ms,
			         at)) {
				admitted++;
				continue;
			}
			assert_true(reset_in_ms > 0 &&
			            reset_in_ms <= rates[i].window_ms);
			at += reset_in_ms;
			assert_false(take(subject, rates[i].count,
			                  rates[i].window_ms, at - 1));
		}
	}
}

/* After the burst never faster than the rate. */
static void admits_no_more_than_the_rate_in_the_long_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		const struct config_rate *rate = &rates[i];
		int64_t pace = rate->window_ms / 500 + 1, admitted = 0;

		if (rate->count > 10000)
			continue;
		for (int64_t at = 0; at < 10 * rate->window_ms; at += pace)
			while (take("steady", rate->count, rate->window_ms,
			            NOW + (int64_t)i * 1000000000 + at))
				admitted++;
		assert_true(admitted <= rate->count + 10 * rate->count);
		assert_true(admitted > 5 * rate->count);
	}
}

static void has_the_whole_count_again_after_a_window(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(take("login:192.0.2.1", 5, MINUTE_MS, NOW));
	assert_false(take("login:192.0.2.1", 5, MINUTE_MS, NOW));
	for (int i = 0; i < 5; i++)
		assert_true(
		    take("login:192.0.2.1", 5, MINUTE_MS, NOW + MINUTE_MS));
	assert_false(take("login:192.0.2.1", 5, MINUTE_MS, NOW + MINUTE_MS));
}

static void is_not_put_off_by_tries_that_were_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(take("login:192.0.2.1", 5, MINUTE_MS, NOW));
	for (int64_t at = 0; at < MINUTE_MS / 5; at += 100)
		assert_false(take("login:192.0.2.1", 5, MINUTE_MS, NOW + at));
	assert_true(take("login:192.0.2.1", 5, MINUTE_MS, NOW + MINUTE_MS / 5));
}

static void counts_every_subject_for_itself(void **state)
{
	static const struct span subjects[] = {
	    {"login:192.0.2.1", 15},
	    {"login:192.0.2.10", 16},
	    {"api:192.0.2.1", 13},
	    {"login:2001:db8::", 16},
	    {"", 0},
	    {"\0", 1},
	    {"\0\0", 2},
	};
	const struct config_rate rate = {2, MINUTE_MS};

	(void)state;
	for (int i = 0; i < 3; i++)
		for (size_t j = 0; j < COUNT_OF(subjects); j++)
			assert_int_equal(
			    limit_local_take(shared, subjects[j], &rate, NOW,
			                     &remaining, &reset_in_ms),
			    i < 2);
}

/* Addresses that differ in little must not push one another out. */
static void counts_every_neighbour_for_itself(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++)
		for (int host = 0; host < 256; host++) {
			char subject[32];

			(void)snprintf(subject, sizeof(subject),
			               "login:192.0.2.%d", host);
			assert_int_equal(take(subject, 5, MINUTE_MS, NOW),
			                 i < 5);
		}
}

/* RL-09: whoever is in debt stays so through a flood of others. */
static void keeps_who_owes_most_through_a_flood(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(take("victim", 5, 15 * MINUTE_MS, NOW));
	for (int i = 0; i < 300000; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "flood:%d", i);
		assert_true(take(subject, 5, 15 * MINUTE_MS, NOW));
	}
	assert_false(take("victim", 5, 15 * MINUTE_MS, NOW));
}

/* Who takes a place over does not take over what was owed. */
static void starts_anew_in_a_place_given_up(void **state)
{
	char subject[32];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		(void)snprintf(subject, sizeof(subject), "old:%d", i);
		(void)take(subject, 2, MINUTE_MS, NOW);
	}
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(subject, sizeof(subject), "new:%d", i);
		assert_true(take(subject, 2, MINUTE_MS, NOW));
		assert_int_equal(remaining, 1);
	}
}

static void start_children(void (*work)(int child))
{
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid)
			continue;
		atomic_fetch_add(&tally->ready, 1);
		while (!atomic_load(&tally->go))
			(void)usleep(100);
		work(i);
		_exit(0);
	}
	while (atomic_load(&tally->ready) < PROCESSES)
		(void)usleep(100);
	atomic_store(&tally->go, 1);
}

static void wait_for_children(void)
{
	int status;

	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

/* Everybody takes what there is, subject by subject, all at the same time. */
static void take_all(int child)
{
	(void)child;
	for (int round = 0; round < ROUNDS; round++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "shared:%d", round);
		for (int i = 0; i < 100; i++)
			if (take(subject, 100, MINUTE_MS, NOW))
				atomic_fetch_add(&tally->granted[round], 1);
	}
}

static void admits_exactly_the_count_to_many_processes(void **state)
{
	(void)state;
	start_children(take_all);
	wait_for_children();
	for (int round = 0; round < ROUNDS; round++)
		assert_int_equal(atomic_load(&tally->granted[round]), 100);
}

/* One try each: what counts is who is first in a place that was empty. */
static void take_one_each(int child)
{
	(void)child;
	for (int i = 0; i < 2000; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "one:%d", i);
		if (take(subject, 1, MINUTE_MS, NOW))
			atomic_fetch_add(&tally->granted[0], 1);
	}
}

static void gives_one_place_to_one_of_many(void **state)
{
	(void)state;
	start_children(take_one_each);
	wait_for_children();
	assert_int_equal(atomic_load(&tally->granted[0]), 2000);
}

/* A child that is killed in the middle leaves nothing locked. */
static void goes_on_when_a_process_is_killed(void **state)
{
	const struct config_rate rate = {1000000, MINUTE_MS};
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (!pid) {
		for (;;)
			(void)limit_local_take(shared, SPAN("killed"), &rate,
			                       NOW, &remaining, &reset_in_ms);
	}
	(void)usleep(5000);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(take("killed", 1000000, MINUTE_MS, NOW + MINUTE_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(admits_exactly_the_count_at_once,
	                           forget_all),
	    cmocka_unit_test_setup(admits_again_when_it_said_so_and_not_before,
	                           forget_all),
	    cmocka_unit_test_setup(admits_no_more_than_the_rate_in_the_long_run,
	                           forget_all),
	    cmocka_unit_test_setup(has_the_whole_count_again_after_a_window,
	                           forget_all),
	    cmocka_unit_test_setup(is_not_put_off_by_tries_that_were_refused,
	                           forget_all),
	    cmocka_unit_test_setup(counts_every_subject_for_itself, forget_all),
	    cmocka_unit_test_setup(counts_every_neighbour_for_itself,
	                           forget_all),
	    cmocka_unit_test_setup(keeps_who_owes_most_through_a_flood,
	                           forget_all),
	    cmocka_unit_test_setup(starts_anew_in_a_place_given_up, forget_all),
	    cmocka_unit_test_setup(admits_exactly_the_count_to_many_processes,
	                           forget_all),
	    cmocka_unit_test_setup(gives_one_place_to_one_of_many, forget_all),
	    cmocka_unit_test_setup(goes_on_when_a_process_is_killed,
	                           forget_all),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
