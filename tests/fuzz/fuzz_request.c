/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CGI variables as a front server hands them over: strings ended by NUL. What
 * is read from them has one reading, and only a trusted proxy names a client.
 */
#include "fuzz.h"

#include "base/encode.h"
#include "http/request.h"
#include "http/route.h"

#include <string.h>

#define ARENA_BYTES ((size_t)1024 * 1024)
#define SLOTS       (REQUEST_VARIABLES_LIMIT + 8)

/* Cut a copy of the input, which ends in a NUL, into its strings. */
static void split(const char *bytes, size_t length, const char **variables)
{
	size_t count = 0;

	for (size_t at = 0; at < length && count < SLOTS - 1;
	     at += strlen(bytes + at) + 1)
		variables[count++] = bytes + at;
}

static bool is_walk(struct span segment)
{
	return span_equal(segment, SPAN(".")) ||
	       span_equal(segment, SPAN(".."));
}

static void check_path(struct span path)
{
	struct route_parameters parameters;
	struct span segment;
	struct span rest = path;

	fuzz_require(path.length && path.at[0] == '/');
	fuzz_require(!span_has_byte(path, '\0') && !span_has_byte(path, ';'));
	fuzz_require(utf8_is_valid(path) && !utf8_has_control(path));
	while (span_cut(&rest, '/', &segment)) {
		bool is_end = segment.at == path.at || !rest.at;
		fuzz_require(!is_walk(segment) && (segment.length || is_end));
	}
	(void)route_match("/api/v1/users/{id}", path, &parameters);
}

static void check_arguments(const struct request *request)
{
	fuzz_require(request->argument_count <= REQUEST_ARGUMENTS_LIMIT);
	for (size_t i = 0; i < request->argument_count; i++) {
		fuzz_require(utf8_is_valid(request->arguments[i].name));
		fuzz_require(utf8_is_valid(request->arguments[i].value));
	}
	(void)request_argument(request, "limit");
}

static void check_headers(const struct request *request)
{
	struct span value = {0};
	struct span sender;

	if (!request_cookie(request, "__Host-claviger_access", &value))
		fuzz_require(!span_has_byte(value, ';'));
	if (!request_header(request, "HTTP_AUTHORIZATION", &value) && value.at)
		fuzz_require(strlen(value.at) == value.length);
	(void)request_wants_json_body(request);
	sender = request_variable(request, "REMOTE_ADDR");
	fuzz_require(sender.at != NULL);
}

static void try_with(struct arena *arena, const struct config *config,
                     const char *const *variables)
{
	struct request request = {0};
	struct ip sender;

	arena_reset(arena);
	if (request_read(arena, config, variables, &request))
		return;
	check_path(request.path);
	check_arguments(&request);
	check_headers(&request);
	if (config->server.trusted_proxies.count)
		return;
	fuzz_require(
	    !ip_parse(request_variable(&request, "REMOTE_ADDR"), &sender));
	fuzz_require(ip_equal(&sender, &request.client));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct config config;
	static struct arena arena;
	const char *variables[SLOTS] = {0};
	char *copy = malloc(length + 1);

	if (!copy || (!arena.memory && arena_init(&arena, ARENA_BYTES)))
		abort();
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	split(copy, length, variables);
	config = (struct config){.server.base_path = ""};
	try_with(&arena, &config, variables);
	config.server.base_path = "/id";
	config.server.trusted_proxies.count = 1;
	fuzz_require(!ip_block_parse(SPAN("10.0.0.0/8"),
	                             &config.server.trusted_proxies.at[0]));
	try_with(&arena, &config, variables);
	free(copy);
	return 0;
}
