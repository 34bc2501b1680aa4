/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of lists (requirement RB-06): a cursor is of one reader and one list,
 * and nobody can make one up.
 */
#include "unit.h"

#include "api/page.h"
#include "base/encode.h"
#include "ring.h"

#define ARENA_BYTES  ((size_t)256 * 1024)
#define CURSOR_BYTES 32
#define NOW          INT64_C(1768473000000)

static const struct route sessions = {.method = HTTP_GET,
                                      .pattern = "/api/v1/me/sessions"};
static const struct route audit = {.method = HTTP_GET,
                                   .pattern = "/api/v1/audit"};
static const struct uuid alice = {{1}}, bob = {{2}};
static const struct uuid last = {
    {0x01, 0x9b, 0xc0, 0xde, 1, 2, 0x70, 3, 0x80, 4, 5, 6, 7, 8, 9, 10}};

static struct arena arena, ring_arena;
static struct keyring *ring;
static struct exchange exchange;
static struct request_argument arguments[4];

static int set_up(void **state)
{
	(void)state;
	if (arena_init(&arena, ARENA_BYTES) ||
	    arena_init(&ring_arena, ARENA_BYTES))
		return 1;
	ring = ring_make(&ring_arena);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	keyring_free(ring);
	arena_release(&ring_arena);
	arena_release(&arena);
	return 0;
}

/* A request of this reader for this list, without arguments. */
static void ask(const struct route *route, const struct uuid *reader)
{
	exchange = (struct exchange){
	    .route = route,
	    .ctx = {.arena = &arena, .keys = ring, .now_ms = NOW},
	    .request = {.arguments = arguments},
	};
	exchange.ctx.actor.user_id = *reader;
}

static int start_over(void **state)
{
	(void)state;
	arena_reset(&arena);
	ask(&sessions, &alice);
	return 0;
}

static void argue(const char *name, struct span value)
{
	arguments[exchange.request.argument_count++] =
	    (struct request_argument){span_of(name), value};
}

/* What page_end writes as next_cursor: JSON. */
static struct span end(const struct uuid *of, bool has_more)
{
	struct reply *reply = &exchange.reply;

	assert_int_equal(reply_init(reply, &arena), FAULT_NONE);
	assert_int_equal(reply_json(reply, REPLY_OK, 256), FAULT_NONE);
	json_object_begin(&reply->json, NULL);
	assert_int_equal(page_end(&exchange, of, has_more), FAULT_NONE);
	json_object_end(&reply->json);
	return text_span(&reply->body);
}

static struct span cursor_of(const struct uuid *of)
{
	static const char before[] = "{\"next_cursor\":\"";
	struct span json = end(of, true);

	assert_true(span_starts_with(json, SPAN(before)));
	return (struct span){json.at + sizeof(before) - 1,
	                     json.length - sizeof(before) - 1};
}

/* Read a page of this cursor. */
static enum fault turn_to(struct span cursor, struct page *page)
{
	exchange.request.argument_count = 0;
	exchange.ctx.errors = (struct field_errors){0};
	argue("cursor", cursor);
	return page_read(&exchange, page);
}

static void expect_no_cursor(struct span cursor)
{
	struct page page;

	assert_int_equal(turn_to(cursor, &page), FAULT_VALIDATION);
	assert_int_equal(exchange.ctx.errors.count, 1);
	assert_string_equal(exchange.ctx.errors.at[0].field, "cursor");
	assert_string_equal(exchange.ctx.errors.at[0].code, "invalid");
}

static void goes_on_behind_the_last_item(void **state)
{
	struct page page = {0};

	(void)state;
	assert_int_equal(turn_to(cursor_of(&last), &page), FAULT_NONE);
	assert_true(uuid_equal(&page.before, &last));
	assert_int_equal(page.limit, 50);
}

static void starts_at_the_start_without_a_cursor(void **state)
{
	struct page page = {.limit = 7, .before = last};

	(void)state;
	assert_int_equal(page_read(&exchange, &page), FAULT_NONE);
	assert_true(uuid_is_nil(&page.before));
	assert_int_equal(page.limit, 50);
}

static void says_when_there_is_no_more(void **state)
{
	(void)state;
	assert_span_equal(end(&last, false), "{\"next_cursor\":null}");
}

static void takes_limits_from_one_to_two_hundred(void **state)
{
	static const struct {
		const char *text;
		int64_t limit; /* 0: refused */
	} rows[] = {
	    {"1", 1},
	    {"2", 2},
	    {"50", 50},
	    {"200", 200},
	    {"0200", 200},
	    {"0", 0},
	    {"201", 0},
	    {"-1", 0},
	    {"", 0},
	    {" 5", 0},
	    {"5 ", 0},
	    {"+5", 0},
	    {"5.0", 0},
	    {"5e1", 0},
	    {"0x10", 0},
	    {"all", 0},
	    {"99999999999999999999", 0},
	    {"18446744073709551617", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct page page;
		enum fault fault;

		ask(&sessions, &alice);
		argue("limit", span_of(rows[i].text));
		fault = page_read(&exchange, &page);
		assert_int_equal(fault,
		                 rows[i].limit ? FAULT_NONE : FAULT_VALIDATION);
		if (!fault) {
			assert_int_equal(page.limit, rows[i].limit);
			continue;
		}
		assert_string_equal(exchange.ctx.errors.at[0].field, "limit");
		assert_string_equal(exchange.ctx.errors.at[0].code,
		                    "out_of_range");
	}
}

static void refuses_the_cursor_of_another_reader(void **state)
{
	struct span cursor = cursor_of(&last);

	(void)state;
	ask(&sessions, &bob);
	expect_no_cursor(cursor);
	ask(&sessions, &(struct uuid){0});
	expect_no_cursor(cursor);
}

static void refuses_the_cursor_of_another_list(void **state)
{
	struct span cursor = cursor_of(&last);
	struct page page;

	(void)state;
	ask(&audit, &alice);
	expect_no_cursor(cursor);
	cursor = cursor_of(&last);
	assert_int_equal(turn_to(cursor, &page), FAULT_NONE);
	ask(&sessions, &alice);
	expect_no_cursor(cursor);
}

/* The pattern ends before the reader begins: no two of them run together. */
static void keeps_pattern_and_reader_apart(void **state)
{
	const struct route shorter = {.method = HTTP_GET, .pattern = "/a"};
	const struct route longer = {.method = HTTP_GET, .pattern = "/ab"};
	const struct uuid one = {{'b', 0, 'x'}};
	const struct uuid other = {{0, 'x', 0}};
	struct span cursor;

	(void)state;
	ask(&shorter, &one);
	cursor = cursor_of(&last);
	ask(&longer, &other);
	expect_no_cursor(cursor);
}

static void refuses_a_cursor_with_a_bit_changed(void **state)
{
	unsigned char bytes[CURSOR_BYTES];
	struct span cursor = cursor_of(&last);
	size_t length;
	char memory[64];

	(void)state;
	assert_int_equal(
	    base64url_decode(cursor, bytes, sizeof(bytes), &length),
	    FAULT_NONE);
	assert_int_equal(length, CURSOR_BYTES);
	for (size_t bit = 0; bit < 8 * length; bit++) {
		struct text text = text_over(memory, sizeof(memory));

		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		base64url_append(&text, bytes, length);
		expect_no_cursor(text_span(&text));
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
}

static void refuses_what_is_no_cursor(void **state)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    "AAAA",
	    "null",
	    "019bc0de-0102-7003-8004-05060708090a",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	struct span cursor = cursor_of(&last);
	char memory[64];
	struct text text = text_over(memory, sizeof(memory));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		expect_no_cursor(span_of(bad[i]));
	for (size_t i = 0; i < cursor.length; i++)
		expect_no_cursor((struct span){cursor.at, i});
	text_append(&text, cursor);
	text_append_cstr(&text, "=");
	expect_no_cursor(text_span(&text));
}

/* Which cursors there are tells nothing of others' items. */
static void gives_one_item_one_cursor_a_reader(void **state)
{
	struct span mine = cursor_of(&last), again = cursor_of(&last);

	(void)state;
	assert_true(span_equal(mine, again));
	ask(&sessions, &bob);
	assert_false(span_equal(mine, cursor_of(&last)));
}

static void makes_and_takes_none_without_a_key(void **state)
{
	static const unsigned char master[SEAL_KEY_BYTES];
	struct span cursor = cursor_of(&last);
	struct page page;

	(void)state;
	assert_int_equal(keyring_new(master, &exchange.ctx.keys), FAULT_NONE);
	assert_int_equal(turn_to(cursor, &page), FAULT_INTERNAL);
	assert_int_equal(page_end(&exchange, &last, true), FAULT_INTERNAL);
	keyring_free(exchange.ctx.keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(goes_on_behind_the_last_item, start_over),
	    cmocka_unit_test_setup(starts_at_the_start_without_a_cursor,
	                           start_over),
	    cmocka_unit_test_setup(says_when_there_is_no_more, start_over),
	    cmocka_unit_test_setup(takes_limits_from_one_to_two_hundred,
	                           start_over),
	    cmocka_unit_test_setup(refuses_the_cursor_of_another_reader,
	                           start_over),
	    cmocka_unit_test_setup(refuses_the_cursor_of_another_list,
	                           start_over),
	    cmocka_unit_test_setup(keeps_pattern_and_reader_apart, start_over),
	    cmocka_unit_test_setup(refuses_a_cursor_with_a_bit_changed,
	                           start_over),
	    cmocka_unit_test_setup(refuses_what_is_no_cursor, start_over),
	    cmocka_unit_test_setup(gives_one_item_one_cursor_a_reader,
	                           start_over),
	    cmocka_unit_test_setup(makes_and_takes_none_without_a_key,
	                           start_over),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
