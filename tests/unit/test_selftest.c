/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clavigerctl selftest (requirement SV-07): over the vector files of this
 * folder, over each of their expectations turned into its opposite, and over
 * files that are none.
 */
#include "unit.h"

#include "ctl/ctl.h"
#include "folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALID   "\"result\": \"valid\""
#define INVALID "\"result\": \"invalid\""

static char *output; /* of the last run */

static int set_up(void **state)
{
	(void)state;
	folder_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(output);
	folder_remove();
	return 0;
}

/* Let a stream write to a file of the folder; gives what it wrote to before. */
static int redirect(FILE *stream, const char *name)
{
	int was, file = open(folder_path(name),
	                     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	(void)fflush(stream);
	was = dup(fileno(stream));
	assert_true(was >= 0 && dup2(file, fileno(stream)) >= 0);
	(void)close(file);
	return was;
}

static void restore(FILE *stream, int was)
{
	(void)fflush(stream);
	assert_true(dup2(was, fileno(stream)) >= 0);
	(void)close(was);
}

/* Run the command; output gets what it says, complaints at the end. */
static enum ctl_exit run(int count, char **words)
{
	struct ctl ctl = {0};
	int out = redirect(stdout, "output");
	int error = redirect(stderr, "complaints");
	enum ctl_exit status = ctl_selftest(&ctl, count, words);
	char *said, *complaints;
	size_t length;

	restore(stdout, out);
	restore(stderr, error);
	said = folder_read("output", &length);
	complaints = folder_read("complaints", &length);
	free(output);
	assert_true(asprintf(&output, "%s%s", said, complaints) >= 0);
	free(said);
	free(complaints);
	return status;
}

static enum ctl_exit run_on(const char *path)
{
	char *words[] = {strdup(path), NULL};
	enum ctl_exit status = run(1, words);

	free(words[0]);
	return status;
}

static enum ctl_exit run_text(const char *text)
{
	return run_on(folder_write("vectors.json", 0600, text));
}

static void assert_said(const char *words)
{
	if (!strstr(output, words))
		fail_msg("\"%s\" is not in:\n%s", words, output);
}

static size_t count_of(const char *text, const char *words)
{
	size_t count = 0;

	for (text = strstr(text, words); text; text = strstr(text + 1, words))
		count++;
	return count;
}

static const struct {
	const char *name;
	size_t valid, invalid, skipped;
} files[] = {
    {"aes_gcm.json", 17, 27, 3},
    {"hmac_sha256.json", 13, 24, 2},
    {"json_web_signature.json", 8, 32, 2},
    {"totp.json", 11, 27, 7},
};

/* A vector file of this folder, to be freed. */
static char *read_vectors(size_t index)
{
	const char *source = getenv("srcdir");
	struct stat status;
	char path[4096];
	char *text;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/tests/unit/vectors/%s",
	               source ? source : ".", files[index].name);
	file = fopen(path, "rbe");
	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	text = calloc(1, (size_t)status.st_size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)status.st_size, file),
	                 status.st_size);
	(void)fclose(file);
	return text;
}

static void agrees_with_every_vector_and_tells_each(void **state)
{
	char summary[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		char *text = read_vectors(i);
		size_t agree = files[i].valid + files[i].invalid;

		assert_int_equal(run_text(text), CTL_OK);
		(void)snprintf(summary, sizeof(summary),
		               "\n%zu agree, 0 disagree, %zu skipped: "
		               "not supported\n",
		               agree, files[i].skipped);
		assert_said(summary);
		assert_int_equal(count_of(output, ": accepted\n"),
		                 files[i].valid);
		assert_int_equal(count_of(output, ": refused\n"),
		                 files[i].invalid);
		assert_int_equal(count_of(output, "\n"),
		                 agree + files[i].skipped + 1);
		free(text);
	}
}

/* Replace a part of a text by another, in a copy to be freed. */
static char *replace_at(const char *text, size_t at, const char *part,
                        const char *by)
{
	char *changed = NULL;

	assert_true(asprintf(&changed, "%.*s%s%s", (int)at, text, by,
	                     text + at + strlen(part)) >= 0);
	return changed;
}

/* Turn each expectation of a file around, one at a time. */
static void turn_around(const char *text, const char *part, const char *by)
{
	size_t disagree = 0, skipped = 0;

	for (const char *at = strstr(text, part); at;
	     at = strstr(at + 1, part)) {
		char *changed = replace_at(text, (size_t)(at - text), part, by);
		enum ctl_exit status = run_text(changed);
		bool notices = strstr(output, " 1 disagree,") != NULL;

		assert_int_equal(status, notices ? CTL_FAILED : CTL_OK);
		assert_int_equal(count_of(output, "DISAGREE"), notices);
		disagree += notices;
		skipped += !notices;
		free(changed);
	}
	assert_true(disagree > skipped);
}

static void notices_every_expectation_that_is_false(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		char *text = read_vectors(i);

		turn_around(text, VALID, INVALID);
		turn_around(text, INVALID, VALID);
		free(text);
	}
}

/* A key, an IV and a tag of zeroes: good for one empty text. */
#define ZERO_KEY \
	"\"key\":\"" ZEROES ZEROES "\",\"iv\":\"000000000000000000000000\","
#define ZEROES  "00000000000000000000000000000000"
#define ZEROTAG "\"tag\":\"530f8afbc74536b9a963b4f1c4cb738b\","
#define GCM(tests)                                       \
	"{\"algorithm\":\"AES-GCM\",\"testGroups\":[{"   \
	"\"ivSize\":96,\"keySize\":256,\"tagSize\":128," \
	"\"tests\":[" tests "]}]}"

static void tells_another_result_from_a_refusal(void **state)
{
	(void)state;
	assert_int_equal(run_text(GCM("{\"tcId\":7," ZERO_KEY ZEROTAG
	                              "\"aad\":\"\",\"msg\":\"00\",\"ct\":\"\","
	                              "\"result\":\"valid\"}")),
	                 CTL_FAILED);
	assert_said("DISAGREE  7: gave another result\n");
	/* Whatever is expected: it was opened, and to something else. */
	assert_int_equal(run_text(GCM("{\"tcId\":7," ZERO_KEY ZEROTAG
	                              "\"aad\":\"\",\"msg\":\"00\",\"ct\":\"\","
	                              "\"result\":\"acceptable\"}")),
	                 CTL_FAILED);
	assert_int_equal(run_text(GCM("{\"tcId\":7," ZERO_KEY ZEROTAG
	                              "\"aad\":\"\",\"msg\":\"00\",\"ct\":\"\","
	                              "\"result\":\"invalid\"}")),
	                 CTL_FAILED);
}

static void lets_the_acceptable_be_accepted_or_refused(void **state)
{
	(void)state;
	assert_int_equal(run_text(GCM("{\"tcId\":1," ZERO_KEY ZEROTAG
	                              "\"aad\":\"\",\"msg\":\"\",\"ct\":\"\","
	                              "\"result\":\"acceptable\"},"
	                              "{\"tcId\":2," ZERO_KEY ZEROTAG
	                              "\"aad\":\"00\",\"msg\":\"\",\"ct\":"
	                              "\"\",\"result\":\"acceptable\"}")),
	                 CTL_OK);
	assert_said("agree     1: accepted\n");
	assert_said("agree     2: refused\n");
}

static void agrees_with_no_test_that_cannot_be_read(void **state)
{
	static const char *const bad[] = {
	    "{}",
	    "null",
	    "[]",
	    "{\"tcId\":1,\"result\":\"invalid\"}",
	    /* an odd digit, a letter, a number, no result, another result */
	    "{" ZERO_KEY ZEROTAG "\"aad\":\"0\",\"msg\":\"\",\"ct\":\"\","
	    "\"result\":\"invalid\"}",
	    "{" ZERO_KEY ZEROTAG "\"aad\":\"0x\",\"msg\":\"\",\"ct\":\"\","
	    "\"result\":\"invalid\"}",
	    "{" ZERO_KEY ZEROTAG "\"aad\":0,\"msg\":\"\",\"ct\":\"\","
	    "\"result\":\"invalid\"}",
	    "{" ZERO_KEY ZEROTAG "\"aad\":\"\",\"msg\":\"\",\"ct\":\"\"}",
	    "{" ZERO_KEY ZEROTAG "\"aad\":\"\",\"msg\":\"\",\"ct\":\"\","
	    "\"result\":\"good\"}",
	    "{" ZERO_KEY ZEROTAG "\"aad\":\"\",\"msg\":\"\",\"ct\":\"\","
	    "\"result\":1}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char *text = NULL;

		assert_true(asprintf(&text, GCM("%s"), bad[i]) >= 0);
		assert_int_equal(run_text(text), CTL_FAILED);
		assert_said("0 agree, 1 disagree, 0 skipped");
		free(text);
	}
}

#define UNSUPPORTED                                                    \
	"{\"algorithm\":\"AES-GCM\",\"testGroups\":[{\"keySize\":128," \
	"\"tests\":[{\"tcId\":1,\"result\":\"valid\"}]}]}"

static void is_no_success_when_nothing_was_run(void **state)
{
	static const char *const nothing[] = {
	    GCM(""),
	    "{\"algorithm\":\"AES-GCM\"}",
	    "{\"algorithm\":\"AES-GCM\",\"testGroups\":[]}",
	    "{\"algorithm\":\"AES-GCM\",\"testGroups\":[1]}",
	    "{\"algorithm\":\"AES-GCM\",\"testGroups\":{}}",
	    UNSUPPORTED,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(nothing); i++) {
		assert_int_equal(run_text(nothing[i]), CTL_FAILED);
		assert_said("0 agree, 0 disagree, ");
	}
}

static void says_what_it_knows_nothing_of(void **state)
{
	static const char *const foreign[] = {
	    "{}",
	    "[]",
	    "{\"algorithm\":\"AES-CCM\",\"testGroups\":[]}",
	    "{\"algorithm\":\"aes-gcm\",\"testGroups\":[]}",
	    "{\"algorithm\":1}",
	    "{\"testGroups\":[{\"type\":\"AeadTest\",\"tests\":[]}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(foreign); i++) {
		assert_int_equal(run_text(foreign[i]), CTL_FAILED);
		assert_said("no test vectors for AES-GCM, HMACSHA256, JWS or "
		            "TOTP\n");
	}
}

static void refuses_what_is_no_json(void **state)
{
	static const char *const broken[] = {"", "{", "{\"a\":1,\"a\":1}",
	                                     "{}x", "\xff"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		assert_int_equal(run_text(broken[i]), CTL_FAILED);
		assert_said("clavigerctl: ");
		assert_said("invalid_json\n");
	}
}

static void refuses_what_is_no_file_of_a_fair_size(void **state)
{
	const char *path = folder_write("large.json", 0600, "{}");

	(void)state;
	assert_int_equal(truncate(path, 8 * 1024 * 1024 + 1), 0);
	assert_int_equal(run_on(path), CTL_FAILED);
	assert_said("payload_too_large\n");
	assert_int_equal(run_on(folder_path("missing.json")), CTL_FAILED);
	assert_said("No such file or directory\n");
	assert_int_equal(run_on(folder_path(".")), CTL_FAILED);
	assert_int_equal(run_on("/dev/null"), CTL_FAILED);
	assert_said("/dev/null: invalid_request\n");
}

static void wants_one_file(void **state)
{
	char one[] = "a", two[] = "b";
	char *words[] = {one, two, NULL};

	(void)state;
	assert_int_equal(run(0, words), CTL_USAGE);
	assert_int_equal(run(2, words), CTL_USAGE);
	assert_said("usage: clavigerctl selftest FILE\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(agrees_with_every_vector_and_tells_each),
	    cmocka_unit_test(notices_every_expectation_that_is_false),
	    cmocka_unit_test(tells_another_result_from_a_refusal),
	    cmocka_unit_test(lets_the_acceptable_be_accepted_or_refused),
	    cmocka_unit_test(agrees_with_no_test_that_cannot_be_read),
	    cmocka_unit_test(is_no_success_when_nothing_was_run),
	    cmocka_unit_test(says_what_it_knows_nothing_of),
	    cmocka_unit_test(refuses_what_is_no_json),
	    cmocka_unit_test(refuses_what_is_no_file_of_a_fair_size),
	    cmocka_unit_test(wants_one_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
