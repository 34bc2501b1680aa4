/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP answer being made: a status, header lines and a body, in arena
 * memory. Every answer carries the security headers; nobody has to think of
 * them. Header values with CR, LF or NUL are refused.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/json_write.h"
#include "base/text.h"

#include <stdint.h>

enum reply_status {
	REPLY_OK = 200,
	REPLY_CREATED = 201,
	REPLY_ACCEPTED = 202,
	REPLY_NO_CONTENT = 204,
	REPLY_SEE_OTHER = 303,
};

struct reply {
	struct arena *arena;
	int status;
	struct text headers; /* "Name: value\r\n" lines */
	struct text body;
	struct json_writer json;  /* over body */
	const char *content_type; /* NULL for none */
};

/* An empty 204; body may grow to body_limit bytes once it is begun. */
enum fault reply_init(struct reply *reply, struct arena *arena);

/* Forget headers and body, for a problem that takes their place. */
void reply_clear(struct reply *reply);

/*
 * FAULT_INTERNAL for a value with CR, LF, NUL or another control character but
 * the tab, FAULT_EXHAUSTED past 7 KiB of headers; nothing is added then.
 */
enum fault reply_header(struct reply *reply, const char *name,
                        struct span value);

/* Begin an application/json body of at most limit bytes: use reply->json. */
enum fault reply_json(struct reply *reply, enum reply_status status,
                      size_t limit_bytes);

/* A body that exists already; it must live until the reply is sent. */
void reply_body(struct reply *reply, enum reply_status status,
                const char *content_type, struct span body);

/* No body. */
void reply_empty(struct reply *reply, enum reply_status status);

/*
 * The whole head as CGI wants it: "Status: 200 OK", the reply's headers,
 * content type and length, the security headers (CSP, nosniff, HSTS, COOP,
 * CORP, Referrer-Policy, Cache-Control: no-store unless one was set), and the
 * empty line. Content-Length is the body's, also when a HEAD leaves it out; a
 * 204 has none. FAULT_EXHAUSTED when headers, body or out overflowed, which a
 * text of REPLY_HEAD_BYTES never does.
 */
#define REPLY_HEAD_BYTES 8192
enum fault reply_head(const struct reply *reply, struct text *out);

#endif
