/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ALTCHA's proof of work: the browser looks for the number whose digits, put
 * behind the salt, hash to the challenge. The salt is
 * "<24 hex digits>?expires=<seconds>&key=<key id>&". Its last '&' matters: it
 * keeps digits from moving between the expiry and the number, which would
 * leave the challenge and our signature as they are.
 */
#include "domain/guard/captcha.h"

#include "base/encode.h"
#include "base/json_read.h"
#include "base/metrics.h"
#include "crypto/random.h"
#include "domain/guard/captcha_remote.h"
#include "domain/guard/captcha_store.h"

#include <stddef.h>

#define ALGORITHM    "SHA-256"
#define SALT_BYTES   12
#define SALT_MOST    128
#define NUMBER_BYTES 20
#define NUMBER_MOST  10000000 /* of captcha.difficulty */
#define ANSWER_MOST  2048
#define PAYLOAD_MOST (ANSWER_MOST / 4 * 3)
#define TOKEN_MOST   8192 /* of another provider */
#define MS_PER_S     1000
#define HEX(bytes)   (2 * (size_t)(bytes))
#define EXPIRES      "?expires="
#define KEY          "key="

struct payload {
	struct span algorithm, challenge, salt, signature;
	int64_t number;
};

#define AT(member) offsetof(struct payload, member)
static const struct json_field payload_fields[] = {
    {"algorithm", JSON_FIELD_STRING, JSON_REQUIRED, 7, 7, AT(algorithm)},
    {"challenge", JSON_FIELD_STRING, JSON_REQUIRED, HEX(DIGEST_SHA256_BYTES),
     HEX(DIGEST_SHA256_BYTES), AT(challenge)},
    {"number", JSON_FIELD_INTEGER, JSON_REQUIRED, 0, NUMBER_MOST, AT(number)},
    {"salt", JSON_FIELD_STRING, JSON_REQUIRED, HEX(SALT_BYTES), SALT_MOST,
     AT(salt)},
    {"signature", JSON_FIELD_STRING, JSON_REQUIRED, HEX(DIGEST_SHA256_BYTES),
     HEX(DIGEST_SHA256_BYTES), AT(signature)},
    {0},
};
#undef AT

static bool is_remote(const struct config *config)
{
	return config->captcha.provider == CAPTCHA_HCAPTCHA ||
	       config->captcha.provider == CAPTCHA_TURNSTILE;
}

enum fault captcha_prepare(const struct config *config)
{
	return is_remote(config) ? captcha_remote_prepare() : FAULT_NONE;
}

/* SHA-256 of salt and number, as hex digits. */
static enum fault challenge_of(struct span salt, int64_t number,
                               struct text *out)
{
	unsigned char hash[DIGEST_SHA256_BYTES];
	char memory[NUMBER_BYTES];
	struct text digits = text_over(memory, sizeof(memory));
	text_append_number(&digits, number);
	const struct span parts[] = {salt, text_span(&digits)};
	enum fault fault = digest_sha256(parts, 2, hash);
	if (!fault)
		hex_append(out, hash, sizeof(hash));
	return fault ? fault : text_check(out);
}

static struct text make_salt(struct ctx *ctx, const struct key *key)
{
	unsigned char bytes[SALT_BYTES];
	struct text salt = arena_text(ctx->arena, SALT_MOST);
	int64_t expires_ms = ctx->now_ms + ctx->config->captcha.expiry;
	random_bytes(bytes, sizeof(bytes));
	hex_append(&salt, bytes, sizeof(bytes));
	text_append(&salt, SPAN(EXPIRES));
	text_append_number(&salt, expires_ms / MS_PER_S);
	text_append(&salt, SPAN("&" KEY));
	text_append_cstr(&salt, key->id);
	text_append_byte(&salt, '&');
	return salt;
}

static int64_t draw_number(int64_t most)
{
	uint64_t random;
	random_bytes(&random, sizeof(random));
	return (int64_t)(random % ((uint64_t)most + 1));
}

static enum fault write_altcha(struct ctx *ctx, struct json_writer *json)
{
	const struct key *key = keyring_current(ctx->keys, KEY_CAPTCHA);
	int64_t most = ctx->config->captcha.difficulty;
	unsigned char mac[DIGEST_SHA256_BYTES];
	if (!key)
		return FAULT_INTERNAL;
	struct text salt = make_salt(ctx, key);
	struct text challenge = arena_text(ctx->arena, HEX(sizeof(mac)));
	struct text signature = arena_text(ctx->arena, HEX(sizeof(mac)));
	enum fault fault = text_check(&salt);
	if (!fault)
		fault = challenge_of(text_span(&salt), draw_number(most),
		                     &challenge);
	if (!fault)
		fault = mac_sign(key->mac,
		                 &(struct span){challenge.at, challenge.length},
		                 1, mac);
	if (fault)
		return fault;
	hex_append(&signature, mac, sizeof(mac));
	json_string(json, "algorithm", SPAN(ALGORITHM));
	json_string(json, "challenge", text_span(&challenge));
	json_string(json, "salt", text_span(&salt));
	json_string(json, "signature", text_span(&signature));
	json_integer(json, "maxnumber", most);
	return text_check(&signature);
}

static const char *const provider_names[] = {
    [CAPTCHA_NONE] = "none",
    [CAPTCHA_ALTCHA] = "altcha",
    [CAPTCHA_HCAPTCHA] = "hcaptcha",
    [CAPTCHA_TURNSTILE] = "turnstile",
};

enum fault captcha_write_challenge(struct ctx *ctx, struct json_writer *json)
{
	const struct config *config = ctx->config;
	if (config->captcha.provider == CAPTCHA_NONE)
		return FAULT_NOT_FOUND;
	json_string(json, "provider",
	            span_of(provider_names[config->captcha.provider]));
	if (!is_remote(config))
		return write_altcha(ctx, json);
	json_string(json, "site_key", span_of(config->captcha.site_key));
	return FAULT_NONE;
}

/* Base64 with padding (RFC 4648, 4), which is base64url in other letters. */
static enum fault decode(struct ctx *ctx, struct span encoded, struct span *out)
{
	char *bytes = arena_alloc(ctx->arena, PAYLOAD_MOST);
	struct text url = arena_text(ctx->arena, ANSWER_MOST);
	size_t length = encoded.length;
	if (!bytes)
		return FAULT_EXHAUSTED;
	if (length == 0 || length > ANSWER_MOST || length % 4 != 0)
		return FAULT_CAPTCHA_REQUIRED;
	for (size_t most = 2; most && encoded.at[length - 1] == '='; most--)
		length--;
	for (size_t i = 0; i < length; i++) {
		char byte = encoded.at[i];
		if (byte == '-' || byte == '_')
			return FAULT_CAPTCHA_REQUIRED;
		text_append_byte(&url, byte == '+'   ? '-'
		                       : byte == '/' ? '_'
		                                     : byte);
	}
	if (text_check(&url))
		return FAULT_EXHAUSTED;
	out->at = bytes;
	return base64url_decode(text_span(&url), bytes, PAYLOAD_MOST,
	                        &out->length)
	           ? FAULT_CAPTCHA_REQUIRED
	           : FAULT_NONE;
}

static enum fault parse(struct ctx *ctx, struct span answer,
                        struct payload *out)
{
	static const struct json_limits limits = {
	    .depth = 2, .members = 16, .nodes = 32, .string_bytes = 256};
	const struct json_node *root;
	struct field_errors unused = {0};
	struct span json;
	enum fault fault = decode(ctx, answer, &json);
	if (!fault)
		fault = json_parse(ctx->arena, json, &limits, &root);
	if (!fault)
		fault = json_bind(root, payload_fields, out, &unused);
	return !fault || fault == FAULT_EXHAUSTED ? fault
	                                          : FAULT_CAPTCHA_REQUIRED;
}

/* The salt's parts, each as we write it and nothing besides. */
static enum fault read_salt(struct ctx *ctx, struct span salt,
                            const struct key **key, int64_t *expires_at_ms)
{
	unsigned char bytes[SALT_BYTES];
	const size_t head = HEX(SALT_BYTES) + sizeof(EXPIRES) - 1;
	struct span random = {salt.at, HEX(SALT_BYTES)};
	struct span rest = salt, digits, id;
	uint64_t seconds;
	if (salt.length < head || hex_decode(random, bytes, sizeof(bytes)))
		return FAULT_CAPTCHA_REQUIRED;
	rest.at += random.length;
	rest.length -= random.length;
	if (!span_starts_with(rest, SPAN(EXPIRES)))
		return FAULT_CAPTCHA_REQUIRED;
	rest = (struct span){salt.at + head, salt.length - head};
	if (!span_cut(&rest, '&', &digits) || !span_cut(&rest, '&', &id) ||
	    !rest.at || rest.length || !span_starts_with(id, SPAN(KEY)) ||
	    span_number(digits, INT64_MAX / MS_PER_S, &seconds))
		return FAULT_CAPTCHA_REQUIRED;
	id.at += sizeof(KEY) - 1;
	id.length -= sizeof(KEY) - 1;
	*key = keyring_find(ctx->keys, KEY_CAPTCHA, id, ctx->now_ms);
	*expires_at_ms = (int64_t)seconds * MS_PER_S;
	return *key && *expires_at_ms > ctx->now_ms ? FAULT_NONE
	                                            : FAULT_CAPTCHA_REQUIRED;
}

/* Whether the challenge is ours, and whether the number solves it. */
static enum fault verify(const struct key *key, const struct payload *payload)
{
	unsigned char mac[DIGEST_SHA256_BYTES], sent[DIGEST_SHA256_BYTES];
	char memory[HEX(DIGEST_SHA256_BYTES)];
	struct text solved = text_over(memory, sizeof(memory));
	enum fault fault = mac_sign(key->mac, &payload->challenge, 1, mac);
	if (!fault)
		fault = challenge_of(payload->salt, payload->number, &solved);
	if (fault)
		return fault;
	bool is_good =
	    !hex_decode(payload->signature, sent, sizeof(sent)) &&
	    digest_equal(mac, sent, sizeof(mac)) &&
	    digest_equal(solved.at, payload->challenge.at, sizeof(memory)) &&
	    span_equal(payload->algorithm, SPAN(ALGORITHM));
	return is_good ? FAULT_NONE : FAULT_CAPTCHA_REQUIRED;
}

enum fault captcha_read(struct ctx *ctx, struct span answer,
                        struct captcha_solution *out)
{
	struct payload payload = {0};
	struct captcha_solution solution;
	const struct key *key;
	enum fault fault = parse(ctx, answer, &payload);
	if (!fault)
		fault =
		    read_salt(ctx, payload.salt, &key, &solution.expires_at_ms);
	if (!fault)
		fault = verify(key, &payload);
	if (fault)
		return fault;
	const struct span parts[] = {SPAN("captcha:"), payload.challenge};
	fault = digest_sha256(parts, 2, solution.hash);
	if (!fault)
		*out = solution;
	return fault;
}

static enum fault check_altcha(struct ctx *ctx, struct span answer)
{
	struct captcha_solution solution;
	enum fault fault = captcha_read(ctx, answer, &solution);
	if (!fault)
		fault = captcha_store_use(ctx, &solution);
	return fault == FAULT_CONFLICT ? FAULT_CAPTCHA_REQUIRED : fault;
}

static enum fault check(struct ctx *ctx, struct span answer)
{
	if (ctx->config->captcha.provider == CAPTCHA_ALTCHA)
		return check_altcha(ctx, answer);
	if (!is_remote(ctx->config) || answer.length > TOKEN_MOST)
		return FAULT_CAPTCHA_REQUIRED;
	return captcha_remote_check(ctx, answer);
}

enum fault captcha_check(struct ctx *ctx, struct span answer)
{
	enum fault fault = check(ctx, answer);
	metrics_add(fault ? METRIC_CAPTCHA_REFUSED : METRIC_CAPTCHA_SOLVED, 1);
	return fault;
}

enum fault captcha_expire(struct ctx *ctx)
{
	return captcha_store_expire(ctx);
}
