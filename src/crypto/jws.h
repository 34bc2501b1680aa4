/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed bytes in compact form, HS256 only (RFC 7515, RFC 8725): spelling,
 * header and MAC. Which members a token of ours has beyond that, and which key
 * it is checked with, is jwt.c's.
 */
#ifndef CRYPTO_JWS_H
#define CRYPTO_JWS_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/json_read.h"
#include "base/text.h"
#include "crypto/digest.h"

#define JWS_LIMIT_BYTES 8192

/* A token taken apart; nothing of it is proven. */
struct jws {
	const struct json_node *header; /* an object */
	struct span payload;            /* base64url, for jws_verify alone */
	struct span signature;
	struct span covered; /* by the MAC */
};

/*
 * Take a token apart: exactly three segments of strict base64url, together no
 * longer than JWS_LIMIT_BYTES, of which the first is the header. Its alg must
 * be exactly HS256; crit and b64 are refused, jku, jwk, x5u, x5c, zip never
 * looked at. FAULT_TOKEN_INVALID for all else and when the arena is full.
 */
enum fault jws_read(struct arena *arena, struct span token, struct jws *out);

/*
 * Check the MAC, then decode the payload into the arena. FAULT_TOKEN_INVALID
 * when either is wrong or the arena is full.
 */
enum fault jws_verify(struct arena *arena, struct mac *mac,
                      const struct jws *jws, struct span *payload);

/* The text of a member that is a string; absent otherwise. */
struct span jws_member_text(const struct json_node *object, const char *name);

/*
 * A JSON object without duplicate members and without NUL in any string or
 * name, for headers and claims; NULL when it is none or the arena is full.
 */
const struct json_node *jws_read_object(struct arena *arena, struct span source,
                                        const struct json_limits *limits);

#endif
