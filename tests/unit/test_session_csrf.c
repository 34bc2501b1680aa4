/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSRF tokens (requirement CH-01): of one session, under one kind of key, and
 * good as long as that key checks.
 */
#include "unit.h"

#include "base/encode.h"
#include "domain/session/session.h"
#include "ring.h"

#define ARENA_BYTES ((size_t)256 * 1024)
#define NOW         INT64_C(1768473000000)

static const struct uuid session = {
    {0x01, 0x9b, 0xc0, 0xde, 1, 2, 0x70, 3, 0x80, 4, 5, 6, 7, 8, 9, 10}};
static struct arena arena, ring_arena;
static struct ctx ctx;

static int set_up(void **state)
{
	(void)state;
	if (arena_init(&arena, ARENA_BYTES) ||
	    arena_init(&ring_arena, ARENA_BYTES))
		return 1;
	ctx = (struct ctx){
	    .arena = &arena,
	    .keys = ring_make(&ring_arena),
	    .now_ms = NOW,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	keyring_free(ctx.keys);
	arena_release(&ring_arena);
	arena_release(&arena);
	return 0;
}

static struct span token_of(const struct uuid *of)
{
	struct span token = {0};

	assert_int_equal(session_csrf_token(&ctx, of, &token), FAULT_NONE);
	return token;
}

static enum fault check(struct span token)
{
	return session_csrf_check(&ctx, &session, token);
}

static void checks_what_it_made(void **state)
{
	struct span token = token_of(&session);

	(void)state;
	assert_int_equal(check(token), FAULT_NONE);
	assert_int_equal(check(token), FAULT_NONE);
	/* The same every time: every tab of a browser has the same. */
	assert_true(span_equal(token, token_of(&session)));
	/* It goes into a cookie and a header. */
	for (size_t i = 0; i < token.length; i++)
		assert_true(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		                   "abcdefghijklmnopqrstuvwxyz"
		                   "0123456789-_.",
		                   token.at[i]) != NULL);
}

static void refuses_the_token_of_another_session(void **state)
{
	struct uuid other = session;

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(other.bytes); bit++) {
		other = session;
		other.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_int_equal(check(token_of(&other)), FAULT_CSRF_FAILED);
		arena_reset(&arena);
	}
}

static void refuses_a_token_with_a_letter_changed(void **state)
{
	struct span token = token_of(&session);
	char changed[128];

	(void)state;
	assert_true(token.length < sizeof(changed));
	for (size_t i = 0; i < token.length; i++) {
		memcpy(changed, token.at, token.length);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_int_equal(check((struct span){changed, token.length}),
		                 FAULT_CSRF_FAILED);
	}
	for (size_t length = 0; length < token.length; length++)
		assert_int_equal(check((struct span){token.at, length}),
		                 FAULT_CSRF_FAILED);
}

static void refuses_other_spellings(void **state)
{
	struct span token = token_of(&session);
	static const char *const behind[] = {"=", "A", " ", "\n", "."};
	char memory[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(behind); i++) {
		struct text text = text_over(memory, sizeof(memory));

		text_append(&text, token);
		text_append_cstr(&text, behind[i]);
		assert_int_equal(check(text_span(&text)), FAULT_CSRF_FAILED);
	}
	assert_int_equal(check(SPAN("")), FAULT_CSRF_FAILED);
	assert_int_equal(check(SPAN(".")), FAULT_CSRF_FAILED);
	assert_int_equal(check(SPAN("csrf.")), FAULT_CSRF_FAILED);
	assert_int_equal(check(SPAN("csrf")), FAULT_CSRF_FAILED);
	assert_int_equal(check((struct span){0}), FAULT_CSRF_FAILED);
}

/* The MAC of the same words under a key that is there for something else. */
static void takes_no_key_of_another_purpose(void **state)
{
	static const enum key_purpose purposes[] = {
	    KEY_ACCESS_TOKEN, KEY_CURSOR, KEY_OUTBOX, KEY_PASSWORD_PEPPER};
	const struct span parts[] = {
	    SPAN("csrf:"),
	    {(const char *)session.bytes, sizeof(session.bytes)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(purposes); i++) {
		const struct key *key = keyring_current(ctx.keys, purposes[i]);
		unsigned char mac[DIGEST_SHA256_BYTES];
		char memory[128];
		struct text text = text_over(memory, sizeof(memory));

		assert_int_equal(mac_sign(key->mac, parts, 2, mac), FAULT_NONE);
		text_append_cstr(&text, key->id);
		text_append_byte(&text, '.');
		base64url_append(&text, mac, sizeof(mac));
		assert_int_equal(check(text_span(&text)), FAULT_CSRF_FAILED);
	}
}

/* A ring whose CSRF key was rotated: the old one checks until it retires. */
static void checks_tokens_of_a_key_that_retires(void **state)
{
	struct arena elsewhere;
	struct keyring *mine = ctx.keys;
	struct span old, new;

	(void)state;
	assert_int_equal(arena_init(&elsewhere, ARENA_BYTES), FAULT_NONE);
	ctx.keys = ring_make(&elsewhere);
	old = token_of(&session);
	ring_add(ctx.keys, &elsewhere, KEY_CSRF, "retiring", KEY_RETIRING,
	         NOW + 10);
	ring_add(ctx.keys, &elsewhere, KEY_CSRF, "retired", KEY_RETIRED, 0);
	new = token_of(&session);
	assert_true(span_equal(old, new));
	/* What the others would have signed, with the right MAC or not. */
	assert_int_equal(
	    check(SPAN("retired."
	               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	               "")),
	    FAULT_CSRF_FAILED);
	for (int64_t late = 9; late <= 10; late++) {
		const struct key *key =
		    keyring_find(ctx.keys, KEY_CSRF, SPAN("retiring"), NOW);
		const struct span parts[] = {
		    SPAN("csrf:"),
		    {(const char *)session.bytes, sizeof(session.bytes)},
		};
		unsigned char mac[DIGEST_SHA256_BYTES];
		char memory[128];
		struct text text = text_over(memory, sizeof(memory));

		assert_non_null(key);
		assert_int_equal(mac_sign(key->mac, parts, 2, mac), FAULT_NONE);
		text_append_cstr(&text, "retiring.");
		base64url_append(&text, mac, sizeof(mac));
		ctx.now_ms = NOW + late;
		assert_int_equal(check(text_span(&text)),
		                 late < 10 ? FAULT_NONE : FAULT_CSRF_FAILED);
	}
	ctx.now_ms = NOW;
	keyring_free(ctx.keys);
	ctx.keys = mine;
	arena_release(&elsewhere);
}

static void makes_none_without_a_key(void **state)
{
	static const unsigned char master[SEAL_KEY_BYTES];
	struct keyring *mine = ctx.keys;
	struct span token = token_of(&session), made = {0};

	(void)state;
	assert_int_equal(keyring_new(master, &ctx.keys), FAULT_NONE);
	assert_int_equal(session_csrf_token(&ctx, &session, &made),
	                 FAULT_INTERNAL);
	assert_null(made.at);
	assert_int_equal(check(token), FAULT_CSRF_FAILED);
	keyring_free(ctx.keys);
	ctx.keys = mine;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(checks_what_it_made),
	    cmocka_unit_test(refuses_the_token_of_another_session),
	    cmocka_unit_test(refuses_a_token_with_a_letter_changed),
	    cmocka_unit_test(refuses_other_spellings),
	    cmocka_unit_test(takes_no_key_of_another_purpose),
	    cmocka_unit_test(checks_tokens_of_a_key_that_retires),
	    cmocka_unit_test(makes_none_without_a_key),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
