/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of Redis keys, whatever the subject is. */
#include "store/kv_keys.h"

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define PREFIX "claviger:"

static char memory[KV_KEY_BYTES];

static struct span key_of(enum kv_key_kind kind, struct span subject)
{
	struct text text = text_over(memory, sizeof(memory));

	kv_key_append(&text, SPAN(PREFIX), kind, subject);
	assert_int_equal(text_check(&text), FAULT_NONE);
	return text_span(&text);
}

static void assert_key(enum kv_key_kind kind, struct span subject,
                       const char *expected)
{
	struct span key = key_of(kind, subject);

	assert_int_equal(key.length, strlen(expected));
	assert_memory_equal(key.at, expected, key.length);
}

static void writes_a_plain_subject_as_it_is(void **state)
{
	(void)state;
	assert_key(KV_REVOKED_USER,
	           SPAN("0190a5c4-7c1e-7000-8000-000000000001"),
	           PREFIX "revoked:user:0190a5c4-7c1e-7000-8000-000000000001");
	assert_key(KV_LIMIT, SPAN("login:192.0.2.1"),
	           PREFIX "limit:login:192.0.2.1");
	assert_key(KV_LIMIT, SPAN("api:2001:db8::"),
	           PREFIX "limit:api:2001:db8::");
}

static void leaves_an_absent_subject_out(void **state)
{
	(void)state;
	assert_key(KV_READY, (struct span){0}, PREFIX "ready");
	assert_key(KV_REVOKED_ALL, (struct span){0}, PREFIX "revoked:all");
	assert_key(KV_LIMIT, SPAN(""), PREFIX "limit:");
}

static void hashes_whatever_is_not_plain(void **state)
{
	static const char nul[] = "a\0b";

	(void)state;
	/* Computed apart, with a program that gives the published vectors. */
	assert_key(KV_LIMIT, SPAN("a b"), PREFIX "limit:#e63f991904833892:3");
	assert_key(KV_LIMIT, (struct span){nul, 3},
	           PREFIX "limit:#e5d29919042666b2:3");
	assert_memory_equal(key_of(KV_LIMIT, SPAN("alice@example.com")).at + 15,
	                    "#", 1);
}

static void lets_no_subject_shape_a_key(void **state)
{
	static const char *const hostile[] = {
	    "*",     "a*b",      "a\r\nDEL x", "{x}",
	    "a b",   "\xc3\xa4", "\xff",       "a\"",
	    "#0:0",  "x\n",      "../../x",    "login:a@b",
	    "[a-z]", "?",        "\\",         "$6\r\nFLUSHALL\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct span key = key_of(KV_LIMIT, span_of(hostile[i]));

		assert_true(key.at[strlen(PREFIX "limit:")] == '#');
		for (size_t j = 0; j < key.length; j++)
			assert_non_null(memchr("abcdefghijklmnopqrstuvwxyz"
			                       "0123456789:#",
			                       key.at[j], 38));
	}
}

static void hashes_a_subject_that_is_too_long(void **state)
{
	char subject[97];
	struct span key;

	(void)state;
	memset(subject, 'a', sizeof(subject));
	key = key_of(KV_LIMIT, (struct span){subject, 96});
	assert_int_equal(key.length, strlen(PREFIX "limit:") + 96);
	key = key_of(KV_LIMIT, (struct span){subject, 97});
	assert_int_equal(key.length,
	                 strlen(PREFIX "limit:") + strlen("#:97") + 16);
}

static void gives_every_kind_a_name_and_an_end(void **state)
{
	char seen[KV_KEY_KIND_COUNT][KV_KEY_BYTES] = {0};

	(void)state;
	for (int i = KV_KEY_NONE + 1; i < KV_KEY_KIND_COUNT; i++) {
		enum kv_key_kind kind = (enum kv_key_kind)i;
		struct span key = key_of(kind, (struct span){0});

		memcpy(seen[i], key.at, key.length);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
		assert_true(kv_key_life_ms(kind) > 0);
	}
	/* An access token of 15 minutes, from a clock a minute ahead. */
	assert_true(kv_key_life_ms(KV_REVOKED_USER) >= 16 * 60 * 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_a_plain_subject_as_it_is),
	    cmocka_unit_test(leaves_an_absent_subject_out),
	    cmocka_unit_test(hashes_whatever_is_not_plain),
	    cmocka_unit_test(lets_no_subject_shape_a_key),
	    cmocka_unit_test(hashes_a_subject_that_is_too_long),
	    cmocka_unit_test(gives_every_kind_a_name_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
