/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Password hashes in PHC form, and the estimate of strength. The costs here
 * are the least that Argon2 takes.
 */
#include "unit.h"

#include "crypto/password.h"

#include <stdlib.h>

#define LONG_BYTES 4096

/* The hash of "correct horse" under the pepper 00 01 … 1f, by libargon2. */
#define SALT "8PHy8/T19vf4+fr7/P3+/w"
#define HASH "wemd73eDoNY5ht617JVKg5qe3GfkUYu+va6EkQf6DQA"
#define PHC  "$argon2id$v=19$m=64,t=2,p=1$" SALT "$" HASH

static const struct password_cost cheap = {
    .memory_kib = 64, .passes = 2, .memory_cap_kib = 1024};
static const struct span right = {"correct horse", 13};

static struct mac *pepper;

static int set_up(void **state)
{
	unsigned char key[32];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	return mac_new(key, sizeof(key), &pepper) != FAULT_NONE;
}

static int tear_down(void **state)
{
	(void)state;
	mac_free(pepper);
	return 0;
}

static enum fault verify(struct span password, const char *phc)
{
	return password_verify(password, pepper, span_of(phc), &cheap);
}

static void verifies_what_it_hashed(void **state)
{
	char phc[PASSWORD_PHC_BYTES];

	(void)state;
	assert_int_equal(password_hash(right, pepper, &cheap, phc), FAULT_NONE);
	assert_int_equal(verify(right, phc), FAULT_NONE);
	assert_int_equal(verify(SPAN("correct horsf"), phc),
	                 FAULT_INVALID_CREDENTIALS);
}

static void writes_the_phc_form(void **state)
{
	char phc[PASSWORD_PHC_BYTES];

	(void)state;
	assert_int_equal(password_hash(right, pepper, &cheap, phc), FAULT_NONE);
	assert_int_equal(strncmp(phc, PHC, strlen(PHC) - strlen(SALT HASH) - 1),
	                 0);
	assert_int_equal(strlen(phc), strlen(PHC));
}

static void verifies_a_hash_made_elsewhere(void **state)
{
	(void)state;
	assert_int_equal(verify(right, PHC), FAULT_NONE);
	assert_int_equal(verify(right,
	                        "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2"
	                        "RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OWFi"
	                        "$0l6VaX3OXQ8vut0CgjgijDDnFvZCJuyJg6a0qmbfEoo"),
	                 FAULT_NONE);
}

static void salts_every_hash(void **state)
{
	char first[PASSWORD_PHC_BYTES];
	char second[PASSWORD_PHC_BYTES];

	(void)state;
	assert_int_equal(password_hash(right, pepper, &cheap, first),
	                 FAULT_NONE);
	assert_int_equal(password_hash(right, pepper, &cheap, second),
	                 FAULT_NONE);
	assert_string_not_equal(first, second);
}

static void needs_the_same_pepper(void **state)
{
	struct mac *other = NULL;

	(void)state;
	assert_int_equal(mac_new("another pepper", 14, &other), FAULT_NONE);
	assert_int_equal(password_verify(right, other, SPAN(PHC), &cheap),
	                 FAULT_INVALID_CREDENTIALS);
	mac_free(other);
}

static void takes_the_exact_bytes(void **state)
{
	static const char *const others[] = {"correct hors",   "correct horse ",
	                                     " correct horse", "Correct horse",
	                                     "correct  horse", ""};
	char phc[PASSWORD_PHC_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_int_equal(verify(span_of(others[i]), PHC),
		                 FAULT_INVALID_CREDENTIALS);
	assert_int_equal(password_hash(SPAN("pass\0word"), pepper, &cheap, phc),
	                 FAULT_NONE);
	assert_int_equal(verify(SPAN("pass\0word"), phc), FAULT_NONE);
	assert_int_equal(verify(SPAN("pass"), phc), FAULT_INVALID_CREDENTIALS);
	assert_int_equal(verify(SPAN("pass\0wore"), phc),
	                 FAULT_INVALID_CREDENTIALS);
	/* Composed and decomposed é are two passwords. */
	assert_int_equal(password_hash(SPAN("\xc3\xa9"), pepper, &cheap, phc),
	                 FAULT_NONE);
	assert_int_equal(verify(SPAN("e\xcc\x81"), phc),
	                 FAULT_INVALID_CREDENTIALS);
}

static void cuts_nothing_off(void **state)
{
	static char many[LONG_BYTES];
	struct span whole = {many, sizeof(many)};
	static const size_t lengths[] = {64, 72, 127, 128, LONG_BYTES - 1};
	char phc[PASSWORD_PHC_BYTES];

	(void)state;
	memset(many, 'x', sizeof(many));
	assert_int_equal(password_hash(whole, pepper, &cheap, phc), FAULT_NONE);
	assert_int_equal(verify(whole, phc), FAULT_NONE);
	for (size_t i = 0; i < COUNT_OF(lengths); i++)
		assert_int_equal(verify((struct span){many, lengths[i]}, phc),
		                 FAULT_INVALID_CREDENTIALS);
}

static void takes_an_empty_password(void **state)
{
	char phc[PASSWORD_PHC_BYTES];

	(void)state;
	assert_int_equal(password_hash((struct span){0}, pepper, &cheap, phc),
	                 FAULT_NONE);
	assert_int_equal(verify(SPAN(""), phc), FAULT_NONE);
	assert_int_equal(verify(SPAN("\0"), phc), FAULT_INVALID_CREDENTIALS);
}

static void refuses_to_hash_out_of_bounds(void **state)
{
	static const struct password_cost costs[] = {
	    {.memory_kib = 7, .passes = 1, .memory_cap_kib = 1024},
	    {.memory_kib = 1025, .passes = 1, .memory_cap_kib = 1024},
	    {.memory_kib = 64, .passes = 0, .memory_cap_kib = 1024},
	    {.memory_kib = 64, .passes = 17, .memory_cap_kib = 1024},
	    {.memory_kib = 0, .passes = 1, .memory_cap_kib = 0},
	};
	char phc[PASSWORD_PHC_BYTES] = "untouched";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(costs); i++)
		assert_int_equal(password_hash(right, pepper, &costs[i], phc),
		                 FAULT_INTERNAL);
	assert_string_equal(phc, "untouched");
}

/* Strings that differ from a good one in one thing each. */
static const char *const broken[] = {
    "",
    "$",
    "plain text",
    "$2b$12$abcdefghijklmnopqrstuuxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01",
    "argon2id$v=19$m=64,t=2,p=1$" SALT "$" HASH,
    " $argon2id$v=19$m=64,t=2,p=1$" SALT "$" HASH,
    "$Argon2id$v=19$m=64,t=2,p=1$" SALT "$" HASH,
    "$argon2i$v=19$m=64,t=2,p=1$" SALT
    "$kU2AcYjwe5asOTcbem3WoyoUHVkQRGyxNFTfHDtUtUQ",
    "$argon2d$v=19$m=64,t=2,p=1$" SALT "$" HASH,
    "$argon2id$m=64,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=16$m=64,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=019$m=64,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=64$t=2$p=1$" SALT "$" HASH,
    "$argon2id$v=19$t=2,m=64,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=64,t=2$" SALT "$" HASH,
    "$argon2id$v=19$m=64,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=64,t=2,p=1,keyid=a$" SALT "$" HASH,
    "$argon2id$v=19$m=064,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=+64,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m= 64,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=-64,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=0x40,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=0,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=7,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=1025,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=4194304,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=4294967295,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=4294967360,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=18446744073709551680,t=2,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=64,t=0,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=64,t=17,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=64,t=4294967298,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=64,t=2,p=0$" SALT "$" HASH,
    "$argon2id$v=19$m=64,t=2,p=2$" SALT "$" HASH,
    "$argon2id$v=19$m=64,t=2,p=4$" SALT
    "$O5/pLRRUdV5BkEMjuvFJ8juj7ji9wqNN/8iNyt15c9o",
    "$argon2id$v=19$m=64,t=2,p=16777215$" SALT "$" HASH,
    "$argon2id$v=19$m=64,t=2,p=1",
    "$argon2id$v=19$m=64,t=2,p=1$",
    "$argon2id$v=19$m=64,t=2,p=1$" SALT,
    "$argon2id$v=19$m=64,t=2,p=1$" SALT "$",
    "$argon2id$v=19$m=64,t=2,p=1$$" HASH,
    "$argon2id$v=19$m=64,t=2,p=1$" HASH "$" SALT,
    "$argon2id$v=19$m=64,t=2,p=1$" SALT "$" HASH "$",
    "$argon2id$v=19$m=64,t=2,p=1$" SALT "$" HASH "=",
    "$argon2id$v=19$m=64,t=2,p=1$" SALT "==$" HASH,
    "$argon2id$v=19$m=64,t=2,p=1$" SALT "$" HASH "\n",
    "$argon2id$v=19$m=64,t=2,p=1$" SALT "$" HASH "AAAA",
    /* 15 bytes and 49 bytes of salt */
    "$argon2id$v=19$m=64,t=2,p=1$8PHy8/T19vf4+fr7/P3+$" HASH,
    "$argon2id$v=19$m=64,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAA$" HASH,
    /* 16 bytes of hash */
    "$argon2id$v=19$m=64,t=2,p=1$" SALT "$+f+jnrC8+aq6ZRzVvmJYRQ",
    /* the URL alphabet; bits at the end that are not zero */
    "$argon2id$v=19$m=64,t=2,p=1$8PHy8_T19vf4-fr7_P3-_w$" HASH,
    "$argon2id$v=19$m=64,t=2,p=1$8PHy8/T19vf4+fr7/P3+/x$" HASH,
    "$argon2id$v=19$m=64,t=2,p=1$" SALT
    "$wemd73eDoNY5ht617JVKg5qe3GfkUYu+va6EkQf6DQB",
};

static void refuses_a_broken_or_dear_hash(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++)
		if (verify(right, broken[i]) != FAULT_INTERNAL)
			fail_msg("row %zu: %s", i, broken[i]);
	assert_int_equal(
	    password_verify(right, pepper, (struct span){0}, &cheap),
	    FAULT_INTERNAL);
	assert_int_equal(password_verify(right, pepper, SPAN(PHC "\0"), &cheap),
	                 FAULT_INTERNAL);
}

static void finds_no_password_for_a_cut_or_changed_hash(void **state)
{
	char changed[sizeof(PHC)];

	(void)state;
	for (size_t i = 0; i < strlen(PHC); i++) {
		struct span front = {PHC, i};
		assert_int_equal(password_verify(right, pepper, front, &cheap),
		                 FAULT_INTERNAL);
		memcpy(changed, PHC, sizeof(changed));
		changed[i] = changed[i] == 'B' ? 'C' : 'B';
		assert_int_not_equal(verify(right, changed), FAULT_NONE);
	}
}

static void knows_an_outdated_hash(void **state)
{
	struct password_cost cost = cheap;

	(void)state;
	assert_false(password_is_outdated(SPAN(PHC), &cost));
	cost.memory_cap_kib = 8; /* a cap is no cost */
	assert_false(password_is_outdated(SPAN(PHC), &cost));
	cost.memory_kib = 128;
	assert_true(password_is_outdated(SPAN(PHC), &cost));
	cost = cheap;
	cost.passes = 3;
	assert_true(password_is_outdated(SPAN(PHC), &cost));
	assert_true(password_is_outdated(SPAN("broken"), &cheap));
}

static long anonymous_kb(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	long kb = 0;

	assert_non_null(status);
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, "RssAnon:", 8) == 0)
			kb = strtol(line + 8, NULL, 10);
	fclose(status);
	return kb;
}

/* malloc would keep the 19 MiB of a hash in the process. */
static void gives_the_memory_of_a_hash_back(void **state)
{
	const struct password_cost real = {
	    .memory_kib = 19456, .passes = 1, .memory_cap_kib = 19456};
	const long before_kb = anonymous_kb();
	char phc[PASSWORD_PHC_BYTES];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(password_hash(right, pepper, &real, phc),
		                 FAULT_NONE);
	assert_true(before_kb > 0);
	assert_true(anonymous_kb() - before_kb < 8000);
}

static void check_score(const char *password, const char *const *context,
                        int least, int most)
{
	int score = password_strength(span_of(password), context);

	if (score < least || score > most)
		fail_msg("%s: %d", password, score);
}

static void scores_passphrases_high(void **state)
{
	(void)state;
	check_score("correct horse battery staple", NULL, 3, 4);
	check_score("correcthorsebatterystaple", NULL, 3, 4);
	check_score("apple river stone cloud", NULL, 3, 4);
	check_score("house green water table", NULL, 3, 4);
	check_score("pferd batterie heftklammer", NULL, 3, 4);
	check_score("kX9#mP2$vL7q", NULL, 3, 4);
	check_score("\xc3\xa4pfel und birnen im korb", NULL, 3, 4);
}

static void scores_what_is_guessed_first_low(void **state)
{
	static const char *const weak[] = {
	    "",
	    "password",
	    "password1234",
	    "aaaaaaaaaaaaaaaaaaaa",
	    "123456789012",
	    "abcdefghijklmnop",
	    "qwertyuiop1234",
	    "P@ssw0rd1234",
	    "trustno1trustno1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(weak); i++)
		check_score(weak[i], NULL, 0, 1);
}

static void counts_the_words_of_the_context_as_known(void **state)
{
	static const char *const context[] = {"alice.smith", "", "claviger",
	                                      NULL};
	static const char *const none[] = {NULL};

	(void)state;
	check_score("alice.smith2026", context, 0, 2);
	check_score("claviger2026", context, 0, 1);
	check_score("Claviger-2026!", context, 0, 2);
	check_score("claviger2026", none, 3, 4);
	check_score("correct horse battery staple", context, 3, 4);
}

static void takes_more_words_than_it_looks_at(void **state)
{
	const char *context[101];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		context[i] = "claviger";
	context[100] = NULL;
	check_score("claviger2026", context, 0, 1);
}

static void scores_any_bytes(void **state)
{
	static char many[LONG_BYTES];
	int score;

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		memset(many, byte, sizeof(many));
		score =
		    password_strength((struct span){many, sizeof(many)}, NULL);
		assert_in_range(score, 0, 1);
	}
	/* A NUL does not end it. */
	score = password_strength(SPAN("kX9\0mP2$vL7q"), NULL);
	assert_in_range(score, 3, 4);
	assert_int_equal(password_strength((struct span){0}, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verifies_what_it_hashed),
	    cmocka_unit_test(writes_the_phc_form),
	    cmocka_unit_test(verifies_a_hash_made_elsewhere),
	    cmocka_unit_test(salts_every_hash),
	    cmocka_unit_test(needs_the_same_pepper),
	    cmocka_unit_test(takes_the_exact_bytes),
	    cmocka_unit_test(cuts_nothing_off),
	    cmocka_unit_test(takes_an_empty_password),
	    cmocka_unit_test(refuses_to_hash_out_of_bounds),
	    cmocka_unit_test(refuses_a_broken_or_dear_hash),
	    cmocka_unit_test(finds_no_password_for_a_cut_or_changed_hash),
	    cmocka_unit_test(knows_an_outdated_hash),
	    cmocka_unit_test(gives_the_memory_of_a_hash_back),
	    cmocka_unit_test(scores_passphrases_high),
	    cmocka_unit_test(scores_what_is_guessed_first_low),
	    cmocka_unit_test(counts_the_words_of_the_context_as_known),
	    cmocka_unit_test(takes_more_words_than_it_looks_at),
	    cmocka_unit_test(scores_any_bytes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
