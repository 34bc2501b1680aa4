/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up what a process will not need, for the day on which somebody else
 * decides what it does. A build with sanitizers stays traceable and without the
 * filter: their runtimes trace, fork and run a symbolizer.
 */
#ifndef SERVER_CONFINE_H
#define SERVER_CONFINE_H

/* Empty the capability bounding set. Only root can, before it stops being. */
void confine_bounding_set(void);

/*
 * No core file, no tracing or reading by processes of the same user, no
 * capabilities. For every process, once, as its final user; children inherit
 * it.
 */
void confine_process(void);

/* Whether host names are to be resolved: a server is given by name. */
enum confine_resolver { CONFINE_NEVER_RESOLVES, CONFINE_MAY_RESOLVE };

/*
 * No gain of rights by exec, and a filter for system calls: what only an
 * intruder would call ends the process (execve, ptrace, mounts, other kinds of
 * sockets, new namespaces, …). Not for who must run a sendmail program, which
 * may be setgid. Logs a warning where the kernel or the architecture has no
 * filter.
 */
void confine_calls(enum confine_resolver resolver);

#endif
