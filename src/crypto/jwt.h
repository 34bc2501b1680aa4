/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed JSON Web Tokens in compact form, HS256 only (RFC 7515, 7519, 8725,
 * 9068): the profile of jws.h that our tokens have. What the claims mean is
 * session/access_token.c's.
 */
#ifndef CRYPTO_JWT_H
#define CRYPTO_JWT_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/json_read.h"
#include "base/text.h"
#include "crypto/jws.h"
#include "crypto/keyring.h"

#include <stdint.h>

#define JWT_LIMIT_BYTES JWS_LIMIT_BYTES

/*
 * Append a token with header {"alg":"HS256","typ":"at+jwt","kid":key->id} over
 * these claims (a JSON object). The key is one of a ring. FAULT_EXHAUSTED when
 * out is full; it then holds part of the token.
 */
enum fault jwt_sign(const struct key *key, struct span claims,
                    struct text *out);

enum jwt_verdict {
	JWT_GOOD,
	JWT_BAD,         /* malformed, not allowed, wrong MAC, or no room */
	JWT_UNKNOWN_KEY, /* well formed, its kid is not in the ring */
};

/*
 * Check spelling, header and MAC, and read the claims. alg must be exactly
 * HS256, typ at+jwt, kid 1 … 32 characters of [A-Za-z0-9_-] and in the ring
 * for KEY_ACCESS_TOKEN; crit and b64 are refused, jku, jwk, x5u, x5c, zip
 * never looked at; duplicate members and NUL in strings refused; depth 4, 32
 * claims. Nothing of the payload is read before its MAC is right. claims is
 * set for JWT_GOOD alone and lives in the arena, of which it takes 8 KiB for a
 * usual token.
 */
enum jwt_verdict jwt_open(struct arena *arena, const struct keyring *ring,
                          struct span token, int64_t now_ms,
                          const struct json_node **claims);

#endif
