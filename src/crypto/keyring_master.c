/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the master key comes from: keyring_read_master of keyring.h. The
 * sources are a table; the first that is there decides, good or bad.
 */
#define _GNU_SOURCE 1 /* pipe2 */

#include "base/encode.h"
#include "base/environment.h"
#include "crypto/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WHY_BYTES       256
#define TEXT_BYTES      128 /* more than any right spelling has */
#define HEX_BYTES       ((size_t)SEAL_KEY_BYTES * 2)
#define BASE64URL_BYTES 43
#define BASE64_BYTES    44

#define VARIABLE            "MASTER_ENCRYPTION_KEY"
#define CREDENTIAL_FOLDER   "CREDENTIALS_DIRECTORY"
#define CREDENTIAL_NAME     "claviger-master-key"
#define GROUP_AND_OTHERS    (S_IRWXG | S_IRWXO)
#define OTHERS_AND_CHANGING (S_IRWXO | S_IWGRP | S_IXGRP)

enum outcome { ABSENT, FOUND, REFUSED };

/* One search: what was asked for, what was read, why it was refused. */
struct search {
	const char *file;
	const char *command;
	size_t length;
	char text[TEXT_BYTES];
	char *why;
};

typedef enum outcome source_look(struct search *search);

__attribute__((format(printf, 2, 3))) static enum outcome
refuse(struct search *search, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(search->why, WHY_BYTES, format, arguments);
	va_end(arguments);
	return REFUSED;
}

/* Read to the end, or as much as there is room for; false on an error. */
static bool read_all(int descriptor, struct search *search)
{
	ssize_t got = 1;

	search->length = 0;
	while (got != 0 && search->length < TEXT_BYTES) {
		got = read(descriptor, search->text + search->length,
		           TEXT_BYTES - search->length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		search->length += (size_t)got;
	}
	return true;
}

static enum outcome read_private(struct search *search, int descriptor,
                                 const char *path, mode_t forbidden)
{
	struct stat status;

	if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
		return refuse(search, "master key: %.160s is not a file", path);
	/* Whose it is matters to root alone, who starts what others run. */
	if (status.st_mode & forbidden)
		return refuse(search,
		              "master key: %.160s is open to others; chmod 600",
		              path);
	if (!read_all(descriptor, search))
		return refuse(search, "master key: %.160s: %s", path,
		              strerror(errno));
	return FOUND;
}

static enum outcome look_at_path(struct search *search, const char *path,
                                 mode_t forbidden)
{
	/* Without O_NONBLOCK a FIFO would hold us here. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum outcome outcome;

	if (descriptor < 0 && errno == ENOENT)
		return ABSENT;
	if (descriptor < 0)
		return refuse(search, "master key: %.160s: %s", path,
		              strerror(errno));
	outcome = read_private(search, descriptor, path, forbidden);
	close(descriptor);
	return outcome;
}

static enum outcome look_in_file(struct search *search)
{
	if (!search->file || !*search->file)
		return ABSENT;
	return look_at_path(search, search->file, GROUP_AND_OTHERS);
}

/*
 * systemd gives a service's own user the right to read by an access control
 * list, whose mask stat shows as the group's right.
 */
static enum outcome look_in_credential(struct search *search)
{
	const char *folder = environment_get(CREDENTIAL_FOLDER);
	char path[PATH_MAX];
	int length;

	if (!folder || !*folder)
		return ABSENT;
	length = snprintf(path, sizeof(path), "%s/%s", folder, CREDENTIAL_NAME);
	if (length < 0 || (size_t)length >= sizeof(path))
		return refuse(search,
		              "master key: " CREDENTIAL_FOLDER " is too long");
	return look_at_path(search, path, OTHERS_AND_CHANGING);
}

/* Put a descriptor in the place of another, open across exec; or die. */
static void place(int from, int to)
{
	if (from == to ? fcntl(from, F_SETFD, 0) < 0 : dup2(from, to) < 0)
		_exit(127);
}

/*
 * The child's side. Descriptor 0 may be a listening socket, which is not the
 * command's business, and signals may be blocked.
 */
static _Noreturn void run_command(const char *command, int output)
{
	int nothing;
	sigset_t none;

	place(output, STDOUT_FILENO);
	nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	place(nothing, STDIN_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* The child's exit status, or -1 when it did not exit. */
static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Read what the command prints; its exit status, or -1. */
static int read_from_command(struct search *search, int ends[2])
{
	pid_t child = fork();
	bool is_read;
	int status;

	if (child == 0)
		run_command(search->command, ends[1]);
	close(ends[1]);
	is_read = child > 0 && read_all(ends[0], search);
	close(ends[0]);
	if (child < 0)
		return -1;
	status = wait_for(child);
	return is_read ? status : -1;
}

static enum outcome look_at_command(struct search *search)
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	struct sigaction before;
	int ends[2];
	int status;

	if (!search->command || !*search->command)
		return ABSENT;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return refuse(search, "master key: pipe: %s", strerror(errno));
	/* Ignored children would leave no status to wait for. */
	sigaction(SIGCHLD, &by_default, &before);
	status = read_from_command(search, ends);
	sigaction(SIGCHLD, &before, NULL);
	if (status != 0)
		return refuse(search, "master key: the command failed (%d)",
		              status);
	return FOUND;
}

static enum outcome look_in_environment(struct search *search)
{
	const char *value = environment_get(VARIABLE);

	if (!value || !*value)
		return ABSENT;
	search->length = strnlen(value, TEXT_BYTES);
	memcpy(search->text, value, search->length);
	return FOUND;
}

static const struct {
	const char *name;
	source_look *look;
} sources[] = {
    {"the key file", look_in_file},
    {"the systemd credential " CREDENTIAL_NAME, look_in_credential},
    {"the output of the key command", look_at_command},
    {VARIABLE, look_in_environment},
};
#define SOURCE_COUNT (sizeof(sources) / sizeof(sources[0]))

/* Both alphabets of base64, with the one '=' of 32 bytes or without. */
static enum fault decode_base64(struct span written,
                                unsigned char out[SEAL_KEY_BYTES])
{
	char url[BASE64URL_BYTES];
	size_t length = 0;
	enum fault fault;

	if (written.length == BASE64_BYTES &&
	    written.at[BASE64_BYTES - 1] != '=')
		return FAULT_VALIDATION;
	for (size_t i = 0; i < sizeof(url); i++) {
		char byte = written.at[i];
		url[i] = (char)(byte == '+' ? '-' : byte == '/' ? '_' : byte);
	}
	fault = base64url_decode((struct span){url, sizeof(url)}, out,
	                         SEAL_KEY_BYTES, &length);
	digest_wipe(url, sizeof(url));
	return fault;
}

static enum fault decode(struct span written, unsigned char out[SEAL_KEY_BYTES])
{
	if (written.length == HEX_BYTES)
		return hex_decode(written, out, SEAL_KEY_BYTES);
	if (written.length == BASE64URL_BYTES || written.length == BASE64_BYTES)
		return decode_base64(written, out);
	return FAULT_VALIDATION;
}

/* Without the one line end that echo and editors leave. */
static struct span line_of(const struct search *search)
{
	struct span line = {search->text, search->length};

	if (line.length && line.at[line.length - 1] == '\n')
		line.length--;
	if (line.length && line.at[line.length - 1] == '\r')
		line.length--;
	return line;
}

static enum fault find_master(struct search *search,
                              unsigned char out[SEAL_KEY_BYTES])
{
	enum outcome outcome = ABSENT;
	size_t i = 0;

	while (i < SOURCE_COUNT && outcome == ABSENT)
		outcome = sources[i++].look(search);
	if (outcome == ABSENT)
		refuse(search, "master key: none; set keys.master_file, "
		               "keys.master_command or " VARIABLE);
	if (outcome != FOUND)
		return FAULT_VALIDATION;
	if (decode(line_of(search), out) == FAULT_NONE)
		return FAULT_NONE;
	refuse(search,
	       "master key: %s is neither 64 hex digits nor base64 of 32 bytes",
	       sources[i - 1].name);
	return FAULT_VALIDATION;
}

enum fault keyring_read_master(const char *file, const char *command,
                               unsigned char out[SEAL_KEY_BYTES],
                               char why[WHY_BYTES])
{
	struct search search = {.file = file, .command = command, .why = why};
	unsigned char master[SEAL_KEY_BYTES];
	enum fault fault = find_master(&search, master);

	if (!fault)
		memcpy(out, master, SEAL_KEY_BYTES);
	/* Also when another source had the word. */
	environment_wipe(VARIABLE);
	digest_wipe(master, sizeof(master));
	digest_wipe(search.text, sizeof(search.text));
	return fault;
}
