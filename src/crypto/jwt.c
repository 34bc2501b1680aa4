/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compact JWS by HMAC-SHA-256; see jwt.h. Nothing of the payload is read
 * before its MAC is right.
 */
#include "crypto/jwt.h"

#include "base/encode.h"
#include "crypto/digest.h"

/* base64url without padding of a MAC. */
#define SIGNATURE_CHARACTERS 43

/* The header that we write, around the kid. */
#define HEADER_BEFORE_KID "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\""
#define HEADER_AFTER_KID  "\"}"
#define HEADER_BYTES                                            \
	(sizeof(HEADER_BEFORE_KID) + sizeof(HEADER_AFTER_KID) + \
	 KEYRING_ID_BYTES)

static const struct json_limits header_limits = {
    .depth = 4, .members = 16, .nodes = 32, .string_bytes = 4096};
static const struct json_limits claims_limits = {
    .depth = 4, .members = 32, .nodes = 64, .string_bytes = 1024};

/* The three segments, and what the MAC covers. */
struct segments {
	struct span header;
	struct span payload;
	struct span signature;
	struct span covered;
};

enum fault jwt_sign(const struct key *key, struct span claims, struct text *out)
{
	char header[HEADER_BYTES];
	struct text written = text_over(header, sizeof(header));
	const size_t start = out->length;
	unsigned char mac[DIGEST_SHA256_BYTES];
	struct span covered;
	enum fault fault;

	text_append_cstr(&written, HEADER_BEFORE_KID);
	text_append_cstr(&written, key->id);
	text_append_cstr(&written, HEADER_AFTER_KID);
	base64url_append(out, header, written.length);
	text_append_byte(out, '.');
	base64url_append(out, claims.at, claims.length);
	if (text_check(out))
		return FAULT_EXHAUSTED;
	covered = (struct span){out->at + start, out->length - start};
	fault = mac_sign(key->mac, &covered, 1, mac);
	if (fault)
		return fault;
	text_append_byte(out, '.');
	base64url_append(out, mac, sizeof(mac));
	return text_check(out);
}

static bool split(struct span token, struct segments *out)
{
	struct span rest = token;

	if (token.length > JWT_LIMIT_BYTES ||
	    !span_cut(&rest, '.', &out->header) ||
	    !span_cut(&rest, '.', &out->payload) ||
	    rest.length != SIGNATURE_CHARACTERS)
		return false;
	out->signature = rest;
	out->covered = (struct span){token.at, token.length - rest.length - 1};
	return true;
}

static bool decode(struct arena *arena, struct span encoded, struct span *out)
{
	const size_t limit = encoded.length / 4 * 3 + 3;
	char *bytes = arena_alloc(arena, limit);
	size_t length;

	if (!bytes || base64url_decode(encoded, bytes, limit, &length))
		return false;
	*out = (struct span){bytes, length};
	return true;
}

static bool has_nul(const struct json_node *node)
{
	if (span_has_byte(node->name, '\0') || span_has_byte(node->text, '\0'))
		return true;
	for (const struct json_node *at = node->child; at; at = at->next)
		if (has_nul(at))
			return true;
	return false;
}

/* A JSON object and no NUL anywhere in it. */
static const struct json_node *read_object(struct arena *arena,
                                           struct span source,
                                           const struct json_limits *limits)
{
	const struct json_node *root;

	if (json_parse(arena, source, limits, &root) ||
	    root->type != JSON_OBJECT || has_nul(root))
		return NULL;
	return root;
}

/* The text of a member that is a string; absent otherwise. */
static struct span member_text(const struct json_node *object, const char *name)
{
	const struct json_node *member = json_member(object, name);

	if (!member || member->type != JSON_STRING)
		return (struct span){0};
	return member->text;
}

/* The kid of a header that is allowed. */
static bool read_header(struct arena *arena, struct span header,
                        struct span *kid)
{
	const struct json_node *root =
	    read_object(arena, header, &header_limits);

	if (!root || json_member(root, "crit") || json_member(root, "b64") ||
	    !span_equal(member_text(root, "alg"), SPAN("HS256")) ||
	    !span_equal(member_text(root, "typ"), SPAN("at+jwt")))
		return false;
	*kid = member_text(root, "kid");
	return keyring_id_is_valid(*kid);
}

static bool mac_is_right(const struct key *key, const struct segments *token)
{
	unsigned char given[DIGEST_SHA256_BYTES];
	unsigned char wanted[DIGEST_SHA256_BYTES];
	size_t length;
	bool is_right;

	is_right =
	    base64url_decode(token->signature, given, sizeof(given), &length) ==
		FAULT_NONE &&
	    length == sizeof(given) &&
	    mac_sign(key->mac, &token->covered, 1, wanted) == FAULT_NONE &&
	    digest_equal(given, wanted, sizeof(wanted));
	/* It is what a forger lacks. */
	digest_wipe(wanted, sizeof(wanted));
	return is_right;
}

enum jwt_verdict jwt_open(struct arena *arena, const struct keyring *ring,
                          struct span token, int64_t now_ms,
                          const struct json_node **claims)
{
	struct segments segments;
	struct span header;
	struct span payload;
	struct span kid;
	const struct key *key;
	const struct json_node *root;

	if (!split(token, &segments) ||
	    !decode(arena, segments.header, &header) ||
	    !read_header(arena, header, &kid))
		return JWT_BAD;
	key = keyring_find(ring, KEY_ACCESS_TOKEN, kid, now_ms);
	if (!key)
		return JWT_UNKNOWN_KEY;
	if (!mac_is_right(key, &segments) ||
	    !decode(arena, segments.payload, &payload))
		return JWT_BAD;
	root = read_object(arena, payload, &claims_limits);
	if (!root)
		return JWT_BAD;
	*claims = root;
	return JWT_GOOD;
}
