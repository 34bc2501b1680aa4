/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the cursors of lists. */
#include "api/page.h"

#include "base/encode.h"

#include <string.h>

#define LIMIT_DEFAULT 50
#define LIMIT_MOST    200
#define MAC_BYTES     16 /* of the 32: enough for what only pages */

/* A cursor in bytes: the id, then the MAC. */
struct cursor {
	struct uuid id;
	unsigned char mac[MAC_BYTES];
};

static enum fault sign(struct exchange *exchange, const struct uuid *id,
                       unsigned char out[MAC_BYTES])
{
	const struct key *key = keyring_current(exchange->ctx.keys, KEY_CURSOR);
	const struct uuid *reader = &exchange->ctx.actor.user_id;
	unsigned char mac[DIGEST_SHA256_BYTES];
	const struct span parts[] = {
	    span_of(exchange->route->pattern),
	    {"", 1}, /* a NUL ends the pattern */
	    {(const char *)reader->bytes, sizeof(reader->bytes)},
	    {(const char *)id->bytes, sizeof(id->bytes)},
	};
	if (!key)
		return FAULT_INTERNAL;
	enum fault fault = mac_sign(key->mac, parts, 4, mac);
	if (!fault)
		memcpy(out, mac, MAC_BYTES);
	return fault;
}

static enum fault read_cursor(struct exchange *exchange, struct span text,
                              struct uuid *out)
{
	struct cursor cursor;
	unsigned char mac[MAC_BYTES];
	size_t length;
	if (base64url_decode(text, &cursor, sizeof(cursor), &length) ||
	    length != sizeof(cursor))
		return FAULT_VALIDATION;
	enum fault fault = sign(exchange, &cursor.id, mac);
	if (fault)
		return fault;
	if (!digest_equal(mac, cursor.mac, sizeof(mac)))
		return FAULT_VALIDATION;
	*out = cursor.id;
	return FAULT_NONE;
}

enum fault page_read(struct exchange *exchange, struct page *out)
{
	struct field_errors *errors = &exchange->ctx.errors;
	struct span limit = request_argument(&exchange->request, "limit");
	struct span cursor = request_argument(&exchange->request, "cursor");
	uint64_t number = LIMIT_DEFAULT;
	*out = (struct page){0};
	if (limit.at &&
	    (span_number(limit, LIMIT_MOST, &number) || number == 0))
		return field_errors_add(errors, "limit", "out_of_range",
		                        "Use a number from 1 to 200.");
	out->limit = (int64_t)number;
	if (!cursor.at)
		return FAULT_NONE;
	enum fault fault = read_cursor(exchange, cursor, &out->before);
	if (fault != FAULT_VALIDATION)
		return fault;
	return field_errors_add(errors, "cursor", "invalid",
	                        "Use next_cursor of the page before.");
}

enum fault page_end(struct exchange *exchange, const struct uuid *last,
                    bool has_more)
{
	struct json_writer *json = &exchange->reply.json;
	if (!has_more) {
		json_null(json, "next_cursor");
		return FAULT_NONE;
	}
	struct cursor cursor = {.id = *last};
	struct text text = arena_text(exchange->ctx.arena, 64);
	enum fault fault = sign(exchange, last, cursor.mac);
	if (fault)
		return fault;
	base64url_append(&text, &cursor, sizeof(cursor));
	json_string(json, "next_cursor", text_span(&text));
	return text_check(&text);
}
