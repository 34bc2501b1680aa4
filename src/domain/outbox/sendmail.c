/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's sendmail program: the message on its standard input, the
 * recipient as an argument behind "--", so that no address is an option.
 */
#include "domain/outbox/sendmail.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define ADDRESS_BYTES 256

/* Write the message without its CRs: sendmail takes lines as Unix has them. */
static void write_lines(int pipe_end, struct span message)
{
	struct span rest = message, line;
	FILE *out = fdopen(pipe_end, "w");
	if (!out) {
		close(pipe_end);
		return;
	}
	while (span_cut(&rest, '\r', &line))
		fwrite(line.at, 1, line.length, out);
	fclose(out);
}

static enum fault start(const struct config *config, const char *recipient,
                        int message_end, pid_t *child)
{
	char *const arguments[] = {
	    (char *)(uintptr_t)config->mail.sendmail_path,
	    (char *)(uintptr_t) "-i",
	    (char *)(uintptr_t) "-f",
	    (char *)(uintptr_t)config->mail.from,
	    (char *)(uintptr_t) "--",
	    (char *)(uintptr_t)recipient,
	    NULL,
	};
	char *const environment[] = {
	    (char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	    NULL,
	};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults, mask;
	sigfillset(&defaults);
	sigemptyset(&mask);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, message_end, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setsigmask(&attributes, &mask);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF |
	                                          POSIX_SPAWN_SETSIGMASK);
	int error = posix_spawn(child, arguments[0], &actions, &attributes,
	                        arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error ? FAULT_UNAVAILABLE : FAULT_NONE;
}

static enum fault judge(int status, char why[TRANSPORT_ERROR_BYTES])
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return FAULT_NONE;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	snprintf(why, TRANSPORT_ERROR_BYTES, "sendmail: exit status %d", code);
	bool is_final = code == EX_NOUSER || code == EX_DATAERR;
	return is_final ? FAULT_VALIDATION : FAULT_UNAVAILABLE;
}

enum fault sendmail_send(const struct config *config, const struct uuid *id,
                         struct span to, struct span message,
                         char why[TRANSPORT_ERROR_BYTES])
{
	(void)id;
	char recipient[ADDRESS_BYTES];
	snprintf(recipient, sizeof(recipient), "%.*s", (int)to.length, to.at);
	snprintf(why, TRANSPORT_ERROR_BYTES, "sendmail: %s cannot be started",
	         config->mail.sendmail_path);
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return FAULT_UNAVAILABLE;
	pid_t child;
	enum fault fault = start(config, recipient, ends[0], &child);
	close(ends[0]);
	if (fault) {
		close(ends[1]);
		return fault;
	}
	write_lines(ends[1], message);
	int status;
	if (waitpid(child, &status, 0) != child)
		return FAULT_UNAVAILABLE;
	return judge(status, why);
}
