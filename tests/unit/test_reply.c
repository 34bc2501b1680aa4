/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an answer: what is always there and what can never be. */
#include "http/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct reply reply;
	struct text head;
	char memory[32768];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_false(arena_init(&fixture->arena, (size_t)128 * 1024));
	assert_false(reply_init(&fixture->reply, &fixture->arena));
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

/* The head as a C string. */
static const char *head_of(struct fixture *fixture)
{
	fixture->head = text_over(fixture->memory, sizeof(fixture->memory) - 1);
	assert_int_equal(reply_head(&fixture->reply, &fixture->head),
	                 FAULT_NONE);
	fixture->memory[fixture->head.length] = '\0';
	return fixture->memory;
}

static void assert_has(const char *head, const char *line)
{
	const char *found = strstr(head, line);

	if (!found)
		fail_msg("no '%s' in:\n%s", line, head);
	assert_null(strstr(found + 1, line));
}

static void carries_the_security_headers_always(void **state)
{
	struct fixture *fixture = *state;
	const char *head = head_of(fixture);

	assert_has(head, "Content-Security-Policy: default-src 'none'; "
	                 "frame-ancestors 'none'; base-uri 'none'; "
	                 "form-action 'none'\r\n");
	assert_has(head, "Strict-Transport-Security: max-age=31536000; "
	                 "includeSubDomains\r\n");
	assert_has(head, "X-Content-Type-Options: nosniff\r\n");
	assert_has(head, "Referrer-Policy: no-referrer\r\n");
	assert_has(head, "Cross-Origin-Opener-Policy: same-origin\r\n");
	assert_has(head, "Cross-Origin-Resource-Policy: same-origin\r\n");
	assert_has(head, "Cache-Control: no-store\r\n");
}

static void starts_as_an_empty_204_without_a_length(void **state)
{
	struct fixture *fixture = *state;
	const char *head = head_of(fixture);

	assert_int_equal(strncmp(head, "Status: 204 No Content\r\n", 24), 0);
	assert_null(strstr(head, "Content-Length"));
	assert_null(strstr(head, "\nContent-Type"));
	assert_string_equal(head + strlen(head) - 4, "\r\n\r\n");
}

static void writes_json_with_its_type_and_length(void **state)
{
	struct fixture *fixture = *state;
	struct reply *reply = &fixture->reply;
	const char *head;

	assert_int_equal(reply_json(reply, REPLY_CREATED, 64), FAULT_NONE);
	json_object_begin(&reply->json, NULL);
	json_string(&reply->json, "id", SPAN("7"));
	json_object_end(&reply->json);
	head = head_of(fixture);
	assert_int_equal(strncmp(head, "Status: 201 Created\r\n", 21), 0);
	assert_has(head, "Content-Type: application/json; charset=utf-8\r\n");
	assert_has(head, "Content-Length: 10\r\n");
	assert_true(
	    span_equal(text_span(&reply->body), SPAN("{\"id\":\"7\"}")));
}

static void takes_a_body_that_exists_already(void **state)
{
	struct fixture *fixture = *state;
	const char *head;

	reply_body(&fixture->reply, REPLY_OK, "text/plain; charset=utf-8",
	           SPAN("a 1\n"));
	head = head_of(fixture);
	assert_has(head, "Status: 200 OK\r\n");
	assert_has(head, "Content-Type: text/plain; charset=utf-8\r\n");
	assert_has(head, "Content-Length: 4\r\n");
	text_append_byte(&fixture->reply.body, 'x');
	assert_true(fixture->reply.body.overflowed);
}

static void says_the_length_of_an_empty_body(void **state)
{
	struct fixture *fixture = *state;

	reply_empty(&fixture->reply, REPLY_ACCEPTED);
	assert_has(head_of(fixture), "Content-Length: 0\r\n");
}

static void keeps_headers_in_their_order(void **state)
{
	struct fixture *fixture = *state;
	const char *head;

	assert_int_equal(
	    reply_header(&fixture->reply, "X-Request-Id", SPAN("r-1")),
	    FAULT_NONE);
	assert_int_equal(reply_header(&fixture->reply, "Vary", SPAN("Origin")),
	                 FAULT_NONE);
	head = head_of(fixture);
	assert_has(head, "\r\nX-Request-Id: r-1\r\nVary: Origin\r\n");
}

static void refuses_header_values_that_would_break_the_line(void **state)
{
	struct fixture *fixture = *state;
	const struct span values[] = {
	    SPAN("a\r\nSet-Cookie: b"),
	    SPAN("a\nb"),
	    SPAN("a\rb"),
	    SPAN("a\0b"),
	    SPAN("\x1b["),
	    SPAN("\x7f"),
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_int_equal(
		    reply_header(&fixture->reply, "X-Test", values[i]),
		    FAULT_INTERNAL);
	assert_null(strstr(head_of(fixture), "X-Test"));
	assert_int_equal(
	    reply_header(&fixture->reply, "X-Test", SPAN("a\tb \xc3\xa9")),
	    FAULT_NONE);
}

static void lets_a_cache_rule_of_its_own_win(void **state)
{
	struct fixture *fixture = *state;
	const char *head;

	assert_int_equal(reply_header(&fixture->reply, "cache-control",
	                              SPAN("public, max-age=60")),
	                 FAULT_NONE);
	head = head_of(fixture);
	assert_has(head, "cache-control: public, max-age=60\r\n");
	assert_null(strstr(head, "no-store"));
}

static void is_not_fooled_by_a_header_that_only_looks_like_it(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(reply_header(&fixture->reply, "X-Note",
	                              SPAN("Cache-Control: public")),
	                 FAULT_NONE);
	assert_has(head_of(fixture), "Cache-Control: no-store\r\n");
}

static void says_when_headers_no_longer_fit(void **state)
{
	struct fixture *fixture = *state;
	static char memory[REPLY_HEAD_BYTES];
	struct text head = text_over(memory, sizeof(memory));
	static char value[1000];
	enum fault fault = FAULT_NONE;
	int count = 0;

	memset(value, 'v', sizeof(value));
	while (!fault && count < 20) {
		fault = reply_header(&fixture->reply, "X-Big",
		                     (struct span){value, sizeof(value)});
		count++;
	}
	assert_int_equal(fault, FAULT_EXHAUSTED);
	assert_int_equal(count, 8);
	/* What came before is still a whole head, and there is room for it. */
	assert_int_equal(reply_head(&fixture->reply, &head), FAULT_NONE);
	assert_true(head.length > 7000);
}

static void says_when_the_body_overflowed(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(reply_json(&fixture->reply, REPLY_OK, 4), FAULT_NONE);
	json_string(&fixture->reply.json, NULL, SPAN("too long"));
	fixture->head = text_over(fixture->memory, sizeof(fixture->memory));
	assert_int_equal(reply_head(&fixture->reply, &fixture->head),
	                 FAULT_EXHAUSTED);
	fixture->head = text_over(fixture->memory, 100);
	reply_empty(&fixture->reply, REPLY_OK);
	assert_int_equal(reply_head(&fixture->reply, &fixture->head),
	                 FAULT_EXHAUSTED);
}

static void says_when_the_arena_is_full(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
	    reply_json(&fixture->reply, REPLY_OK, (size_t)1024 * 1024),
	    FAULT_EXHAUSTED);
	fixture->arena.limit = fixture->arena.used;
	assert_int_equal(reply_init(&fixture->reply, &fixture->arena),
	                 FAULT_EXHAUSTED);
}

static void forgets_everything_when_cleared(void **state)
{
	struct fixture *fixture = *state;
	const char *head;

	assert_int_equal(reply_header(&fixture->reply, "X-Test", SPAN("1")),
	                 FAULT_NONE);
	assert_int_equal(reply_json(&fixture->reply, REPLY_OK, 4), FAULT_NONE);
	json_string(&fixture->reply.json, NULL, SPAN("too long"));
	reply_clear(&fixture->reply);
	head = head_of(fixture);
	assert_null(strstr(head, "X-Test"));
	assert_null(strstr(head, "\nContent-Type"));
	assert_has(head, "Status: 204 No Content\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(carries_the_security_headers_always),
	    TEST(starts_as_an_empty_204_without_a_length),
	    TEST(writes_json_with_its_type_and_length),
	    TEST(takes_a_body_that_exists_already),
	    TEST(says_the_length_of_an_empty_body),
	    TEST(keeps_headers_in_their_order),
	    TEST(refuses_header_values_that_would_break_the_line),
	    TEST(lets_a_cache_rule_of_its_own_win),
	    TEST(is_not_fooled_by_a_header_that_only_looks_like_it),
	    TEST(says_when_headers_no_longer_fit),
	    TEST(says_when_the_body_overflowed),
	    TEST(says_when_the_arena_is_full),
	    TEST(forgets_everything_when_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
