/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of the server and the settings that it makes. */
#include "server/options.h"

#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_LIMIT 80

/* Read a line of words; what is printed goes nowhere. */
static enum fault read_words(struct options *options, const char *line)
{
	static char memory[4096];
	char *words[WORDS_LIMIT + 1] = {0};
	int nothing = open("/dev/null", O_WRONLY);
	int out = dup(STDOUT_FILENO);
	int err = dup(STDERR_FILENO);
	int count = 0;
	enum fault fault;

	(void)snprintf(memory, sizeof(memory), "claviger-fcgi %s", line);
	for (char *at = strtok(memory, " "); at && count < WORDS_LIMIT;
	     at = strtok(NULL, " "))
		words[count++] = at;
	(void)fflush(stdout);
	(void)dup2(nothing, STDOUT_FILENO);
	(void)dup2(nothing, STDERR_FILENO);
	optind = 0; /* getopt starts over */
	fault = options_read(options, count, words);
	(void)fflush(stdout);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)close(nothing);
	(void)close(out);
	(void)close(err);
	return fault;
}

static void serves_without_any_option(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(read_words(&options, ""), FAULT_NONE);
	assert_int_equal(options.action, OPTIONS_SERVE);
	assert_null(options.config_path);
	assert_null(options.listen);
	assert_null(options.workers);
}

static void reads_long_and_short_options(void **state)
{
	static const char *const lines[] = {
	    "--config f --set a.b=c --listen /s --workers 3 --check-config",
	    "--config=f --set=a.b=c --listen=/s --workers=3 --check-config",
	    "-c f -s a.b=c -l /s -w 3 -t",
	};
	struct options options;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(read_words(&options, lines[i]), FAULT_NONE);
		assert_int_equal(options.action, OPTIONS_CHECK);
		assert_string_equal(options.config_path, "f");
		assert_int_equal(options.setting_count, 1);
		assert_string_equal(options.settings[0], "a.b=c");
		assert_string_equal(options.listen, "/s");
		assert_string_equal(options.workers, "3");
	}
}

static void takes_auto_for_the_number_that_means_it(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(read_words(&options, "--workers auto"), FAULT_NONE);
	assert_string_equal(options.workers, "0");
}

static void is_done_after_help_or_version(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(read_words(&options, "--help --nonsense"), FAULT_NONE);
	assert_int_equal(options.action, OPTIONS_DONE);
	assert_int_equal(read_words(&options, "-V surplus"), FAULT_NONE);
	assert_int_equal(options.action, OPTIONS_DONE);
}

static void refuses_what_it_does_not_know(void **state)
{
	static const char *const lines[] = {
	    "--nonsense", "-x", "surplus", "--config", "-t surplus", "--set",
	};
	struct options options;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(read_words(&options, lines[i]),
		                 FAULT_INVALID_REQUEST);
}

static void refuses_more_settings_than_it_keeps(void **state)
{
	char line[1024] = "";
	struct options options;

	(void)state;
	for (int i = 0; i < OPTIONS_SETTINGS_LIMIT; i++)
		strcat(line, "-sa.b=c ");
	assert_int_equal(read_words(&options, line), FAULT_NONE);
	assert_int_equal(options.setting_count, OPTIONS_SETTINGS_LIMIT);
	strcat(line, "-sa.b=c");
	assert_int_equal(read_words(&options, line), FAULT_INVALID_REQUEST);
}

/* A settings file with these lines; gives its path. */
static const char *write_settings(const char *lines)
{
	static char path[] = "/tmp/claviger-options-XXXXXX";
	int fd;

	memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, lines, strlen(lines)), strlen(lines));
	(void)close(fd);
	return path;
}

static void lets_the_command_line_win_over_the_file(void **state)
{
	struct options options = {
	    .config_path =
		write_settings("server.public_url = https://example.com\n"
	                       "server.listen = /from/file\n"
	                       "server.workers = 3\n"
	                       "mail.product = file\n"),
	    .listen = "/from/option",
	    .setting_count = 2,
	    .settings = {"mail.product=once", "mail.product=twice"},
	};
	struct config_error error;
	struct config config;

	(void)state;
	assert_int_equal(options_configure(&options, &config, &error),
	                 FAULT_NONE);
	assert_string_equal(config.server.listen, "/from/option");
	assert_int_equal(config.server.workers, 3);
	assert_string_equal(config.mail.product, "twice");
	options.workers = "0";
	assert_int_equal(options_configure(&options, &config, &error),
	                 FAULT_NONE);
	assert_int_equal(config.server.workers, 0);
	(void)unlink(options.config_path);
}

static void names_the_setting_that_is_wrong(void **state)
{
	static char big[5000];
	struct options options = {
	    .config_path =
		write_settings("server.public_url = https://example.com\n"),
	    .workers = "-1",
	};
	struct config_error error;
	struct config config;

	(void)state;
	assert_int_not_equal(options_configure(&options, &config, &error),
	                     FAULT_NONE);
	assert_non_null(strstr(error.message, "server.workers"));
	memset(big, 'x', sizeof(big) - 1);
	options.workers = NULL;
	options.listen = big;
	assert_int_not_equal(options_configure(&options, &config, &error),
	                     FAULT_NONE);
	assert_non_null(strstr(error.message, "server.listen"));
	(void)unlink(options.config_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(serves_without_any_option),
	    cmocka_unit_test(reads_long_and_short_options),
	    cmocka_unit_test(takes_auto_for_the_number_that_means_it),
	    cmocka_unit_test(is_done_after_help_or_version),
	    cmocka_unit_test(refuses_what_it_does_not_know),
	    cmocka_unit_test(refuses_more_settings_than_it_keeps),
	    cmocka_unit_test(lets_the_command_line_win_over_the_file),
	    cmocka_unit_test(names_the_setting_that_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
