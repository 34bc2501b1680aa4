/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON for outside, written straight into a text. Commas are the writer's own
 * business. Strings are escaped as RFC 8259 asks, and also U+007F, U+2028,
 * U+2029 and '<', so that a reply is harmless wherever it is pasted; invalid
 * UTF-8 becomes U+FFFD.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include "base/text.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
	struct text *text;
	bool needs_comma;
	unsigned depth; /* open objects and arrays */
	size_t
	    whole_length; /* of text, up to the outermost's last whole value */
};

struct json_writer json_writer_over(struct text *text);

/* name is NULL inside an array and for the outermost value. */
void json_object_begin(struct json_writer *writer, const char *name);
void json_object_end(struct json_writer *writer);
void json_array_begin(struct json_writer *writer, const char *name);
void json_array_end(struct json_writer *writer);
/* An absent span is written as null. */
void json_string(struct json_writer *writer, const char *name,
                 struct span value);
void json_integer(struct json_writer *writer, const char *name, int64_t value);
void json_bool(struct json_writer *writer, const char *name, bool value);
void json_null(struct json_writer *writer, const char *name);
void json_uuid(struct json_writer *writer, const char *name,
               const struct uuid *uuid);
/* RFC 3339, whole seconds; null for 0. */
void json_time(struct json_writer *writer, const char *name, int64_t at_ms);
/* Bytes that are JSON already; none are written as null. */
void json_raw(struct json_writer *writer, const char *name, struct span json);

#endif
