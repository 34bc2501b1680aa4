/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of one request. */
#include "unit.h"

#include "base/arena.h"

#include <stdalign.h>

#define LIMIT_BYTES ((size_t)4096)

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	return arena_init(&arena, LIMIT_BYTES) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static bool is_all(const unsigned char *bytes, size_t length, int value)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static void gives_aligned_and_zeroed_bytes(void **state)
{
	(void)state;
	for (size_t bytes = 0; bytes < 40; bytes++) {
		unsigned char *at = arena_alloc(&arena, bytes);
		assert_non_null(at);
		assert_int_equal((uintptr_t)at % alignof(max_align_t), 0);
		assert_true(is_all(at, bytes, 0));
		memset(at, 0xa5, bytes);
	}
}

static void gives_the_very_last_byte_and_no_more(void **state)
{
	(void)state;
	assert_non_null(arena_alloc(&arena, LIMIT_BYTES));
	assert_null(arena_alloc(&arena, 1));
	assert_non_null(arena_alloc(&arena, 0));
}

static void refuses_more_than_its_limit(void **state)
{
	(void)state;
	assert_null(arena_alloc(&arena, LIMIT_BYTES + 1));
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_non_null(arena_alloc(&arena, 1));
	assert_null(arena_alloc(&arena, SIZE_MAX));
}

static void refuses_an_array_whose_size_overflows(void **state)
{
	(void)state;
	assert_null(arena_array(&arena, SIZE_MAX / 2, 4));
	assert_null(arena_array(&arena, (SIZE_MAX / 8) + 1, 8));
	assert_non_null(arena_array(&arena, 10, 8));
}

static void wipes_every_used_byte_on_reset(void **state)
{
	unsigned char *first = arena_alloc(&arena, 1000);
	unsigned char *again;

	(void)state;
	memset(first, 's', 1000);
	assert_int_equal(arena.high, 1000);
	arena_reset(&arena);
	assert_int_equal(arena.used, 0);
	assert_int_equal(arena.high, 0);
	again = arena_alloc(&arena, 1000);
	assert_ptr_equal(again, first);
	assert_true(is_all(again, 1000, 0));
}

static void copies_a_span_and_ends_it_with_a_nul(void **state)
{
	struct span copy;

	(void)state;
	copy = arena_copy(&arena, (struct span){"a\0b", 3});
	assert_int_equal(copy.length, 3);
	assert_memory_equal(copy.at, "a\0b", 4);
	copy = arena_copy(&arena, (struct span){0});
	assert_non_null(copy.at);
	assert_string_equal(copy.at, "");
}

static void gives_an_absent_copy_when_full(void **state)
{
	(void)state;
	assert_non_null(arena_alloc(&arena, LIMIT_BYTES));
	assert_null(arena_copy(&arena, SPAN("x")).at);
	assert_null(arena_copy(&arena, (struct span){"x", SIZE_MAX}).at);
}

static void gives_a_text_that_overflows_when_full(void **state)
{
	struct text text;

	(void)state;
	text = arena_text(&arena, LIMIT_BYTES + 1);
	text_append_byte(&text, 'x');
	assert_int_equal(text_check(&text), FAULT_EXHAUSTED);
	text = arena_text(&arena, 3);
	text_append(&text, SPAN("abc"));
	assert_text_equal(&text, "abc");
}

static void releases_a_zeroed_arena(void **state)
{
	struct arena none = {0};

	(void)state;
	arena_reset(&none);
	assert_null(arena_alloc(&none, 0));
	arena_release(&none);
}

static void reports_that_the_kernel_has_no_memory(void **state)
{
	struct arena huge = {0};

	(void)state;
	assert_int_equal(arena_init(&huge, SIZE_MAX / 2), FAULT_EXHAUSTED);
	assert_null(huge.memory);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(gives_aligned_and_zeroed_bytes),
	    CASE(gives_the_very_last_byte_and_no_more),
	    CASE(refuses_more_than_its_limit),
	    CASE(refuses_an_array_whose_size_overflows),
	    CASE(wipes_every_used_byte_on_reset),
	    CASE(copies_a_span_and_ends_it_with_a_nul),
	    CASE(gives_an_absent_copy_when_full),
	    CASE(gives_a_text_that_overflows_when_full),
	    CASE(releases_a_zeroed_arena),
	    CASE(reports_that_the_kernel_has_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
