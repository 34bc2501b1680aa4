/* SPDX-License-Identifier: Apache-2.0 */
/* What a confined process can still do. Each case is a child of its own. */
#include "server/confine.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef int deed(void);

/* Confine a child, let it act, and give its wait status. */
static int run_confined(enum confine_resolver resolver, deed *deed_of_child)
{
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(STDERR_FILENO); /* a sanitizer's last words */
		confine_process();
		confine_calls(resolver);
		_exit(deed_of_child());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool is_killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static int do_execve(void)
{
	char *const nothing[] = {NULL};

	return execve("/bin/true", nothing, nothing);
}

static int do_execveat(void)
{
	return (int)syscall(SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0);
}

static int do_ptrace(void)
{
	return (int)syscall(SYS_ptrace, 0, 0, 0, 0);
}

static int do_read_memory(void)
{
	return (int)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0,
	                    0);
}

static int do_mount(void)
{
	return (int)syscall(SYS_mount, "", "", "", 0, NULL);
}

static int do_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static int do_setns(void)
{
	return (int)syscall(SYS_setns, -1, 0);
}

static int do_clone_namespace(void)
{
	return (int)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL,
	                    NULL, NULL);
}

static int do_bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int do_perf(void)
{
	return (int)syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0);
}

static int do_keyctl(void)
{
	return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static int do_io_uring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int do_module(void)
{
	return (int)syscall(SYS_init_module, NULL, 0, "");
}

static int do_kexec(void)
{
	return (int)syscall(SYS_kexec_load, 0, 0, NULL, 0);
}

static int do_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0) < 0;
}

static int do_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0;
}

static int do_vsock(void)
{
	return socket(AF_VSOCK, SOCK_STREAM, 0) < 0;
}

#ifdef __x86_64__
static int do_x32(void)
{
	return (int)syscall(0x40000000L | SYS_getpid);
}
#endif

static deed *const forbidden[] = {
    do_execve,  do_execveat, do_ptrace,          do_read_memory, do_mount,
    do_unshare, do_setns,    do_clone_namespace, do_bpf,         do_perf,
    do_keyctl,  do_io_uring, do_module,          do_kexec,       do_netlink,
    do_packet,  do_vsock,
#ifdef __x86_64__
    do_x32,
#endif
};

static void skip_without_a_filter(void)
{
#ifdef CLAVIGER_SANITIZERS
	skip();
#endif
	if (prctl(PR_GET_SECCOMP) < 0)
		skip();
}

static void kills_what_only_an_intruder_calls(void **state)
{
	(void)state;
	skip_without_a_filter();
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (!is_killed(
			run_confined(CONFINE_NEVER_RESOLVES, forbidden[i])))
			fail_msg("number %zu was not killed", i);
}

/* What we do need: sockets, memory, files, children, threads, signals. */
static int do_daily_work(void)
{
	int pair[2];
	int status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
	    socket(AF_INET, SOCK_STREAM, 0) < 0 ||
	    socket(AF_UNIX, SOCK_DGRAM, 0) < 0 ||
	    (socket(AF_INET6, SOCK_STREAM, 0) < 0 && errno != EAFNOSUPPORT))
		return 1;
	if (mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
	         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		return 2;
	if (open("/dev/null", O_RDWR) < 0)
		return 3;
	pid = fork();
	if (pid == 0)
		_exit(7);
	if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7)
		return 4;
	return kill(getpid(), 0) == 0 ? 0 : 5;
}

static void lets_daily_work_through(void **state)
{
	int status = run_confined(CONFINE_NEVER_RESOLVES, do_daily_work);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int do_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS ? 0 : 1;
}

static void says_that_there_is_no_clone3(void **state)
{
	int status;

	(void)state;
	skip_without_a_filter();
	status = run_confined(CONFINE_NEVER_RESOLVES, do_clone3);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int do_resolve(void)
{
	const struct addrinfo hints = {
	    .ai_flags = AI_ADDRCONFIG,
	    .ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found = NULL;

	if (getaddrinfo("localhost", "3306", &hints, &found) != 0)
		return 1;
	freeaddrinfo(found);
	return 0;
}

static void resolves_names_where_that_is_allowed(void **state)
{
	int status = run_confined(CONFINE_MAY_RESOLVE, do_resolve);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int do_look(void)
{
	struct rlimit core;

	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		return 1;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
#ifndef CLAVIGER_SANITIZERS
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 3;
#endif
	return 0;
}

static void leaves_no_core_and_no_way_up(void **state)
{
	int status = run_confined(CONFINE_NEVER_RESOLVES, do_look);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_bounding_set_can_be_emptied(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		confine_bounding_set();
		_exit(prctl(PR_CAPBSET_READ, 0, 0, 0, 0));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kills_what_only_an_intruder_calls),
	    cmocka_unit_test(lets_daily_work_through),
	    cmocka_unit_test(says_that_there_is_no_clone3),
	    cmocka_unit_test(resolves_names_where_that_is_allowed),
	    cmocka_unit_test(leaves_no_core_and_no_way_up),
	    cmocka_unit_test(a_bounding_set_can_be_emptied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
