/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time passwords (requirements MF-01, MF-04): the values of RFC 6238, six
 * digits only, and the window to the second. vectors/totp.json has more values.
 */
#include "unit.h"

#include "crypto/otp.h"

#define KEY SPAN("12345678901234567890")
/* The first second of a step. */
#define NOW INT64_C(1768473000)

/* RFC 6238, appendix B: the last six of its eight digits. */
static const struct {
	int64_t at_s;
	const char *code;
} known[] = {
    {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
    {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"},
};

static const char *code_at(int64_t at_s)
{
	static char code[TOTP_CODE_BYTES];

	assert_int_equal(totp_code(KEY, at_s, code), FAULT_NONE);
	return code;
}

static void gives_the_codes_of_the_standard(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(known); i++)
		assert_string_equal(code_at(known[i].at_s), known[i].code);
}

static void accepts_the_codes_of_the_standard(void **state)
{
	int64_t step;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		assert_int_equal(totp_check(KEY, known[i].at_s, 0,
		                            span_of(known[i].code), &step),
		                 FAULT_NONE);
		assert_int_equal(step, known[i].at_s / TOTP_STEP_S);
	}
}

static void accepts_a_code_through_its_step_and_not_beyond(void **state)
{
	const char *code = code_at(NOW);
	int64_t step = -7;

	(void)state;
	assert_int_equal(NOW % TOTP_STEP_S, 0);
	for (int64_t at = NOW; at < NOW + TOTP_STEP_S; at++)
		assert_int_equal(totp_check(KEY, at, 0, span_of(code), &step),
		                 FAULT_NONE);
	step = -7;
	assert_int_equal(totp_check(KEY, NOW - 1, 0, span_of(code), &step),
	                 FAULT_INVALID_CREDENTIALS);
	assert_int_equal(
	    totp_check(KEY, NOW + TOTP_STEP_S, 0, span_of(code), &step),
	    FAULT_INVALID_CREDENTIALS);
	assert_int_equal(step, -7);
}

static void accepts_exactly_the_window(void **state)
{
	static const struct {
		int offset;
		int window;
		bool is_good;
	} rows[] = {
	    {-2, 1, false}, {-1, 1, true},  {0, 1, true},    {1, 1, true},
	    {2, 1, false},  {-1, 0, false}, {1, 0, false},   {2, 2, true},
	    {-3, 2, false}, {10, 10, true}, {11, 10, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t moved = NOW + rows[i].offset * TOTP_STEP_S;
		int64_t step = -7;
		enum fault fault = totp_check(KEY, NOW, rows[i].window,
		                              span_of(code_at(moved)), &step);

		assert_int_equal(fault, rows[i].is_good
		                            ? FAULT_NONE
		                            : FAULT_INVALID_CREDENTIALS);
		assert_int_equal(step,
		                 rows[i].is_good ? moved / TOTP_STEP_S : -7);
	}
}

/* liboath would take the number of digits from whoever sends the code. */
static void refuses_what_is_not_six_digits(void **state)
{
	const struct span bad[] = {
	    SPAN("94287082"), /* RFC 6238's own eight digits */
	    SPAN("4287082"),
	    SPAN("87082"),
	    SPAN(""),
	    SPAN(" 287082"),
	    SPAN("287082 "),
	    SPAN("287082\n"),
	    SPAN("287082\0"),
	    SPAN("2870821"),
	    SPAN("-87082"),
	    SPAN("+87082"),
	    SPAN(" 87082"),
	    SPAN("28708\0"),
	    SPAN("0x7082"),
	    SPAN("28 082"),
	    SPAN("287\x30\x38"),
	    SPAN("\xef\xbc\x92"
	         "870"),
	};
	int64_t step = -7;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(totp_check(KEY, 59, 1, bad[i], &step),
		                 FAULT_INVALID_CREDENTIALS);
	assert_int_equal(totp_check(KEY, 59, 1, (struct span){0}, &step),
	                 FAULT_INVALID_CREDENTIALS);
	assert_int_equal(step, -7);
	assert_int_equal(totp_check(KEY, 59, 1, SPAN("287082"), &step),
	                 FAULT_NONE);
}

static void accepts_one_code_of_a_million(void **state)
{
	char code[TOTP_CODE_BYTES];
	int64_t step;
	int good = 0;

	(void)state;
	for (int i = 0; i < 1000000; i += 7) {
		(void)snprintf(code, sizeof(code), "%06d", i);
		good += !totp_check(KEY, NOW, 0, span_of(code), &step);
	}
	assert_true(good <= 1);
}

/* The newest, so that the older one is burnt with it. */
static void tells_the_newest_of_two_steps_with_one_code(void **state)
{
	char before[TOTP_CODE_BYTES] = "", code[TOTP_CODE_BYTES];
	int64_t at = 0, step;

	(void)state;
	do { /* about a million steps until two neighbours agree */
		memcpy(before, code_at(at), sizeof(before));
		at += TOTP_STEP_S;
		memcpy(code, code_at(at), sizeof(code));
	} while (strcmp(before, code) != 0 && at < INT64_C(300000000));
	assert_string_equal(before, code);
	assert_int_equal(totp_check(KEY, at, 1, span_of(code), &step),
	                 FAULT_NONE);
	assert_int_equal(step, at / TOTP_STEP_S);
	assert_int_equal(
	    totp_check(KEY, at - TOTP_STEP_S, 1, span_of(code), &step),
	    FAULT_NONE);
	assert_int_equal(step, at / TOTP_STEP_S);
}

static void starts_at_the_first_step_of_all(void **state)
{
	int64_t step = -7;
	char code[TOTP_CODE_BYTES] = "";

	(void)state;
	assert_int_equal(totp_check(KEY, 0, 10, span_of(code_at(0)), &step),
	                 FAULT_NONE);
	assert_int_equal(step, 0);
	assert_int_equal(totp_code(KEY, -1, code), FAULT_INTERNAL);
	assert_int_equal(totp_check(KEY, -1, 10, SPAN("287082"), &step),
	                 FAULT_INTERNAL);
}

static void takes_keys_of_any_bytes_but_none(void **state)
{
	static char key[200] = "a\0b";
	char code[TOTP_CODE_BYTES], other[TOTP_CODE_BYTES];
	int64_t step;

	(void)state;
	assert_int_equal(totp_code((struct span){key, 20}, NOW, code),
	                 FAULT_NONE);
	assert_int_equal(totp_code((struct span){"a\0c", 3}, NOW, other),
	                 FAULT_NONE);
	assert_string_not_equal(code, other);
	assert_int_equal(totp_code((struct span){key, sizeof(key)}, NOW, code),
	                 FAULT_NONE);
	assert_int_equal(totp_check((struct span){key, sizeof(key)}, NOW, 0,
	                            span_of(code), &step),
	                 FAULT_NONE);
	assert_int_equal(totp_code(SPAN(""), NOW, code), FAULT_INTERNAL);
	assert_int_equal(totp_check(SPAN(""), NOW, 1, SPAN("287082"), &step),
	                 FAULT_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_the_codes_of_the_standard),
	    cmocka_unit_test(accepts_the_codes_of_the_standard),
	    cmocka_unit_test(accepts_a_code_through_its_step_and_not_beyond),
	    cmocka_unit_test(accepts_exactly_the_window),
	    cmocka_unit_test(refuses_what_is_not_six_digits),
	    cmocka_unit_test(accepts_one_code_of_a_million),
	    cmocka_unit_test(tells_the_newest_of_two_steps_with_one_code),
	    cmocka_unit_test(starts_at_the_first_step_of_all),
	    cmocka_unit_test(takes_keys_of_any_bytes_but_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
