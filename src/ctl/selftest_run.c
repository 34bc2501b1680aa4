/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running public test vectors through the code that the product uses: the
 * cipher of seal.c, the MAC of digest.c, the signed form below jwt.c, and
 * one-time passwords. Whatever the product never does (another key size, a cut
 * tag, another algorithm) is said to be unsupported, not passed.
 */
#include "ctl/selftest.h"

#include "base/encode.h"
#include "crypto/digest.h"
#include "crypto/gcm.h"
#include "crypto/jws.h"
#include "crypto/otp.h"

/* A text member; absent when it is not there. */
static struct span text_of(const struct json_node *object, const char *name)
{
	const struct json_node *node = json_member(object, name);
	return node && node->type == JSON_STRING ? node->text
	                                         : (struct span){0};
}

/* An integer member; -1 when it is not there. */
static int64_t integer_of(const struct json_node *object, const char *name)
{
	const struct json_node *node = json_member(object, name);
	return node && node->type == JSON_INTEGER ? node->integer : -1;
}

/* A member of hex digits, as bytes. */
static enum fault bytes_of(struct arena *arena, const struct json_node *object,
                           const char *name, struct span *out)
{
	struct span digits = text_of(object, name);
	if (!digits.at || digits.length % 2)
		return FAULT_VALIDATION;
	char *bytes = arena_alloc(arena, digits.length / 2);
	if (!bytes)
		return FAULT_EXHAUSTED;
	*out = (struct span){bytes, digits.length / 2};
	return hex_decode(digits, bytes, out->length);
}

static enum selftest_verdict unsupported(const char **why, const char *words)
{
	*why = words;
	return SELFTEST_UNSUPPORTED;
}

struct gcm_test {
	struct span key, iv, aad, msg, ct, tag;
};

static enum fault read_gcm(struct arena *arena, const struct json_node *test,
                           struct gcm_test *out)
{
	enum fault fault = bytes_of(arena, test, "key", &out->key);
	if (!fault)
		fault = bytes_of(arena, test, "iv", &out->iv);
	if (!fault)
		fault = bytes_of(arena, test, "aad", &out->aad);
	if (!fault)
		fault = bytes_of(arena, test, "msg", &out->msg);
	if (!fault)
		fault = bytes_of(arena, test, "ct", &out->ct);
	if (!fault)
		fault = bytes_of(arena, test, "tag", &out->tag);
	return fault;
}

/* What was opened must be the text, and sealing that must give it back. */
static enum selftest_verdict check_gcm(struct arena *arena,
                                       const struct gcm_test *test)
{
	const struct gcm gcm = {(const unsigned char *)test->key.at, test->iv,
	                        &test->aad, 1};
	unsigned char *plain = arena_alloc(arena, test->ct.length);
	unsigned char *sealed = arena_alloc(arena, test->msg.length);
	unsigned char tag[GCM_TAG_BYTES];
	if (!plain || !sealed)
		return SELFTEST_MALFORMED;
	if (gcm_open(&gcm, test->ct, (const unsigned char *)test->tag.at,
	             plain))
		return SELFTEST_REFUSED;
	if (!span_equal((struct span){(char *)plain, test->ct.length},
	                test->msg))
		return SELFTEST_WRONG;
	if (gcm_seal(&gcm, test->msg, sealed, tag) ||
	    !span_equal((struct span){(char *)sealed, test->msg.length},
	                test->ct) ||
	    !digest_equal(tag, test->tag.at, sizeof(tag)))
		return SELFTEST_WRONG;
	return SELFTEST_ACCEPTED;
}

static enum selftest_verdict run_gcm(struct arena *arena,
                                     const struct json_node *group,
                                     const struct json_node *node,
                                     const char **why)
{
	struct gcm_test test;
	if (integer_of(group, "keySize") != 8 * GCM_KEY_BYTES)
		return unsupported(why, "keys have 256 bits");
	if (integer_of(group, "tagSize") != 8 * GCM_TAG_BYTES)
		return unsupported(why, "tags have 128 bits");
	if (read_gcm(arena, node, &test))
		return SELFTEST_MALFORMED;
	if (test.iv.length > GCM_IV_LIMIT)
		return unsupported(why, "IVs have at most 1024 bits");
	if (test.key.length != GCM_KEY_BYTES ||
	    test.tag.length != GCM_TAG_BYTES)
		return SELFTEST_REFUSED;
	return check_gcm(arena, &test);
}

static enum selftest_verdict run_hmac(struct arena *arena,
                                      const struct json_node *group,
                                      const struct json_node *test,
                                      const char **why)
{
	struct span key, msg, tag;
	unsigned char wanted[DIGEST_SHA256_BYTES];
	struct mac *mac;
	if (integer_of(group, "tagSize") != 8 * DIGEST_SHA256_BYTES)
		return unsupported(why, "MACs have 256 bits");
	if (bytes_of(arena, test, "key", &key) ||
	    bytes_of(arena, test, "msg", &msg) ||
	    bytes_of(arena, test, "tag", &tag))
		return SELFTEST_MALFORMED;
	if (key.length == 0)
		return unsupported(why, "a key is never empty");
	if (mac_new(key.at, key.length, &mac))
		return SELFTEST_WRONG;
	enum fault fault = mac_sign(mac, &msg, 1, wanted);
	mac_free(mac);
	if (fault)
		return SELFTEST_WRONG;
	return tag.length == sizeof(wanted) &&
	               digest_equal(wanted, tag.at, sizeof(wanted))
	           ? SELFTEST_ACCEPTED
	           : SELFTEST_REFUSED;
}

/* The symmetric key (RFC 7517) of a group, whatever its member is called. */
static const struct json_node *jwk_of(const struct json_node *group)
{
	static const char *const names[] = {"private", "jwk", "key"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct json_node *node = json_member(group, names[i]);
		if (node && node->type == JSON_OBJECT)
			return node;
	}
	return NULL;
}

static enum selftest_verdict check_jws(struct arena *arena, struct span key,
                                       struct span token)
{
	struct mac *mac;
	struct jws jws;
	struct span payload;
	if (mac_new(key.at, key.length, &mac))
		return SELFTEST_MALFORMED;
	enum fault fault = jws_read(arena, token, &jws);
	if (!fault)
		fault = jws_verify(arena, mac, &jws, &payload);
	mac_free(mac);
	return fault ? SELFTEST_REFUSED : SELFTEST_ACCEPTED;
}

static enum selftest_verdict run_jws(struct arena *arena,
                                     const struct json_node *group,
                                     const struct json_node *test,
                                     const char **why)
{
	const struct json_node *jwk = jwk_of(group);
	struct span token = text_of(test, "jws");
	if (!jwk || !token.at)
		return SELFTEST_MALFORMED;
	struct span algorithm = text_of(jwk, "alg");
	if (!span_equal(text_of(jwk, "kty"), SPAN("oct")) ||
	    (algorithm.at && !span_equal(algorithm, SPAN("HS256"))))
		return unsupported(why, "tokens are signed by HS256");
	struct span encoded = text_of(jwk, "k");
	char *key = arena_alloc(arena, encoded.length);
	size_t length;
	if (!key || base64url_decode(encoded, key, encoded.length, &length))
		return SELFTEST_MALFORMED;
	return check_jws(arena, (struct span){key, length}, token);
}

static enum selftest_verdict run_totp(struct arena *arena,
                                      const struct json_node *group,
                                      const struct json_node *test,
                                      const char **why)
{
	struct span key, code = text_of(test, "otp");
	int64_t at_s = integer_of(test, "time"), step;
	if (integer_of(group, "digits") != TOTP_DIGITS)
		return unsupported(why, "codes have six digits");
	if (integer_of(group, "step") != TOTP_STEP_S)
		return unsupported(why, "steps have 30 seconds");
	if (bytes_of(arena, group, "key", &key) || key.length == 0 ||
	    at_s < 0 || !code.at)
		return SELFTEST_MALFORMED;
	enum fault fault = totp_check(key, at_s, 0, code, &step);
	if (fault)
		return fault == FAULT_INVALID_CREDENTIALS ? SELFTEST_REFUSED
		                                          : SELFTEST_WRONG;
	return step == at_s / TOTP_STEP_S ? SELFTEST_ACCEPTED : SELFTEST_WRONG;
}

static const struct {
	const char *algorithm;
	const char *type; /* of groups that tell as much; NULL for none */
	selftest_run *run;
} kinds[] = {
    {"AES-GCM", NULL, run_gcm},
    {"HMACSHA256", NULL, run_hmac},
    {"JWS", "JsonWebSignature", run_jws},
    {"TOTP", NULL, run_totp},
};

selftest_run *selftest_find(const struct json_node *file)
{
	const struct json_node *groups = json_member(file, "testGroups");
	struct span algorithm = text_of(file, "algorithm");
	struct span type =
	    groups ? text_of(groups->child, "type") : (struct span){0};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (span_equal(algorithm, span_of(kinds[i].algorithm)) ||
		    (kinds[i].type && span_equal(type, span_of(kinds[i].type))))
			return kinds[i].run;
	}
	return NULL;
}
