/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What selftest.c, which reads a file of vectors and judges, and
 * selftest_run.c, which runs one of them through the product's own code, know
 * of each other.
 */
#ifndef CTL_SELFTEST_H
#define CTL_SELFTEST_H

#include "base/arena.h"
#include "base/json_read.h"

/* What our code made of one test. */
enum selftest_verdict {
	SELFTEST_ACCEPTED,
	SELFTEST_REFUSED,
	SELFTEST_WRONG,       /* another result than the file's */
	SELFTEST_MALFORMED,   /* the test itself cannot be read */
	SELFTEST_UNSUPPORTED, /* nothing the product ever does */
};

/*
 * Run one test of a group. For SELFTEST_UNSUPPORTED why gets words for people.
 * Takes memory of the arena for good.
 */
typedef enum selftest_verdict selftest_run(struct arena *arena,
                                           const struct json_node *group,
                                           const struct json_node *test,
                                           const char **why);

/*
 * What runs the tests of a file: found by its "algorithm", or, as files of
 * signatures have none, by the "type" of its first group. NULL for what we know
 * nothing of.
 */
selftest_run *selftest_find(const struct json_node *file);

#endif
