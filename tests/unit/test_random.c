/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes and the identifiers made of them. */
#include "unit.h"

#include "crypto/random.h"

#include <sys/wait.h>
#include <unistd.h>

#define MOMENT INT64_C(1768473000123)

static void fills_every_byte(void **state)
{
	unsigned char seen[64] = {0};
	unsigned char drawn[64];

	(void)state;
	for (int round = 0; round < 32; round++) {
		random_bytes(drawn, sizeof(drawn));
		for (size_t i = 0; i < sizeof(seen); i++)
			seen[i] |= drawn[i];
	}
	for (size_t i = 0; i < sizeof(seen); i++)
		assert_int_not_equal(seen[i], 0);
}

static void leaves_the_bytes_behind_alone(void **state)
{
	unsigned char drawn[8] = {0};

	(void)state;
	random_bytes(drawn, 0);
	random_bytes(drawn, 4);
	assert_memory_equal(drawn + 4, "\0\0\0\0", 4);
}

static void writes_version_variant_and_time(void **state)
{
	struct uuid uuid;
	int64_t at_ms = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		random_uuid(MOMENT, &uuid);
		assert_int_equal(uuid.bytes[6] >> 4, 7);
		assert_int_equal(uuid.bytes[8] >> 6, 2);
	}
	for (size_t i = 0; i < 6; i++)
		at_ms = at_ms << 8 | uuid.bytes[i];
	assert_true(at_ms == MOMENT);
}

static void ascends_within_a_millisecond(void **state)
{
	struct uuid before;
	struct uuid uuid;

	(void)state;
	random_uuid(MOMENT + 1, &before);
	for (int i = 0; i < 100000; i++) {
		random_uuid(MOMENT + 1, &uuid);
		assert_true(memcmp(before.bytes, uuid.bytes, 16) < 0);
		before = uuid;
	}
}

static void ascends_over_milliseconds(void **state)
{
	struct uuid before;
	struct uuid uuid;

	(void)state;
	random_uuid(MOMENT + 10, &before);
	for (int i = 0; i < 1000; i++) {
		random_uuid(MOMENT + 11 + i, &uuid);
		assert_true(memcmp(before.bytes, uuid.bytes, 16) < 0);
		before = uuid;
	}
}

/* Two moments in turn, so that every id draws its random part anew. */
static void draws_a_new_random_part_each_millisecond(void **state)
{
	unsigned char ever_set[16] = {0};
	unsigned char always_set[16];
	struct uuid uuid;

	(void)state;
	memset(always_set, 0xff, sizeof(always_set));
	for (int i = 0; i < 200; i++) {
		random_uuid(MOMENT + i % 2, &uuid);
		for (size_t at = 0; at < 16; at++) {
			ever_set[at] |= uuid.bytes[at];
			always_set[at] &= uuid.bytes[at];
		}
	}
	assert_int_equal(ever_set[6], 0x77); /* the guard bit starts as 0 */
	assert_int_equal(always_set[6], 0x70);
	assert_int_equal(ever_set[8], 0xbf);
	assert_int_equal(always_set[8], 0x80);
	for (size_t at = 9; at < 16; at++) {
		assert_int_equal(ever_set[at], 0xff);
		assert_int_equal(always_set[at], 0);
	}
}

static void children_of_one_fork_do_not_meet(void **state)
{
	struct uuid first;
	struct uuid second;
	int ends[2];
	pid_t child;

	(void)state;
	random_uuid(MOMENT + 2, &first);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		random_uuid(MOMENT + 2, &first);
		_exit(write(ends[1], &first, sizeof(first)) != sizeof(first));
	}
	assert_true(child > 0);
	random_uuid(MOMENT + 2, &second);
	assert_int_equal(read(ends[0], &first, sizeof(first)), sizeof(first));
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_memory_not_equal(first.bytes, second.bytes, 16);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fills_every_byte),
	    cmocka_unit_test(leaves_the_bytes_behind_alone),
	    cmocka_unit_test(writes_version_variant_and_time),
	    cmocka_unit_test(ascends_within_a_millisecond),
	    cmocka_unit_test(ascends_over_milliseconds),
	    cmocka_unit_test(draws_a_new_random_part_each_millisecond),
	    cmocka_unit_test(children_of_one_fork_do_not_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
