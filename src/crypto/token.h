/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opaque tokens: 256 random bits in base64url (43 characters), of which only
 * the SHA-256 is ever stored. Refresh tokens and mailed tokens are such.
 */
#ifndef CRYPTO_TOKEN_H
#define CRYPTO_TOKEN_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/text.h"
#include "crypto/digest.h"

#define TOKEN_TEXT_BYTES 44 /* 43 and the NUL */

struct token_hash {
	unsigned char bytes[DIGEST_SHA256_BYTES];
};

/* A new token's text, and the hash to store. */
enum fault token_make(char text[TOKEN_TEXT_BYTES], struct token_hash *hash);

/*
 * SHA-256 of the token's 43 characters. FAULT_TOKEN_INVALID when text cannot
 * be a token at all.
 */
enum fault token_hash(struct span text, struct token_hash *out);

/*
 * Seal bytes under a key derived from the token itself (HKDF-SHA-256, RFC
 * 5869), so that only who holds the token can open them; for the successor of
 * a refresh token within its grace. FAULT_TOKEN_INVALID when token is none;
 * else as seal_value and seal_open.
 */
enum fault token_seal(struct span token, struct span plain, struct text *out);
enum fault token_open(struct span token, struct span blob, struct arena *arena,
                      struct span *out);

#endif
