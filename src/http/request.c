/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading CGI variables; see request.h. Everything here was written by a
 * stranger: lengths and counts are looked at before anything else is.
 */
#include "http/request.h"

#include "base/encode.h"

#include <assert.h>
#include <string.h>

#define VARIABLE_LIMIT_BYTES  ((size_t)16 * 1024)
#define VARIABLES_LIMIT_BYTES ((size_t)64 * 1024)
#define HOPS_LIMIT            32

static const char *const method_names[HTTP_METHOD_COUNT] = {
    [HTTP_METHOD_NONE] = "",  [HTTP_GET] = "GET",
    [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",       [HTTP_PATCH] = "PATCH",
    [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
    [HTTP_OTHER] = "other",
};

const char *http_method_name(enum http_method method)
{
	assert(method < HTTP_METHOD_COUNT);
	return method_names[method];
}

/* The value, if this "NAME=value" has exactly this name; else NULL. */
static const char *value_of(const char *variable, const char *name,
                            size_t name_length)
{
	if (strncmp(variable, name, name_length) != 0 ||
	    variable[name_length] != '=')
		return NULL;
	return variable + name_length + 1;
}

struct span request_variable(const struct request *request, const char *name)
{
	size_t length = strlen(name);
	const char *value = NULL;

	for (size_t i = 0; !value && request->variables[i]; i++)
		value = value_of(request->variables[i], name, length);
	return span_of(value);
}

enum fault request_header(const struct request *request, const char *name,
                          struct span *out)
{
	size_t length = strlen(name);
	const char *found = NULL;
	const char *value;

	for (size_t i = 0; request->variables[i]; i++) {
		value = value_of(request->variables[i], name, length);
		if (value && found)
			return FAULT_INVALID_REQUEST;
		if (value)
			found = value;
	}
	*out = span_of(found);
	return FAULT_NONE;
}

static enum fault check_limits(const char *const *variables)
{
	size_t total = 0;
	size_t length;

	for (size_t i = 0; variables[i]; i++) {
		length = strnlen(variables[i], VARIABLE_LIMIT_BYTES + 1);
		total += length;
		if (length > VARIABLE_LIMIT_BYTES ||
		    total > VARIABLES_LIMIT_BYTES ||
		    i >= REQUEST_VARIABLES_LIMIT)
			return FAULT_INVALID_REQUEST;
	}
	return FAULT_NONE;
}

static enum fault read_method(struct request *request)
{
	struct span name = request_variable(request, "REQUEST_METHOD");

	if (!name.length)
		return FAULT_INVALID_REQUEST;
	request->method = HTTP_OTHER;
	for (enum http_method i = HTTP_GET; i < HTTP_OTHER; i++)
		if (span_equal(name, span_of(method_names[i])))
			request->method = i;
	return FAULT_NONE;
}

/* Whether the path spells a slash or a NUL as an escape. */
static bool has_forbidden_escape(struct span encoded)
{
	for (size_t i = 0; i + 2 < encoded.length; i++) {
		const char *at = encoded.at + i;
		if (at[0] != '%')
			continue;
		if (at[1] == '0' && at[2] == '0')
			return true;
		if (at[1] == '2' && (at[2] == 'f' || at[2] == 'F'))
			return true;
	}
	return false;
}

static bool is_plain_segment(struct span segment)
{
	return segment.length && !span_equal(segment, SPAN(".")) &&
	       !span_equal(segment, SPAN("..")) && !span_has_byte(segment, ';');
}

/*
 * Whether a decoded path starts with '/' and has one reading only: no empty
 * segment but the last, no dots to walk by, no path parameters.
 */
static bool is_plain_path(struct span path)
{
	struct span segment;

	if (!path.length || path.at[0] != '/' || !utf8_is_valid(path) ||
	    utf8_has_control(path))
		return false;
	path.at++;
	path.length--;
	while (span_cut(&path, '/', &segment)) {
		bool is_last_and_empty = !path.at && !segment.length;
		if (!is_plain_segment(segment) && !is_last_and_empty)
			return false;
	}
	return true;
}

/* Take the base path away; false when the path is not below it. */
static bool cut_base(struct span *path, struct span base)
{
	if (!span_starts_with(*path, base) || path->length == base.length ||
	    path->at[base.length] != '/')
		return false;
	path->at += base.length;
	path->length -= base.length;
	return true;
}

static enum fault read_path(struct arena *arena, const struct config *config,
                            struct request *request)
{
	struct span target = request_variable(request, "REQUEST_URI");
	struct span encoded;
	enum fault fault;

	if (!target.length)
		return FAULT_INVALID_REQUEST;
	(void)span_cut(&target, '?', &encoded);
	request->query = target;
	if (has_forbidden_escape(encoded))
		return FAULT_NOT_FOUND;
	fault = percent_decode(arena, encoded, PLUS_IS_PLUS, &request->path);
	if (fault)
		return fault;
	if (!is_plain_path(request->path) ||
	    !cut_base(&request->path, span_of(config->server.base_path)))
		return FAULT_NOT_FOUND;
	return FAULT_NONE;
}

static enum fault decode_argument(struct arena *arena, struct span piece,
                                  struct request_argument *out)
{
	struct span name;
	enum fault fault;

	(void)span_cut(&piece, '=', &name);
	if (!piece.at)
		piece = SPAN("");
	fault = percent_decode(arena, name, PLUS_IS_SPACE, &out->name);
	if (!fault)
		fault =
		    percent_decode(arena, piece, PLUS_IS_SPACE, &out->value);
	if (fault)
		return fault;
	if (!utf8_is_valid(out->name) || !utf8_is_valid(out->value))
		return FAULT_INVALID_REQUEST;
	return FAULT_NONE;
}

static size_t count_arguments(struct span query)
{
	struct span piece;
	size_t count = 0;

	while (span_cut(&query, '&', &piece))
		count += piece.length > 0;
	return count;
}

static enum fault read_arguments(struct arena *arena, struct request *request)
{
	size_t count = count_arguments(request->query);
	struct span query = request->query;
	struct request_argument *arguments;
	struct span piece;
	enum fault fault;

	if (count > REQUEST_ARGUMENTS_LIMIT)
		return FAULT_INVALID_REQUEST;
	arguments = arena_array(arena, count, sizeof(*arguments));
	if (!arguments)
		return FAULT_EXHAUSTED;
	request->arguments = arguments;
	while (span_cut(&query, '&', &piece)) {
		if (!piece.length)
			continue;
		fault = decode_argument(arena, piece, arguments++);
		if (fault)
			return fault;
		request->argument_count++;
	}
	return FAULT_NONE;
}

static bool is_trusted(const struct config_blocks *blocks, const struct ip *ip)
{
	for (size_t i = 0; i < blocks->count; i++)
		if (ip_in_block(ip, &blocks->at[i]))
			return true;
	return false;
}

/* Cut the last comma-separated element off; false when nothing is left. */
static bool cut_last(struct span *list, struct span *last)
{
	size_t start = list->length;

	if (!list->at)
		return false;
	while (start && list->at[start - 1] != ',')
		start--;
	*last =
	    span_trim((struct span){list->at + start, list->length - start});
	if (start)
		list->length = start - 1;
	else
		*list = (struct span){0};
	return true;
}

/*
 * Walk X-Forwarded-For from the right, where our own proxies wrote, for as
 * long as the hop before was one of them. What does not read as an address was
 * vouched for by nobody: the hop that sent it is then the client.
 */
static enum fault read_forwarded(const struct config_blocks *proxies,
                                 struct request *request)
{
	struct span hops;
	struct span hop;
	struct ip ip;
	enum fault fault;

	fault = request_header(request, "HTTP_X_FORWARDED_FOR", &hops);
	if (fault)
		return fault;
	for (int i = 0; i < HOPS_LIMIT; i++) {
		if (!is_trusted(proxies, &request->client) ||
		    !cut_last(&hops, &hop) || ip_parse(hop, &ip))
			break;
		request->client = ip;
	}
	return FAULT_NONE;
}

static bool is_https(const struct request *request)
{
	struct span https = request_variable(request, "HTTPS");

	return span_equal_ascii_case(https, SPAN("on")) ||
	       span_equal(https, SPAN("1")) ||
	       span_equal_ascii_case(
		   request_variable(request, "REQUEST_SCHEME"), SPAN("https"));
}

static enum fault read_client(const struct config *config,
                              struct request *request)
{
	struct span scheme;
	enum fault fault;

	if (ip_parse(request_variable(request, "REMOTE_ADDR"),
	             &request->client))
		return FAULT_INVALID_REQUEST;
	request->is_secure = is_https(request);
	if (!is_trusted(&config->server.trusted_proxies, &request->client))
		return FAULT_NONE;
	fault = request_header(request, "HTTP_X_FORWARDED_PROTO", &scheme);
	if (fault)
		return fault;
	if (scheme.at)
		request->is_secure =
		    span_equal_ascii_case(scheme, SPAN("https"));
	return read_forwarded(&config->server.trusted_proxies, request);
}

enum fault request_read(struct arena *arena, const struct config *config,
                        const char *const *variables, struct request *out)
{
	enum fault fault;

	out->variables = variables;
	fault = check_limits(variables);
	if (!fault)
		fault = read_client(config, out);
	if (!fault)
		fault = read_method(out);
	if (!fault)
		fault = read_path(arena, config, out);
	if (!fault)
		fault = read_arguments(arena, out);
	return fault;
}

struct span request_argument(const struct request *request, const char *name)
{
	struct span wanted = span_of(name);

	for (size_t i = 0; i < request->argument_count; i++)
		if (span_equal(request->arguments[i].name, wanted))
			return request->arguments[i].value;
	return (struct span){0};
}

/* Whether a media type's parameter is fine for JSON: UTF-8 or no charset. */
static bool is_json_parameter(struct span parameter)
{
	struct span name;
	struct span value;

	parameter = span_trim(parameter);
	(void)span_cut(&parameter, '=', &name);
	value = parameter;
	if (!span_equal_ascii_case(name, SPAN("charset")))
		return true;
	return span_equal_ascii_case(value, SPAN("utf-8")) ||
	       span_equal_ascii_case(value, SPAN("\"utf-8\""));
}

enum fault request_wants_json_body(const struct request *request)
{
	struct span rest = request_variable(request, "CONTENT_TYPE");
	struct span piece;

	if (!span_cut(&rest, ';', &piece) ||
	    !span_equal_ascii_case(span_trim(piece), SPAN("application/json")))
		return FAULT_UNSUPPORTED_MEDIA_TYPE;
	while (span_cut(&rest, ';', &piece))
		if (!is_json_parameter(piece))
			return FAULT_UNSUPPORTED_MEDIA_TYPE;
	return FAULT_NONE;
}

enum fault request_cookie(const struct request *request, const char *name,
                          struct span *out)
{
	struct span wanted = span_of(name);
	struct span found = {0};
	struct span rest;
	struct span value;
	struct span key;
	enum fault fault;

	fault = request_header(request, "HTTP_COOKIE", &rest);
	if (fault)
		return fault;
	while (span_cut(&rest, ';', &value)) {
		value = span_trim(value);
		(void)span_cut(&value, '=', &key);
		if (!value.at || !span_equal(key, wanted))
			continue;
		if (found.at)
			return FAULT_INVALID_REQUEST;
		found = value;
	}
	*out = found;
	return FAULT_NONE;
}
