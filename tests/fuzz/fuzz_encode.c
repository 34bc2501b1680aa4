/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encodings. What is read strictly has one spelling: encoding what was decoded
 * gives the input back.
 */
#include "fuzz.h"

#include "base/encode.h"
#include "base/uuid.h"

#include <string.h>

#define INPUT_LIMIT ((size_t)16 * 1024)

static unsigned char decoded[INPUT_LIMIT];
static char encoded[6 * INPUT_LIMIT];

static void try_base64url(struct span input)
{
	struct text text = text_over(encoded, sizeof(encoded));
	size_t count;

	if (base64url_decode(input, decoded, sizeof(decoded), &count))
		return;
	base64url_append(&text, decoded, count);
	fuzz_require(span_equal(text_span(&text), input));
	fuzz_require(count == 0 ||
	             base64url_decode(input, decoded, count - 1, &count));
}

static void try_hex(struct span input)
{
	struct text text = text_over(encoded, sizeof(encoded));

	if (hex_decode(input, decoded, input.length / 2))
		return;
	hex_append(&text, decoded, input.length / 2);
	fuzz_require(span_equal_ascii_case(text_span(&text), input));
}

static void try_uuid(struct span input)
{
	char canonical[UUID_TEXT_BYTES];
	struct uuid uuid;

	if (uuid_parse(input, &uuid))
		return;
	uuid_format(&uuid, canonical);
	fuzz_require(span_equal_ascii_case(span_of(canonical), input));
}

static void try_percent(struct arena *arena, struct span input, enum plus plus)
{
	struct text text = text_over(encoded, sizeof(encoded));
	struct span plain;
	struct span again;

	if (percent_decode(arena, input, plus, &plain))
		return;
	fuzz_require(plain.at[plain.length] == '\0');
	percent_append(&text, plain);
	fuzz_require(
	    !percent_decode(arena, text_span(&text), PLUS_IS_PLUS, &again));
	fuzz_require(span_equal(plain, again));
}

static void try_utf8(struct span input)
{
	size_t count = 0;
	size_t length;

	if (!utf8_is_valid(input))
		return;
	for (struct span rest = input; rest.length; count++) {
		length = utf8_sequence(rest);
		fuzz_require(length >= 1 && length <= 4);
		rest.at += length;
		rest.length -= length;
	}
	fuzz_require(count == utf8_count(input));
	(void)utf8_has_control(input);
}

static void try_html(struct span input)
{
	struct text text = text_over(encoded, sizeof(encoded));

	html_append(&text, input);
	fuzz_require(!text_check(&text));
	fuzz_require(!span_has_byte(text_span(&text), '<'));
	fuzz_require(!span_has_byte(text_span(&text), '"'));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct span input = {(const char *)bytes, length};
	struct arena arena;

	if (length > INPUT_LIMIT)
		return 0;
	fuzz_require(!arena_init(&arena, 16 * INPUT_LIMIT));
	try_base64url(input);
	try_hex(input);
	try_uuid(input);
	if (!span_has_byte(input, '\0')) {
		try_percent(&arena, input, PLUS_IS_PLUS);
		try_percent(&arena, input, PLUS_IS_SPACE);
	}
	try_utf8(input);
	try_html(input);
	arena_release(&arena);
	return 0;
}
