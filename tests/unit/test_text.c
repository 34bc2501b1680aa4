/* SPDX-License-Identifier: Apache-2.0 */
/* Spans and texts. */
#include "unit.h"

static void compares_bytes_and_lengths(void **state)
{
	(void)state;
	assert_true(span_equal(SPAN("a\0b"), (struct span){"a\0b", 3}));
	assert_false(span_equal(SPAN("a\0b"), SPAN("a\0c")));
	assert_false(span_equal(SPAN("a"), SPAN("a\0b")));
	assert_true(span_equal((struct span){0}, SPAN("")));
	assert_true(span_equal_ascii_case(SPAN("X-Foo"), SPAN("x-fOO")));
	assert_false(span_equal_ascii_case(SPAN("a"), SPAN("ab")));
	assert_false(span_equal_ascii_case(SPAN("@"), SPAN("`")));
	assert_false(span_equal_ascii_case(SPAN("\xc4"), SPAN("\xe4")));
}

static void knows_an_absent_string(void **state)
{
	(void)state;
	assert_null(span_of(NULL).at);
	assert_int_equal(span_of(NULL).length, 0);
	assert_non_null(span_of("").at);
}

static void finds_prefixes_and_bytes(void **state)
{
	(void)state;
	assert_true(span_starts_with(SPAN("https://x"), SPAN("https://")));
	assert_true(span_starts_with(SPAN("x"), SPAN("")));
	assert_false(span_starts_with(SPAN("http"), SPAN("https")));
	assert_true(span_has_byte(SPAN("a\0b"), '\0'));
	assert_false(span_has_byte(SPAN("ab"), '\0'));
	assert_false(span_has_byte((struct span){0}, 'a'));
}

static void trims_space_at_both_ends(void **state)
{
	(void)state;
	assert_span_equal(span_trim(SPAN(" \t\r\na b\n ")), "a b");
	assert_span_equal(span_trim(SPAN(" \t")), "");
	assert_span_equal(span_trim(SPAN("\va")), "\va");
	assert_int_equal(span_trim((struct span){0}).length, 0);
}

static void cuts_at_each_separator(void **state)
{
	struct span rest = SPAN("a,,b");
	struct span head;

	(void)state;
	assert_true(span_cut(&rest, ',', &head));
	assert_span_equal(head, "a");
	assert_true(span_cut(&rest, ',', &head));
	assert_span_equal(head, "");
	assert_true(span_cut(&rest, ',', &head));
	assert_span_equal(head, "b");
	assert_null(rest.at);
	assert_false(span_cut(&rest, ',', &head));
}

static void cuts_an_empty_tail_after_a_last_separator(void **state)
{
	struct span rest = SPAN("a,");
	struct span head;

	(void)state;
	assert_true(span_cut(&rest, ',', &head));
	assert_true(span_cut(&rest, ',', &head));
	assert_span_equal(head, "");
	assert_false(span_cut(&rest, ',', &head));
}

static void reads_plain_decimal_numbers(void **state)
{
	uint64_t number = 7;

	(void)state;
	assert_int_equal(span_number(SPAN("0"), 0, &number), FAULT_NONE);
	assert_int_equal(number, 0);
	assert_int_equal(
	    span_number(SPAN("18446744073709551615"), UINT64_MAX, &number),
	    FAULT_NONE);
	assert_true(number == UINT64_MAX);
	assert_int_equal(span_number(SPAN("007"), 7, &number), FAULT_NONE);
	assert_int_equal(number, 7);
}

static void refuses_what_is_no_number(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "-1",
	    "+1",
	    " 1",
	    "1 ",
	    "1.0",
	    "0x1",
	    "1e3",
	    "11",
	    "18446744073709551616",
	    "99999999999999999999999999",
	};
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(span_number(span_of(wrong[i]), 10, &number),
		                 FAULT_VALIDATION);
	assert_int_equal(
	    span_number(SPAN("18446744073709551616"), UINT64_MAX, &number),
	    FAULT_VALIDATION);
	assert_int_equal(span_number(SPAN("1\0"), 10, &number),
	                 FAULT_VALIDATION);
	assert_int_equal(number, 7);
}

static void appends_until_exactly_full(void **state)
{
	char memory[5];
	struct text text = text_over(memory, sizeof(memory));

	(void)state;
	text_append_cstr(&text, "ab");
	text_append_byte(&text, 'c');
	text_append_number(&text, -4);
	assert_text_equal(&text, "abc-4");
	assert_int_equal(text_check(&text), FAULT_NONE);
}

static void leaves_no_hole_after_an_overflow(void **state)
{
	char memory[4];
	struct text text = text_over(memory, sizeof(memory));

	(void)state;
	text_append_cstr(&text, "ab");
	text_append_cstr(&text, "xyz");
	text_append_byte(&text, 'c');
	text_appendf(&text, "%d", 1);
	assert_int_equal(text_check(&text), FAULT_EXHAUSTED);
	assert_span_equal(text_span(&text), "ab");
}

static void appends_numbers_of_every_size(void **state)
{
	char memory[64];
	struct text text = text_over(memory, sizeof(memory));

	(void)state;
	text_append_number(&text, INT64_MIN);
	text_append_byte(&text, ' ');
	text_append_number(&text, INT64_MAX);
	text_append_byte(&text, ' ');
	text_append_number(&text, 0);
	assert_text_equal(&text, "-9223372036854775808 9223372036854775807 0");
}

static void formats_when_the_nul_fits_too(void **state)
{
	char memory[5];
	struct text text = text_over(memory, sizeof(memory));

	(void)state;
	text_appendf(&text, "%s-%d", "ab", 1);
	assert_text_equal(&text, "ab-1");
	text = text_over(memory, 4);
	text_appendf(&text, "%s-%d", "ab", 1);
	assert_int_equal(text_check(&text), FAULT_EXHAUSTED);
	assert_int_equal(text.length, 0);
	text = text_over(NULL, 0);
	text_appendf(&text, "x");
	assert_int_equal(text_check(&text), FAULT_EXHAUSTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compares_bytes_and_lengths),
	    cmocka_unit_test(knows_an_absent_string),
	    cmocka_unit_test(finds_prefixes_and_bytes),
	    cmocka_unit_test(trims_space_at_both_ends),
	    cmocka_unit_test(cuts_at_each_separator),
	    cmocka_unit_test(cuts_an_empty_tail_after_a_last_separator),
	    cmocka_unit_test(reads_plain_decimal_numbers),
	    cmocka_unit_test(refuses_what_is_no_number),
	    cmocka_unit_test(appends_until_exactly_full),
	    cmocka_unit_test(leaves_no_hole_after_an_overflow),
	    cmocka_unit_test(appends_numbers_of_every_size),
	    cmocka_unit_test(formats_when_the_nul_fits_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
