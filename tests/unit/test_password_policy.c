/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a new password must be: each rule on both of its sides, and the lines
 * PW-01 … PW-05 of the requirements. The filter of leaked passwords is mapped
 * once a process, so one list serves all of this file.
 */
#include "unit.h"

#include "base/log.h"
#include "crypto/random.h"
#include "domain/account/leaked.h"
#include "domain/account/password_policy.h"
#include "folder.h"

#define ARENA_BYTES ((size_t)256 * 1024)
#define EMAIL       SPAN("alice.smith@example.com")
/* A good password at the policy's default. */
#define PASSPHRASE "violet anchor pretzel mosaic"

static struct arena arena;
static struct config config;
static struct ctx ctx;

static int set_up(void **state)
{
	int64_t entries;

	(void)state;
	folder_make();
	return arena_init(&arena, ARENA_BYTES) ||
	       leaked_build(folder_write("list", 0600,
	                                 "correct horse battery staple\n"
	                                 "zeppelin quartz marmalade\n"
	                                 "leaked\n"),
	                    folder_path("filter"), NULL, NULL, &entries);
}

static int tear_down(void **state)
{
	(void)state;
	arena_release(&arena);
	folder_remove();
	return 0;
}

/* The defaults, and no errors yet. */
static int start_over(void **state)
{
	(void)state;
	arena_reset(&arena);
	config_defaults(&config);
	config.password.leaked_file = folder_path("filter");
	ctx = (struct ctx){.arena = &arena, .config = &config};
	return 0;
}

/* The code of the rule that it breaks; "" for none. */
static const char *judge(struct span password, struct span email,
                         struct span word)
{
	enum fault fault;

	arena_reset(&arena);
	ctx.errors = (struct field_errors){0};
	fault = password_policy_check(&ctx, "new_password", password, email,
	                              &word, 1);
	if (!fault) {
		assert_int_equal(ctx.errors.count, 0);
		return "";
	}
	assert_int_equal(fault, FAULT_VALIDATION);
	assert_int_equal(ctx.errors.count, 1);
	assert_string_equal(ctx.errors.at[0].field, "new_password");
	assert_true(strlen(ctx.errors.at[0].detail) > 0);
	return ctx.errors.at[0].code;
}

static void expect(struct span password, const char *code)
{
	const char *found = judge(password, EMAIL, (struct span){0});

	if (strcmp(found, code) != 0)
		fail_msg("\"%.*s\": \"%s\", not \"%s\"", (int)password.length,
		         password.at, found, code);
}

/* A text of so many times this one. */
static struct span repeat(const char *text, size_t times)
{
	static char memory[8192];
	struct text out = text_over(memory, sizeof(memory));

	for (size_t i = 0; i < times; i++)
		text_append_cstr(&out, text);
	assert_int_equal(text_check(&out), FAULT_NONE);
	return text_span(&out);
}

static void PW_01_wants_twelve_characters_not_bytes(void **state)
{
	(void)state;
	config.password.min_score = 0;
	expect(SPAN("mqzvxwkjpty"), "too_short");
	expect(SPAN("mqzvxwkjptyh"), "");
	/* Emoji of four bytes, letters of two: each is one. */
	expect(repeat("\xf0\x9f\x90\xb4", 11), "too_short");
	expect(repeat("\xf0\x9f\x90\xb4", 12), "");
	expect(repeat("\xc3\xa9", 11), "too_short");
	expect(repeat("\xc3\xa9", 12), "");
	expect(SPAN(""), "too_short");
	expect(SPAN("\0\0\0\0\0\0\0\0\0\0\0"), "too_short");
}

static void PW_02_takes_long_ones_and_refuses_too_long_ones(void **state)
{
	char password[1025];
	const size_t lengths[] = {64, 72, 73, 128, 255, 256};

	(void)state;
	for (size_t i = 0; i < sizeof(password); i++)
		password[i] = (char)('a' + i * 7 % 26 + i / 26 % 3);
	for (size_t i = 0; i < COUNT_OF(lengths); i++)
		expect((struct span){password, lengths[i]}, "");
	expect((struct span){password, 257}, "too_long");
	expect((struct span){password, 1025}, "too_long");
	/* Counted in characters here, too. */
	config.password.min_score = 0;
	expect(repeat("\xf0\x9f\x90\xb4", 256), "");
	expect(repeat("\xf0\x9f\x90\xb4", 257), "too_long");
}

static void measures_what_is_not_even_hashed(void **state)
{
	(void)state;
	assert_false(password_policy_is_too_long(&config, repeat("a", 256)));
	assert_false(password_policy_is_too_long(
	    &config, repeat("\xf0\x9f\x90\xb4", 256)));
	assert_false(password_policy_is_too_long(&config, repeat("a", 1024)));
	assert_true(password_policy_is_too_long(&config, repeat("a", 1025)));
	config.password.max_length = 1024;
	assert_false(password_policy_is_too_long(&config, repeat("a", 4096)));
	assert_true(password_policy_is_too_long(&config, repeat("a", 4097)));
}

static void PW_03_judges_by_estimate_and_not_by_classes(void **state)
{
	static const char *const weak[] = {
	    "aaaaaaaaaaaaaaaaaaaa", "Password1234!", "abcdefghijklmnop",
	    "qwertyuiop[]",         "123456789012",  "P@ssw0rdP@ssw0rd"};

	(void)state;
	expect(SPAN(PASSPHRASE), "");
	expect(SPAN("mqzvxwkjptyhcd"), "");
	for (size_t i = 0; i < COUNT_OF(weak); i++)
		expect(span_of(weak[i]), "too_weak");
	config.password.min_score = 0;
	for (size_t i = 0; i < COUNT_OF(weak); i++)
		expect(span_of(weak[i]), "");
}

static void wants_as_many_classes_as_it_is_set_to(void **state)
{
	static const struct {
		const char *password;
		int64_t classes;
	} rows[] = {
	    {"mqzvxwkjptyhcd", 1},        {"mqzvxwkjPTYHCD", 2},
	    {"mqzvxwk4PTYHCD", 3},        {"mqzvxwk4PTYH D", 4},
	    {"\xc3\xa9qzvxwkjptyhcd", 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (int64_t wanted = 0; wanted <= 4; wanted++) {
			config.password.required_classes = wanted;
			expect(span_of(rows[i].password),
			       rows[i].classes < wanted ? "missing_classes"
			                                : "");
		}
}

static void PW_04_refuses_leaked_ones_with_little_behind_them(void **state)
{
	(void)state;
	expect(SPAN("zeppelin quartz marmalade-2026"), "leaked");
	expect(SPAN("Zeppelin Quartz Marmalade mosaic violet"), "leaked");
	expect(SPAN("zeppelin quartz marmalade mosaic violet anchor pretzel"),
	       "");
	expect(SPAN("mosaic zeppelin quartz marmalade"), "");
}

static void PW_04_refuses_leaked_ones_in_any_case(void **state)
{
	(void)state;
	expect(SPAN("correct horse battery staple"), "leaked");
	expect(SPAN("Correct Horse Battery Staple"), "leaked");
	expect(SPAN("ZEPPELIN QUARTZ MARMALADE"), "leaked");
	expect(SPAN("correct horse battery stapler"), "leaked");
	/* The list may have shorter ones: the length is said first. */
	expect(SPAN("leaked"), "too_short");
}

static void PW_04_accepts_random_ones(void **state)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-_";
	unsigned char bytes[15];
	char password[15];

	(void)state;
	for (int i = 0; i < 200; i++) {
		random_bytes(bytes, sizeof(bytes));
		for (size_t j = 0; j < sizeof(bytes); j++)
			password[j] = letters[bytes[j] % 64];
		expect((struct span){password, sizeof(password)}, "");
	}
}

static void PW_05_refuses_ones_made_of_own_words(void **state)
{
	const struct {
		struct span password, email, word;
	} rows[] = {
	    {SPAN("alice.smith2026"), EMAIL, SPAN("")},
	    {SPAN("Alice.Smith2026"), EMAIL, SPAN("")},
	    {SPAN("2026alice.smith"), EMAIL, SPAN("")},
	    {SPAN("alice.smith@example.com"), EMAIL, SPAN("")},
	    {SPAN("!!alice.smith@example.com!!"), EMAIL, SPAN("")},
	    {SPAN("xq7-example-x"), EMAIL, SPAN("")},
	    {SPAN("xq7smithpw84"), EMAIL, SPAN("")},
	    {SPAN("claviger-x8kq"), EMAIL, SPAN("")},
	    {SPAN("x8CLAVIGERq2w"), EMAIL, SPAN("")},
	    {SPAN("northwind-x8k"), EMAIL, SPAN("Northwind Traders")},
	    {SPAN("x8traders9q2w"), EMAIL, SPAN("Northwind Traders")},
	    {SPAN("northwind traders x"), EMAIL, SPAN("Northwind Traders")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *code =
		    judge(rows[i].password, rows[i].email, rows[i].word);

		if (strcmp(code, "contains_context") != 0)
			fail_msg("row %zu: \"%s\"", i, code);
	}
}

static void PW_05_leaves_others_words_alone(void **state)
{
	const struct {
		struct span password, email, word;
	} rows[] = {
	    /* another person's address, and no address at all */
	    {SPAN("alice.smith-7vQ"), SPAN("bob@example.org"), SPAN("")},
	    {SPAN("northwind-x8k2q"), EMAIL, SPAN("Southwind")},
	    {SPAN("alice.smith-7vQ"), {0}, {0}},
	    /* enough is left beside the word */
	    {SPAN("smith mqzvxwkjptyh"), EMAIL, SPAN("")},
	    /* words of fewer than four letters are in everything */
	    {SPAN("violet anchor bob pretzel"), SPAN("bob@a.example"),
	     SPAN("Bob B")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *code =
		    judge(rows[i].password, rows[i].email, rows[i].word);

		if (strcmp(code, "") != 0)
			fail_msg("row %zu: \"%s\"", i, code);
	}
}

/* PW-06: an exact byte string, NUL and all. */
static void looks_behind_a_nul(void **state)
{
	(void)state;
	config.password.min_score = 0;
	expect(SPAN("pass\0mqzvxwkjpt"), "");
	expect(SPAN("mqzvxwk\0alice.smith"), "contains_context");
	expect(SPAN("pass\0word"), "too_short");
	expect(SPAN("\0correct horse battery staple"), "");
	expect(SPAN("zeppelin quartz marmalade\0violet anchor pretzel"),
	       "leaked");
	expect(SPAN("zeppelin quartz marmalade\0violet anchor pretzel mosaic"),
	       "");
}

static void names_the_first_rule_that_is_broken(void **state)
{
	(void)state;
	config.password.required_classes = 4;
	expect(SPAN("leaked"), "too_short");
	expect(repeat("a", 300), "too_long");
	expect(SPAN("correct horse battery staple"), "missing_classes");
	config.password.required_classes = 2;
	expect(SPAN("correct horse battery staple"), "leaked");
	config.password.required_classes = 0;
	expect(SPAN("aaaalice.smith"), "contains_context");
}

static void says_when_the_arena_is_full(void **state)
{
	(void)state;
	while (arena_alloc(&arena, 1))
		;
	assert_int_equal(password_policy_check(&ctx, "password",
	                                       SPAN(PASSPHRASE), EMAIL, NULL,
	                                       0),
	                 FAULT_EXHAUSTED);
	assert_int_equal(ctx.errors.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(PW_01_wants_twelve_characters_not_bytes,
	                           start_over),
	    cmocka_unit_test_setup(
		PW_02_takes_long_ones_and_refuses_too_long_ones, start_over),
	    cmocka_unit_test_setup(measures_what_is_not_even_hashed,
	                           start_over),
	    cmocka_unit_test_setup(PW_03_judges_by_estimate_and_not_by_classes,
	                           start_over),
	    cmocka_unit_test_setup(wants_as_many_classes_as_it_is_set_to,
	                           start_over),
	    cmocka_unit_test_setup(
		PW_04_refuses_leaked_ones_with_little_behind_them, start_over),
	    cmocka_unit_test_setup(PW_04_refuses_leaked_ones_in_any_case,
	                           start_over),
	    cmocka_unit_test_setup(PW_04_accepts_random_ones, start_over),
	    cmocka_unit_test_setup(PW_05_refuses_ones_made_of_own_words,
	                           start_over),
	    cmocka_unit_test_setup(PW_05_leaves_others_words_alone, start_over),
	    cmocka_unit_test_setup(looks_behind_a_nul, start_over),
	    cmocka_unit_test_setup(names_the_first_rule_that_is_broken,
	                           start_over),
	    cmocka_unit_test_setup(says_when_the_arena_is_full, start_over),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
