/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text encodings of bytes, strict in the reading direction: what is not
 * canonical is refused, so that one value has one spelling.
 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Lower-case hexadecimal. */
void hex_append(struct text *text, const void *bytes, size_t length);

/* Exactly out_bytes*2 hex digits of either case; else FAULT_VALIDATION. */
enum fault hex_decode(struct span digits, void *out, size_t out_bytes);

/* RFC 4648 section 5 without padding. */
void base64url_append(struct text *text, const void *bytes, size_t length);

/*
 * RFC 4648 section 5: no padding, no white space, unused trailing bits zero.
 * Writes at most limit bytes and their count; else FAULT_VALIDATION.
 */
enum fault base64url_decode(struct span encoded, void *out, size_t limit,
                            size_t *out_length);

/* RFC 4648 section 4 with padding (mail, PEM, vectors). */
void base64_append(struct text *text, const void *bytes, size_t length);

/*
 * Decode %XX once. FAULT_INVALID_REQUEST for a broken escape and for %00.
 * A '+' stays a '+' unless plus_is_space. The result lives in the arena and
 * is followed by a NUL. FAULT_EXHAUSTED when the arena is full.
 */
enum plus { PLUS_IS_PLUS, PLUS_IS_SPACE };
enum fault percent_decode(struct arena *arena, struct span encoded,
                          enum plus plus, struct span *out);

/* Percent-encode all but RFC 3986 unreserved characters. */
void percent_append(struct text *text, struct span bytes);

/* Well-formed UTF-8: no surrogates, no overlong forms, <= U+10FFFF. */
bool utf8_is_valid(struct span bytes);

/* Bytes of the well-formed sequence at the front; 0 when there is none. */
size_t utf8_sequence(struct span bytes);

/* Code points of well-formed UTF-8. */
size_t utf8_count(struct span bytes);

/* Whether the span holds a C0 control, DEL, or C1 control character. */
bool utf8_has_control(struct span bytes);

/* Text for HTML element content and quoted attributes: & < > " ' escaped. */
void html_append(struct text *text, struct span bytes);

#endif
