/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our tokens over the compact form of jws.h; see jwt.h. Nothing of the payload
 * is read before its MAC is right.
 */
#include "crypto/jwt.h"

#include "base/encode.h"
#include "crypto/digest.h"

/* The header that we write, around the kid. */
#define HEADER_BEFORE_KID "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\""
#define HEADER_AFTER_KID  "\"}"
#define HEADER_BYTES                                            \
	(sizeof(HEADER_BEFORE_KID) + sizeof(HEADER_AFTER_KID) + \
	 KEYRING_ID_BYTES)

static const struct json_limits claims_limits = {
    .depth = 4, .members = 32, .nodes = 64, .string_bytes = 1024};

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

/* The kid of a header that is one of ours. */
static bool read_kid(const struct json_node *header, struct span *kid)
{
	*kid = jws_member_text(header, "kid");
	return span_equal(jws_member_text(header, "typ"), SPAN("at+jwt")) &&
	       keyring_id_is_valid(*kid);
}

enum jwt_verdict jwt_open(struct arena *arena, const struct keyring *ring,
                          struct span token, int64_t now_ms,
                          const struct json_node **claims)
{
	struct jws jws;
	struct span kid, payload;
	const struct key *key;
	const struct json_node *root;

	if (jws_read(arena, token, &jws) || !read_kid(jws.header, &kid))
		return JWT_BAD;
	key = keyring_find(ring, KEY_ACCESS_TOKEN, kid, now_ms);
	if (!key)
		return JWT_UNKNOWN_KEY;
	if (jws_verify(arena, key->mac, &jws, &payload))
		return JWT_BAD;
	root = jws_read_object(arena, payload, &claims_limits);
	if (!root)
		return JWT_BAD;
	*claims = root;
	return JWT_GOOD;
}
