/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that asks what time it is. Moments are counted from 1970
 * without leap seconds, as POSIX does.
 */
#include "base/clock.h"

#include <time.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

#define YEAR_0000_MS  INT64_C(-62167219200000)
#define YEAR_9999_MS  INT64_C(253402300799999)
#define DURATION_DAYS 36525 /* 100 years */

__attribute__((weak)) int64_t clock_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec pause = {
	    .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000 * 1000000),
	};

	if (ms > 0)
		(void)nanosleep(&pause, NULL);
}

/* The calendar's view of a moment, UTC, years 0000 … 9999; and its ms. */
static struct tm broken_down(int64_t at_ms, int *ms)
{
	struct tm calendar;
	time_t seconds;

	if (at_ms < YEAR_0000_MS)
		at_ms = YEAR_0000_MS;
	if (at_ms > YEAR_9999_MS)
		at_ms = YEAR_9999_MS;
	*ms = (int)((at_ms % 1000 + 1000) % 1000);
	seconds = (time_t)((at_ms - *ms) / 1000);
	(void)gmtime_r(&seconds, &calendar);
	return calendar;
}

/* Exactly so many digits, with leading zeros. */
static void append_digits(struct text *text, int value, int digits)
{
	int unit = 1;

	for (int i = 1; i < digits; i++)
		unit *= 10;
	for (; unit; unit /= 10)
		text_append_byte(text, (char)('0' + value / unit % 10));
}

static void append_time_of_day(struct text *text, const struct tm *calendar)
{
	append_digits(text, calendar->tm_hour, 2);
	text_append_byte(text, ':');
	append_digits(text, calendar->tm_min, 2);
	text_append_byte(text, ':');
	append_digits(text, calendar->tm_sec, 2);
}

static void append_date_time(struct text *text, const struct tm *calendar)
{
	append_digits(text, calendar->tm_year + 1900, 4);
	text_append_byte(text, '-');
	append_digits(text, calendar->tm_mon + 1, 2);
	text_append_byte(text, '-');
	append_digits(text, calendar->tm_mday, 2);
	text_append_byte(text, 'T');
	append_time_of_day(text, calendar);
}

const char *clock_format(int64_t at_ms, char out[CLOCK_RFC3339_BYTES])
{
	struct text text = text_over(out, CLOCK_RFC3339_BYTES);
	int ms;
	struct tm calendar = broken_down(at_ms, &ms);

	append_date_time(&text, &calendar);
	text_append(&text, (struct span){"Z", 2});
	return out;
}

const char *clock_format_ms(int64_t at_ms, char out[CLOCK_RFC3339_BYTES])
{
	struct text text = text_over(out, CLOCK_RFC3339_BYTES);
	int ms;
	struct tm calendar = broken_down(at_ms, &ms);

	append_date_time(&text, &calendar);
	text_append_byte(&text, '.');
	append_digits(&text, ms, 3);
	text_append(&text, (struct span){"Z", 2});
	return out;
}

void clock_append_mail_date(struct text *text, int64_t at_ms)
{
	/* Not strftime: it would speak the locale's language. */
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed",
	                                "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr",
	                                   "May", "Jun", "Jul", "Aug",
	                                   "Sep", "Oct", "Nov", "Dec"};
	int ms;
	struct tm calendar = broken_down(at_ms, &ms);

	text_append_cstr(text, days[calendar.tm_wday]);
	text_append_cstr(text, ", ");
	append_digits(text, calendar.tm_mday, 2);
	text_append_byte(text, ' ');
	text_append_cstr(text, months[calendar.tm_mon]);
	text_append_byte(text, ' ');
	append_digits(text, calendar.tm_year + 1900, 4);
	text_append_byte(text, ' ');
	append_time_of_day(text, &calendar);
	text_append_cstr(text, " +0000");
}

/*
 * What is left of a text while it is read piece by piece. The first piece that
 * is not as expected makes the whole broken.
 */
struct reader {
	struct span rest;
	bool is_broken;
};

static char peek(const struct reader *reader)
{
	return reader->rest.length ? reader->rest.at[0] : '\0';
}

static void skip(struct reader *reader)
{
	reader->rest.at++;
	reader->rest.length--;
}

/* Go over one character that is one of these. */
static char take_one_of(struct reader *reader, struct span choices)
{
	char byte = peek(reader);

	if (!reader->rest.length || !span_has_byte(choices, byte)) {
		reader->is_broken = true;
		return '\0';
	}
	skip(reader);
	return byte;
}

/* A number of exactly so many digits within bounds. */
static int take_digits(struct reader *reader, size_t digits, int from, int to)
{
	uint64_t value = 0;

	if (reader->is_broken || reader->rest.length < digits ||
	    span_number((struct span){reader->rest.at, digits}, (uint64_t)to,
	                &value) ||
	    (int)value < from) {
		reader->is_broken = true;
		return from;
	}
	reader->rest.at += digits;
	reader->rest.length -= digits;
	return (int)value;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
	/* Years begin in March, so that the leap day is the last one. */
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t month_from_march = (month + 9) % 12;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 -
	                     year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static int days_in_month(int year, int month)
{
	static const char days[] = {31, 28, 31, 30, 31, 30,
	                            31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && is_leap ? 29 : days[month - 1];
}

static int64_t take_date(struct reader *reader)
{
	int year = take_digits(reader, 4, 0, 9999);
	int month;
	int day;

	take_one_of(reader, SPAN("-"));
	month = take_digits(reader, 2, 1, 12);
	take_one_of(reader, SPAN("-"));
	day = take_digits(reader, 2, 1, days_in_month(year, month));
	return days_of(year, month, day) * DAY_MS;
}

/* ".123", with 1 … 9 digits of which three count; 0 when there is none. */
static int64_t take_fraction(struct reader *reader)
{
	int64_t ms = 0;
	int64_t unit = 100;
	int digits = 0;

	if (peek(reader) != '.')
		return 0;
	skip(reader);
	while (peek(reader) >= '0' && peek(reader) <= '9') {
		ms += unit * (peek(reader) - '0');
		unit /= 10;
		digits++;
		skip(reader);
	}
	if (digits < 1 || digits > 9)
		reader->is_broken = true;
	return ms;
}

static int64_t take_time_of_day(struct reader *reader)
{
	int64_t ms = take_digits(reader, 2, 0, 23) * HOUR_MS;

	take_one_of(reader, SPAN(":"));
	ms += take_digits(reader, 2, 0, 59) * MINUTE_MS;
	take_one_of(reader, SPAN(":"));
	ms += take_digits(reader, 2, 0, 59) * SECOND_MS;
	return ms + take_fraction(reader);
}

static int64_t take_offset(struct reader *reader)
{
	char sign = take_one_of(reader, SPAN("Zz+-"));
	int64_t ms;

	if (sign != '+' && sign != '-')
		return 0;
	ms = take_digits(reader, 2, 0, 23) * HOUR_MS;
	take_one_of(reader, SPAN(":"));
	ms += take_digits(reader, 2, 0, 59) * MINUTE_MS;
	return sign == '-' ? -ms : ms;
}

enum fault clock_parse(struct span text, int64_t *out_ms)
{
	struct reader reader = {.rest = text};
	int64_t at_ms = take_date(&reader);

	take_one_of(&reader, SPAN("Tt"));
	at_ms += take_time_of_day(&reader);
	at_ms -= take_offset(&reader);
	if (reader.is_broken || reader.rest.length)
		return FAULT_VALIDATION;
	*out_ms = at_ms;
	return FAULT_NONE;
}

static const struct unit {
	struct span name;
	int64_t ms;
} units[] = {
    {{"", 0}, SECOND_MS},  {{"ms", 2}, 1},      {{"s", 1}, SECOND_MS},
    {{"m", 1}, MINUTE_MS}, {{"h", 1}, HOUR_MS}, {{"d", 1}, DAY_MS},
};

enum fault clock_parse_duration(struct span text, int64_t *out_ms)
{
	const int64_t limit_ms = DURATION_DAYS * DAY_MS;
	struct span digits = {text.at, 0};
	struct span name;
	uint64_t count;
	enum fault fault;

	while (digits.length < text.length && text.at[digits.length] >= '0' &&
	       text.at[digits.length] <= '9')
		digits.length++;
	fault = span_number(digits, (uint64_t)limit_ms, &count);
	if (fault)
		return fault;
	name =
	    (struct span){text.at + digits.length, text.length - digits.length};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!span_equal(name, units[i].name))
			continue;
		if ((int64_t)count > limit_ms / units[i].ms)
			return FAULT_VALIDATION;
		*out_ms = (int64_t)count * units[i].ms;
		return FAULT_NONE;
	}
	return FAULT_VALIDATION;
}
