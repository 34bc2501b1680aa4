/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes with a length (span) and bytes being written (text). Neither counts on
 * a NUL: input may hold one anywhere.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that somebody else owns. at is NULL for "absent". */
struct span {
	const char *at;
	size_t length;
};

/* The span of a string literal. */
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})

/* The span of a C string; NULL gives the absent span. */
struct span span_of(const char *string);

/* Equal bytes and lengths. Not for secrets: digest_equal is. */
bool span_equal(struct span a, struct span b);

/* As span_equal, with ASCII letters of either case taken as one. */
bool span_equal_ascii_case(struct span a, struct span b);

bool span_starts_with(struct span whole, struct span prefix);

/* Whether the span holds this byte, NUL included. */
bool span_has_byte(struct span whole, char byte);

/* Without leading and trailing space, tab, CR and LF. */
struct span span_trim(struct span whole);

/*
 * Cut rest at its first separator: head gets what stands before it, rest what
 * stands behind it. Without a separator head gets all and rest becomes absent.
 * False when rest is absent already, so that it can drive a loop.
 */
bool span_cut(struct span *rest, char separator, struct span *head);

/*
 * Decimal digits only, no sign, no space, nothing behind. FAULT_VALIDATION for
 * anything else and for a value over limit; out is then untouched.
 */
enum fault span_number(struct span digits, uint64_t limit, uint64_t *out);

/*
 * Bytes being written into memory of fixed size. An append that does not fit
 * sets overflowed, which stays: it and all after it write nothing, so that
 * what is there has no hole. Look at it once, at the end, with text_check.
 */
struct text {
	char *at;
	size_t length;
	size_t limit;
	bool overflowed;
};

struct text text_over(char *memory, size_t limit_bytes);
void text_append(struct text *text, struct span bytes);
void text_append_cstr(struct text *text, const char *string);
void text_append_byte(struct text *text, char byte);
void text_append_number(struct text *text, int64_t number);
/* Room for so many bytes, all to be written now; NULL for none or no room. */
char *text_take(struct text *text, size_t bytes);
/* Needs one byte more than it writes, for the NUL that printf puts behind. */
void text_appendf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* FAULT_EXHAUSTED when any append did not fit. */
enum fault text_check(const struct text *text);

/* What has been written so far. */
struct span text_span(const struct text *text);

#endif
