/* SPDX-License-Identifier: Apache-2.0 */
/* Faults as HTTP answers. */
#include "http/problem.h"

#include "base/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct reply reply;
	struct problem_context context;
	char head[8192];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_false(arena_init(&fixture->arena, (size_t)256 * 1024));
	assert_false(reply_init(&fixture->reply, &fixture->arena));
	fixture->context.request_id = SPAN("r-1");
	fixture->context.type_base = SPAN("https://h/problems/");
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

static const char *head_of(struct fixture *fixture)
{
	struct text head = text_over(fixture->head, sizeof(fixture->head) - 1);

	assert_int_equal(reply_head(&fixture->reply, &head), FAULT_NONE);
	fixture->head[head.length] = '\0';
	return fixture->head;
}

/* The body, read back. */
static const struct json_node *body_of(struct fixture *fixture)
{
	const struct json_node *root = NULL;

	assert_int_equal(json_parse(&fixture->arena,
	                            text_span(&fixture->reply.body),
	                            &json_limits_request, &root),
	                 FAULT_NONE);
	return root;
}

static void assert_member(const struct json_node *root, const char *name,
                          const char *wanted)
{
	const struct json_node *member = json_member(root, name);

	assert_non_null(member);
	assert_int_equal(member->type, JSON_STRING);
	assert_true(span_equal(member->text, span_of(wanted)));
}

static void maps_every_fault_to_the_contract(void **state)
{
	static const struct {
		enum fault fault;
		int status;
		const char *code;
	} cases[] = {
	    {FAULT_INVALID_JSON, 400, "invalid_json"},
	    {FAULT_INVALID_REQUEST, 400, "invalid_request"},
	    {FAULT_VALIDATION, 422, "validation_failed"},
	    {FAULT_PAYLOAD_TOO_LARGE, 413, "payload_too_large"},
	    {FAULT_UNSUPPORTED_MEDIA_TYPE, 415, "unsupported_media_type"},
	    {FAULT_NOT_FOUND, 404, "not_found"},
	    {FAULT_METHOD_NOT_ALLOWED, 405, "method_not_allowed"},
	    {FAULT_CONFLICT, 409, "conflict"},
	    {FAULT_REQUEST_TIMEOUT, 408, "request_timeout"},
	    {FAULT_UNAUTHENTICATED, 401, "unauthenticated"},
	    {FAULT_INVALID_CREDENTIALS, 401, "invalid_credentials"},
	    {FAULT_TOKEN_INVALID, 401, "token_invalid"},
	    {FAULT_TOKEN_EXPIRED, 401, "token_expired"},
	    {FAULT_TOKEN_REVOKED, 401, "token_revoked"},
	    {FAULT_REAUTHENTICATION_REQUIRED, 401, "reauthentication_required"},
	    {FAULT_FORBIDDEN, 403, "forbidden"},
	    {FAULT_EMAIL_NOT_VERIFIED, 403, "email_not_verified"},
	    {FAULT_CSRF_FAILED, 403, "csrf_failed"},
	    {FAULT_CAPTCHA_REQUIRED, 403, "captcha_required"},
	    {FAULT_IP_BLOCKED, 403, "ip_blocked"},
	    {FAULT_ACCOUNT_LOCKED, 429, "account_locked"},
	    {FAULT_RATE_LIMITED, 429, "rate_limited"},
	    {FAULT_INTERNAL, 500, "internal_error"},
	    {FAULT_UNAVAILABLE, 503, "service_unavailable"},
	    {FAULT_BUSY, 503, "service_unavailable"},
	    {FAULT_EXHAUSTED, 413, "payload_too_large"},
	    {FAULT_NONE, 500, "internal_error"},
	    {FAULT_COUNT, 500, "internal_error"},
	};

	(void)state;
	assert_int_equal(sizeof(cases) / sizeof(cases[0]), FAULT_COUNT + 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(problem_status(cases[i].fault),
		                 cases[i].status);
		assert_string_equal(problem_code(cases[i].fault),
		                    cases[i].code);
	}
}

static void answers_every_fault_in_one_form(void **state)
{
	struct fixture *fixture = *state;
	const struct json_node *root;
	const struct json_node *status;
	char type[128];

	for (enum fault i = FAULT_NONE; i < FAULT_COUNT; i++) {
		arena_reset(&fixture->arena);
		assert_false(reply_init(&fixture->reply, &fixture->arena));
		problem_reply(&fixture->reply, i, &fixture->context);
		assert_int_equal(fixture->reply.status, problem_status(i));
		root = body_of(fixture);
		(void)snprintf(type, sizeof(type), "https://h/problems/%s",
		               problem_code(i));
		assert_member(root, "type", type);
		assert_member(root, "code", problem_code(i));
		assert_member(root, "request_id", "r-1");
		assert_non_null(json_member(root, "title"));
		assert_non_null(json_member(root, "detail"));
		assert_null(json_member(root, "errors"));
		status = json_member(root, "status");
		assert_non_null(status);
		assert_int_equal(status->integer, problem_status(i));
		assert_non_null(strstr(head_of(fixture),
		                       "\r\nContent-Type: application/"
		                       "problem+json; charset=utf-8\r\n"));
	}
}

static void challenges_on_401_and_only_there(void **state)
{
	struct fixture *fixture = *state;

	for (enum fault i = FAULT_NONE; i < FAULT_COUNT; i++) {
		problem_reply(&fixture->reply, i, &fixture->context);
		assert_int_equal(strstr(head_of(fixture),
		                        "WWW-Authenticate: "
		                        "Bearer realm="
		                        "\"claviger\"") != NULL,
		                 problem_status(i) == 401);
	}
}

static void names_the_error_only_to_who_sent_a_token(void **state)
{
	struct fixture *fixture = *state;

	problem_reply(&fixture->reply, FAULT_UNAUTHENTICATED,
	              &fixture->context);
	assert_non_null(strstr(head_of(fixture), "realm=\"claviger\"\r\n"));
	problem_reply(&fixture->reply, FAULT_INVALID_CREDENTIALS,
	              &fixture->context);
	assert_non_null(strstr(head_of(fixture), "realm=\"claviger\"\r\n"));
	problem_reply(&fixture->reply, FAULT_TOKEN_EXPIRED, &fixture->context);
	assert_non_null(strstr(head_of(fixture),
	                       "realm=\"claviger\", "
	                       "error=\"invalid_token\"\r\n"));
}

static void says_which_methods_there_are_on_405(void **state)
{
	struct fixture *fixture = *state;

	fixture->context.allow = SPAN("GET, POST");
	problem_reply(&fixture->reply, FAULT_METHOD_NOT_ALLOWED,
	              &fixture->context);
	assert_non_null(strstr(head_of(fixture), "\r\nAllow: GET, POST\r\n"));
	problem_reply(&fixture->reply, FAULT_NOT_FOUND, &fixture->context);
	assert_null(strstr(head_of(fixture), "Allow:"));
}

static void says_when_to_come_again_on_429_and_503(void **state)
{
	struct fixture *fixture = *state;

	fixture->context.retry_after_s = 42;
	problem_reply(&fixture->reply, FAULT_RATE_LIMITED, &fixture->context);
	assert_non_null(strstr(head_of(fixture), "\r\nRetry-After: 42\r\n"));
	problem_reply(&fixture->reply, FAULT_FORBIDDEN, &fixture->context);
	assert_null(strstr(head_of(fixture), "Retry-After"));
	fixture->context.retry_after_s = 0;
	problem_reply(&fixture->reply, FAULT_BUSY, &fixture->context);
	assert_non_null(strstr(head_of(fixture), "\r\nRetry-After: 1\r\n"));
}

static void lists_every_wrong_field(void **state)
{
	struct fixture *fixture = *state;
	struct field_errors errors = {0};
	const struct json_node *list;

	for (int i = 0; i < FIELD_ERRORS_LIMIT; i++)
		assert_int_equal(field_errors_add(&errors, "password",
		                                  "too_short",
		                                  "Use 12 characters."),
		                 FAULT_VALIDATION);
	fixture->context.errors = &errors;
	problem_reply(&fixture->reply, FAULT_VALIDATION, &fixture->context);
	list = json_member(body_of(fixture), "errors");
	assert_non_null(list);
	assert_int_equal(list->count, FIELD_ERRORS_LIMIT);
	assert_member(list->child, "field", "password");
	assert_member(list->child, "code", "too_short");
	assert_member(list->child, "detail", "Use 12 characters.");
}

static void takes_the_place_of_what_was_begun(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
	    reply_header(&fixture->reply, "Set-Cookie", SPAN("a=b")),
	    FAULT_NONE);
	assert_int_equal(reply_json(&fixture->reply, REPLY_OK, 8), FAULT_NONE);
	json_string(&fixture->reply.json, NULL, SPAN("far too long"));
	problem_reply(&fixture->reply, FAULT_INTERNAL, &fixture->context);
	assert_null(strstr(head_of(fixture), "Set-Cookie"));
	assert_member(body_of(fixture), "code", "internal_error");
}

static void gives_the_status_without_a_body_when_the_arena_is_full(void **state)
{
	struct fixture *fixture = *state;

	fixture->arena.limit = fixture->arena.used;
	problem_reply(&fixture->reply, FAULT_EXHAUSTED, &fixture->context);
	assert_int_equal(fixture->reply.status, 413);
	assert_int_equal(fixture->reply.body.length, 0);
	assert_non_null(
	    strstr(head_of(fixture), "Status: 413 Content Too Large\r\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(maps_every_fault_to_the_contract),
	    TEST(answers_every_fault_in_one_form),
	    TEST(challenges_on_401_and_only_there),
	    TEST(names_the_error_only_to_who_sent_a_token),
	    TEST(says_which_methods_there_are_on_405),
	    TEST(says_when_to_come_again_on_429_and_503),
	    TEST(lists_every_wrong_field),
	    TEST(takes_the_place_of_what_was_begun),
	    TEST(gives_the_status_without_a_body_when_the_arena_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
