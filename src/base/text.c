/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at spans and filling in texts; see text.h. No allocation here. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct span span_of(const char *string)
{
	return (struct span){string, string ? strlen(string) : 0};
}

bool span_equal(struct span a, struct span b)
{
	return a.length == b.length &&
	       (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

bool span_equal_ascii_case(struct span a, struct span b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

bool span_starts_with(struct span whole, struct span prefix)
{
	if (whole.length < prefix.length)
		return false;
	return span_equal((struct span){whole.at, prefix.length}, prefix);
}

bool span_has_byte(struct span whole, char byte)
{
	return whole.length && memchr(whole.at, byte, whole.length);
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

struct span span_trim(struct span whole)
{
	while (whole.length && is_space(whole.at[0])) {
		whole.at++;
		whole.length--;
	}
	while (whole.length && is_space(whole.at[whole.length - 1]))
		whole.length--;
	return whole;
}

bool span_cut(struct span *rest, char separator, struct span *head)
{
	const char *found = NULL;

	if (!rest->at)
		return false;
	if (rest->length)
		found = memchr(rest->at, separator, rest->length);
	*head = *rest;
	if (!found) {
		*rest = (struct span){0};
		return true;
	}
	head->length = (size_t)(found - rest->at);
	rest->at = found + 1;
	rest->length -= head->length + 1;
	return true;
}

enum fault span_number(struct span digits, uint64_t limit, uint64_t *out)
{
	uint64_t value = 0;

	if (!digits.length)
		return FAULT_VALIDATION;
	for (size_t i = 0; i < digits.length; i++) {
		char byte = digits.at[i];
		if (byte < '0' || byte > '9')
			return FAULT_VALIDATION;
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(byte - '0'),
		                           &value) ||
		    value > limit)
			return FAULT_VALIDATION;
	}
	*out = value;
	return FAULT_NONE;
}

struct text text_over(char *memory, size_t limit_bytes)
{
	return (struct text){.at = memory, .limit = limit_bytes};
}

/* Whether so many bytes still fit; notes it when they do not. */
static bool has_room(struct text *text, size_t bytes)
{
	if (bytes > text->limit - text->length)
		text->overflowed = true;
	return !text->overflowed;
}

char *text_take(struct text *text, size_t bytes)
{
	if (!has_room(text, bytes) || !bytes)
		return NULL;
	text->length += bytes;
	return text->at + text->length - bytes;
}

void text_append(struct text *text, struct span bytes)
{
	char *to = text_take(text, bytes.length);

	if (to)
		memcpy(to, bytes.at, bytes.length);
}

void text_append_cstr(struct text *text, const char *string)
{
	text_append(text, span_of(string));
}

void text_append_byte(struct text *text, char byte)
{
	if (!has_room(text, 1))
		return;
	text->at[text->length++] = byte;
}

void text_append_number(struct text *text, int64_t number)
{
	char digits[20];
	size_t first = sizeof(digits);
	uint64_t rest = (uint64_t)number;

	if (number < 0)
		rest = -rest;
	do {
		digits[--first] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		digits[--first] = '-';
	text_append(text,
	            (struct span){digits + first, sizeof(digits) - first});
}

void text_appendf(struct text *text, const char *format, ...)
{
	size_t room = text->limit - text->length;
	va_list arguments;
	int needed;

	if (text->overflowed)
		return;
	va_start(arguments, format);
	needed = vsnprintf(room ? text->at + text->length : NULL, room, format,
	                   arguments);
	va_end(arguments);
	if (needed < 0 || (size_t)needed >= room)
		text->overflowed = true;
	else
		text->length += (size_t)needed;
}

enum fault text_check(const struct text *text)
{
	return text->overflowed ? FAULT_EXHAUSTED : FAULT_NONE;
}

struct span text_span(const struct text *text)
{
	return (struct span){text->at, text->length};
}
