/* SPDX-License-Identifier: Apache-2.0 */
/* Moments and durations as text. */
#include "unit.h"

#include "base/clock.h"
#include "clock_freeze.h"

static const struct moment {
	const char *text;
	int64_t ms;
} moments[] = {
    {"1970-01-01T00:00:00.000Z", 0},
    {"1969-12-31T23:59:59.999Z", -1},
    {"2026-01-15T10:30:00.123Z", INT64_C(1768473000123)},
    {"2024-02-29T23:59:59.000Z", INT64_C(1709251199000)},
    {"2000-03-01T00:00:00.000Z", INT64_C(951868800000)},
    {"0000-01-01T00:00:00.000Z", INT64_C(-62167219200000)},
    {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
};

static void writes_and_reads_moments(void **state)
{
	char text[CLOCK_RFC3339_BYTES];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(moments); i++) {
		assert_string_equal(clock_format_ms(moments[i].ms, text),
		                    moments[i].text);
		assert_false(clock_parse(span_of(moments[i].text), &ms));
		assert_true(ms == moments[i].ms);
	}
}

static void writes_whole_seconds(void **state)
{
	char text[CLOCK_RFC3339_BYTES];

	(void)state;
	assert_string_equal(clock_format(INT64_C(1768473000999), text),
	                    "2026-01-15T10:30:00Z");
}

static void writes_the_nearest_moment_it_can(void **state)
{
	char text[CLOCK_RFC3339_BYTES];

	(void)state;
	assert_string_equal(clock_format(INT64_MIN, text),
	                    "0000-01-01T00:00:00Z");
	assert_string_equal(clock_format_ms(INT64_MAX, text),
	                    "9999-12-31T23:59:59.999Z");
}

static void writes_the_date_of_a_mail(void **state)
{
	char memory[64];
	struct text text = text_over(memory, sizeof(memory));

	(void)state;
	clock_append_mail_date(&text, INT64_C(1768473000123));
	assert_text_equal(&text, "Thu, 15 Jan 2026 10:30:00 +0000");
}

static void reads_offsets_and_fractions(void **state)
{
	static const char *const same[] = {
	    "2026-01-15T10:30:00.5Z",          "2026-01-15t10:30:00.500z",
	    "2026-01-15T12:00:00.5+01:30",     "2026-01-15T09:00:00.5-01:30",
	    "2026-01-14T10:31:00.5-23:59",     "2026-01-15T10:30:00.500999999Z",
	    "2026-01-15T10:30:00.50000-00:00",
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		assert_false(clock_parse(span_of(same[i]), &ms));
		assert_true(ms == INT64_C(1768473000500));
	}
}

static void refuses_what_is_no_moment(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "2026-01-15",
	    "2026-01-15T10:30Z",
	    "2026-01-15 10:30:00Z",
	    "2026-01-15T10:30:00",
	    "2026-01-15T10:30:00Zx",
	    "2026-01-15T10:30:00.Z",
	    "2026-01-15T10:30:00.1234567890Z",
	    "2026-01-15T10:30:00,5Z",
	    "2026-1-15T10:30:00Z",
	    "2026-00-15T10:30:00Z",
	    "2026-13-15T10:30:00Z",
	    "2026-01-00T10:30:00Z",
	    "2026-04-31T10:30:00Z",
	    "2026-02-29T10:30:00Z",
	    "2100-02-29T10:30:00Z",
	    "2026-01-15T24:00:00Z",
	    "2026-01-15T10:60:00Z",
	    "2026-06-30T23:59:60Z",
	    "2026-01-15T10:30:00+24:00",
	    "2026-01-15T10:30:00+0130",
	    "2026-01-15T10:30:00+01",
	    "+2026-01-15T10:30:00Z",
	    "-026-01-15T10:30:00Z",
	};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(clock_parse(span_of(wrong[i]), &ms),
		                 FAULT_VALIDATION);
	assert_int_equal(clock_parse(SPAN("2026-01-15T10:30:00\0"), &ms),
	                 FAULT_VALIDATION);
	assert_true(ms == 7);
}

static void reads_durations(void **state)
{
	static const struct moment right[] = {
	    {"0", 0},
	    {"15", 15000},
	    {"250ms", 250},
	    {"90s", 90000},
	    {"15m", 900000},
	    {"24h", 86400000},
	    {"14d", 1209600000},
	    {"36525d", INT64_C(36525) * 86400000},
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(right); i++) {
		assert_false(clock_parse_duration(span_of(right[i].text), &ms));
		assert_true(ms == right[i].ms);
	}
}

static void refuses_what_is_no_duration(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "s",
	    "-1s",
	    "+1s",
	    "1.5h",
	    "1 s",
	    " 1s",
	    "1w",
	    "1mm",
	    "1S",
	    "1h30m",
	    "36526d",
	    "3155760001s",
	    "99999999999999999999",
	    "9223372036854775807d",
	};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(clock_parse_duration(span_of(wrong[i]), &ms),
		                 FAULT_VALIDATION);
	assert_true(ms == 7);
}

static void stands_still_when_a_test_wants_it(void **state)
{
	(void)state;
	clock_freeze(INT64_C(1768473000123));
	assert_true(clock_now_ms() == INT64_C(1768473000123));
	clock_freeze(0);
	assert_true(clock_now_ms() > INT64_C(1768473000123));
}

static void sleeps_at_least_as_long_as_asked(void **state)
{
	int64_t before = clock_monotonic_us();

	(void)state;
	clock_sleep_ms(20);
	assert_true(clock_monotonic_us() - before >= 20000);
	clock_sleep_ms(0);
	clock_sleep_ms(-5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_and_reads_moments),
	    cmocka_unit_test(writes_whole_seconds),
	    cmocka_unit_test(writes_the_nearest_moment_it_can),
	    cmocka_unit_test(writes_the_date_of_a_mail),
	    cmocka_unit_test(reads_offsets_and_fractions),
	    cmocka_unit_test(refuses_what_is_no_moment),
	    cmocka_unit_test(reads_durations),
	    cmocka_unit_test(refuses_what_is_no_duration),
	    cmocka_unit_test(stands_still_when_a_test_wants_it),
	    cmocka_unit_test(sleeps_at_least_as_long_as_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
