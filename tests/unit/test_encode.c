/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings, and how strictly they are read. */
#include "unit.h"

#include "base/encode.h"

static char memory[1024];
static struct text text;

static int set_up(void **state)
{
	(void)state;
	text = text_over(memory, sizeof(memory));
	return 0;
}

/* RFC 4648, section 10, without the padding. */
static const struct vector {
	const char *plain;
	const char *url;
	const char *padded;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg", "Zg=="},
    {"fo", "Zm8", "Zm8="},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg", "Zm9vYg=="},
    {"fooba", "Zm9vYmE", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "-__-", "+//+"},
};

static void writes_base64_as_the_rfc_does(void **state)
{
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		const char *plain = vectors[i].plain;
		(void)set_up(state);
		base64url_append(&text, plain, strlen(plain));
		assert_text_equal(&text, vectors[i].url);
		(void)set_up(state);
		base64_append(&text, plain, strlen(plain));
		assert_text_equal(&text, vectors[i].padded);
	}
}

static void reads_base64url_as_the_rfc_does(void **state)
{
	char out[16];
	size_t length;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		assert_int_equal(base64url_decode(span_of(vectors[i].url), out,
		                                  sizeof(out), &length),
		                 FAULT_NONE);
		assert_span_equal((struct span){out, length}, vectors[i].plain);
	}
}

static void refuses_base64url_that_is_not_canonical(void **state)
{
	static const char *const wrong[] = {
	    "Z",         "Zh",     "Zm9",        "Zg==",    "Zg=",
	    "Zm9v Zm9v", "Zm9v\n", "+//+",       "Zm9vYg=", "Zm9vYh",
	    "Zm!v",      "Zm9vY",  "\xc3\xa4xx",
	};
	char out[16];
	size_t length = 99;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(base64url_decode(span_of(wrong[i]), out,
		                                  sizeof(out), &length),
		                 FAULT_VALIDATION);
	assert_int_equal(length, 99);
}

static void refuses_base64url_longer_than_the_room(void **state)
{
	char out[5];
	size_t length;

	(void)state;
	assert_int_equal(
	    base64url_decode(SPAN("Zm9vYmE"), out, sizeof(out), &length),
	    FAULT_NONE);
	assert_int_equal(base64url_decode(SPAN("Zm9vYmE"), out, 4, &length),
	                 FAULT_VALIDATION);
	assert_int_equal(base64url_decode(SPAN("Zg"), out, 0, &length),
	                 FAULT_VALIDATION);
	assert_int_equal(base64url_decode((struct span){0}, out, 0, &length),
	                 FAULT_NONE);
	assert_int_equal(length, 0);
}

static void writes_lower_case_hex_and_reads_both(void **state)
{
	unsigned char out[3];

	(void)state;
	hex_append(&text, "\x00\xab\xff", 3);
	assert_text_equal(&text, "00abff");
	assert_int_equal(hex_decode(SPAN("00aBFf"), out, 3), FAULT_NONE);
	assert_memory_equal(out, "\x00\xab\xff", 3);
}

static void refuses_hex_of_another_length_or_alphabet(void **state)
{
	unsigned char out[3] = {7, 7, 7};

	(void)state;
	assert_int_equal(hex_decode(SPAN("00abf"), out, 3), FAULT_VALIDATION);
	assert_int_equal(hex_decode(SPAN("00abff0"), out, 3), FAULT_VALIDATION);
	assert_int_equal(hex_decode(SPAN("00ab"), out, 3), FAULT_VALIDATION);
	assert_int_equal(hex_decode(SPAN("00abfg"), out, 3), FAULT_VALIDATION);
	assert_int_equal(hex_decode(SPAN(" 0abff"), out, 3), FAULT_VALIDATION);
	assert_memory_equal(out, "\7\7\7", 3);
}

static void decodes_percent_escapes_once(void **state)
{
	struct arena arena;
	struct span out;

	(void)state;
	assert_false(arena_init(&arena, 4096));
	assert_false(
	    percent_decode(&arena, SPAN("a%2525%C3%A4+b"), PLUS_IS_PLUS, &out));
	assert_span_equal(out, "a%25\xc3\xa4+b");
	assert_false(
	    percent_decode(&arena, SPAN("a+b%2B"), PLUS_IS_SPACE, &out));
	assert_span_equal(out, "a b+");
	assert_false(percent_decode(&arena, SPAN(""), PLUS_IS_PLUS, &out));
	assert_span_equal(out, "");
	assert_int_equal(out.at[0], 0);
	arena_release(&arena);
}

static void refuses_broken_percent_escapes(void **state)
{
	static const char *const wrong[] = {
	    "%",   "a%",   "%2",  "a%2",   "%zz",
	    "%2z", "%%41", "%00", "a%00b", "%u0041",
	};
	struct arena arena;
	struct span out;

	(void)state;
	assert_false(arena_init(&arena, 4096));
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(percent_decode(&arena, span_of(wrong[i]),
		                                PLUS_IS_SPACE, &out),
		                 FAULT_INVALID_REQUEST);
	arena_release(&arena);
}

static void says_when_the_arena_is_full(void **state)
{
	struct arena arena;
	struct span out;

	(void)state;
	assert_false(arena_init(&arena, 4096));
	assert_non_null(arena_alloc(&arena, 4090));
	assert_int_equal(
	    percent_decode(&arena, SPAN("abcdefgh"), PLUS_IS_PLUS, &out),
	    FAULT_EXHAUSTED);
	arena_release(&arena);
}

static void escapes_all_but_unreserved_characters(void **state)
{
	(void)state;
	percent_append(&text, SPAN("aZ09-._~ /?&=+%\xc3\xa4\0"));
	assert_text_equal(&text, "aZ09-._~%20%2F%3F%26%3D%2B%25%C3%A4%00");
}

static void accepts_well_formed_utf8(void **state)
{
	static const char *const right[] = {
	    "",
	    "abc",
	    "\x7f",
	    "\xc2\x80",
	    "\xdf\xbf",
	    "\xe0\xa0\x80",
	    "\xed\x9f\xbf",
	    "\xee\x80\x80",
	    "\xef\xbf\xbf",
	    "\xf0\x90\x80\x80",
	    "\xf4\x8f\xbf\xbf",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(right); i++)
		assert_true(utf8_is_valid(span_of(right[i])));
	assert_true(utf8_is_valid(SPAN("a\0b")));
	assert_int_equal(
	    utf8_count(SPAN("a\xc3\xa4\xe2\x82\xac\xf0\x9d\x84\x9e")), 4);
}

static void refuses_malformed_utf8(void **state)
{
	static const char *const wrong[] = {
	    "\x80",
	    "\xbf",
	    "\xc0\x80",
	    "\xc1\xbf",
	    "\xc2",
	    "\xc2\x41",
	    "\xe0\x9f\xbf",
	    "\xe0\x80\xaf",
	    "\xed\xa0\x80",
	    "\xed\xbf\xbf",
	    "\xe2\x82",
	    "\xe2\x82\x41",
	    "\xf0\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80",
	    "\xf0\x9d\x84",
	    "\xf8\x88\x80\x80\x80",
	    "\xfe",
	    "\xff",
	    "a\xffz",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_false(utf8_is_valid(span_of(wrong[i])));
}

static void finds_control_characters(void **state)
{
	(void)state;
	assert_true(utf8_has_control(SPAN("a\0")));
	assert_true(utf8_has_control(SPAN("a\nb")));
	assert_true(utf8_has_control(SPAN("\x1b[31m")));
	assert_true(utf8_has_control(SPAN("\x7f")));
	assert_true(utf8_has_control(SPAN("\xc2\x85")));
	assert_true(utf8_has_control(SPAN("\xc2\x9f")));
	assert_false(utf8_has_control(SPAN("\xc2\xa0 ~")));
	assert_false(utf8_has_control(SPAN("\xc3\x80\xe2\x80\x8b")));
}

static void makes_text_harmless_in_html(void **state)
{
	(void)state;
	html_append(&text, SPAN("<a href=\"x\" b='y'>&amp;"));
	assert_text_equal(&text, "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;"
	                         "&amp;amp;");
}

#define CASE(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(writes_base64_as_the_rfc_does),
	    CASE(reads_base64url_as_the_rfc_does),
	    CASE(refuses_base64url_that_is_not_canonical),
	    CASE(refuses_base64url_longer_than_the_room),
	    CASE(writes_lower_case_hex_and_reads_both),
	    CASE(refuses_hex_of_another_length_or_alphabet),
	    CASE(decodes_percent_escapes_once),
	    CASE(refuses_broken_percent_escapes),
	    CASE(says_when_the_arena_is_full),
	    CASE(escapes_all_but_unreserved_characters),
	    CASE(accepts_well_formed_utf8),
	    CASE(refuses_malformed_utf8),
	    CASE(finds_control_characters),
	    CASE(makes_text_harmless_in_html),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
