/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities, limits and the system call filter; see confine.h. The filter is
 * classic BPF written out by hand: a table of calls, three checks of
 * arguments, and everything else allowed. A list of what is allowed would be
 * tighter and would break with the next C library.
 */
#include "server/confine.h"

#include "base/log.h"

#include "config.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

void confine_bounding_set(void)
{
	/* Past the last one that this kernel knows, it says EINVAL. */
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
	    0};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	(void)syscall(SYS_capset, &header, none);
}

void confine_process(void)
{
	const struct rlimit no_core = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &no_core);
	drop_capabilities();
#ifndef CLAVIGER_SANITIZERS
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#if defined(ARCHITECTURE) && !defined(CLAVIGER_SANITIZERS)

/* What nothing of ours ever calls. */
static const int forbidden[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_kexec_load,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
#ifdef SYS_mount_setattr
    SYS_mount_setattr,
#endif
    SYS_unshare,
    SYS_setns,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    /* Requests on a ring are not calls: they would pass any filter. */
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
};
#define FORBIDDEN_COUNT (sizeof(forbidden) / sizeof(forbidden[0]))
#define PROGRAM_LIMIT   (2 * FORBIDDEN_COUNT + 32)

#define NEW_NAMESPACES                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

struct program {
	unsigned short count;
	struct sock_filter code[PROGRAM_LIMIT];
};

static void emit(struct program *program, struct sock_filter code)
{
	program->code[program->count++] = code;
}

static void load(struct program *program, size_t offset)
{
	emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                           (uint32_t)offset));
}

static void finish(struct program *program, uint32_t verdict)
{
	emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* When what was loaded equals value: this verdict. */
static void judge(struct program *program, uint32_t value, uint32_t verdict)
{
	emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	                                           value, 0, 1));
	finish(program, verdict);
}

/* Numbers mean other calls on another architecture, and in x32. */
static void check_architecture(struct program *program)
{
	load(program, offsetof(struct seccomp_data, arch));
	emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	                                           ARCHITECTURE, 1, 0));
	finish(program, SECCOMP_RET_KILL_PROCESS);
	load(program, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K,
	                                           0x40000000, 0, 1));
	finish(program, SECCOMP_RET_KILL_PROCESS);
#endif
}

/*
 * clone may make threads and processes, not namespaces. What clone3 is asked
 * is out of sight: say that it does not exist, and the C library takes clone.
 */
static void check_clone(struct program *program)
{
	judge(program, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
	emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	                                           SYS_clone, 0, 4));
	load(program, offsetof(struct seccomp_data, args[0]));
	emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
	                                           NEW_NAMESPACES, 0, 1));
	finish(program, SECCOMP_RET_KILL_PROCESS);
	finish(program, SECCOMP_RET_ALLOW);
}

/*
 * The resolver asks netlink which kinds of addresses this host has, and can do
 * without an answer; nothing else of ours ever looks there.
 */
static void check_socket(struct program *program,
                         enum confine_resolver resolver)
{
	uint32_t netlink = resolver == CONFINE_MAY_RESOLVE
	                       ? SECCOMP_RET_ERRNO | EAFNOSUPPORT
	                       : SECCOMP_RET_KILL_PROCESS;

	emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	                                           SYS_socket, 1, 0));
	finish(program, SECCOMP_RET_ALLOW);
	load(program, offsetof(struct seccomp_data, args[0]));
	judge(program, AF_UNIX, SECCOMP_RET_ALLOW);
	judge(program, AF_INET, SECCOMP_RET_ALLOW);
	judge(program, AF_INET6, SECCOMP_RET_ALLOW);
	judge(program, AF_NETLINK, netlink);
	finish(program, SECCOMP_RET_KILL_PROCESS);
}

static int install(enum confine_resolver resolver)
{
	struct program program = {0};
	struct sock_fprog whole;

	check_architecture(&program);
	for (size_t i = 0; i < FORBIDDEN_COUNT; i++)
		judge(&program, (uint32_t)forbidden[i],
		      SECCOMP_RET_KILL_PROCESS);
	check_clone(&program);
	check_socket(&program, resolver);
	whole = (struct sock_fprog){program.count, program.code};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole, 0, 0);
}

#elif !defined(CLAVIGER_SANITIZERS)

static int install(enum confine_resolver resolver)
{
	(void)resolver;
	errno = ENOSYS;
	return -1;
}

#else

static int install(enum confine_resolver resolver)
{
	(void)resolver;
	return 0;
}

#endif

void confine_calls(enum confine_resolver resolver)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (install(resolver) != 0)
		log_note(LOG_WARNING, "confine_failed", strerror(errno));
}
