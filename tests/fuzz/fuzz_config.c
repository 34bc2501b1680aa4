/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of settings. What is accepted prints as a file that is accepted again
 * and prints the same.
 */
#include "fuzz.h"

#include "base/config.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Read bytes as a private file; false when they are refused. */
static bool read_bytes(struct config *config, const void *bytes, size_t length)
{
	struct config_error error = {0};
	char path[64];
	enum fault fault;
	int fd;

	fd = memfd_create("config", MFD_CLOEXEC);
	fuzz_require(fd >= 0 && fchmod(fd, 0600) == 0 &&
	             write(fd, bytes, length) == (ssize_t)length);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config_defaults(config);
	fault = config_read(config, path, &error);
	(void)close(fd);
	fuzz_require(!fault || error.message[0]);
	return !fault;
}

/* The settings in force but for secrets, to be freed. */
static char *print(struct config *config)
{
	char *printed;
	size_t length;
	FILE *out = open_memstream(&printed, &length);

	fuzz_require(out != NULL);
	config->database.password = "";
	config->redis.password = "";
	config->captcha.secret = "";
	config->mail.smtp_password = "";
	config_print(config, out);
	(void)fclose(out);
	return printed;
}

/* Turn the lines of secrets, which do not print, into comments. */
static void comment_out_secrets(char *printed)
{
	static const char *const lines[] = {
	    "\ndatabase.password = ",
	    "\nredis.password = ",
	    "\ncaptcha.secret = ",
	    "\nmail.smtp_password = ",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *found = strstr(printed, lines[i]);
		fuzz_require(found != NULL);
		found[1] = '#';
	}
}

static void require_round_trip(struct config *config)
{
	char *first = print(config);
	char *source = strdup(first);
	char *second;

	fuzz_require(source != NULL);
	comment_out_secrets(source);
	fuzz_require(read_bytes(config, source, strlen(source)));
	second = print(config);
	fuzz_require(strcmp(first, second) == 0);
	free(second);
	free(source);
	free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct config config;
	struct config_error error = {0};

	if (read_bytes(&config, bytes, length)) {
		require_round_trip(&config);
		/* No files of this machine are read. */
		config.database.password_file = "";
		config.redis.password_file = "";
		config.captcha.secret_file = "";
		config.mail.smtp_password_file = "";
		(void)config_finish(&config, &error);
	}
	config_release();
	return 0;
}
