/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON; see json_write.h. Whatever is asked for, the text is JSON. */
#include "base/json_write.h"

#include "base/clock.h"
#include "base/encode.h"

#include <assert.h>
#include <stddef.h>

#define REPLACEMENT_CHARACTER "\xef\xbf\xbd" /* U+FFFD */

static const struct escape {
	struct span sequence;
	const char *spelling;
} escapes[] = {
    {{"\"", 1}, "\\\""},
    {{"\\", 1}, "\\\\"},
    {{"\b", 1}, "\\b"},
    {{"\f", 1}, "\\f"},
    {{"\n", 1}, "\\n"},
    {{"\r", 1}, "\\r"},
    {{"\t", 1}, "\\t"},
    /* Harmless in HTML, in JavaScript and on a terminal, too. */
    {{"<", 1}, "\\u003c"},
    {{"\x7f", 1}, "\\u007f"},
    {{"\xe2\x80\xa8", 3}, "\\u2028"},
    {{"\xe2\x80\xa9", 3}, "\\u2029"},
};

static void append_escaped(struct text *text, struct span sequence)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		if (!span_equal(sequence, escapes[i].sequence))
			continue;
		text_append_cstr(text, escapes[i].spelling);
		return;
	}
	if (sequence.length == 1 && (unsigned char)sequence.at[0] < 0x20) {
		text_append_cstr(text, "\\u00");
		hex_append(text, sequence.at, 1);
		return;
	}
	text_append(text, sequence);
}

/* Printable ASCII that means itself in a string. */
static bool is_plain(char byte)
{
	return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\' &&
	       byte != '<';
}

static size_t plain_length(struct span bytes)
{
	size_t length = 0;

	while (length < bytes.length && is_plain(bytes.at[length]))
		length++;
	return length;
}

static void append_quoted(struct text *text, struct span bytes)
{
	text_append_byte(text, '"');
	while (bytes.length) {
		size_t length = plain_length(bytes);
		text_append(text, (struct span){bytes.at, length});
		bytes.at += length;
		bytes.length -= length;
		if (!bytes.length)
			break;
		length = utf8_sequence(bytes);
		if (length)
			append_escaped(text, (struct span){bytes.at, length});
		else
			text_append_cstr(text, REPLACEMENT_CHARACTER);
		bytes.at += length ? length : 1;
		bytes.length -= length ? length : 1;
	}
	text_append_byte(text, '"');
}

struct json_writer json_writer_over(struct text *text)
{
	return (struct json_writer){.text = text};
}

static void begin_value(struct json_writer *writer, const char *name)
{
	if (writer->needs_comma)
		text_append_byte(writer->text, ',');
	if (!name)
		return;
	append_quoted(writer->text, span_of(name));
	text_append_byte(writer->text, ':');
}

/* Note how much of the text is whole, for who must cut it; see log.c. */
static void note_whole(struct json_writer *writer)
{
	if (writer->depth <= 1 && !writer->text->overflowed)
		writer->whole_length = writer->text->length;
}

static void end_value(struct json_writer *writer)
{
	writer->needs_comma = true;
	note_whole(writer);
}

static void begin_nest(struct json_writer *writer, const char *name,
                       char bracket)
{
	begin_value(writer, name);
	text_append_byte(writer->text, bracket);
	writer->needs_comma = false;
	writer->depth++;
	note_whole(writer);
}

static void end_nest(struct json_writer *writer, char bracket)
{
	assert(writer->depth > 0);
	writer->depth--;
	text_append_byte(writer->text, bracket);
	end_value(writer);
}

void json_object_begin(struct json_writer *writer, const char *name)
{
	begin_nest(writer, name, '{');
}

void json_object_end(struct json_writer *writer)
{
	end_nest(writer, '}');
}

void json_array_begin(struct json_writer *writer, const char *name)
{
	begin_nest(writer, name, '[');
}

void json_array_end(struct json_writer *writer)
{
	end_nest(writer, ']');
}

void json_string(struct json_writer *writer, const char *name,
                 struct span value)
{
	if (!value.at) {
		json_null(writer, name);
		return;
	}
	begin_value(writer, name);
	append_quoted(writer->text, value);
	end_value(writer);
}

void json_integer(struct json_writer *writer, const char *name, int64_t value)
{
	begin_value(writer, name);
	text_append_number(writer->text, value);
	end_value(writer);
}

void json_bool(struct json_writer *writer, const char *name, bool value)
{
	begin_value(writer, name);
	text_append_cstr(writer->text, value ? "true" : "false");
	end_value(writer);
}

void json_null(struct json_writer *writer, const char *name)
{
	begin_value(writer, name);
	text_append_cstr(writer->text, "null");
	end_value(writer);
}

void json_uuid(struct json_writer *writer, const char *name,
               const struct uuid *uuid)
{
	char text[UUID_TEXT_BYTES];

	json_string(writer, name, span_of(uuid_format(uuid, text)));
}

void json_time(struct json_writer *writer, const char *name, int64_t at_ms)
{
	char text[CLOCK_RFC3339_BYTES];

	if (at_ms == 0)
		json_null(writer, name);
	else
		json_string(writer, name, span_of(clock_format(at_ms, text)));
}

void json_raw(struct json_writer *writer, const char *name, struct span json)
{
	if (!json.length) {
		json_null(writer, name);
		return;
	}
	begin_value(writer, name);
	text_append(writer->text, json);
	end_value(writer);
}
