/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens. An even first byte is followed by a token as it comes; an odd
 * one by a header, a line end and claims, which are given the right MAC, so
 * that what stands behind the MAC is reached, too. What is opened must be what
 * the profile allows, in the one spelling there is, and must not open with a
 * bit changed.
 */
#include "fuzz.h"

#include "base/encode.h"
#include "crypto/jwt.h"

#include <string.h>

#define ARENA_BYTES ((size_t)256 * 1024)
#define TOKEN_LIMIT ((size_t)16 * 1024)
#define KEY_ID      "key-A"
#define NOW         INT64_C(1768473000000)

static const unsigned char master[SEAL_KEY_BYTES] = "the master key";
static const unsigned char secret[SEAL_KEY_BYTES] = "the key of the corpus";

static struct arena arena;
static struct keyring *ring;
static const struct key *key;

static void set_up(void)
{
	struct key header = {
	    .id = KEY_ID, .purpose = KEY_ACCESS_TOKEN, .state = KEY_CURRENT};
	struct span value = {(const char *)secret, sizeof(secret)};
	char memory[256];
	struct text blob = text_over(memory, sizeof(memory));

	fuzz_require(!arena_init(&arena, ARENA_BYTES));
	fuzz_require(!keyring_new(master, &ring));
	fuzz_require(
	    !seal_value(master, SPAN("access_token:" KEY_ID), value, &blob));
	fuzz_require(!keyring_add(ring, &header, text_span(&blob), &arena));
	key = keyring_current(ring, KEY_ACCESS_TOKEN);
	fuzz_require(key != NULL);
}

/* The leak checker does not look into a ring's own pages. */
static void tear_down(void)
{
	keyring_free(ring);
	arena_release(&arena);
}

static enum jwt_verdict open_token(struct span token,
                                   const struct json_node **claims)
{
	*claims = NULL;
	return jwt_open(&arena, ring, token, NOW, claims);
}

/* Encoding what a segment decodes to must give the segment. */
static void require_canonical(struct span segment)
{
	static char bytes[TOKEN_LIMIT];
	static char memory[TOKEN_LIMIT];
	struct text again = text_over(memory, sizeof(memory));
	size_t length;

	fuzz_require(!base64url_decode(segment, bytes, sizeof(bytes), &length));
	base64url_append(&again, bytes, length);
	fuzz_require(span_equal(text_span(&again), segment));
}

static void require_no_nul(const struct json_node *node)
{
	fuzz_require(!span_has_byte(node->name, '\0'));
	fuzz_require(!span_has_byte(node->text, '\0'));
	for (node = node->child; node; node = node->next)
		require_no_nul(node);
}

static void require_good(struct span token, const struct json_node *claims)
{
	struct span rest = token;
	struct span segment;
	size_t count = 0;

	fuzz_require(token.length <= JWT_LIMIT_BYTES);
	for (; span_cut(&rest, '.', &segment); count++)
		require_canonical(segment);
	fuzz_require(count == 3);
	fuzz_require(claims->type == JSON_OBJECT);
	require_no_nul(claims);
}

/* One bit, chosen by the input itself, and the token is another. */
static void require_tamper_proof(struct span token)
{
	static char changed[TOKEN_LIMIT];
	const struct json_node *claims;
	size_t bit = 0;

	fuzz_require(token.length > 0);
	for (size_t i = 0; i < token.length; i++)
		bit = bit * 31 + (unsigned char)token.at[i];
	bit %= token.length * 8;
	memcpy(changed, token.at, token.length);
	changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
	fuzz_require(open_token((struct span){changed, token.length},
	                        &claims) != JWT_GOOD);
	fuzz_require(!claims);
}

static void check(struct span token)
{
	const struct json_node *claims;
	enum jwt_verdict verdict = open_token(token, &claims);

	fuzz_require((verdict == JWT_GOOD) == (claims != NULL));
	if (verdict != JWT_GOOD)
		return;
	require_good(token, claims);
	require_tamper_proof(token);
}

/* Whether this is the only header that our signer writes, or another. */
static void check_header(struct span header, enum jwt_verdict verdict)
{
	static const struct json_limits wide = {
	    .depth = 8, .members = 64, .nodes = 256, .string_bytes = 8192};
	const struct json_node *root;

	if (verdict != JWT_GOOD)
		return;
	fuzz_require(!json_parse(&arena, header, &wide, &root));
	fuzz_require(span_equal(json_member(root, "alg")->text, SPAN("HS256")));
	fuzz_require(
	    span_equal(json_member(root, "typ")->text, SPAN("at+jwt")));
	fuzz_require(span_equal(json_member(root, "kid")->text, SPAN(KEY_ID)));
	fuzz_require(!json_member(root, "crit") && !json_member(root, "b64"));
}

static void check_signed(struct span header, struct span claims)
{
	static char memory[TOKEN_LIMIT];
	struct text token = text_over(memory, sizeof(memory));
	unsigned char mac[DIGEST_SHA256_BYTES];
	const struct json_node *root;
	struct span covered;

	base64url_append(&token, header.at, header.length);
	text_append_byte(&token, '.');
	base64url_append(&token, claims.at, claims.length);
	covered = text_span(&token);
	fuzz_require(!mac_sign(key->mac, &covered, 1, mac));
	text_append_byte(&token, '.');
	base64url_append(&token, mac, sizeof(mac));
	if (text_check(&token))
		return;
	check_header(header, open_token(text_span(&token), &root));
	check(text_span(&token));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct span rest = {(const char *)bytes + 1, length - 1};
	struct span header;

	if (!length)
		return 0;
	set_up();
	if (bytes[0] % 2 == 0)
		check(rest);
	else if (span_cut(&rest, '\n', &header))
		check_signed(header, rest);
	tear_down();
	return 0;
}
