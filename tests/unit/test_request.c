/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a request from CGI variables: what is taken, what is refused. */
#include "http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SLOTS 256

/* One request under construction, and what came of it. */
struct fixture {
	struct arena arena;
	struct config config;
	const char *variables[SLOTS];
	size_t count;
	struct request request;
};

static void trust(struct config *config, const char *block)
{
	struct config_blocks *blocks = &config->server.trusted_proxies;

	assert_false(
	    ip_block_parse(span_of(block), &blocks->at[blocks->count++]));
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_false(arena_init(&fixture->arena, (size_t)256 * 1024));
	fixture->config.server.base_path = "";
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	arena_release(&fixture->arena);
	free(fixture);
	return 0;
}

static void put(struct fixture *fixture, const char *variable)
{
	assert_true(fixture->count < SLOTS - 1);
	fixture->variables[fixture->count++] = variable;
}

static enum fault read_request(struct fixture *fixture)
{
	arena_reset(&fixture->arena);
	memset(&fixture->request, 0, sizeof(fixture->request));
	return request_read(&fixture->arena, &fixture->config,
	                    fixture->variables, &fixture->request);
}

/* A plain GET of this target from 192.0.2.7. */
static enum fault get(struct fixture *fixture, const char *target)
{
	static char uri[40000];

	(void)snprintf(uri, sizeof(uri), "REQUEST_URI=%s", target);
	fixture->count = 0;
	memset(fixture->variables, 0, sizeof(fixture->variables));
	put(fixture, "REQUEST_METHOD=GET");
	put(fixture, "REMOTE_ADDR=192.0.2.7");
	put(fixture, uri);
	return read_request(fixture);
}

static void assert_span(struct span span, const char *wanted)
{
	assert_non_null(span.at);
	assert_int_equal(span.length, strlen(wanted));
	assert_memory_equal(span.at, wanted, span.length);
}

static void assert_ip(const struct ip *ip, const char *wanted)
{
	char text[IP_TEXT_BYTES];

	assert_string_equal(ip_format(ip, text), wanted);
}

static void reads_method_path_and_query(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(get(fixture, "/api/v1/me?a=1&b=x%20y+z"), FAULT_NONE);
	assert_int_equal(fixture->request.method, HTTP_GET);
	assert_span(fixture->request.path, "/api/v1/me");
	assert_span(fixture->request.query, "a=1&b=x%20y+z");
	assert_span(request_argument(&fixture->request, "a"), "1");
	assert_span(request_argument(&fixture->request, "b"), "x y z");
	assert_null(request_argument(&fixture->request, "c").at);
	assert_ip(&fixture->request.client, "192.0.2.7");
	assert_false(fixture->request.is_secure);
}

static void knows_every_method_by_its_exact_name(void **state)
{
	static const struct {
		const char *variable;
		enum http_method method;
	} cases[] = {
	    {"REQUEST_METHOD=GET", HTTP_GET},
	    {"REQUEST_METHOD=HEAD", HTTP_HEAD},
	    {"REQUEST_METHOD=POST", HTTP_POST},
	    {"REQUEST_METHOD=PUT", HTTP_PUT},
	    {"REQUEST_METHOD=PATCH", HTTP_PATCH},
	    {"REQUEST_METHOD=DELETE", HTTP_DELETE},
	    {"REQUEST_METHOD=OPTIONS", HTTP_OPTIONS},
	    {"REQUEST_METHOD=TRACE", HTTP_OTHER},
	    {"REQUEST_METHOD=get", HTTP_OTHER},
	    {"REQUEST_METHOD=other", HTTP_OTHER},
	    {"REQUEST_METHOD=GET ", HTTP_OTHER},
	};
	struct fixture *fixture = *state;

	put(fixture, NULL);
	fixture->count = 1;
	put(fixture, "REQUEST_URI=/");
	put(fixture, "REMOTE_ADDR=192.0.2.7");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture->variables[0] = cases[i].variable;
		assert_int_equal(read_request(fixture), FAULT_NONE);
		assert_int_equal(fixture->request.method, cases[i].method);
	}
	assert_string_equal(http_method_name(HTTP_PATCH), "PATCH");
}

static void refuses_a_request_without_method_target_or_address(void **state)
{
	static const char *const all[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/",
	                                  "REMOTE_ADDR=::1"};
	struct fixture *fixture = *state;

	for (size_t left_out = 0; left_out < 3; left_out++) {
		memset(fixture->variables, 0, sizeof(fixture->variables));
		fixture->count = 0;
		for (size_t i = 0; i < 3; i++)
			if (i != left_out)
				put(fixture, all[i]);
		assert_int_equal(read_request(fixture), FAULT_INVALID_REQUEST);
	}
}

static void decodes_the_path_exactly_once(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(get(fixture, "/a%20b/%C3%A9"), FAULT_NONE);
	assert_span(fixture->request.path, "/a b/\xc3\xa9");
	assert_int_equal(get(fixture, "/%252e%252e/x+y"), FAULT_NONE);
	assert_span(fixture->request.path, "/%2e%2e/x+y");
}

static void refuses_paths_with_two_readings(void **state)
{
	static const char *const paths[] = {
	    "/a/../b",   "/a/%2e%2e/b", "/..",        "/a/.",   "/./a",
	    "/%2E/a",    "//a",         "/a//b",      "/a//",   "//",
	    "/a%2fb",    "/a%2Fb",      "/a%00b",     "/a;b=c", "/a%3Bb",
	    "/a%0Ab",    "/a%7f",       "/a%C0%AFb",  "/a%FF",  "a/b",
	    "*",         "http://h/a",  "%2f",        "?x=1",   "/a/..?b",
	    "/a%C2%85b", "/%ED%A0%80",  "/a%2f?ok=1",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (get(fixture, paths[i]) != FAULT_NOT_FOUND)
			fail_msg("%s was not refused", paths[i]);
}

static void keeps_a_trailing_slash_for_the_routes_to_refuse(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(get(fixture, "/a/b/"), FAULT_NONE);
	assert_span(fixture->request.path, "/a/b/");
	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	assert_span(fixture->request.path, "/");
	assert_int_equal(get(fixture, "/..."), FAULT_NONE);
}

static void refuses_a_broken_escape(void **state)
{
	static const char *const targets[] = {"/a%",     "/a%2",    "/a%zz",
	                                      "/a?b=%",  "/a?b=%1", "/a?%gg=1",
	                                      "/a?b=%00"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (get(fixture, targets[i]) != FAULT_INVALID_REQUEST)
			fail_msg("%s was not refused", targets[i]);
}

static void takes_only_what_is_below_the_base_path(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.server.base_path = "/auth";
	assert_int_equal(get(fixture, "/auth/healthz"), FAULT_NONE);
	assert_span(fixture->request.path, "/healthz");
	assert_int_equal(get(fixture, "/%61uth/healthz"), FAULT_NONE);
	assert_span(fixture->request.path, "/healthz");
	assert_int_equal(get(fixture, "/auth/"), FAULT_NONE);
	assert_int_equal(get(fixture, "/auth"), FAULT_NOT_FOUND);
	assert_int_equal(get(fixture, "/authx/healthz"), FAULT_NOT_FOUND);
	assert_int_equal(get(fixture, "/healthz"), FAULT_NOT_FOUND);
	assert_int_equal(get(fixture, "/Auth/healthz"), FAULT_NOT_FOUND);
	assert_int_equal(get(fixture, "/auth//healthz"), FAULT_NOT_FOUND);
}

static void reads_odd_but_legal_arguments(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(get(fixture, "/?&&a&b=&=c&a=2&d=e=f&"), FAULT_NONE);
	assert_int_equal(fixture->request.argument_count, 5);
	assert_span(request_argument(&fixture->request, "a"), "");
	assert_span(request_argument(&fixture->request, "b"), "");
	assert_span(request_argument(&fixture->request, ""), "c");
	assert_span(request_argument(&fixture->request, "d"), "e=f");
	assert_int_equal(get(fixture, "/?"), FAULT_NONE);
	assert_int_equal(fixture->request.argument_count, 0);
}

static void refuses_arguments_that_are_not_utf8(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(get(fixture, "/?a=%FF"), FAULT_INVALID_REQUEST);
	assert_int_equal(get(fixture, "/?%C0%80=1"), FAULT_INVALID_REQUEST);
}

static void refuses_more_than_100_arguments(void **state)
{
	struct fixture *fixture = *state;
	char target[1024] = "/?";

	for (int i = 0; i < REQUEST_ARGUMENTS_LIMIT; i++)
		strcat(target, "a=1&");
	assert_int_equal(get(fixture, target), FAULT_NONE);
	assert_int_equal(fixture->request.argument_count, 100);
	strcat(target, "a=1");
	assert_int_equal(get(fixture, target), FAULT_INVALID_REQUEST);
}

static void refuses_more_than_200_variables(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	while (fixture->count < REQUEST_VARIABLES_LIMIT)
		put(fixture, "HTTP_X=1");
	assert_int_equal(read_request(fixture), FAULT_NONE);
	put(fixture, "HTTP_X=1");
	assert_int_equal(read_request(fixture), FAULT_INVALID_REQUEST);
}

static void refuses_a_variable_over_16_kib(void **state)
{
	struct fixture *fixture = *state;
	static char big[16 * 1024 + 2];

	memset(big, 'x', sizeof(big) - 1);
	memcpy(big, "HTTP_X=", 7);
	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	put(fixture, big);
	assert_int_equal(read_request(fixture), FAULT_INVALID_REQUEST);
	big[sizeof(big) - 2] = '\0';
	assert_int_equal(read_request(fixture), FAULT_NONE);
}

static void refuses_more_than_64_kib_of_variables(void **state)
{
	struct fixture *fixture = *state;
	static char big[13 * 1024];

	memset(big, 'x', sizeof(big) - 1);
	memcpy(big, "HTTP_X=", 7);
	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	for (int i = 0; i < 4; i++)
		put(fixture, big);
	assert_int_equal(read_request(fixture), FAULT_NONE);
	put(fixture, big);
	assert_int_equal(read_request(fixture), FAULT_INVALID_REQUEST);
}

static void says_when_the_arena_is_full(void **state)
{
	struct fixture *fixture = *state;
	size_t before = fixture->arena.limit;
	enum fault fault;

	for (size_t limit = 0; limit < 4096; limit += 16) {
		fixture->arena.limit = limit;
		fault = get(fixture, "/api/v1/me?a=1&b=2");
		assert_true(fault == FAULT_EXHAUSTED || fault == FAULT_NONE);
		if (limit < 32)
			assert_int_equal(fault, FAULT_EXHAUSTED);
	}
	assert_int_equal(fault, FAULT_NONE);
	fixture->arena.limit = before;
}

static void finds_a_variable_by_its_exact_name(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	put(fixture, "SSL_CLIENT_VERIFY_X=no");
	put(fixture, "HTTP_SSL_CLIENT_VERIFY=no");
	assert_null(
	    request_variable(&fixture->request, "SSL_CLIENT_VERIFY").at);
	put(fixture, "SSL_CLIENT_VERIFY=SUCCESS");
	put(fixture, "SSL_CLIENT_VERIFY=second");
	assert_span(request_variable(&fixture->request, "SSL_CLIENT_VERIFY"),
	            "SUCCESS");
	put(fixture, "EMPTY=");
	assert_span(request_variable(&fixture->request, "EMPTY"), "");
}

static void refuses_a_header_that_came_twice(void **state)
{
	struct fixture *fixture = *state;
	struct span origin = {0};

	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	assert_int_equal(
	    request_header(&fixture->request, "HTTP_ORIGIN", &origin),
	    FAULT_NONE);
	assert_null(origin.at);
	put(fixture, "HTTP_ORIGIN=https://a");
	assert_int_equal(
	    request_header(&fixture->request, "HTTP_ORIGIN", &origin),
	    FAULT_NONE);
	assert_span(origin, "https://a");
	put(fixture, "HTTP_ORIGIN=https://a");
	assert_int_equal(
	    request_header(&fixture->request, "HTTP_ORIGIN", &origin),
	    FAULT_INVALID_REQUEST);
}

static void ignores_forwarding_headers_of_strangers(void **state)
{
	struct fixture *fixture = *state;

	trust(&fixture->config, "10.0.0.0/8");
	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	put(fixture, "HTTP_X_FORWARDED_FOR=203.0.113.9");
	put(fixture, "HTTP_X_FORWARDED_FOR=203.0.113.10");
	put(fixture, "HTTP_X_FORWARDED_PROTO=https");
	assert_int_equal(read_request(fixture), FAULT_NONE);
	assert_ip(&fixture->request.client, "192.0.2.7");
	assert_false(fixture->request.is_secure);
}

/* The client when a request came from this peer with this header. */
static void assert_client(struct fixture *fixture, const char *remote,
                          const char *forwarded, const char *wanted)
{
	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	fixture->variables[1] = remote;
	put(fixture, forwarded);
	assert_int_equal(read_request(fixture), FAULT_NONE);
	assert_ip(&fixture->request.client, wanted);
}

static void takes_the_rightmost_hop_that_is_no_proxy_of_ours(void **state)
{
	struct fixture *fixture = *state;
	const char *proxy = "REMOTE_ADDR=10.0.0.1";

	trust(&fixture->config, "10.0.0.0/8");
	trust(&fixture->config, "2001:db8:ff::/48");
	assert_client(fixture, proxy, "HTTP_X_FORWARDED_FOR=203.0.113.9",
	              "203.0.113.9");
	assert_client(fixture, proxy,
	              "HTTP_X_FORWARDED_FOR=1.1.1.1, 203.0.113.9",
	              "203.0.113.9");
	assert_client(fixture, proxy,
	              "HTTP_X_FORWARDED_FOR=1.1.1.1,203.0.113.9 ,\t10.9.9.9",
	              "203.0.113.9");
	assert_client(fixture, "REMOTE_ADDR=2001:db8:ff::1",
	              "HTTP_X_FORWARDED_FOR=2001:db8::5, 10.0.0.2",
	              "2001:db8::5");
	assert_client(fixture, "REMOTE_ADDR=::ffff:10.0.0.1",
	              "HTTP_X_FORWARDED_FOR=::ffff:203.0.113.9", "203.0.113.9");
	assert_client(fixture, proxy, "HTTP_X_FORWARDED_FOR=10.0.0.3, 10.0.0.2",
	              "10.0.0.3");
}

static void stops_at_a_hop_that_is_no_address(void **state)
{
	struct fixture *fixture = *state;
	const char *proxy = "REMOTE_ADDR=10.0.0.1";

	trust(&fixture->config, "10.0.0.0/8");
	assert_client(fixture, proxy, "HTTP_X_FORWARDED_FOR=", "10.0.0.1");
	assert_client(fixture, proxy, "HTTP_X_FORWARDED_FOR=unknown",
	              "10.0.0.1");
	assert_client(fixture, proxy,
	              "HTTP_X_FORWARDED_FOR=1.1.1.1, x, 10.0.0.2", "10.0.0.2");
	assert_client(fixture, proxy, "HTTP_X_FORWARDED_FOR=1.1.1.1,",
	              "10.0.0.1");
	assert_client(fixture, proxy, "HTTP_X_FORWARDED_FOR=1.1.1.1:80",
	              "10.0.0.1");
	assert_client(fixture, proxy, "HTTP_X_OTHER=1.1.1.1", "10.0.0.1");
}

static void
refuses_forwarding_headers_that_a_proxy_let_through_twice(void **state)
{
	struct fixture *fixture = *state;

	trust(&fixture->config, "192.0.2.0/24");
	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	put(fixture, "HTTP_X_FORWARDED_FOR=203.0.113.9");
	put(fixture, "HTTP_X_FORWARDED_FOR=203.0.113.9");
	assert_int_equal(read_request(fixture), FAULT_INVALID_REQUEST);
	fixture->variables[3] = "HTTP_X_FORWARDED_PROTO=http";
	fixture->variables[4] = "HTTP_X_FORWARDED_PROTO=https";
	assert_int_equal(read_request(fixture), FAULT_INVALID_REQUEST);
}

static void knows_a_secure_request(void **state)
{
	static const struct {
		const char *variable;
		bool is_secure;
	} cases[] = {
	    {"HTTPS=on", true},
	    {"HTTPS=ON", true},
	    {"HTTPS=1", true},
	    {"REQUEST_SCHEME=https", true},
	    {"HTTPS=off", false},
	    {"HTTPS=", false},
	    {"HTTP_HTTPS=on", false},
	    {"REQUEST_SCHEME=http", false},
	    {"HTTP_X_FORWARDED_PROTO=https", false},
	};
	struct fixture *fixture = *state;

	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture->variables[3] = cases[i].variable;
		assert_int_equal(read_request(fixture), FAULT_NONE);
		assert_int_equal(fixture->request.is_secure,
		                 cases[i].is_secure);
	}
	trust(&fixture->config, "192.0.2.7");
	assert_int_equal(read_request(fixture), FAULT_NONE);
	assert_true(fixture->request.is_secure);
	fixture->variables[3] = "HTTPS=on";
	fixture->variables[4] = "HTTP_X_FORWARDED_PROTO=http";
	assert_int_equal(read_request(fixture), FAULT_NONE);
	assert_false(fixture->request.is_secure);
}

static void wants_json_and_nothing_else_as_a_body(void **state)
{
	static const struct {
		const char *variable;
		enum fault fault;
	} cases[] = {
	    {"CONTENT_TYPE=application/json", FAULT_NONE},
	    {"CONTENT_TYPE=Application/JSON", FAULT_NONE},
	    {"CONTENT_TYPE=application/json; charset=utf-8", FAULT_NONE},
	    {"CONTENT_TYPE=application/json ;CharSet=\"UTF-8\"", FAULT_NONE},
	    {"CONTENT_TYPE=application/json; v=1", FAULT_NONE},
	    {"CONTENT_TYPE=application/json; charset=latin1",
	     FAULT_UNSUPPORTED_MEDIA_TYPE},
	    {"CONTENT_TYPE=application/json; charset",
	     FAULT_UNSUPPORTED_MEDIA_TYPE},
	    {"CONTENT_TYPE=application/jsonp", FAULT_UNSUPPORTED_MEDIA_TYPE},
	    {"CONTENT_TYPE=application/problem+json",
	     FAULT_UNSUPPORTED_MEDIA_TYPE},
	    {"CONTENT_TYPE=text/plain", FAULT_UNSUPPORTED_MEDIA_TYPE},
	    {"CONTENT_TYPE=text/plain; application/json",
	     FAULT_UNSUPPORTED_MEDIA_TYPE},
	    {"CONTENT_TYPE=application/x-www-form-urlencoded",
	     FAULT_UNSUPPORTED_MEDIA_TYPE},
	    {"CONTENT_TYPE=multipart/form-data; boundary=x",
	     FAULT_UNSUPPORTED_MEDIA_TYPE},
	    {"CONTENT_TYPE=", FAULT_UNSUPPORTED_MEDIA_TYPE},
	    {"HTTP_CONTENT_TYPE=application/json",
	     FAULT_UNSUPPORTED_MEDIA_TYPE},
	};
	struct fixture *fixture = *state;

	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture->variables[3] = cases[i].variable;
		if (request_wants_json_body(&fixture->request) !=
		    cases[i].fault)
			fail_msg("%s", cases[i].variable);
	}
}

static enum fault find_cookie(struct fixture *fixture, const char *line,
                              struct span *out)
{
	assert_int_equal(get(fixture, "/"), FAULT_NONE);
	put(fixture, line);
	return request_cookie(&fixture->request, "sid", out);
}

static void finds_a_cookie_among_others(void **state)
{
	static const struct {
		const char *line;
		const char *value; /* NULL for absent */
	} cases[] = {
	    {"HTTP_COOKIE=sid=1", "1"},
	    {"HTTP_COOKIE=a=2; sid=1; b=3", "1"},
	    {"HTTP_COOKIE=a=2;sid=1;b=3", "1"},
	    {"HTTP_COOKIE= sid=1=2 ;", "1=2"},
	    {"HTTP_COOKIE=sid=", ""},
	    {"HTTP_COOKIE=sid=\"1\"", "\"1\""},
	    {"HTTP_COOKIE=", NULL},
	    {"HTTP_COOKIE=sid", NULL},
	    {"HTTP_COOKIE=SID=1", NULL},
	    {"HTTP_COOKIE=xsid=1; sidx=1", NULL},
	    {"HTTP_COOKIE=a=sid=1", NULL},
	    {"HTTP_COOKIE=;;;=", NULL},
	    {"HTTP_OTHER=sid=1", NULL},
	};
	struct fixture *fixture = *state;
	struct span value;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(find_cookie(fixture, cases[i].line, &value),
		                 FAULT_NONE);
		if (cases[i].value)
			assert_span(value, cases[i].value);
		else
			assert_null(value.at);
	}
}

static void refuses_a_cookie_that_came_twice(void **state)
{
	struct fixture *fixture = *state;
	struct span value = SPAN("untouched");

	assert_int_equal(
	    find_cookie(fixture, "HTTP_COOKIE=sid=1; sid=1", &value),
	    FAULT_INVALID_REQUEST);
	assert_int_equal(
	    find_cookie(fixture, "HTTP_COOKIE=sid=1;a=b; sid=", &value),
	    FAULT_INVALID_REQUEST);
	assert_span(value, "untouched");
	assert_int_equal(
	    find_cookie(fixture, "HTTP_COOKIE=a=1; a=2; sid=3", &value),
	    FAULT_NONE);
	put(fixture, "HTTP_COOKIE=b=1");
	assert_int_equal(request_cookie(&fixture->request, "sid", &value),
	                 FAULT_INVALID_REQUEST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(reads_method_path_and_query),
	    TEST(knows_every_method_by_its_exact_name),
	    TEST(refuses_a_request_without_method_target_or_address),
	    TEST(decodes_the_path_exactly_once),
	    TEST(refuses_paths_with_two_readings),
	    TEST(keeps_a_trailing_slash_for_the_routes_to_refuse),
	    TEST(refuses_a_broken_escape),
	    TEST(takes_only_what_is_below_the_base_path),
	    TEST(reads_odd_but_legal_arguments),
	    TEST(refuses_arguments_that_are_not_utf8),
	    TEST(refuses_more_than_100_arguments),
	    TEST(refuses_more_than_200_variables),
	    TEST(refuses_a_variable_over_16_kib),
	    TEST(refuses_more_than_64_kib_of_variables),
	    TEST(says_when_the_arena_is_full),
	    TEST(finds_a_variable_by_its_exact_name),
	    TEST(refuses_a_header_that_came_twice),
	    TEST(ignores_forwarding_headers_of_strangers),
	    TEST(takes_the_rightmost_hop_that_is_no_proxy_of_ours),
	    TEST(stops_at_a_hop_that_is_no_address),
	    TEST(refuses_forwarding_headers_that_a_proxy_let_through_twice),
	    TEST(knows_a_secure_request),
	    TEST(wants_json_and_nothing_else_as_a_body),
	    TEST(finds_a_cookie_among_others),
	    TEST(refuses_a_cookie_that_came_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
