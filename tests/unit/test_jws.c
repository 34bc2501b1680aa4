/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed bytes below our tokens. test_jwt.c has the forgeries; here is what
 * this layer takes that the tokens do not (any payload, no kid, no typ), and
 * that nothing is given out before the MAC is right.
 */
#include "unit.h"

#include "base/encode.h"
#include "crypto/jws.h"

#define ARENA_BYTES ((size_t)256 * 1024)
#define TOKEN_LIMIT ((size_t)16 * 1024)

static struct arena arena;
static struct mac *mac;

static int set_up(void **state)
{
	(void)state;
	return arena_init(&arena, ARENA_BYTES) || mac_new("a key", 5, &mac);
}

static int tear_down(void **state)
{
	(void)state;
	mac_free(mac);
	arena_release(&arena);
	return 0;
}

static struct span sign(struct span header, struct span payload)
{
	static char memory[TOKEN_LIMIT];
	struct text token = text_over(memory, sizeof(memory));
	unsigned char signature[DIGEST_SHA256_BYTES];
	struct span covered;

	base64url_append(&token, header.at, header.length);
	text_append_byte(&token, '.');
	base64url_append(&token, payload.at, payload.length);
	covered = text_span(&token);
	assert_int_equal(mac_sign(mac, &covered, 1, signature), FAULT_NONE);
	text_append_byte(&token, '.');
	base64url_append(&token, signature, sizeof(signature));
	assert_int_equal(text_check(&token), FAULT_NONE);
	return text_span(&token);
}

/* The payload is there until the next check. */
static enum fault check(struct span token, struct span *payload)
{
	struct jws jws;
	enum fault fault;

	arena_reset(&arena);
	fault = jws_read(&arena, token, &jws);
	return fault ? fault : jws_verify(&arena, mac, &jws, payload);
}

/* The example of RFC 7515, A.1, whose header has line ends in it. */
static void opens_the_example_of_the_standard(void **state)
{
	static const char token[] =
	    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
	    "."
	    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
	    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	    "."
	    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	static const char encoded[] =
	    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
	    "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
	unsigned char key[64];
	struct mac *theirs;
	struct jws jws;
	struct span payload;
	size_t length;

	(void)state;
	assert_int_equal(
	    base64url_decode(SPAN(encoded), key, sizeof(key), &length),
	    FAULT_NONE);
	assert_int_equal(mac_new(key, length, &theirs), FAULT_NONE);
	assert_int_equal(jws_read(&arena, SPAN(token), &jws), FAULT_NONE);
	assert_span_equal(jws_member_text(jws.header, "typ"), "JWT");
	assert_int_equal(jws_verify(&arena, theirs, &jws, &payload),
	                 FAULT_NONE);
	assert_span_equal(payload,
	                  "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
	                  "\"http://example.com/is_root\":true}");
	mac_free(theirs);
}

static void takes_any_payload_and_header_beside_alg(void **state)
{
	static const struct span payloads[] = {
	    {"", 0}, {"\0", 1}, {"not JSON", 8}, {"\xff\xfe\0", 3}};
	static const char *const headers[] = {
	    "{\"alg\":\"HS256\"}",
	    "{\"typ\":\"JWT\",\"alg\":\"HS256\"}",
	    "{\"alg\":\"HS256\",\"kid\":\"no/id of ours\"}",
	    "{\"alg\":\"HS256\",\"kid\":7}",
	};
	struct span payload;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++)
		for (size_t j = 0; j < COUNT_OF(payloads); j++) {
			assert_int_equal(
			    check(sign(span_of(headers[i]), payloads[j]),
			          &payload),
			    FAULT_NONE);
			assert_true(span_equal(payload, payloads[j]));
		}
}

static void refuses_another_algorithm_and_what_changes_the_form(void **state)
{
	const struct span headers[] = {
	    SPAN("{}"),
	    SPAN("[]"),
	    SPAN("\"HS256\""),
	    SPAN(""),
	    SPAN("{\"alg\":\"none\"}"),
	    SPAN("{\"alg\":\"NONE\"}"),
	    SPAN("{\"alg\":\"HS384\"}"),
	    SPAN("{\"alg\":\"RS256\"}"),
	    SPAN("{\"alg\":\"hs256\"}"),
	    SPAN("{\"alg\":\"HS256 \"}"),
	    SPAN("{\"alg\":\"HS256\\u0000\"}"),
	    SPAN("{\"alg\":[\"HS256\"]}"),
	    SPAN("{\"alg\":null}"),
	    SPAN("{\"Alg\":\"HS256\"}"),
	    SPAN("{\"alg\":\"HS256\",\"alg\":\"none\"}"),
	    SPAN("{\"alg\":\"HS256\",\"crit\":[]}"),
	    SPAN("{\"alg\":\"HS256\",\"crit\":null}"),
	    SPAN("{\"alg\":\"HS256\",\"b64\":true}"),
	    SPAN("{\"alg\":\"HS256\",\"kid\":\"a\\u0000\"}"),
	    SPAN("{\"alg\":\"HS256\"} x"),
	    SPAN("{\"alg\":\"HS256\"}\0"),
	};
	struct jws jws = {.payload = SPAN("untouched")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		enum fault fault =
		    jws_read(&arena, sign(headers[i], SPAN("payload")), &jws);

		if (fault != FAULT_TOKEN_INVALID)
			fail_msg("header %zu: %s", i, fault_name(fault));
		assert_span_equal(jws.payload, "untouched");
	}
}

static void gives_no_payload_before_the_mac_is_right(void **state)
{
	struct span token = sign(SPAN("{\"alg\":\"HS256\"}"), SPAN("payload"));
	struct span payload = SPAN("untouched");
	char changed[256];

	(void)state;
	assert_true(token.length < sizeof(changed));
	for (size_t i = 0; i < token.length; i++) {
		memcpy(changed, token.at, token.length);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_int_equal(
		    check((struct span){changed, token.length}, &payload),
		    FAULT_TOKEN_INVALID);
		assert_span_equal(payload, "untouched");
	}
	assert_int_equal(check(token, &payload), FAULT_NONE);
}

static void refuses_another_key(void **state)
{
	struct span token = sign(SPAN("{\"alg\":\"HS256\"}"), SPAN("payload"));
	struct span payload = SPAN("untouched");
	struct mac *other;
	struct jws jws;

	(void)state;
	assert_int_equal(mac_new("b key", 5, &other), FAULT_NONE);
	assert_int_equal(jws_read(&arena, token, &jws), FAULT_NONE);
	assert_int_equal(jws_verify(&arena, other, &jws, &payload),
	                 FAULT_TOKEN_INVALID);
	assert_span_equal(payload, "untouched");
	mac_free(other);
}

static void takes_eight_kilobytes_and_no_more(void **state)
{
	static char payload[7 * 1024];
	struct span given;
	size_t fits = 0;

	(void)state;
	for (size_t i = 6000; i < sizeof(payload); i++) {
		struct span token = sign(SPAN("{\"alg\":\"HS256\"}"),
		                         (struct span){payload, i});
		enum fault fault = check(token, &given);

		assert_int_equal(!fault, token.length <= JWS_LIMIT_BYTES);
		fits += !fault;
	}
	assert_true(fits > 0 && fits < sizeof(payload) - 6000);
}

static void refuses_when_the_arena_is_full(void **state)
{
	struct span token = sign(SPAN("{\"alg\":\"HS256\"}"), SPAN("payload"));
	struct span payload;
	struct arena small;
	struct jws jws;

	(void)state;
	assert_int_equal(arena_init(&small, 4096), FAULT_NONE);
	while (arena_alloc(&small, 1))
		;
	assert_int_equal(jws_read(&small, token, &jws), FAULT_TOKEN_INVALID);
	assert_int_equal(jws_read(&arena, token, &jws), FAULT_NONE);
	assert_int_equal(jws_verify(&small, mac, &jws, &payload),
	                 FAULT_TOKEN_INVALID);
	arena_release(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(opens_the_example_of_the_standard),
	    cmocka_unit_test(takes_any_payload_and_header_beside_alg),
	    cmocka_unit_test(
		refuses_another_algorithm_and_what_changes_the_form),
	    cmocka_unit_test(gives_no_payload_before_the_mac_is_right),
	    cmocka_unit_test(refuses_another_key),
	    cmocka_unit_test(takes_eight_kilobytes_and_no_more),
	    cmocka_unit_test(refuses_when_the_arena_is_full),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
