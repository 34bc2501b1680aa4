/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request as the front server hands it over: a list of CGI variables
 * (RFC 3875) and a body. Protocol only; nothing here decides anything. Knows
 * nothing of libfcgi: the server layer fills it in.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/arena.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/ip.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum http_method {
	HTTP_METHOD_NONE = 0,
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER,
	HTTP_METHOD_COUNT
};

#define REQUEST_VARIABLES_LIMIT 200
#define REQUEST_ARGUMENTS_LIMIT 100

struct request_argument {
	struct span name;
	struct span value;
};

struct request {
	const char *const *variables; /* "NAME=value", NULL ended */
	enum http_method method;
	struct span path;  /* decoded, base path removed, starts with '/' */
	struct span query; /* still encoded */
	struct span body;
	struct ip client; /* REMOTE_ADDR, or behind trusted proxies */
	bool is_secure;
	size_t argument_count; /* of the query, decoded */
	const struct request_argument *arguments;
};

const char *http_method_name(enum http_method method);

/*
 * Read the variables into a zeroed request: method, path from REQUEST_URI
 * (decoded once; FAULT_NOT_FOUND for a path with %00, %2f, "..", ".", "//",
 * ';', a control character, bytes that are no UTF-8, or a base path that is
 * not ours; FAULT_INVALID_REQUEST for a broken escape), query arguments, client
 * address. X-Forwarded-For and X-Forwarded-Proto count only behind a trusted
 * proxy: then the rightmost hop that is not one is the client. More than the
 * limits above, a variable over 16 KiB, or over 64 KiB of them in all:
 * FAULT_INVALID_REQUEST. The body is set by the caller. variables must stay
 * valid. What was read before a fault stays in out.
 */
enum fault request_read(struct arena *arena, const struct config *config,
                        const char *const *variables, struct request *out);

/* A CGI variable by its exact name, first occurrence; absent when missing. */
struct span request_variable(const struct request *request, const char *name);

/*
 * A header by its CGI name ("HTTP_ORIGIN"). Clients can spell one header twice
 * or with underscores: more than one occurrence is FAULT_INVALID_REQUEST.
 * Absent when missing.
 */
enum fault request_header(const struct request *request, const char *name,
                          struct span *out);

/* A query argument by name; absent when missing, the first of several. */
struct span request_argument(const struct request *request, const char *name);

/* FAULT_UNSUPPORTED_MEDIA_TYPE unless Content-Type is application/json. */
enum fault request_wants_json_body(const struct request *request);

/*
 * A cookie by name (RFC 6265); absent when missing. The same name twice is
 * FAULT_INVALID_REQUEST.
 */
enum fault request_cookie(const struct request *request, const char *name,
                          struct span *out);

#endif
