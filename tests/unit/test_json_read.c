/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from outside: what is refused, what is read, what is bound. */
#include "unit.h"

#include "base/json_read.h"
#include "base/uuid.h"

#include <stdlib.h>
#include <time.h>

#define ARENA_BYTES ((size_t)1024 * 1024)
#define BODY_BYTES  ((size_t)64 * 1024)

static struct arena arena;
static char body[BODY_BYTES];

static int set_up(void **state)
{
	(void)state;
	return arena_init(&arena, ARENA_BYTES) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static enum fault parse(struct span source, const struct json_node **root)
{
	arena_reset(&arena);
	return json_parse(&arena, source, &json_limits_request, root);
}

static const struct json_node *parse_good(const char *source)
{
	const struct json_node *root = NULL;

	if (parse(span_of(source), &root))
		fail_msg("refused: %s", source);
	return root;
}

static void reads_a_tree(void **state)
{
	const struct json_node *root = parse_good(
	    " {\"a\": [1, -2.5e3, true, null], \"b\": {\"c\": \"d\"}} ");
	const struct json_node *at = json_member(root, "a");

	(void)state;
	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->count, 2);
	assert_int_equal(at->type, JSON_ARRAY);
	assert_int_equal(at->count, 4);
	at = at->child;
	assert_int_equal(at->type, JSON_INTEGER);
	assert_int_equal(at->integer, 1);
	assert_null(at->name.at);
	at = at->next;
	assert_int_equal(at->type, JSON_NUMBER);
	assert_span_equal(at->text, "-2.5e3");
	at = at->next;
	assert_int_equal(at->type, JSON_BOOL);
	assert_true(at->boolean);
	assert_int_equal(at->next->type, JSON_NULL);
	assert_null(at->next->next);
	at = json_member(json_member(root, "b"), "c");
	assert_span_equal(at->name, "c");
	assert_span_equal(at->text, "d");
	assert_int_equal(at->text.at[1], 0);
}

static void finds_no_member_where_there_is_none(void **state)
{
	const struct json_node *root = parse_good("{\"a\":[]}");

	(void)state;
	assert_null(json_member(root, "b"));
	assert_null(json_member(root, ""));
	assert_null(json_member(json_member(root, "a"), "a"));
	assert_null(json_member(NULL, "a"));
}

static void tells_integers_from_other_numbers(void **state)
{
	static const struct {
		const char *source;
		enum json_type type;
		int64_t integer;
	} cases[] = {
	    {"0", JSON_INTEGER, 0},
	    {"-0", JSON_INTEGER, 0},
	    {"9223372036854775807", JSON_INTEGER, INT64_MAX},
	    {"-9223372036854775808", JSON_INTEGER, INT64_MIN},
	    {"9223372036854775808", JSON_NUMBER, 0},
	    {"-9223372036854775809", JSON_NUMBER, 0},
	    {"1.0", JSON_NUMBER, 0},
	    {"1e2", JSON_NUMBER, 0},
	    {"1E+99999", JSON_NUMBER, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct json_node *root = parse_good(cases[i].source);
		assert_int_equal(root->type, cases[i].type);
		assert_true(root->integer == cases[i].integer);
		assert_span_equal(root->text, cases[i].source);
	}
}

static void decodes_escapes(void **state)
{
	const struct json_node *root = parse_good(
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20ac\\ud834\\udd1e\"");

	(void)state;
	assert_span_equal(root->text, "\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac"
	                              "\xf0\x9d\x84\x9e");
}

static void keeps_a_nul_inside_a_string(void **state)
{
	const struct json_node *root =
	    parse_good("{\"admin\\u0000x\": 1, \"admin\": \"a\\u0000b\"}");
	const struct json_node *at = json_member(root, "admin");

	(void)state;
	assert_int_equal(root->count, 2);
	assert_int_equal(at->type, JSON_STRING);
	assert_int_equal(at->text.length, 3);
	assert_memory_equal(at->text.at, "a\0b", 4);
}

static void refuses_what_is_not_json(void **state)
{
	static const char *const wrong[] = {
	    "",           " ",
	    "nul",        "tru",
	    "NaN",        "Infinity",
	    "undefined",  "'a'",
	    "{a:1}",      "[1,]",
	    "[,1]",       "[1 2]",
	    "{\"a\":1,}", "{\"a\"}",
	    "{\"a\":}",   "{1:2}",
	    "{",          "[",
	    "]",          "\"a",
	    "\"\\\"",     "01",
	    "1.",         ".5",
	    "+1",         "-",
	    "1e",         "0x1",
	    "1,",         "1 2",
	    "{} {}",      "[]]",
	    "/*x*/1",     "1//x",
	    "[1]\f",      "\v1",
	    "[\f]",       "\"\\x\"",
	    "\"\\u12\"",  "\"\\u12G4\"",
	    "\"a\nb\"",   "\"a\tb\"",
	    "\"\\",       "\"\\u",
	    "\\",         "\xef\xbb\xbf{}",
	};
	const struct json_node *root = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		if (parse(span_of(wrong[i]), &root) != FAULT_INVALID_JSON)
			fail_msg("not refused: %s", wrong[i]);
	assert_int_equal(parse(SPAN("1\0"), &root), FAULT_INVALID_JSON);
	assert_int_equal(parse(SPAN("\"a\0b\""), &root), FAULT_INVALID_JSON);
	assert_int_equal(parse((struct span){0}, &root), FAULT_INVALID_JSON);
	assert_null(root);
}

static void refuses_half_a_surrogate_pair(void **state)
{
	static const char *const wrong[] = {
	    "\"\\ud800\"",        "\"\\ud800x\"",         "\"\\udc00\"",
	    "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",   "\"\\udc00\\ud800\"",
	    "\"\\ud83d\\n\"",     "\"\\uDBFF\\uE000\"",   "\"a\\uDFFFb\"",
	    "{\"\\ud800\":1}",    "\"\\ud800\\\\udc00\"",
	};
	const struct json_node *root;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(parse(span_of(wrong[i]), &root),
		                 FAULT_INVALID_JSON);
	root = parse_good("\"\\\\ud800\"");
	assert_span_equal(root->text, "\\ud800");
}

static void refuses_malformed_utf8(void **state)
{
	static const char *const wrong[] = {
	    "\"\xff\"",     "\"\xc0\x80\"",         "\"\xed\xa0\x80\"",
	    "\"\xe2\x82\"", "\"\xf4\x90\x80\x80\"", "{\"\xc3\":1}",
	};
	const struct json_node *root;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(parse(span_of(wrong[i]), &root),
		                 FAULT_INVALID_JSON);
}

static void refuses_a_name_that_comes_twice(void **state)
{
	static const char *const wrong[] = {
	    "{\"a\":1,\"a\":1}",
	    "{\"a\":1,\"b\":2,\"\\u0061\":3}",
	    "[{\"x\":{\"\":1,\"\":2}}]",
	};
	const struct json_node *root;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(parse(span_of(wrong[i]), &root),
		                 FAULT_INVALID_JSON);
	assert_non_null(parse_good("{\"a\":{\"a\":1},\"A\":2}"));
}

/* Append the same bytes so many times to body. */
static struct span repeated(const char *head, const char *part, size_t times,
                            const char *tail)
{
	struct text text = text_over(body, sizeof(body));

	text_append_cstr(&text, head);
	for (size_t i = 0; i < times; i++)
		text_append_cstr(&text, part);
	text_append_cstr(&text, tail);
	assert_false(text_check(&text));
	return text_span(&text);
}

static void allows_a_depth_of_sixteen(void **state)
{
	const struct json_node *root;

	(void)state;
	assert_int_equal(
	    parse(SPAN("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"), &root),
	    FAULT_NONE);
	assert_int_equal(
	    parse(SPAN("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), &root),
	    FAULT_INVALID_JSON);
	assert_int_equal(parse(repeated("", "[", 60000, ""), &root),
	                 FAULT_INVALID_JSON);
	assert_int_equal(parse(repeated("", "{\"a\":", 10000, ""), &root),
	                 FAULT_INVALID_JSON);
}

static void allows_256_members(void **state)
{
	const struct json_node *root;

	(void)state;
	assert_int_equal(parse(repeated("[1", ",1", 255, "]"), &root),
	                 FAULT_NONE);
	assert_int_equal(root->count, 256);
	assert_int_equal(parse(repeated("[1", ",1", 256, "]"), &root),
	                 FAULT_INVALID_JSON);
}

/* [[1,…],[1,…],…,1,…]: rows of so many columns and more ones. */
static struct span grid(size_t rows, size_t columns, size_t more)
{
	struct text text = text_over(body, sizeof(body));

	text_append_byte(&text, '[');
	for (size_t row = 0; row < rows; row++) {
		text_append_cstr(&text, row ? ",[1" : "[1");
		for (size_t i = 1; i < columns; i++)
			text_append_cstr(&text, ",1");
		text_append_byte(&text, ']');
	}
	for (size_t i = 0; i < more; i++)
		text_append_cstr(&text, ",1");
	text_append_byte(&text, ']');
	assert_false(text_check(&text));
	return text_span(&text);
}

static void allows_4096_nodes(void **state)
{
	const struct json_node *root;

	(void)state;
	/* 1 + 16 * (1 + 254) + 15 = 4096 */
	assert_int_equal(parse(grid(16, 254, 15), &root), FAULT_NONE);
	assert_int_equal(parse(grid(16, 254, 16), &root), FAULT_INVALID_JSON);
}

static void refuses_a_string_over_its_limit(void **state)
{
	const struct json_limits limits = {2, 2, 4, 3};
	const struct json_node *root;

	(void)state;
	assert_int_equal(
	    json_parse(&arena, SPAN("{\"abc\":\"abc\"}"), &limits, &root),
	    FAULT_NONE);
	assert_int_equal(
	    json_parse(&arena, SPAN("{\"abcd\":1}"), &limits, &root),
	    FAULT_INVALID_JSON);
	assert_int_equal(json_parse(&arena, SPAN("\"abcd\""), &limits, &root),
	                 FAULT_INVALID_JSON);
	assert_int_equal(json_parse(&arena, SPAN("1234"), &limits, &root),
	                 FAULT_INVALID_JSON);
}

/* The legal inputs of 64 KiB that cost a parser most. */
static const struct pathological {
	const char *head;
	const char *part;
	const char *tail;
} pathological[] = {
    {"\"", "\\u0000", "\""},
    {"\"", "\\n", "\""},
    {"\"", "\\ud83d\\ude00", "\""},
    {"\"", "\xf0\x9d\x84\x9e", "\""},
    {"", "9", ""},
    {"1e", "9", ""},
    {"0.", "0", "1"},
    {"", " ", "1"},
    {"{\"", "a", "\":1}"},
    {"{\"", "\\u0061", "\":[]}"},
};

static struct span fill(const struct pathological *of)
{
	size_t frame = strlen(of->head) + strlen(of->tail);
	size_t times = (sizeof(body) - frame) / strlen(of->part);

	return repeated(of->head, of->part, times, of->tail);
}

static void reads_pathological_input_quickly(void **state)
{
	const struct json_node *root;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pathological); i++) {
		struct span source = fill(&pathological[i]);
		clock_t before = clock();
		assert_int_equal(parse(source, &root), FAULT_NONE);
		assert_true(clock() - before < CLOCKS_PER_SEC / 20);
	}
}

/* Objects of 255 long names that differ at their end alone. */
static struct span many_names(void)
{
	struct text text = text_over(body, sizeof(body) - 1);

	text_append_byte(&text, '[');
	for (int object = 0; object < 14; object++) {
		text_append_cstr(&text, object ? ",{" : "{");
		for (int name = 0; name < 255; name++)
			text_appendf(&text, "%s\"aaaaaaaa%04d\":1",
			             name ? "," : "", name);
		text_append_byte(&text, '}');
	}
	text_append_byte(&text, ']');
	assert_false(text_check(&text));
	return text_span(&text);
}

static void compares_many_names_quickly(void **state)
{
	const struct json_node *root;
	struct span source = many_names();
	clock_t before = clock();

	(void)state;
	assert_int_equal(parse(source, &root), FAULT_NONE);
	assert_true(clock() - before < CLOCKS_PER_SEC / 20);
}

static void says_when_the_arena_is_full_at_any_size(void **state)
{
	struct span sources[COUNT_OF(pathological) + 1];
	const struct json_node *root;
	enum fault fault = FAULT_EXHAUSTED;
	struct arena small;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		struct span source =
		    i ? fill(&pathological[i - 1]) : many_names();
		for (size_t limit = 4096; limit < ARENA_BYTES; limit += 4096) {
			assert_false(arena_init(&small, limit));
			fault = json_parse(&small, source, &json_limits_request,
			                   &root);
			arena_release(&small);
			if (!fault)
				break;
			assert_int_equal(fault, FAULT_EXHAUSTED);
		}
		assert_int_equal(fault, FAULT_NONE);
	}
}

struct input {
	struct span name;
	struct span secret;
	bool flag;
	int64_t number;
	struct uuid id;
	const struct json_node *tree;
};

static const struct json_field fields[] = {
    {"name", JSON_FIELD_STRING, JSON_REQUIRED, 2, 5,
     offsetof(struct input, name)},
    {"secret", JSON_FIELD_SECRET, JSON_OPTIONAL, 0, 5,
     offsetof(struct input, secret)},
    {"flag", JSON_FIELD_BOOL, JSON_OPTIONAL, 0, 0,
     offsetof(struct input, flag)},
    {"number", JSON_FIELD_INTEGER, JSON_OPTIONAL, -3, 3,
     offsetof(struct input, number)},
    {"id", JSON_FIELD_UUID, JSON_OPTIONAL, 0, 0, offsetof(struct input, id)},
    {"tree", JSON_FIELD_TREE, JSON_OPTIONAL, 0, 0,
     offsetof(struct input, tree)},
    {0},
};

static void binds_every_kind_of_field(void **state)
{
	struct input input = {0};
	struct field_errors errors = {0};
	const struct json_node *root = parse_good(
	    "{\"name\":\"Ada\",\"secret\":\"a\\u0000\\n\",\"flag\":true,"
	    "\"number\":-3,\"id\":\"01234567-89ab-7def-8123-456789abcdef\","
	    "\"tree\":[1],\"unknown\":{}}");

	(void)state;
	assert_int_equal(json_bind(root, fields, &input, &errors), FAULT_NONE);
	assert_int_equal(errors.count, 0);
	assert_span_equal(input.name, "Ada");
	assert_int_equal(input.secret.length, 3);
	assert_true(input.flag);
	assert_int_equal(input.number, -3);
	assert_int_equal(input.id.bytes[15], 0xef);
	assert_int_equal(input.tree->count, 1);
}

static void leaves_absent_and_null_fields_alone(void **state)
{
	struct input input = {0};
	struct field_errors errors = {0};
	const struct json_node *root =
	    parse_good("{\"name\":\"Ada\",\"secret\":null}");

	(void)state;
	assert_int_equal(json_bind(root, fields, &input, &errors), FAULT_NONE);
	assert_null(input.secret.at);
	assert_null(input.tree);
	assert_true(uuid_is_nil(&input.id));
}

static void names_what_is_wrong_with_a_field(void **state)
{
	static const struct {
		const char *source;
		const char *field;
		const char *code;
	} cases[] = {
	    {"{}", "name", "required"},
	    {"{\"name\":null}", "name", "required"},
	    {"{\"name\":1}", "name", "wrong_type"},
	    {"{\"name\":\"a\"}", "name", "too_short"},
	    {"{\"name\":\"abcdef\"}", "name", "too_long"},
	    {"{\"name\":\"\xc3\xa4\xc3\xa4\xc3\xa4\"}", "name", "too_long"},
	    {"{\"name\":\"a\\nb\"}", "name", "invalid"},
	    {"{\"name\":\"a\\u0000b\"}", "name", "invalid"},
	    {"{\"name\":\"Ada\",\"secret\":[]}", "secret", "wrong_type"},
	    {"{\"name\":\"Ada\",\"secret\":\"123456\"}", "secret", "too_long"},
	    {"{\"name\":\"Ada\",\"flag\":1}", "flag", "wrong_type"},
	    {"{\"name\":\"Ada\",\"flag\":\"true\"}", "flag", "wrong_type"},
	    {"{\"name\":\"Ada\",\"number\":4}", "number", "out_of_range"},
	    {"{\"name\":\"Ada\",\"number\":-4}", "number", "out_of_range"},
	    {"{\"name\":\"Ada\",\"number\":1.0}", "number", "wrong_type"},
	    {"{\"name\":\"Ada\",\"number\":\"1\"}", "number", "wrong_type"},
	    {"{\"name\":\"Ada\",\"id\":\"x\"}", "id", "invalid"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct input input = {0};
		struct field_errors errors = {0};
		const struct json_node *root = parse_good(cases[i].source);
		assert_int_equal(json_bind(root, fields, &input, &errors),
		                 FAULT_VALIDATION);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.at[0].field, cases[i].field);
		assert_string_equal(errors.at[0].code, cases[i].code);
		assert_true(strlen(errors.at[0].detail) > 0);
	}
}

static void names_every_wrong_field_at_once(void **state)
{
	struct input input = {0};
	struct field_errors errors = {0};
	const struct json_node *root =
	    parse_good("{\"flag\":0,\"number\":99,\"id\":{}}");

	(void)state;
	assert_int_equal(json_bind(root, fields, &input, &errors),
	                 FAULT_VALIDATION);
	assert_int_equal(errors.count, 4);
}

static void binds_objects_only(void **state)
{
	struct input input = {0};
	struct field_errors errors = {0};

	(void)state;
	assert_int_equal(json_bind(parse_good("[1]"), fields, &input, &errors),
	                 FAULT_INVALID_REQUEST);
	assert_int_equal(json_bind(NULL, fields, &input, &errors),
	                 FAULT_INVALID_REQUEST);
	assert_int_equal(errors.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_a_tree),
	    cmocka_unit_test(finds_no_member_where_there_is_none),
	    cmocka_unit_test(tells_integers_from_other_numbers),
	    cmocka_unit_test(decodes_escapes),
	    cmocka_unit_test(keeps_a_nul_inside_a_string),
	    cmocka_unit_test(refuses_what_is_not_json),
	    cmocka_unit_test(refuses_half_a_surrogate_pair),
	    cmocka_unit_test(refuses_malformed_utf8),
	    cmocka_unit_test(refuses_a_name_that_comes_twice),
	    cmocka_unit_test(allows_a_depth_of_sixteen),
	    cmocka_unit_test(allows_256_members),
	    cmocka_unit_test(allows_4096_nodes),
	    cmocka_unit_test(refuses_a_string_over_its_limit),
	    cmocka_unit_test(reads_pathological_input_quickly),
	    cmocka_unit_test(compares_many_names_quickly),
	    cmocka_unit_test(says_when_the_arena_is_full_at_any_size),
	    cmocka_unit_test(binds_every_kind_of_field),
	    cmocka_unit_test(leaves_absent_and_null_fields_alone),
	    cmocka_unit_test(names_what_is_wrong_with_a_field),
	    cmocka_unit_test(names_every_wrong_field_at_once),
	    cmocka_unit_test(binds_objects_only),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
