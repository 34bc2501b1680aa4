/* SPDX-License-Identifier: Apache-2.0 */
/* Making the answer; see reply.h. */
#include "http/reply.h"

#include <stddef.h>
#include <string.h>

/* With room in REPLY_HEAD_BYTES for what every answer carries. */
#define HEADERS_LIMIT_BYTES (REPLY_HEAD_BYTES - 1024)

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {303, "See Other"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

/*
 * What every answer carries. An answer of the API is never a page, so its
 * policy allows nothing at all.
 */
static const char security_headers[] =
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

enum fault reply_init(struct reply *reply, struct arena *arena)
{
	struct text headers = arena_text(arena, HEADERS_LIMIT_BYTES);

	if (!headers.at)
		return FAULT_EXHAUSTED;
	*reply = (struct reply){
	    .arena = arena,
	    .status = REPLY_NO_CONTENT,
	    .headers = headers,
	};
	return FAULT_NONE;
}

void reply_clear(struct reply *reply)
{
	reply->headers.length = 0;
	reply->headers.overflowed = false;
	reply_empty(reply, REPLY_NO_CONTENT);
}

/* RFC 9110, 5.5: visible characters, spaces, tabs, and bytes over 0x7f. */
static bool is_header_value(struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char byte = (unsigned char)value.at[i];
		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return false;
	}
	return true;
}

enum fault reply_header(struct reply *reply, const char *name,
                        struct span value)
{
	size_t length = strlen(name) + value.length + strlen(": \r\n");

	if (!is_header_value(value))
		return FAULT_INTERNAL;
	if (length > reply->headers.limit - reply->headers.length)
		return FAULT_EXHAUSTED;
	text_append_cstr(&reply->headers, name);
	text_append_cstr(&reply->headers, ": ");
	text_append(&reply->headers, value);
	text_append_cstr(&reply->headers, "\r\n");
	return text_check(&reply->headers);
}

enum fault reply_json(struct reply *reply, enum reply_status status,
                      size_t limit_bytes)
{
	struct text body = arena_text(reply->arena, limit_bytes);

	if (!body.at)
		return FAULT_EXHAUSTED;
	reply->status = (int)status;
	reply->content_type = "application/json; charset=utf-8";
	reply->body = body;
	reply->json = json_writer_over(&reply->body);
	return FAULT_NONE;
}

void reply_body(struct reply *reply, enum reply_status status,
                const char *content_type, struct span body)
{
	reply->status = (int)status;
	reply->content_type = content_type;
	reply->body =
	    (struct text){.length = body.length, .limit = body.length};
	/* Nothing is written through it: a full text takes no append. */
	memcpy(&reply->body.at, &body.at, sizeof(body.at));
}

void reply_empty(struct reply *reply, enum reply_status status)
{
	reply->status = (int)status;
	reply->content_type = NULL;
	reply->body = (struct text){0};
}

/* Whether a header of this name ("Name: ") was set. */
static bool has_header(const struct reply *reply, struct span name)
{
	struct span rest = text_span(&reply->headers);
	struct span line;

	while (span_cut(&rest, '\n', &line))
		if (line.length >= name.length &&
		    span_equal_ascii_case((struct span){line.at, name.length},
		                          name))
			return true;
	return false;
}

enum fault reply_head(const struct reply *reply, struct text *out)
{
	if (text_check(&reply->headers) || text_check(&reply->body))
		return FAULT_EXHAUSTED;
	text_append_cstr(out, "Status: ");
	text_append_number(out, reply->status);
	text_append_byte(out, ' ');
	text_append_cstr(out, phrase_of(reply->status));
	text_append_cstr(out, "\r\n");
	text_append(out, text_span(&reply->headers));
	if (reply->content_type) {
		text_append_cstr(out, "Content-Type: ");
		text_append_cstr(out, reply->content_type);
		text_append_cstr(out, "\r\n");
	}
	/* RFC 9110, 8.6: never in a 204. */
	if (reply->status != REPLY_NO_CONTENT) {
		text_append_cstr(out, "Content-Length: ");
		text_append_number(out, (int64_t)reply->body.length);
		text_append_cstr(out, "\r\n");
	}
	text_append(out, SPAN(security_headers));
	if (!has_header(reply, SPAN("Cache-Control:")))
		text_append_cstr(out, "Cache-Control: no-store\r\n");
	text_append_cstr(out, "\r\n");
	return text_check(out);
}
