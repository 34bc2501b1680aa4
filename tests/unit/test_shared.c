/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that the processes of a host share. */
#include "unit.h"

#include "base/shared.h"
#include "folder.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char file_name[64];

static int set_up(void **state)
{
	(void)state;
	folder_make();
	(void)snprintf(file_name, sizeof(file_name), "shared-%zu.map",
	               sizeof(struct shared));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove();
	return 0;
}

static void makes_a_private_file_of_the_layouts_size(void **state)
{
	struct shared *shared;
	struct stat status;
	mode_t mask = umask(0);

	(void)state;
	assert_false(shared_open(folder_path("."), &shared));
	(void)umask(mask);
	assert_int_equal(stat(folder_path(file_name), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_size, sizeof(struct shared));
	assert_int_equal(atomic_load(&shared->gate_generation), 0);
}

static void shares_between_processes_that_open_on_their_own(void **state)
{
	struct shared *shared;
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		if (shared_open(folder_path("."), &shared))
			_exit(1);
		metrics_add(METRIC_LOGIN_FAILURES, 5);
		atomic_store(&shared->limit[7].key_hash, 42);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_false(shared_open(folder_path("."), &shared));
	assert_int_equal(metrics_get(METRIC_LOGIN_FAILURES), 5);
	assert_int_equal(atomic_load(&shared->limit[7].key_hash), 42);
}

static void makes_the_runtime_folder(void **state)
{
	struct shared *shared;
	struct stat status;
	mode_t mask = umask(0);
	char name[128];

	(void)state;
	assert_false(shared_open(folder_path("run"), &shared));
	(void)umask(mask);
	assert_int_equal(stat(folder_path("run"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0750);
	(void)snprintf(name, sizeof(name), "run/%s", file_name);
	assert_int_equal(unlink(folder_path(name)), 0);
}

static void needs_the_runtime_folders_parent(void **state)
{
	struct shared *shared = NULL;

	(void)state;
	assert_int_equal(shared_open(folder_path("none/run"), &shared),
	                 FAULT_UNAVAILABLE);
	assert_null(shared);
}

static void refuses_a_file_in_the_folders_place(void **state)
{
	struct shared *shared;

	(void)state;
	(void)folder_write("run", 0600, "");
	assert_int_equal(shared_open(folder_path("run"), &shared),
	                 FAULT_UNAVAILABLE);
}

static void refuses_a_symbolic_link(void **state)
{
	struct shared *shared;

	(void)state;
	(void)folder_write("target", 0600, "");
	assert_int_equal(symlink(folder_path("target"), folder_path(file_name)),
	                 0);
	assert_int_equal(shared_open(folder_path("."), &shared),
	                 FAULT_UNAVAILABLE);
}

static void refuses_a_file_that_others_can_open(void **state)
{
	struct shared *shared;

	(void)state;
	(void)folder_write(file_name, 0640, "");
	assert_int_equal(shared_open(folder_path("."), &shared),
	                 FAULT_UNAVAILABLE);
}

static void refuses_a_file_of_another_owner(void **state)
{
	struct shared *shared;

	(void)state;
	if (geteuid() != 0)
		skip();
	(void)folder_write(file_name, 0600, "");
	assert_int_equal(chown(folder_path(file_name), 65534, 65534), 0);
	assert_int_equal(shared_open(folder_path("."), &shared),
	                 FAULT_UNAVAILABLE);
}

static void refuses_a_fifo_without_waiting(void **state)
{
	struct shared *shared;

	(void)state;
	assert_int_equal(mkfifo(folder_path(file_name), 0600), 0);
	assert_int_equal(shared_open(folder_path("."), &shared),
	                 FAULT_UNAVAILABLE);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(makes_a_private_file_of_the_layouts_size),
	    CASE(shares_between_processes_that_open_on_their_own),
	    CASE(makes_the_runtime_folder),
	    CASE(needs_the_runtime_folders_parent),
	    CASE(refuses_a_file_in_the_folders_place),
	    CASE(refuses_a_symbolic_link),
	    CASE(refuses_a_file_that_others_can_open),
	    CASE(refuses_a_file_of_another_owner),
	    CASE(refuses_a_fifo_without_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
