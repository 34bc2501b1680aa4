/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the cursors of lists. */
#include "api/page.h"

#include "base/encode.h"

#include <assert.h>
#include <string.h>

#define LIMIT_DEFAULT 50
#define LIMIT_MOST    200
#define MAC_BYTES     16 /* of the 32: enough for what only pages */
#define CURSOR_BYTES  80 /* of base64url */

static enum fault sign(struct exchange *exchange, struct span item,
                       unsigned char out[MAC_BYTES])
{
	const struct key *key = keyring_current(exchange->ctx.keys, KEY_CURSOR);
	const struct uuid *reader = &exchange->ctx.actor.user_id;
	unsigned char mac[DIGEST_SHA256_BYTES];
	const struct span parts[] = {
	    span_of(exchange->route->pattern),
	    {"", 1}, /* a NUL ends the pattern */
	    {(const char *)reader->bytes, sizeof(reader->bytes)},
	    item,
	};
	if (!key)
		return FAULT_INTERNAL;
	enum fault fault = mac_sign(key->mac, parts, 4, mac);
	if (!fault)
		memcpy(out, mac, MAC_BYTES);
	return fault;
}

/* A cursor in bytes: the item's key, then the MAC. */
static enum fault read_cursor(struct exchange *exchange, struct span text,
                              struct page_behind *page)
{
	unsigned char cursor[PAGE_KEY_BYTES + MAC_BYTES];
	unsigned char mac[MAC_BYTES];
	size_t length;
	assert(page->key_bytes <= PAGE_KEY_BYTES);
	if (base64url_decode(text, cursor, sizeof(cursor), &length) ||
	    length != page->key_bytes + MAC_BYTES)
		return FAULT_VALIDATION;
	const struct span item = {(const char *)cursor, page->key_bytes};
	enum fault fault = sign(exchange, item, mac);
	if (fault)
		return fault;
	if (!digest_equal(mac, cursor + page->key_bytes, sizeof(mac)))
		return FAULT_VALIDATION;
	memcpy(page->key, cursor, page->key_bytes);
	page->has_key = true;
	return FAULT_NONE;
}

enum fault page_read_behind(struct exchange *exchange, struct page_behind *page)
{
	struct field_errors *errors = &exchange->ctx.errors;
	struct span limit = request_argument(&exchange->request, "limit");
	struct span cursor = request_argument(&exchange->request, "cursor");
	uint64_t number = LIMIT_DEFAULT;
	page->has_key = false;
	if (limit.at &&
	    (span_number(limit, LIMIT_MOST, &number) || number == 0))
		return field_errors_add(errors, "limit", "out_of_range",
		                        "Use a number from 1 to 200.");
	page->limit = (int64_t)number;
	if (!cursor.at)
		return FAULT_NONE;
	enum fault fault = read_cursor(exchange, cursor, page);
	if (fault != FAULT_VALIDATION)
		return fault;
	return field_errors_add(errors, "cursor", "invalid",
	                        "Use next_cursor of the page before.");
}

enum fault page_read(struct exchange *exchange, struct page *out)
{
	*out = (struct page){0};
	struct page_behind page = {
	    .key = &out->before,
	    .key_bytes = sizeof(out->before),
	};
	enum fault fault = page_read_behind(exchange, &page);
	if (!fault)
		out->limit = page.limit;
	return fault;
}

enum fault page_end_behind(struct exchange *exchange, const void *key,
                           size_t key_bytes, bool has_more)
{
	struct json_writer *json = &exchange->reply.json;
	unsigned char cursor[PAGE_KEY_BYTES + MAC_BYTES];
	assert(key_bytes <= PAGE_KEY_BYTES);
	if (!has_more) {
		json_null(json, "next_cursor");
		return FAULT_NONE;
	}
	memcpy(cursor, key, key_bytes);
	struct text text = arena_text(exchange->ctx.arena, CURSOR_BYTES);
	const struct span item = {(const char *)cursor, key_bytes};
	enum fault fault = sign(exchange, item, cursor + key_bytes);
	if (fault)
		return fault;
	base64url_append(&text, cursor, key_bytes + MAC_BYTES);
	json_string(json, "next_cursor", text_span(&text));
	return text_check(&text);
}

enum fault page_end(struct exchange *exchange, const struct uuid *last,
                    bool has_more)
{
	return page_end_behind(exchange, last, sizeof(*last), has_more);
}
