/* SPDX-License-Identifier: Apache-2.0 */
/* Envelope encryption: what it opens, and all that it must not open. */
#include "unit.h"

#include "base/encode.h"
#include "crypto/seal.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)256 * 1024)
#define BLOB_LIMIT  ((size_t)8 * 1024)

static const unsigned char key[SEAL_KEY_BYTES] =
    "0123456789abcdef0123456789ABC";
static const unsigned char other_key[SEAL_KEY_BYTES] = "something else";
static const struct span row = {"row:1", 5};

static struct arena arena;
static char blob_memory[BLOB_LIMIT];

static int set_up(void **state)
{
	(void)state;
	return arena_init(&arena, ARENA_BYTES) != FAULT_NONE;
}

static int tear_down(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static int empty_arena(void **state)
{
	(void)state;
	arena_reset(&arena);
	return 0;
}

static struct text seal(struct span plain)
{
	struct text blob = text_over(blob_memory, sizeof(blob_memory));

	assert_int_equal(seal_value(key, row, plain, &blob), FAULT_NONE);
	assert_int_equal(blob.length, plain.length + SEAL_OVERHEAD_BYTES);
	return blob;
}

static enum fault open_with(const unsigned char *with, struct span bound_to,
                            struct span blob)
{
	struct span out = {0};
	enum fault fault = seal_open(with, bound_to, blob, &arena, &out);

	if (fault)
		assert_null(out.at);
	return fault;
}

static void opens_what_it_sealed(void **state)
{
	static const size_t lengths[] = {0, 1, 15, 16, 17, 32, 255, 4096};
	char plain[4096];
	struct span out;

	(void)state;
	memset(plain, 'p', sizeof(plain));
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		struct span value = {plain, lengths[i]};
		struct text blob = seal(value);
		assert_int_equal(
		    seal_open(key, row, text_span(&blob), &arena, &out),
		    FAULT_NONE);
		assert_true(span_equal(out, value));
	}
}

static void binds_to_nothing_when_told_so(void **state)
{
	const struct span nothing = {0};
	struct text blob = text_over(blob_memory, sizeof(blob_memory));

	(void)state;
	assert_int_equal(seal_value(key, nothing, SPAN("value"), &blob),
	                 FAULT_NONE);
	assert_int_equal(open_with(key, nothing, text_span(&blob)), FAULT_NONE);
	assert_int_equal(open_with(key, row, text_span(&blob)),
	                 FAULT_VALIDATION);
}

/*
 * Made by an implementation of SP 800-38D that shares no code with OpenSSL and
 * was itself checked on the test cases 16 and 18 of the GCM specification.
 */
static void opens_a_blob_made_elsewhere(void **state)
{
	const struct span digits =
	    SPAN("01808182838485868788898a8b8c8d8e8f9750b357afbfe730348c3b86e6"
	         "a73c1ebf708d8903950ed6225c18ebdb1aa6002eb3c826f2e3972c8fe7d8"
	         "c4b1f95768a0a1a2a3a4a5a6a7a8a9aaabacadaeaf7f7331a638e4f4a904"
	         "4f4332ada0792cbbb7be40148f4e774ab38211bf6cc3c409327b");
	unsigned char counting[SEAL_KEY_BYTES];
	char blob[116];
	struct span out;

	(void)state;
	for (size_t i = 0; i < sizeof(counting); i++)
		counting[i] = (unsigned char)i;
	assert_int_equal(hex_decode(digits, blob, sizeof(blob)), FAULT_NONE);
	assert_int_equal(seal_open(counting, row,
	                           (struct span){blob, sizeof(blob)}, &arena,
	                           &out),
	                 FAULT_NONE);
	assert_true(span_equal(out, SPAN("the quick brown fox")));
}

static void refuses_every_flipped_bit(void **state)
{
	struct text blob = seal(SPAN("a value worth keeping"));

	(void)state;
	for (size_t bit = 0; bit < blob.length * 8; bit++) {
		blob.at[bit / 8] = (char)(blob.at[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(open_with(key, row, text_span(&blob)),
		                 FAULT_VALIDATION);
		blob.at[bit / 8] = (char)(blob.at[bit / 8] ^ 1 << bit % 8);
		arena_reset(&arena);
	}
	assert_int_equal(open_with(key, row, text_span(&blob)), FAULT_NONE);
}

static void refuses_every_cut(void **state)
{
	struct text blob = seal(SPAN("a value worth keeping"));

	(void)state;
	for (size_t length = 0; length < blob.length; length++) {
		struct span front = {blob.at, length};
		struct span back = {blob.at + blob.length - length, length};
		assert_int_equal(open_with(key, row, front), FAULT_VALIDATION);
		assert_int_equal(open_with(key, row, back), FAULT_VALIDATION);
	}
	assert_int_equal(open_with(key, row, (struct span){0}),
	                 FAULT_VALIDATION);
}

static void refuses_bytes_behind(void **state)
{
	struct text blob = seal(SPAN("value"));

	(void)state;
	for (int i = 0; i < 17; i++) {
		text_append_byte(&blob, '\0');
		assert_int_equal(open_with(key, row, text_span(&blob)),
		                 FAULT_VALIDATION);
	}
}

static void refuses_another_row(void **state)
{
	static const char *const rows[] = {"",       "row:",   "row:2",
	                                   "row:1 ", "row:11", "ROW:1"};
	struct text blob = seal(SPAN("value"));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(
		    open_with(key, span_of(rows[i]), text_span(&blob)),
		    FAULT_VALIDATION);
}

static void refuses_another_key(void **state)
{
	struct text blob = seal(SPAN("value"));

	(void)state;
	assert_int_equal(open_with(other_key, row, text_span(&blob)),
	                 FAULT_VALIDATION);
}

/* Halves of two good blobs of one row are no blob. */
static void refuses_a_mixed_blob(void **state)
{
	struct text blob = seal(SPAN("value"));
	char first[SEAL_OVERHEAD_BYTES + 5];

	(void)state;
	memcpy(first, blob.at, sizeof(first));
	blob = seal(SPAN("VALUE"));
	memcpy(blob.at, first, 65);
	assert_int_equal(open_with(key, row, text_span(&blob)),
	                 FAULT_VALIDATION);
}

static void leaves_no_plain_text_of_a_refused_value(void **state)
{
	struct text blob = seal(SPAN("plain text plain text plain text"));

	(void)state;
	blob.at[blob.length - 1] = (char)(blob.at[blob.length - 1] ^ 1);
	assert_int_equal(open_with(key, row, text_span(&blob)),
	                 FAULT_VALIDATION);
	assert_true(arena.used >= 32);
	for (size_t i = 0; i < arena.used; i++)
		assert_int_equal(arena.memory[i], 0);
}

static int compare_ivs(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void never_repeats_an_iv(void **state)
{
	enum { SEALS = 5000 };
	static unsigned char ivs[2 * SEALS][16];

	(void)state;
	for (size_t i = 0; i < SEALS; i++) {
		struct text blob = seal(SPAN(""));
		memcpy(ivs[2 * i], blob.at + 1, 16);
		memcpy(ivs[2 * i + 1], blob.at + 65, 16);
	}
	qsort(ivs, 2 * SEALS, 16, compare_ivs);
	for (size_t i = 1; i < 2 * SEALS; i++)
		assert_memory_not_equal(ivs[i - 1], ivs[i], 16);
}

static void writes_nothing_without_room(void **state)
{
	const size_t needed = SEAL_OVERHEAD_BYTES + 5;
	char memory[SEAL_OVERHEAD_BYTES + 5 + 3];

	(void)state;
	for (size_t limit = 0; limit <= sizeof(memory); limit++) {
		struct text out = text_over(memory, limit);
		enum fault wanted =
		    limit < needed + 3 ? FAULT_EXHAUSTED : FAULT_NONE;
		text_append_cstr(&out, limit < 3 ? "" : "abc");
		assert_int_equal(seal_value(key, row, SPAN("value"), &out),
		                 wanted);
		assert_int_equal(text_check(&out), wanted);
		assert_int_equal(out.length,
		                 wanted ? (limit < 3 ? 0 : 3) : needed + 3);
	}
}

static void tells_when_the_arena_is_full(void **state)
{
	struct text blob = seal(SPAN("value"));
	size_t room = arena.limit - 16;

	(void)state;
	assert_non_null(arena_alloc(&arena, room));
	assert_non_null(arena_alloc(&arena, 16));
	assert_int_equal(open_with(key, row, text_span(&blob)),
	                 FAULT_EXHAUSTED);
}

#define TEST(function) cmocka_unit_test_setup(function, empty_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(opens_what_it_sealed),
	    TEST(binds_to_nothing_when_told_so),
	    TEST(opens_a_blob_made_elsewhere),
	    TEST(refuses_every_flipped_bit),
	    TEST(refuses_every_cut),
	    TEST(refuses_bytes_behind),
	    TEST(refuses_another_row),
	    TEST(refuses_another_key),
	    TEST(refuses_a_mixed_blob),
	    TEST(leaves_no_plain_text_of_a_refused_value),
	    TEST(never_repeats_an_iv),
	    TEST(writes_nothing_without_room),
	    TEST(tells_when_the_arena_is_full),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
