/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens at the JOSE layer. Most of this file is tokens that must not
 * be opened: each row is one forgery, and but for the rows of "spellings" each
 * carries a right MAC, so that it is the reason named that refuses it.
 */
#include "unit.h"

#include "base/encode.h"
#include "crypto/jwt.h"

#define ARENA_BYTES ((size_t)256 * 1024)
#define TOKEN_LIMIT ((size_t)16 * 1024)
#define NOW         INT64_C(1768473000000)

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"key-A\"}"
#define CLAIMS "{\"sub\":\"alice\",\"exp\":1768473900,\"amr\":[\"pwd\"]}"
/* A row's text with its length: it may hold NUL. */
#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static const unsigned char master[SEAL_KEY_BYTES] = "the master key";
static const unsigned char bytes[SEAL_KEY_BYTES] =
    "the bytes of every key here";

static struct arena arena;
static struct keyring *ring;
static struct mac *mac;

static void add_key(const char *id, enum key_purpose purpose,
                    enum key_state state, int64_t retires_at_ms)
{
	struct key header = {
	    .purpose = purpose, .state = state, .retires_at_ms = retires_at_ms};
	char memory[256];
	char bound_to[64];
	struct text blob = text_over(memory, sizeof(memory));

	snprintf(header.id, sizeof(header.id), "%s", id);
	snprintf(bound_to, sizeof(bound_to), "%s:%s",
	         keyring_purpose_name(purpose), id);
	assert_int_equal(
	    seal_value(master, span_of(bound_to),
	               (struct span){(const char *)bytes, sizeof(bytes)},
	               &blob),
	    FAULT_NONE);
	assert_int_equal(keyring_add(ring, &header, text_span(&blob), &arena),
	                 FAULT_NONE);
}

static int set_up_group(void **state)
{
	(void)state;
	assert_int_equal(arena_init(&arena, ARENA_BYTES), FAULT_NONE);
	assert_int_equal(keyring_new(master, &ring), FAULT_NONE);
	assert_int_equal(mac_new(bytes, sizeof(bytes), &mac), FAULT_NONE);
	add_key("key-A", KEY_ACCESS_TOKEN, KEY_CURRENT, 0);
	add_key("retiring", KEY_ACCESS_TOKEN, KEY_RETIRING, NOW + 1);
	add_key("over", KEY_ACCESS_TOKEN, KEY_RETIRING, NOW);
	add_key("retired", KEY_ACCESS_TOKEN, KEY_RETIRED, 0);
	add_key("next", KEY_ACCESS_TOKEN, KEY_NEXT, 0);
	add_key("cookie", KEY_CSRF, KEY_CURRENT, 0);
	return 0;
}

static int tear_down_group(void **state)
{
	(void)state;
	mac_free(mac);
	keyring_free(ring);
	arena_release(&arena);
	return 0;
}

static int empty_arena(void **state)
{
	(void)state;
	arena_reset(&arena);
	return 0;
}

/* A token of any header and claims, with the MAC that is right for it. */
static struct span make(struct span header, struct span claims)
{
	static char memory[TOKEN_LIMIT];
	struct text token = text_over(memory, sizeof(memory));
	unsigned char signature[DIGEST_SHA256_BYTES];
	struct span covered;

	base64url_append(&token, header.at, header.length);
	text_append_byte(&token, '.');
	base64url_append(&token, claims.at, claims.length);
	covered = text_span(&token);
	assert_int_equal(mac_sign(mac, &covered, 1, signature), FAULT_NONE);
	text_append_byte(&token, '.');
	base64url_append(&token, signature, sizeof(signature));
	assert_int_equal(text_check(&token), FAULT_NONE);
	return text_span(&token);
}

/* What becomes of a token; claims come with JWT_GOOD and only then. */
static enum jwt_verdict open_token(struct span token)
{
	const struct json_node *claims = NULL;
	enum jwt_verdict verdict = jwt_open(&arena, ring, token, NOW, &claims);

	assert_true((verdict == JWT_GOOD) == (claims != NULL));
	arena_reset(&arena);
	return verdict;
}

static void expect(enum jwt_verdict wanted, struct span token,
                   const char *reason)
{
	enum jwt_verdict verdict = open_token(token);

	if (verdict != wanted)
		fail_msg("%s: verdict %d", reason, (int)verdict);
}

static void opens_what_it_signed(void **state)
{
	const struct key *key = keyring_current(ring, KEY_ACCESS_TOKEN);
	const struct json_node *claims = NULL;
	char memory[1024] = "before";
	struct text out = text_over(memory, sizeof(memory));

	(void)state;
	out.length = strlen("before");
	assert_int_equal(jwt_sign(key, SPAN(CLAIMS), &out), FAULT_NONE);
	assert_memory_equal(memory, "before", 6);
	assert_int_equal(jwt_open(&arena, ring,
	                          (struct span){memory + 6, out.length - 6},
	                          NOW, &claims),
	                 JWT_GOOD);
	assert_true(
	    span_equal(json_member(claims, "sub")->text, SPAN("alice")));
	assert_int_equal(json_member(claims, "exp")->integer, 1768473900);
	assert_int_equal(json_member(claims, "amr")->count, 1);
}

static void signs_the_header_that_readers_expect(void **state)
{
	const struct key *key = keyring_current(ring, KEY_ACCESS_TOKEN);
	const struct span wanted = make(SPAN(HEADER), SPAN(CLAIMS));
	char memory[1024];
	struct text out = text_over(memory, sizeof(memory));

	(void)state;
	assert_int_equal(jwt_sign(key, SPAN(CLAIMS), &out), FAULT_NONE);
	assert_true(span_equal(text_span(&out), wanted));
}

static void signs_nothing_without_room(void **state)
{
	const struct key *key = keyring_current(ring, KEY_ACCESS_TOKEN);
	char memory[1024];
	struct text out = text_over(memory, sizeof(memory));
	size_t whole;

	(void)state;
	assert_int_equal(jwt_sign(key, SPAN(CLAIMS), &out), FAULT_NONE);
	whole = out.length;
	for (size_t limit = 0; limit < whole; limit++) {
		out = text_over(memory, limit);
		assert_int_equal(jwt_sign(key, SPAN(CLAIMS), &out),
		                 FAULT_EXHAUSTED);
	}
}

static const struct {
	const char *reason;
	struct span header;
} good_headers[] = {
    {"our own", BYTES(HEADER)},
    {"members in another order",
     BYTES("{\"kid\":\"key-A\",\"typ\":\"at+jwt\",\"alg\":\"HS256\"}")},
    {"white space",
     BYTES(
	 " { \"alg\" : \"HS256\",\r\n\t\"typ\":\"at+jwt\",\"kid\":\"key-A\"}")},
    {"escapes",
     BYTES(
	 "{\"\\u0061lg\":\"HS25\\u0036\",\"typ\":\"at+jwt\",\"kid\":\"key-A\"}")},
    {"a key that retires later",
     BYTES("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"retiring\"}")},
    {"a member that nobody knows",
     BYTES("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"key-A\",\"x\":1}")},
    {"keys that the sender proposes, never looked at",
     BYTES("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"key-A\","
           "\"jku\":\"https://127.0.0.1:1/\",\"x5u\":\"file:///etc/passwd\","
           "\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},\"x5c\":[\"AAAA\"],"
           "\"zip\":\"DEF\"}")},
};

static void opens_the_controls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good_headers); i++)
		expect(JWT_GOOD, make(good_headers[i].header, SPAN(CLAIMS)),
		       good_headers[i].reason);
	expect(JWT_GOOD, make(SPAN(HEADER), SPAN("{}")), "no claims");
}

/* A header around these members, in front of a right typ and kid. */
#define WITH_ALG(alg) BYTES("{" alg "\"typ\":\"at+jwt\",\"kid\":\"key-A\"}")
#define WITH_TYP(typ) BYTES("{\"alg\":\"HS256\"," typ "\"kid\":\"key-A\"}")
#define WITH_KID(kid) BYTES("{\"alg\":\"HS256\",\"typ\":\"at+jwt\"" kid "}")

static const struct {
	const char *reason;
	struct span header;
} bad_headers[] = {
    {"alg none", WITH_ALG("\"alg\":\"none\",")},
    {"alg None", WITH_ALG("\"alg\":\"None\",")},
    {"alg NONE", WITH_ALG("\"alg\":\"NONE\",")},
    {"alg nOnE", WITH_ALG("\"alg\":\"nOnE\",")},
    {"alg hs256", WITH_ALG("\"alg\":\"hs256\",")},
    {"alg Hs256", WITH_ALG("\"alg\":\"Hs256\",")},
    {"alg HS384", WITH_ALG("\"alg\":\"HS384\",")},
    {"alg HS512", WITH_ALG("\"alg\":\"HS512\",")},
    {"alg RS256", WITH_ALG("\"alg\":\"RS256\",")},
    {"alg PS256", WITH_ALG("\"alg\":\"PS256\",")},
    {"alg ES256", WITH_ALG("\"alg\":\"ES256\",")},
    {"alg EdDSA", WITH_ALG("\"alg\":\"EdDSA\",")},
    {"alg dir", WITH_ALG("\"alg\":\"dir\",")},
    {"alg HS2567", WITH_ALG("\"alg\":\"HS2567\",")},
    {"alg HS25", WITH_ALG("\"alg\":\"HS25\",")},
    {"alg empty", WITH_ALG("\"alg\":\"\",")},
    {"alg missing", WITH_ALG("")},
    {"alg in capitals", WITH_ALG("\"ALG\":\"HS256\",")},
    {"alg null", WITH_ALG("\"alg\":null,")},
    {"alg true", WITH_ALG("\"alg\":true,")},
    {"alg a number", WITH_ALG("\"alg\":256,")},
    {"alg a list", WITH_ALG("\"alg\":[\"HS256\"],")},
    {"alg an object", WITH_ALG("\"alg\":{\"HS256\":1},")},
    {"alg with a space behind", WITH_ALG("\"alg\":\"HS256 \",")},
    {"alg with a space in front", WITH_ALG("\"alg\":\" HS256\",")},
    {"alg with a NUL behind", WITH_ALG("\"alg\":\"HS256\\u0000\",")},
    {"alg twice", WITH_ALG("\"alg\":\"HS256\",\"alg\":\"none\",")},
    {"alg twice, once escaped",
     WITH_ALG("\"alg\":\"HS256\",\"\\u0061lg\":\"none\",")},
    {"typ missing", WITH_TYP("")},
    {"typ JWT", WITH_TYP("\"typ\":\"JWT\",")},
    {"typ jwt", WITH_TYP("\"typ\":\"jwt\",")},
    {"typ AT+JWT", WITH_TYP("\"typ\":\"AT+JWT\",")},
    {"typ with the prefix", WITH_TYP("\"typ\":\"application/at+jwt\",")},
    {"typ of an ID token", WITH_TYP("\"typ\":\"id+jwt\",")},
    {"typ with a space behind", WITH_TYP("\"typ\":\"at+jwt \",")},
    {"typ with a NUL behind", WITH_TYP("\"typ\":\"at+jwt\\u0000\",")},
    {"typ null", WITH_TYP("\"typ\":null,")},
    {"typ a number", WITH_TYP("\"typ\":1,")},
    {"typ twice", WITH_TYP("\"typ\":\"at+jwt\",\"typ\":\"JWT\",")},
    {"kid missing", WITH_KID("")},
    {"kid empty", WITH_KID(",\"kid\":\"\"")},
    {"kid null", WITH_KID(",\"kid\":null")},
    {"kid a number", WITH_KID(",\"kid\":1")},
    {"kid a list", WITH_KID(",\"kid\":[\"key-A\"]")},
    {"kid of 33 characters",
     WITH_KID(",\"kid\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"")},
    {"kid a path", WITH_KID(",\"kid\":\"../../dev/null\"")},
    {"kid SQL", WITH_KID(",\"kid\":\"x' UNION SELECT 'k\"")},
    {"kid with a NUL behind", WITH_KID(",\"kid\":\"key-A\\u0000\"")},
    {"kid with a line behind", WITH_KID(",\"kid\":\"key-A\\n\"")},
    {"kid with a space behind", WITH_KID(",\"kid\":\"key-A \"")},
    {"kid with a dot", WITH_KID(",\"kid\":\"key.A\"")},
    {"kid not ASCII", WITH_KID(",\"kid\":\"key-\xc3\x84\"")},
    {"kid twice", WITH_KID(",\"kid\":\"key-A\",\"kid\":\"cookie\"")},
    {"kid twice the same", WITH_KID(",\"kid\":\"key-A\",\"kid\":\"key-A\"")},
    {"crit", WITH_KID(",\"kid\":\"key-A\",\"crit\":[\"exp\"]")},
    {"crit empty", WITH_KID(",\"kid\":\"key-A\",\"crit\":[]")},
    {"crit null", WITH_KID(",\"kid\":\"key-A\",\"crit\":null")},
    {"b64 false", WITH_KID(",\"kid\":\"key-A\",\"b64\":false")},
    {"b64 true", WITH_KID(",\"kid\":\"key-A\",\"b64\":true")},
    {"a NUL in a member nobody knows",
     WITH_KID(",\"kid\":\"key-A\",\"x\":\"\\u0000\"")},
    {"a NUL in a name", WITH_KID(",\"kid\":\"key-A\",\"al\\u0000g\":1")},
    {"a NUL deep in a list",
     WITH_KID(",\"kid\":\"key-A\",\"x\":[1,[\"a\\u0000\"]]")},
    {"a raw NUL in front", BYTES("\0" HEADER)},
    {"a raw NUL behind", BYTES(HEADER "\0")},
    {"a list", BYTES("[" HEADER "]")},
    {"a string", BYTES("\"HS256\"")},
    {"null", BYTES("null")},
    {"an empty object", BYTES("{}")},
    {"two objects", BYTES(HEADER HEADER)},
    {"bytes behind", BYTES(HEADER "x")},
    {"a comma behind", BYTES(HEADER ",")},
    {"an open object",
     BYTES("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"key-A\"")},
    {"a comma at the end",
     BYTES("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"key-A\",}")},
    {"a comment",
     BYTES("{/**/\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"key-A\"}")},
    {"single quotes", BYTES("{'alg':'HS256','typ':'at+jwt','kid':'key-A'}")},
    {"a byte order mark", BYTES("\xef\xbb\xbf" HEADER)},
    {"bytes that are not UTF-8", WITH_KID(",\"kid\":\"key-A\",\"x\":\"\xff\"")},
    {"an overlong NUL", WITH_KID(",\"kid\":\"key-A\",\"x\":\"\xc0\x80\"")},
    {"half a surrogate pair", WITH_KID(",\"kid\":\"key-A\",\"x\":\"\\ud800\"")},
    {"nested too deep", WITH_KID(",\"kid\":\"key-A\",\"x\":[[[[1]]]]")},
    {"more members than a header has",
     WITH_KID(",\"kid\":\"key-A\",\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,"
              "\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,"
              "\"m\":1,\"n\":1")},
    {"our own, with a member behind the kid",
     BYTES("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"key-A\",\"\"}")},
    {"our own, with nothing between",
     BYTES("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"}")},
};

static void refuses_every_forged_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_headers); i++)
		expect(JWT_BAD, make(bad_headers[i].header, SPAN(CLAIMS)),
		       bad_headers[i].reason);
}

static const struct {
	const char *reason;
	struct span claims;
} bad_claims[] = {
    {"no claims", BYTES("")},
    {"a list", BYTES("[" CLAIMS "]")},
    {"a string", BYTES("\"sub\"")},
    {"a number", BYTES("1768473900")},
    {"null", BYTES("null")},
    {"not JSON", BYTES("sub=alice&exp=1768473900")},
    {"a claim twice", BYTES("{\"sub\":\"alice\",\"sub\":\"root\"}")},
    {"a claim twice, once escaped",
     BYTES("{\"sub\":\"alice\",\"s\\u0075b\":\"root\"}")},
    {"a claim twice in depth", BYTES("{\"x\":{\"a\":1,\"a\":2}}")},
    {"a NUL in a claim", BYTES("{\"sub\":\"admin\\u0000x\"}")},
    {"a NUL in a list", BYTES("{\"amr\":[\"pwd\",\"\\u0000\"]}")},
    {"a NUL in an object", BYTES("{\"x\":{\"y\":\"\\u0000\"}}")},
    {"a NUL in a name", BYTES("{\"sub\\u0000\":\"alice\"}")},
    {"a raw NUL", BYTES("{\"sub\":\"a\0b\"}")},
    {"a raw NUL behind", BYTES(CLAIMS "\0")},
    {"bytes behind", BYTES(CLAIMS "{}")},
    {"an open object", BYTES("{\"sub\":\"alice\"")},
    {"bytes that are not UTF-8", BYTES("{\"sub\":\"\xc3\"}")},
    {"a surrogate in UTF-8", BYTES("{\"sub\":\"\xed\xa0\x80\"}")},
    {"half a surrogate pair", BYTES("{\"sub\":\"\\udc00\"}")},
    {"NaN", BYTES("{\"exp\":NaN}")},
    {"a number in hex", BYTES("{\"exp\":0x10}")},
    {"a control character", BYTES("{\"sub\":\"a\nb\"}")},
    {"nested too deep", BYTES("{\"x\":[[[[[[[[[[1]]]]]]]]]]}")},
    {"white space that JSON does not know", BYTES("\v" CLAIMS)},
};

static void refuses_every_forged_payload(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_claims); i++)
		expect(JWT_BAD, make(SPAN(HEADER), bad_claims[i].claims),
		       bad_claims[i].reason);
}

static void refuses_too_many_claims(void **state)
{
	char memory[4096];
	struct text claims = text_over(memory, sizeof(memory));

	(void)state;
	text_append_byte(&claims, '{');
	for (int i = 0; i < 33; i++)
		text_appendf(&claims, "%s\"c%d\":1", i ? "," : "", i);
	text_append_byte(&claims, '}');
	expect(JWT_BAD, make(SPAN(HEADER), text_span(&claims)), "33 claims");
}

static const struct {
	const char *reason;
	struct span header;
} unknown_keys[] = {
    {"a kid of nobody", WITH_KID(",\"kid\":\"nobody\"")},
    {"a kid in another case", WITH_KID(",\"kid\":\"KEY-A\"")},
    {"the front of a kid", WITH_KID(",\"kid\":\"key-\"")},
    {"a key for another purpose", WITH_KID(",\"kid\":\"cookie\"")},
    {"a key that has retired", WITH_KID(",\"kid\":\"retired\"")},
    {"a key whose time is over", WITH_KID(",\"kid\":\"over\"")},
    {"a key that is not used yet", WITH_KID(",\"kid\":\"next\"")},
    {"a kid of 32 characters",
     WITH_KID(",\"kid\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"")},
};

static void tells_a_key_that_it_does_not_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(unknown_keys); i++)
		expect(JWT_UNKNOWN_KEY,
		       make(unknown_keys[i].header, SPAN(CLAIMS)),
		       unknown_keys[i].reason);
}

/*
 * Rewritings of a good token: H, P and S stand for its segments, h, p and s
 * for them with the last character changed to one of the same length whose
 * unused bits are not zero; everything else stands for itself.
 */
static const struct {
	const char *reason;
	struct span pattern;
} spellings[] = {
    {"nothing", BYTES("")},
    {"a dot", BYTES(".")},
    {"two dots", BYTES("..")},
    {"three dots", BYTES("...")},
    {"one segment", BYTES("H")},
    {"two segments", BYTES("H.P")},
    {"no signature", BYTES("H.P.")},
    {"no payload", BYTES("H..S")},
    {"no header", BYTES(".P.S")},
    {"only a signature", BYTES("..S")},
    {"four segments", BYTES("H.P.S.S")},
    {"an empty fourth segment", BYTES("H.P.S.")},
    {"an empty first segment", BYTES(".H.P.S")},
    {"five segments", BYTES("H.P.S.P.S")},
    {"segments in another order", BYTES("P.H.S")},
    {"header and payload joined", BYTES("HP.S")},
    {"header padded", BYTES("H=.P.S")},
    {"payload padded", BYTES("H.P=.S")},
    {"payload padded twice", BYTES("H.P==.S")},
    {"signature padded", BYTES("H.P.S=")},
    {"a space in front", BYTES(" H.P.S")},
    {"a space behind", BYTES("H.P.S ")},
    {"a line behind", BYTES("H.P.S\n")},
    {"a tab between", BYTES("H.\tP.S")},
    {"a line in the header", BYTES("H\n.P.S")},
    {"a NUL behind", BYTES("H.P.S\0")},
    {"a NUL in front", BYTES("\0H.P.S")},
    {"a NUL between", BYTES("H\0.P.S")},
    {"a quote around", BYTES("\"H.P.S\"")},
    {"the word Bearer", BYTES("Bearer H.P.S")},
    {"a character behind the signature", BYTES("H.P.SA")},
    {"four characters behind the signature", BYTES("H.P.SAAAA")},
    {"a character behind the payload", BYTES("H.PA.S")},
    {"four characters behind the payload", BYTES("H.PAAAA.S")},
    {"four characters behind the header", BYTES("HAAAA.P.S")},
    {"header not canonical", BYTES("h.P.S")},
    {"payload not canonical", BYTES("H.p.S")},
    {"signature not canonical", BYTES("H.P.s")},
    {"a percent escape", BYTES("H%2EP.S")},
    {"a comma for a dot", BYTES("H,P,S")},
    {"a dot of another script", BYTES("H\xe3\x80\x82P.S")},
    {"the alphabet of RFC 4648 section 4", BYTES("+/+/.P.S")},
    {"a byte over 127", BYTES("H\xff.P.S")},
};

static struct span segment_of(struct span token, size_t index)
{
	struct span segment = {0};

	for (size_t i = 0; i <= index; i++)
		assert_true(span_cut(&token, '.', &segment));
	return segment;
}

/* The segment with an unused bit of its last character set. */
static void append_uncanonical(struct text *out, struct span segment)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789-_";
	const char *at = strchr(alphabet, segment.at[segment.length - 1]);

	assert_non_null(at);
	assert_int_not_equal(segment.length % 4, 0);
	text_append(out, (struct span){segment.at, segment.length - 1});
	text_append_byte(out, at[1]);
}

static struct span rewrite(struct span pattern, struct span token)
{
	static char memory[TOKEN_LIMIT];
	static const char whole[] = "HPS";
	static const char changed[] = "hps";
	struct text out = text_over(memory, sizeof(memory));
	const char *at;

	for (size_t i = 0; i < pattern.length; i++) {
		char byte = pattern.at[i] ? pattern.at[i] : '\x01';
		if ((at = strchr(whole, byte)) != NULL)
			text_append(&out,
			            segment_of(token, (size_t)(at - whole)));
		else if ((at = strchr(changed, byte)) != NULL)
			append_uncanonical(
			    &out, segment_of(token, (size_t)(at - changed)));
		else
			text_append_byte(&out, pattern.at[i]);
	}
	return text_span(&out);
}

static void refuses_every_other_spelling(void **state)
{
	/* Lengths that leave unused bits at each segment's end. */
	const struct span good =
	    make(SPAN(HEADER), SPAN("{\"sub\":\"alicia\"}"));

	(void)state;
	expect(JWT_GOOD, rewrite(SPAN("H.P.S"), good), "the control");
	for (size_t i = 0; i < COUNT_OF(spellings); i++)
		expect(JWT_BAD, rewrite(spellings[i].pattern, good),
		       spellings[i].reason);
}

static void refuses_every_flipped_bit(void **state)
{
	const struct span good = make(SPAN(HEADER), SPAN(CLAIMS));
	char changed[TOKEN_LIMIT];

	(void)state;
	memcpy(changed, good.at, good.length);
	for (size_t bit = 0; bit < good.length * 8; bit++) {
		changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
		assert_int_not_equal(
		    open_token((struct span){changed, good.length}), JWT_GOOD);
		changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
	}
	expect(JWT_GOOD, (struct span){changed, good.length}, "the control");
}

static void refuses_every_cut(void **state)
{
	const struct span good = make(SPAN(HEADER), SPAN(CLAIMS));

	(void)state;
	for (size_t length = 0; length < good.length; length++) {
		expect(JWT_BAD, (struct span){good.at, length}, "the front");
		assert_int_not_equal(
		    open_token(
			(struct span){good.at + good.length - length, length}),
		    JWT_GOOD);
	}
	expect(JWT_BAD, (struct span){0}, "absent");
}

/* The segments of two good tokens do not mix. */
static void refuses_the_signature_of_another_token(void **state)
{
	char first[1024];
	struct text mixed = text_over(first, sizeof(first));
	struct span good = make(SPAN(HEADER), SPAN("{\"sub\":\"alice\"}"));

	(void)state;
	text_append(&mixed, segment_of(good, 0));
	text_append_byte(&mixed, '.');
	text_append(&mixed, segment_of(good, 1));
	text_append_byte(&mixed, '.');
	good = make(SPAN(HEADER), SPAN("{\"sub\":\"root\"}"));
	text_append(&mixed, segment_of(good, 2));
	expect(JWT_BAD, text_span(&mixed), "another token's signature");
}

/* RFC 7515, A.1: a good JWS, and none of ours. */
static void refuses_the_example_of_rfc_7515(void **state)
{
	(void)state;
	expect(JWT_BAD,
	       SPAN("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
	            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6"
	            "Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
	            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
	       "RFC 7515");
	/* A.5: the unsecured one. */
	expect(JWT_BAD,
	       SPAN("eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4"
	            "MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
	            "fQ."),
	       "RFC 7515");
}

/* Claims of so many bytes in all. */
static struct span long_claims(size_t length)
{
	static char memory[TOKEN_LIMIT];
	struct text claims = text_over(memory, sizeof(memory));

	text_append_cstr(&claims, "{\"x\":1");
	while (claims.length < length - 1)
		text_append_byte(&claims, ' ');
	text_append_byte(&claims, '}');
	return text_span(&claims);
}

static void refuses_a_token_over_the_limit(void **state)
{
	const size_t around = make(SPAN(HEADER), SPAN("")).length;
	size_t most = (JWT_LIMIT_BYTES - around) / 4 * 3;
	struct span token;

	(void)state;
	token = make(SPAN(HEADER), long_claims(most));
	assert_in_range(token.length, JWT_LIMIT_BYTES - 3, JWT_LIMIT_BYTES);
	expect(JWT_GOOD, token, "the longest");
	token = make(SPAN(HEADER), long_claims(most + 3));
	assert_in_range(token.length, JWT_LIMIT_BYTES + 1, JWT_LIMIT_BYTES + 4);
	expect(JWT_BAD, token, "too long");
}

/* What is left of the arena when the MAC of claims so long is wrong. */
static size_t used_by_a_wrong_mac(size_t claims_bytes)
{
	const struct span good = make(SPAN(HEADER), long_claims(claims_bytes));
	const struct json_node *claims = NULL;
	char changed[TOKEN_LIMIT];

	memcpy(changed, good.at, good.length);
	changed[good.length - 2] = changed[good.length - 2] == 'A' ? 'B' : 'A';
	arena_reset(&arena);
	assert_int_equal(jwt_open(&arena, ring,
	                          (struct span){changed, good.length}, NOW,
	                          &claims),
	                 JWT_BAD);
	return arena.used;
}

/* The payload is not even decoded before its MAC is right. */
static void looks_at_no_payload_without_a_right_mac(void **state)
{
	(void)state;
	assert_int_equal(used_by_a_wrong_mac(4000), used_by_a_wrong_mac(40));
}

static void gives_no_claims_when_the_arena_is_full(void **state)
{
	const struct span good = make(SPAN(HEADER), SPAN(CLAIMS));
	const struct json_node *claims = NULL;

	(void)state;
	for (size_t room = 0; room < 4096; room += 64) {
		arena_reset(&arena);
		assert_non_null(arena_alloc(&arena, arena.limit - room));
		assert_int_equal(jwt_open(&arena, ring, good, NOW, &claims),
		                 JWT_BAD);
		assert_null(claims);
	}
}

#define TEST(function) cmocka_unit_test_setup(function, empty_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(opens_what_it_signed),
	    TEST(signs_the_header_that_readers_expect),
	    TEST(signs_nothing_without_room),
	    TEST(opens_the_controls),
	    TEST(refuses_every_forged_header),
	    TEST(refuses_every_forged_payload),
	    TEST(refuses_too_many_claims),
	    TEST(tells_a_key_that_it_does_not_hold),
	    TEST(refuses_every_other_spelling),
	    TEST(refuses_every_flipped_bit),
	    TEST(refuses_every_cut),
	    TEST(refuses_the_signature_of_another_token),
	    TEST(refuses_the_example_of_rfc_7515),
	    TEST(refuses_a_token_over_the_limit),
	    TEST(looks_at_no_payload_without_a_right_mac),
	    TEST(gives_no_claims_when_the_arena_is_full),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
