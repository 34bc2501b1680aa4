/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, in one file so that tests can replace it. Moments are milliseconds
 * since 1970-01-01 UTC, signed.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/fault.h"
#include "base/text.h"

#include <stdint.h>

#define CLOCK_RFC3339_BYTES 25 /* 2026-01-15T10:30:00.123Z and the NUL */

/*
 * Now. A weak symbol: a test that must stand still links
 * tests/unit/clock_freeze.c, whose definition wins.
 */
int64_t clock_now_ms(void);

/* Microseconds since some moment; never goes back. */
int64_t clock_monotonic_us(void);

/* Sleep for at least this long, or until a signal. */
void clock_sleep_ms(int64_t ms);

/*
 * "2026-01-15T10:30:00Z": whole seconds, UTC. Moments outside the years 0000 …
 * 9999 are written as the nearest inside. Gives out back.
 */
const char *clock_format(int64_t at_ms, char out[CLOCK_RFC3339_BYTES]);

/* The same with milliseconds. */
const char *clock_format_ms(int64_t at_ms, char out[CLOCK_RFC3339_BYTES]);

/* "Thu, 15 Jan 2026 10:30:00 +0000" (RFC 5322), for mail. */
void clock_append_mail_date(struct text *text, int64_t at_ms);

/*
 * RFC 3339 with Z or an offset, optional fraction (cut to milliseconds), no
 * leap second; else FAULT_VALIDATION.
 */
enum fault clock_parse(struct span text, int64_t *out_ms);

/*
 * A duration: digits and one of ms s m h d ("15m"); bare digits are seconds.
 * FAULT_VALIDATION for anything else or over 100 years.
 */
enum fault clock_parse_duration(struct span text, int64_t *out_ms);

#endif
