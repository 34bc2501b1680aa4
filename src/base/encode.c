/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hex, base64, percent escapes, UTF-8 and HTML text; see encode.h. Reading is
 * strict everywhere: two spellings of one value would be two names of one
 * thing.
 */
#include "base/encode.h"

#include <stdint.h>
#include <string.h>

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char base64_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_plain[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hex_append(struct text *text, const void *bytes, size_t length)
{
	const unsigned char *byte = bytes;
	char *to = text_take(text, 2 * length);

	for (size_t i = 0; to && i < length; i++) {
		*to++ = hex_lower[byte[i] >> 4];
		*to++ = hex_lower[byte[i] & 15];
	}
}

/* The value of a hex digit, or -1. */
static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* The byte of two hex digits, or -1. */
static int hex_pair(const char *digits)
{
	int high = hex_value(digits[0]);
	int low = hex_value(digits[1]);

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

enum fault hex_decode(struct span digits, void *out, size_t out_bytes)
{
	unsigned char *bytes = out;

	if (digits.length % 2 || digits.length / 2 != out_bytes)
		return FAULT_VALIDATION;
	for (size_t i = 0; i < out_bytes; i++)
		if (hex_pair(digits.at + 2 * i) < 0)
			return FAULT_VALIDATION;
	for (size_t i = 0; i < out_bytes; i++)
		bytes[i] = (unsigned char)hex_pair(digits.at + 2 * i);
	return FAULT_NONE;
}

/* Append 1 … 3 bytes as 2 … 4 characters of this alphabet. */
static void append_group(struct text *text, const char *alphabet,
                         const unsigned char *from, size_t length)
{
	uint32_t bits = 0;
	char characters[4];

	for (size_t i = 0; i < 3; i++)
		bits = bits << 8 | (i < length ? from[i] : 0U);
	for (size_t i = 0; i < 4; i++)
		characters[i] = alphabet[bits >> (18 - 6 * i) & 63];
	text_append(text, (struct span){characters, length + 1});
}

static void append_base64(struct text *text, const char *alphabet,
                          const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 3)
		append_group(text, alphabet, bytes + i,
		             length - i < 3 ? length - i : 3);
}

void base64url_append(struct text *text, const void *bytes, size_t length)
{
	append_base64(text, base64_url, bytes, length);
}

void base64_append(struct text *text, const void *bytes, size_t length)
{
	append_base64(text, base64_plain, bytes, length);
	for (size_t i = length % 3; i && i < 3; i++)
		text_append_byte(text, '=');
}

/* The six bits of a base64url character and one; 0: a foreign character. */
/* clang-format off */
static const unsigned char base64url_values[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,
	['G'] = 7,  ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12,
	['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18,
	['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,
	['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
	['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54,
	['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60,
	['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};
/* clang-format on */

/* 4 characters into 3 bytes; false for a foreign character. */
static bool decode_group(const char *from, unsigned char *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		unsigned value = base64url_values[(unsigned char)from[i]];
		if (!value)
			return false;
		bits = bits << 6 | (value - 1);
	}
	out[0] = (unsigned char)(bits >> 16);
	out[1] = (unsigned char)(bits >> 8);
	out[2] = (unsigned char)bits;
	return true;
}

/*
 * The last 2 or 3 characters into 1 or 2 bytes; false for a foreign character
 * and for bits at the end that are not zero.
 */
static bool decode_rest(struct span from, unsigned char *out)
{
	char characters[4] = {'A', 'A', 'A', 'A'};
	unsigned char bytes[3];

	memcpy(characters, from.at, from.length);
	if (!decode_group(characters, bytes) || bytes[from.length - 1] != 0)
		return false;
	memcpy(out, bytes, from.length - 1);
	return true;
}

enum fault base64url_decode(struct span encoded, void *out, size_t limit,
                            size_t *out_length)
{
	size_t rest = encoded.length % 4;
	size_t length = encoded.length / 4 * 3 + (rest ? rest - 1 : 0);
	unsigned char *to = out;

	if (rest == 1 || length > limit)
		return FAULT_VALIDATION;
	for (; encoded.length >= 4; to += 3) {
		if (!decode_group(encoded.at, to))
			return FAULT_VALIDATION;
		encoded.at += 4;
		encoded.length -= 4;
	}
	if (rest && !decode_rest(encoded, to))
		return FAULT_VALIDATION;
	*out_length = length;
	return FAULT_NONE;
}

/* Decode one character at *at and move over it; -1 for a broken escape. */
static int percent_next(const char **at, const char *end, enum plus plus)
{
	char byte = *(*at)++;
	int value;

	if (byte == '+' && plus == PLUS_IS_SPACE)
		return ' ';
	if (byte != '%')
		return (unsigned char)byte;
	if (end - *at < 2)
		return -1;
	value = hex_pair(*at);
	*at += 2;
	return value == 0 ? -1 : value;
}

enum fault percent_decode(struct arena *arena, struct span encoded,
                          enum plus plus, struct span *out)
{
	struct text text = arena_text(arena, encoded.length + 1);
	const char *at = encoded.at;
	const char *end = at ? at + encoded.length : at;
	int byte;

	if (!text.at)
		return FAULT_EXHAUSTED;
	while (at < end) {
		byte = percent_next(&at, end, plus);
		if (byte < 0)
			return FAULT_INVALID_REQUEST;
		text_append_byte(&text, (char)byte);
	}
	*out = text_span(&text);
	return FAULT_NONE;
}

static bool is_unreserved(char byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
	       byte == '_' || byte == '~';
}

void percent_append(struct text *text, struct span bytes)
{
	for (size_t i = 0; i < bytes.length; i++) {
		unsigned char byte = (unsigned char)bytes.at[i];
		char escape[3] = {'%', hex_upper[byte >> 4],
		                  hex_upper[byte & 15]};
		if (is_unreserved(bytes.at[i]))
			text_append_byte(text, bytes.at[i]);
		else
			text_append(text, (struct span){escape, 3});
	}
}

/*
 * One row for each kind of first byte of a sequence (Unicode 15, table 3-7).
 * The bounds of the second byte keep out overlong forms, surrogates and what
 * lies above U+10FFFF; further bytes are 80 … BF.
 */
static const struct utf8_form {
	unsigned char first_from;
	unsigned char first_to;
	unsigned char second_from;
	unsigned char second_to;
	unsigned char length;
} utf8_forms[] = {
    {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct utf8_form *utf8_form_of(unsigned char first)
{
	for (size_t i = 0; i < sizeof(utf8_forms) / sizeof(utf8_forms[0]); i++)
		if (first >= utf8_forms[i].first_from &&
		    first <= utf8_forms[i].first_to)
			return &utf8_forms[i];
	return NULL;
}

size_t utf8_sequence(struct span bytes)
{
	const unsigned char *byte = (const unsigned char *)bytes.at;
	const struct utf8_form *form;

	if (!bytes.length)
		return 0;
	form = utf8_form_of(byte[0]);
	if (!form || form->length > bytes.length)
		return 0;
	if (form->length > 1 &&
	    (byte[1] < form->second_from || byte[1] > form->second_to))
		return 0;
	for (size_t i = 2; i < form->length; i++)
		if (byte[i] < 0x80 || byte[i] > 0xbf)
			return 0;
	return form->length;
}

/* How many bytes at the front are ASCII, eight at a time while it lasts. */
static size_t ascii_length(struct span bytes)
{
	size_t length = 0;
	uint64_t eight;

	for (; bytes.length - length >= sizeof(eight); length += 8) {
		memcpy(&eight, bytes.at + length, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (length < bytes.length && !(bytes.at[length] & 0x80))
		length++;
	return length;
}

bool utf8_is_valid(struct span bytes)
{
	while (bytes.length) {
		size_t length = ascii_length(bytes);
		if (!length)
			length = utf8_sequence(bytes);
		if (!length)
			return false;
		bytes.at += length;
		bytes.length -= length;
	}
	return true;
}

size_t utf8_count(struct span bytes)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes.length; i++)
		if (((unsigned char)bytes.at[i] & 0xc0) != 0x80)
			count++;
	return count;
}

bool utf8_has_control(struct span bytes)
{
	unsigned char before = 0;

	for (size_t i = 0; i < bytes.length; i++) {
		unsigned char byte = (unsigned char)bytes.at[i];
		if (byte < 0x20 || byte == 0x7f)
			return true;
		/* C1 is C2 80 … C2 9F; C2 is never a continuation byte. */
		if (before == 0xc2 && byte >= 0x80 && byte <= 0x9f)
			return true;
		before = byte;
	}
	return false;
}

static const char *html_entity(char byte)
{
	switch (byte) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_append(struct text *text, struct span bytes)
{
	for (size_t i = 0; i < bytes.length; i++) {
		const char *entity = html_entity(bytes.at[i]);
		if (entity)
			text_append_cstr(text, entity);
		else
			text_append_byte(text, bytes.at[i]);
	}
}
