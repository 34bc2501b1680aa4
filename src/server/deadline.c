/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real-time timer and its signal. The handler shuts the socket down rather
 * than just interrupting: an interruption that falls between two reads is
 * lost, a shut socket stays shut.
 *
 * A request arms several deadlines and meets them all. So arming and disarming
 * only note what is wanted; the timer is set when it would go off too late, and
 * a handler that comes too early sets it anew. A busy worker pays with a signal
 * in two seconds, not with a dozen calls a request. Reads and writes are begun
 * again behind the handler, except on sockets with a timeout of their own.
 */
#include "server/deadline.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

static volatile sig_atomic_t armed_connection = -1;
static volatile sig_atomic_t armed_how;
static volatile sig_atomic_t has_passed;
static _Atomic int64_t due_us;                  /* while armed */
static _Atomic int64_t goes_off_us = INT64_MAX; /* the timer; MAX: never */

static void set_timer(int64_t at_us, int64_t now_us)
{
	int64_t us = at_us > now_us ? at_us - now_us : 1;
	const struct itimerval timer = {
	    .it_value = {.tv_sec = us / 1000000, .tv_usec = us % 1000000},
	};

	goes_off_us = at_us;
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_alarm(int signal)
{
	int saved = errno;
	int64_t now_us = clock_monotonic_us();

	(void)signal;
	goes_off_us = INT64_MAX;
	if (armed_connection >= 0 && now_us < due_us) {
		set_timer(due_us, now_us);
	} else if (armed_connection >= 0) {
		has_passed = 1;
		(void)shutdown(armed_connection, armed_how);
	}
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

/* Armed before the timer is looked at: a handler in between sets it. */
void deadline_arm(int connection, int how, int64_t ms)
{
	int64_t now_us = clock_monotonic_us();

	armed_connection = -1;
	has_passed = 0;
	armed_how = how;
	due_us = now_us + (ms > 0 ? ms : 1) * 1000;
	armed_connection = connection;
	if (goes_off_us > due_us)
		set_timer(due_us, now_us);
}

bool deadline_disarm(void)
{
	armed_connection = -1;
	return has_passed != 0;
}
