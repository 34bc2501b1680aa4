/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clavigerctl selftest: read a file of public test vectors, in the form of
 * Wycheproof's or for TOTP in the same frame, have each test run, and hold what
 * came out against what the file expects.
 */
#include "ctl/selftest.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT_BYTES (8 * 1024 * 1024)
/* No JSON takes more arena for each of its bytes: most of it is nodes. */
#define ARENA_FACTOR 80
#define ARENA_LEAST  (64 * 1024)

static const struct json_limits vector_limits = {
    .depth = 16,
    .members = FILE_LIMIT_BYTES,
    .nodes = FILE_LIMIT_BYTES,
    .string_bytes = FILE_LIMIT_BYTES,
};

struct tally {
	size_t agree;
	size_t disagree;
	size_t skipped;
};

/* Read a whole file into an arena that is made for it. */
static enum fault read_file(FILE *file, struct arena *arena, struct span *out)
{
	struct stat status;
	if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode))
		return FAULT_INVALID_REQUEST;
	if (status.st_size > FILE_LIMIT_BYTES)
		return FAULT_PAYLOAD_TOO_LARGE;
	size_t length = (size_t)status.st_size;
	enum fault fault =
	    arena_init(arena, ARENA_LEAST + ARENA_FACTOR * length);
	if (fault)
		return fault;
	char *bytes = arena_alloc(arena, length);
	if (!bytes || fread(bytes, 1, length, file) != length)
		return FAULT_UNAVAILABLE;
	*out = (struct span){bytes, length};
	return FAULT_NONE;
}

static enum fault read_vectors(FILE *file, struct arena *arena,
                               const struct json_node **root)
{
	struct span source;
	enum fault fault = read_file(file, arena, &source);
	if (!fault)
		fault = json_parse(arena, source, &vector_limits, root);
	return fault;
}

/* What the file expects of a test. */
static const struct {
	const char *result;
	bool may_accept;
	bool may_refuse;
} expectations[] = {
    {"valid", true, false},
    {"invalid", false, true},
    {"acceptable", true, true},
};

static bool is_expected(const struct json_node *test,
                        enum selftest_verdict verdict)
{
	const struct json_node *result = json_member(test, "result");
	for (size_t i = 0;
	     result && i < sizeof(expectations) / sizeof(expectations[0]);
	     i++) {
		if (!span_equal(result->text, span_of(expectations[i].result)))
			continue;
		return (verdict == SELFTEST_ACCEPTED &&
		        expectations[i].may_accept) ||
		       (verdict == SELFTEST_REFUSED &&
		        expectations[i].may_refuse);
	}
	return false;
}

static const char *const verdict_words[] = {
    [SELFTEST_ACCEPTED] = "accepted",
    [SELFTEST_REFUSED] = "refused",
    [SELFTEST_WRONG] = "gave another result",
    [SELFTEST_MALFORMED] = "cannot be read",
};

static void judge(struct tally *tally, const struct json_node *test,
                  enum selftest_verdict verdict, const char *why)
{
	const struct json_node *id = json_member(test, "tcId");
	int64_t number = id ? id->integer : 0;
	if (verdict == SELFTEST_UNSUPPORTED) {
		tally->skipped++;
		printf("skipped   %" PRId64 ": not supported, %s\n", number,
		       why);
		return;
	}
	bool agrees = is_expected(test, verdict);
	tally->agree += agrees;
	tally->disagree += !agrees;
	printf("%s  %" PRId64 ": %s\n", agrees ? "agree   " : "DISAGREE",
	       number, verdict_words[verdict]);
}

static void run_group(struct arena *arena, selftest_run *run,
                      const struct json_node *group, struct tally *tally)
{
	const struct json_node *tests = json_member(group, "tests");
	const struct json_node *test = tests ? tests->child : NULL;
	for (; test; test = test->next) {
		const char *why = "";
		enum selftest_verdict verdict = run(arena, group, test, &why);
		judge(tally, test, verdict, why);
	}
}

/* Nothing that was run proves nothing: that is no success. */
static enum ctl_exit conclude(const struct tally *tally)
{
	printf("%zu agree, %zu disagree, %zu skipped: not supported\n",
	       tally->agree, tally->disagree, tally->skipped);
	return tally->disagree == 0 && tally->agree > 0 ? CTL_OK : CTL_FAILED;
}

static enum ctl_exit run_file(struct arena *arena, const struct json_node *root,
                              const char *path)
{
	struct tally tally = {0};
	selftest_run *run = selftest_find(root);
	if (!run) {
		fprintf(stderr,
		        "clavigerctl: %s: no test vectors for AES-GCM, "
		        "HMACSHA256, JWS or TOTP\n",
		        path);
		return CTL_FAILED;
	}
	const struct json_node *group = json_member(root, "testGroups");
	for (group = group ? group->child : NULL; group; group = group->next)
		run_group(arena, run, group, &tally);
	return conclude(&tally);
}

enum ctl_exit ctl_selftest(struct ctl *ctl, int count, char **words)
{
	struct arena arena = {0};
	const struct json_node *root;
	if (count != 1) {
		fputs("usage: clavigerctl selftest FILE\n", stderr);
		return CTL_USAGE;
	}
	FILE *file = fopen(words[0], "re");
	if (!file) {
		fprintf(stderr, "clavigerctl: %s: %s\n", words[0],
		        strerror(errno));
		return CTL_FAILED;
	}
	enum fault fault = read_vectors(file, &arena, &root);
	fclose(file);
	enum ctl_exit status = fault ? ctl_fail(ctl, fault, words[0])
	                             : run_file(&arena, root, words[0]);
	arena_release(&arena);
	return status;
}
