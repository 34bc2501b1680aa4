/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate before password hashing, with processes of its own for every place:
 * never more inside than was set, never more waiting, and a process that is
 * killed gives its place back.
 */
#include "unit.h"

#include "base/clock.h"
#include "domain/guard/hash_gate.h"
#include "folder.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWD     12
#define VISITS    15
#define PATIENCE  10000 /* ms that a test waits for another process */
#define LONG_WAIT 20000 /* ms that nobody waits for in vain here */

static struct config config;
static struct shared *shared;

/* What processes tell one another. */
static struct {
	_Atomic int inside;
	_Atomic int most_inside;
	_Atomic int visits;
	_Atomic int is_over;
} * told;

static int set_up(void **state)
{
	(void)state;
	folder_make();
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return told == MAP_FAILED || shared_open(folder_path("."), &shared);
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove();
	return 0;
}

static int start_over(void **state)
{
	static char folder[512];

	(void)state;
	memset(told, 0, sizeof(*told));
	(void)snprintf(folder, sizeof(folder), "%s", folder_path("."));
	config_defaults(&config);
	config.server.runtime_dir = folder;
	config.password.hash_concurrency = 2;
	config.password.hash_queue = 3;
	config.password.hash_wait = LONG_WAIT;
	return 0;
}

static struct hash_gate *open_gate(void)
{
	struct hash_gate *gate = NULL;

	if (hash_gate_open(&config, shared, &gate))
		_exit(99);
	return gate;
}

static void wait_until(_Atomic int *number, int wanted)
{
	int64_t until = clock_monotonic_us() + PATIENCE * 1000;

	while (atomic_load(number) != wanted) {
		assert_true(clock_monotonic_us() < until);
		clock_sleep_ms(1);
	}
}

static void come_in(void)
{
	int inside = atomic_fetch_add(&told->inside, 1) + 1;
	int most = atomic_load(&told->most_inside);

	while (inside > most &&
	       !atomic_compare_exchange_weak(&told->most_inside, &most, inside))
		;
	atomic_fetch_add(&told->visits, 1);
}

static void expect_exit(pid_t pid, int wanted)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), wanted);
}

/* A process that goes in and stays until it is told; exits with the fault. */
static pid_t start_visitor(void)
{
	pid_t pid = fork();
	struct hash_gate *gate;
	enum fault fault;

	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	gate = open_gate();
	fault = hash_gate_enter(gate);
	if (!fault) {
		come_in();
		while (!atomic_load(&told->is_over))
			clock_sleep_ms(1);
		atomic_fetch_sub(&told->inside, 1);
		hash_gate_leave(gate);
	}
	_exit((int)fault);
}

static void kill_and_forget(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Come and go, quickly, in a crowd. */
static void visit_often(void)
{
	struct hash_gate *gate = open_gate();

	for (int i = 0; i < VISITS; i++) {
		if (hash_gate_enter(gate))
			_exit(1);
		come_in();
		clock_sleep_ms(i % 3);
		atomic_fetch_sub(&told->inside, 1);
		hash_gate_leave(gate);
	}
	hash_gate_close(gate);
	_exit(0);
}

static void lets_in_never_more_than_it_is_set_to(void **state)
{
	(void)state;
	for (int places = 1; places <= 4; places++) {
		pid_t pids[CROWD];

		memset(told, 0, sizeof(*told));
		config.password.hash_concurrency = places;
		config.password.hash_queue = CROWD;
		for (int i = 0; i < CROWD; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (!pids[i])
				visit_often();
		}
		for (int i = 0; i < CROWD; i++)
			expect_exit(pids[i], 0);
		assert_int_equal(atomic_load(&told->visits), CROWD * VISITS);
		assert_true(atomic_load(&told->most_inside) <= places);
		/* All places are of use. */
		assert_int_equal(atomic_load(&told->most_inside), places);
	}
}

static void lets_in_one_a_core_by_default(void **state)
{
	int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
	struct hash_gate *gates[257];

	(void)state;
	config.password.hash_concurrency = 0;
	config.password.hash_wait = 100;
	for (int i = 0; i < cores; i++) {
		gates[i] = open_gate();
		assert_int_equal(hash_gate_enter(gates[i]), FAULT_NONE);
	}
	gates[cores] = open_gate();
	assert_int_equal(hash_gate_enter(gates[cores]), FAULT_BUSY);
	for (int i = 0; i <= cores; i++)
		hash_gate_close(gates[i]);
}

static int64_t took_ms(struct hash_gate *gate, enum fault wanted)
{
	int64_t began_us = clock_monotonic_us();

	assert_int_equal(hash_gate_enter(gate), wanted);
	return (clock_monotonic_us() - began_us) / 1000;
}

/* Fill the places and then the queue; gives how many were turned away. */
static int send_visitors(pid_t *pids, int count, int places)
{
	int turned_away = 0;

	for (int i = 0; i < count; i++) {
		pids[i] = start_visitor();
		assert_true(pids[i] > 0);
		if (i < places)
			wait_until(&told->inside, i + 1);
		else
			clock_sleep_ms(100);
		if (waitpid(pids[i], NULL, WNOHANG) == pids[i]) {
			pids[i] = 0;
			turned_away++;
		}
	}
	return turned_away;
}

static void turns_away_at_once_who_finds_the_queue_full(void **state)
{
	struct hash_gate *gate = open_gate();
	pid_t pids[5];

	(void)state;
	assert_int_equal(send_visitors(pids, 5, 2), 0);
	assert_int_equal(atomic_load(&told->inside), 2);
	for (int i = 0; i < 3; i++)
		assert_true(took_ms(gate, FAULT_BUSY) < 1000);
	/* Those who waited get in one after the other. */
	atomic_store(&told->is_over, 1);
	for (int i = 0; i < 5; i++)
		expect_exit(pids[i], FAULT_NONE);
	assert_int_equal(atomic_load(&told->visits), 5);
	assert_int_equal(took_ms(gate, FAULT_NONE) < 1000, true);
	hash_gate_leave(gate);
	hash_gate_close(gate);
}

/* Half of the workers that do not hash may wait; the others serve. */
static void bounds_the_queue_by_the_workers(void **state)
{
	static const struct {
		int64_t workers;
		int queue;
	} rows[] = {{8, 3}, {3, 1}, {2, 1}};
	pid_t pids[6];

	(void)state;
	config.password.hash_queue = 0;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int visitors = 2 + rows[i].queue + 1;

		memset(told, 0, sizeof(*told));
		config.server.workers = rows[i].workers;
		assert_int_equal(send_visitors(pids, visitors, 2), 1);
		atomic_store(&told->is_over, 1);
		for (int j = 0; j < visitors; j++)
			if (pids[j])
				expect_exit(pids[j], FAULT_NONE);
	}
}

static void waits_as_long_as_it_is_set_to(void **state)
{
	struct hash_gate *gate;
	pid_t pids[2];
	int64_t waited;

	(void)state;
	assert_int_equal(send_visitors(pids, 2, 2), 0);
	config.password.hash_wait = 300;
	gate = open_gate();
	waited = took_ms(gate, FAULT_BUSY);
	assert_true(waited >= 300 && waited < 2000);
	atomic_store(&told->is_over, 1);
	expect_exit(pids[0], FAULT_NONE);
	expect_exit(pids[1], FAULT_NONE);
	/* The place in the queue was given back. */
	for (int i = 0; i < 20; i++) {
		assert_int_equal(hash_gate_enter(gate), FAULT_NONE);
		hash_gate_leave(gate);
	}
	hash_gate_close(gate);
}

static void wakes_who_waits_when_a_place_is_free(void **state)
{
	pid_t pids[3];
	int64_t began_us;

	(void)state;
	assert_int_equal(send_visitors(pids, 3, 2), 0);
	began_us = clock_monotonic_us();
	atomic_store(&told->is_over, 1);
	for (int i = 0; i < 3; i++)
		expect_exit(pids[i], FAULT_NONE);
	assert_true(clock_monotonic_us() - began_us < 2000 * 1000);
}

static void takes_the_place_of_one_who_was_killed(void **state)
{
	struct hash_gate *gate = open_gate();
	pid_t pids[2];

	(void)state;
	assert_int_equal(send_visitors(pids, 2, 2), 0);
	kill_and_forget(pids[0]);
	assert_true(took_ms(gate, FAULT_NONE) < 1000);
	hash_gate_leave(gate);
	kill_and_forget(pids[1]);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(hash_gate_enter(gate), FAULT_NONE);
		hash_gate_leave(gate);
	}
	hash_gate_close(gate);
}

/* Nobody rings the bell for a killed holder: the wait looks by itself. */
static void lets_who_waits_in_when_a_holder_is_killed(void **state)
{
	pid_t pids[3];

	(void)state;
	assert_int_equal(send_visitors(pids, 3, 2), 0);
	assert_int_equal(atomic_load(&told->visits), 2);
	kill_and_forget(pids[0]);
	wait_until(&told->visits, 3);
	atomic_store(&told->is_over, 1);
	expect_exit(pids[1], FAULT_NONE);
	expect_exit(pids[2], FAULT_NONE);
}

static void gives_the_place_of_a_killed_waiter_to_the_next(void **state)
{
	pid_t pids[5], next;

	(void)state;
	assert_int_equal(send_visitors(pids, 5, 2), 0);
	kill_and_forget(pids[3]);
	next = start_visitor();
	clock_sleep_ms(100);
	assert_int_equal(waitpid(next, NULL, WNOHANG), 0);
	atomic_store(&told->is_over, 1);
	expect_exit(next, FAULT_NONE);
	for (int i = 0; i < 5; i++)
		if (i != 3)
			expect_exit(pids[i], FAULT_NONE);
}

static void gives_its_place_back_when_it_is_closed(void **state)
{
	struct hash_gate *gate;

	(void)state;
	config.password.hash_wait = 100;
	for (int i = 0; i < 5; i++) {
		gate = open_gate();
		assert_int_equal(hash_gate_enter(gate), FAULT_NONE);
		hash_gate_close(gate);
	}
	hash_gate_close(NULL);
}

static void wants_a_folder_and_a_file_of_its_own(void **state)
{
	struct hash_gate *gate = NULL;

	(void)state;
	config.server.runtime_dir = "/no/such/folder";
	assert_int_equal(hash_gate_open(&config, shared, &gate),
	                 FAULT_UNAVAILABLE);
	config.server.runtime_dir = folder_path(".");
	(void)unlink(folder_path("hash-gate.lock"));
	assert_int_equal(
	    symlink(folder_path("elsewhere"), folder_path("hash-gate.lock")),
	    0);
	assert_int_equal(hash_gate_open(&config, shared, &gate),
	                 FAULT_UNAVAILABLE);
	assert_null(gate);
	assert_int_equal(access(folder_path("elsewhere"), F_OK), -1);
	(void)unlink(folder_path("hash-gate.lock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(lets_in_never_more_than_it_is_set_to,
	                           start_over),
	    cmocka_unit_test_setup(lets_in_one_a_core_by_default, start_over),
	    cmocka_unit_test_setup(turns_away_at_once_who_finds_the_queue_full,
	                           start_over),
	    cmocka_unit_test_setup(bounds_the_queue_by_the_workers, start_over),
	    cmocka_unit_test_setup(waits_as_long_as_it_is_set_to, start_over),
	    cmocka_unit_test_setup(wakes_who_waits_when_a_place_is_free,
	                           start_over),
	    cmocka_unit_test_setup(takes_the_place_of_one_who_was_killed,
	                           start_over),
	    cmocka_unit_test_setup(lets_who_waits_in_when_a_holder_is_killed,
	                           start_over),
	    cmocka_unit_test_setup(
		gives_the_place_of_a_killed_waiter_to_the_next, start_over),
	    cmocka_unit_test_setup(gives_its_place_back_when_it_is_closed,
	                           start_over),
	    cmocka_unit_test_setup(wants_a_folder_and_a_file_of_its_own,
	                           start_over),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
