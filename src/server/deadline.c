/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real-time timer and its signal. The handler shuts the socket down rather
 * than just interrupting: an interruption that falls between two reads is
 * lost, a shut socket stays shut.
 */
#include "server/deadline.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

static volatile sig_atomic_t armed_connection = -1;
static volatile sig_atomic_t armed_how;
static volatile sig_atomic_t has_passed;

static void on_alarm(int signal)
{
	int saved = errno;

	(void)signal;
	has_passed = 1;
	if (armed_connection >= 0)
		(void)shutdown(armed_connection, armed_how);
	errno = saved;
}

void deadline_init(void)
{
	const struct sigaction action = {
	    .sa_handler = on_alarm,
	    .sa_flags = SA_RESTART,
	};
	sigset_t alarm;

	(void)sigaction(SIGALRM, &action, NULL);
	(void)sigemptyset(&alarm);
	(void)sigaddset(&alarm, SIGALRM);
	(void)sigprocmask(SIG_UNBLOCK, &alarm, NULL);
}

static void set_timer(int64_t ms)
{
	const struct itimerval timer = {
	    .it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000},
	};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

void deadline_arm(int connection, int how, int64_t ms)
{
	has_passed = 0;
	armed_connection = connection;
	armed_how = how;
	set_timer(ms > 0 ? ms : 1);
}

bool deadline_disarm(void)
{
	set_timer(0);
	armed_connection = -1;
	return has_passed != 0;
}
