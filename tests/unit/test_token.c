/* SPDX-License-Identifier: Apache-2.0 */
/* Opaque tokens, and what is sealed under them. */
#include "unit.h"

#include "base/encode.h"
#include "crypto/seal.h"
#include "crypto/token.h"

#define ARENA_BYTES ((size_t)64 * 1024)

/* base64url of the bytes 0 … 31, and of as many zeros. */
#define COUNTING "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define ZEROS    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	return arena_init(&arena, ARENA_BYTES) != FAULT_NONE;
}

static int tear_down(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static void makes_43_characters_of_base64url(void **state)
{
	char text[TOKEN_TEXT_BYTES];
	unsigned char bytes[32];
	struct token_hash hash;
	size_t length = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(token_make(text, &hash), FAULT_NONE);
		assert_int_equal(strlen(text), TOKEN_TEXT_BYTES - 1);
		assert_int_equal(base64url_decode(span_of(text), bytes,
		                                  sizeof(bytes), &length),
		                 FAULT_NONE);
		assert_int_equal(length, 32);
	}
}

static void makes_another_each_time(void **state)
{
	char first[TOKEN_TEXT_BYTES];
	char second[TOKEN_TEXT_BYTES];
	struct token_hash hash;

	(void)state;
	assert_int_equal(token_make(first, &hash), FAULT_NONE);
	assert_int_equal(token_make(second, &hash), FAULT_NONE);
	assert_string_not_equal(first, second);
}

static void finds_the_hash_it_gave(void **state)
{
	char text[TOKEN_TEXT_BYTES];
	struct token_hash made;
	struct token_hash found;

	(void)state;
	assert_int_equal(token_make(text, &made), FAULT_NONE);
	assert_int_equal(token_hash(span_of(text), &found), FAULT_NONE);
	assert_memory_equal(made.bytes, found.bytes, sizeof(made.bytes));
}

static void hashes_the_text_by_sha_256(void **state)
{
	const struct span text = SPAN(COUNTING);
	unsigned char wanted[DIGEST_SHA256_BYTES];
	struct token_hash hash;

	(void)state;
	assert_int_equal(digest_sha256(&text, 1, wanted), FAULT_NONE);
	assert_int_equal(token_hash(text, &hash), FAULT_NONE);
	assert_memory_equal(hash.bytes, wanted, sizeof(wanted));
}

static void refuses_what_cannot_be_a_token(void **state)
{
	const struct span texts[] = {
	    {0},
	    SPAN(""),
	    SPAN("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh"),
	    SPAN(COUNTING "A"),
	    SPAN(COUNTING "="),
	    SPAN(COUNTING "\n"),
	    SPAN(" AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
	    SPAN("+AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
	    SPAN("/AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
	    SPAN("\0AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
	    SPAN("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9"),
	    SPAN("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-"),
	    SPAN("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh="),
	};
	struct token_hash hash;
	struct token_hash untouched;

	(void)state;
	memset(&hash, 0x5a, sizeof(hash));
	untouched = hash;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(token_hash(texts[i], &hash),
		                 FAULT_TOKEN_INVALID);
		assert_memory_equal(&hash, &untouched, sizeof(hash));
	}
}

static void opens_what_the_token_sealed(void **state)
{
	char memory[256];
	struct text blob = text_over(memory, sizeof(memory));
	struct span out;

	(void)state;
	assert_int_equal(token_seal(SPAN(COUNTING), SPAN("successor"), &blob),
	                 FAULT_NONE);
	assert_int_equal(
	    token_open(SPAN(COUNTING), text_span(&blob), &arena, &out),
	    FAULT_NONE);
	assert_true(span_equal(out, SPAN("successor")));
}

static void opens_with_no_other_token(void **state)
{
	char memory[256];
	struct text blob = text_over(memory, sizeof(memory));
	struct span out = {0};

	(void)state;
	assert_int_equal(token_seal(SPAN(COUNTING), SPAN("successor"), &blob),
	                 FAULT_NONE);
	assert_int_equal(
	    token_open(SPAN(ZEROS), text_span(&blob), &arena, &out),
	    FAULT_VALIDATION);
	assert_int_equal(
	    token_open(SPAN("short"), text_span(&blob), &arena, &out),
	    FAULT_TOKEN_INVALID);
	assert_int_equal(
	    token_open((struct span){0}, text_span(&blob), &arena, &out),
	    FAULT_TOKEN_INVALID);
	assert_null(out.at);
}

static void refuses_every_flipped_bit_of_a_sealed_value(void **state)
{
	char memory[256];
	struct text blob = text_over(memory, sizeof(memory));
	struct span out = {0};

	(void)state;
	assert_int_equal(token_seal(SPAN(COUNTING), SPAN("successor"), &blob),
	                 FAULT_NONE);
	for (size_t bit = 0; bit < blob.length * 8; bit++) {
		memory[bit / 8] = (char)(memory[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(
		    token_open(SPAN(COUNTING), text_span(&blob), &arena, &out),
		    FAULT_VALIDATION);
		memory[bit / 8] = (char)(memory[bit / 8] ^ 1 << bit % 8);
	}
	assert_null(out.at);
}

/* RFC 5869 by hand: extract without a salt, one block of expand. */
static void seals_under_hkdf_of_the_token(void **state)
{
	const unsigned char no_salt[DIGEST_SHA256_BYTES] = {0};
	const struct span expand[] = {SPAN("token seal"), SPAN("\x01")};
	unsigned char token[32];
	unsigned char key[DIGEST_SHA256_BYTES];
	char memory[256];
	struct text blob = text_over(memory, sizeof(memory));
	struct span input = {(const char *)token, sizeof(token)};
	struct span out;
	struct mac *mac = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(token); i++)
		token[i] = (unsigned char)i;
	assert_int_equal(mac_new(no_salt, sizeof(no_salt), &mac), FAULT_NONE);
	assert_int_equal(mac_sign(mac, &input, 1, key), FAULT_NONE);
	mac_free(mac);
	assert_int_equal(mac_new(key, sizeof(key), &mac), FAULT_NONE);
	assert_int_equal(mac_sign(mac, expand, 2, key), FAULT_NONE);
	mac_free(mac);

	assert_int_equal(token_seal(SPAN(COUNTING), SPAN("successor"), &blob),
	                 FAULT_NONE);
	assert_int_equal(
	    seal_open(key, SPAN("token seal"), text_span(&blob), &arena, &out),
	    FAULT_NONE);
	assert_true(span_equal(out, SPAN("successor")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(makes_43_characters_of_base64url),
	    cmocka_unit_test(makes_another_each_time),
	    cmocka_unit_test(finds_the_hash_it_gave),
	    cmocka_unit_test(hashes_the_text_by_sha_256),
	    cmocka_unit_test(refuses_what_cannot_be_a_token),
	    cmocka_unit_test(opens_what_the_token_sealed),
	    cmocka_unit_test(opens_with_no_other_token),
	    cmocka_unit_test(refuses_every_flipped_bit_of_a_sealed_value),
	    cmocka_unit_test(seals_under_hkdf_of_the_token),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
