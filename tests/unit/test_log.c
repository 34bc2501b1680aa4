/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: always JSON, always one line, always one write. */
#include "unit.h"

#include "base/json_read.h"
#include "base/log.h"
#include "clock_freeze.h"
#include "folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW_MS INT64_C(1768473000123)

static struct arena arena;
static char *contents;

static int set_up(void **state)
{
	(void)state;
	folder_make();
	clock_freeze(NOW_MS);
	assert_false(arena_init(&arena, (size_t)1024 * 1024));
	return log_open(folder_path("log"), LOG_INFO) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(contents);
	contents = NULL;
	arena_release(&arena);
	assert_false(log_open("", LOG_INFO));
	folder_remove();
	return 0;
}

/* The log so far. */
static struct span written(void)
{
	struct span log;

	free(contents);
	contents = folder_read("log", &log.length);
	log.at = contents;
	return log;
}

/* The only line of the log, which must end in LF. */
static const struct json_node *only_line(void)
{
	struct span rest = written();
	struct span line = {0};
	const struct json_node *root = NULL;

	assert_true(span_cut(&rest, '\n', &line));
	assert_non_null(rest.at);
	assert_int_equal(rest.length, 0);
	assert_false(json_parse(&arena, line, &json_limits_request, &root));
	return root;
}

static void writes_one_line_of_json(void **state)
{
	char expected[128];

	(void)state;
	log_note(LOG_WARNING, "worker_died", "signal 9");
	(void)snprintf(expected, sizeof(expected),
	               "{\"time\":\"2026-01-15T10:30:00.123Z\","
	               "\"level\":\"warning\",\"event\":\"worker_died\","
	               "\"pid\":%d,\"detail\":\"signal 9\"}\n",
	               (int)getpid());
	assert_span_equal(written(), expected);
}

static void leaves_out_a_missing_detail(void **state)
{
	const struct json_node *line;

	(void)state;
	log_note(LOG_ERROR, "x", NULL);
	line = only_line();
	assert_null(json_member(line, "detail"));
	assert_span_equal(json_member(line, "level")->text, "error");
}

static void cannot_be_made_to_forge_a_line(void **state)
{
	const struct json_node *line;

	(void)state;
	log_note(LOG_INFO, "login", "x\"}\n{\"level\":\"error\"}\r\n\x1b[2J");
	line = only_line();
	assert_span_equal(json_member(line, "level")->text, "info");
	assert_span_equal(json_member(line, "detail")->text,
	                  "x\"}\n{\"level\":\"error\"}\r\n\x1b[2J");
}

static void keeps_quiet_below_its_level(void **state)
{
	(void)state;
	log_note(LOG_DEBUG, "x", NULL);
	assert_int_equal(written().length, 0);
	assert_false(log_open(folder_path("log"), LOG_DEBUG));
	log_note(LOG_DEBUG, "x", NULL);
	assert_span_equal(json_member(only_line(), "level")->text, "debug");
}

static void cuts_a_long_line_at_a_whole_field(void **state)
{
	static char long_text[LOG_LINE_BYTES];
	const struct json_node *root;
	struct log_line line;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	log_begin(&line, LOG_INFO, "request");
	json_string(&line.json, "path", SPAN("/a"));
	json_object_begin(&line.json, "nested");
	json_string(&line.json, "agent", span_of(long_text));
	json_object_end(&line.json);
	json_integer(&line.json, "status", 200);
	log_end(&line);
	root = only_line();
	assert_span_equal(json_member(root, "path")->text, "/a");
	assert_null(json_member(root, "nested"));
	assert_null(json_member(root, "status"));
	assert_true(json_member(root, "cut")->boolean);
}

/* Every length around the limit must end in a whole line. */
static void writes_json_at_every_length(void **state)
{
	static char long_text[LOG_LINE_BYTES];
	struct log_line line;
	struct span rest;
	struct span one;
	const struct json_node *root;
	size_t count = 0;

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	for (size_t less = 0; less < 200; less++) {
		log_begin(&line, LOG_INFO, "e");
		json_string(&line.json, "a",
		            (struct span){long_text, LOG_LINE_BYTES - less});
		json_integer(&line.json, "b", 12345);
		log_end(&line);
	}
	rest = written();
	while (span_cut(&rest, '\n', &one) && one.length) {
		assert_true(one.length < LOG_LINE_BYTES);
		arena_reset(&arena);
		assert_false(
		    json_parse(&arena, one, &json_limits_request, &root));
		count++;
	}
	assert_int_equal(count, 200);
}

static void opens_a_file_that_is_appended_to_and_not_inherited(void **state)
{
	struct stat status;
	mode_t mask = umask(0);
	bool is_closed_on_exec = false;

	(void)state;
	assert_false(log_open(folder_path("new"), LOG_INFO));
	(void)umask(mask);
	assert_int_equal(stat(folder_path("new"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	for (int fd = 3; fd < 64; fd++) {
		struct stat other;
		if (fstat(fd, &other) < 0 || other.st_ino != status.st_ino ||
		    other.st_dev != status.st_dev)
			continue;
		is_closed_on_exec = fcntl(fd, F_GETFD) & FD_CLOEXEC;
		assert_true(fcntl(fd, F_GETFL) & O_APPEND);
	}
	assert_true(is_closed_on_exec);
}

static void opens_anew_after_rotation(void **state)
{
	(void)state;
	log_note(LOG_INFO, "before", NULL);
	assert_int_equal(rename(folder_path("log"), folder_path("log.1")), 0);
	assert_false(log_open(folder_path("log"), LOG_INFO));
	log_note(LOG_INFO, "after", NULL);
	assert_span_equal(json_member(only_line(), "event")->text, "after");
}

static void stays_with_the_old_file_when_the_new_cannot_be_opened(void **state)
{
	(void)state;
	assert_int_equal(log_open(folder_path("none/log"), LOG_INFO),
	                 FAULT_UNAVAILABLE);
	log_note(LOG_INFO, "still_here", NULL);
	assert_span_equal(json_member(only_line(), "event")->text,
	                  "still_here");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(writes_one_line_of_json),
	    CASE(leaves_out_a_missing_detail),
	    CASE(cannot_be_made_to_forge_a_line),
	    CASE(keeps_quiet_below_its_level),
	    CASE(cuts_a_long_line_at_a_whole_field),
	    CASE(writes_json_at_every_length),
	    CASE(opens_a_file_that_is_appended_to_and_not_inherited),
	    CASE(opens_anew_after_rotation),
	    CASE(stays_with_the_old_file_when_the_new_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
