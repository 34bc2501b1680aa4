/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes and MACs over lists of spans, constant-time comparison and wiping.
 * EVP objects are fetched on first use, once per process, and kept; contexts
 * are reused. A fork inherits them: what the parent has used already is shared
 * memory in its children. FAULT_INTERNAL when OpenSSL fails.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "base/fault.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_SHA1_BYTES   20
#define DIGEST_SHA256_BYTES 32

/* SHA-256 of the parts, one behind the other (FIPS 180-4). */
enum fault digest_sha256(const struct span *parts, size_t count,
                         unsigned char out[DIGEST_SHA256_BYTES]);

/* SHA-1, for lists of leaked passwords that come in that form only. */
enum fault digest_sha1(struct span bytes, unsigned char out[DIGEST_SHA1_BYTES]);

/*
 * A keyed HMAC-SHA-256 (RFC 2104) that is ready to be used many times. The key
 * is copied, into memory that mac_free wipes (NULL is allowed); an empty one
 * is FAULT_INTERNAL.
 */
struct mac;
enum fault mac_new(const void *key, size_t key_bytes, struct mac **out);
void mac_free(struct mac *mac);
enum fault mac_sign(struct mac *mac, const struct span *parts, size_t count,
                    unsigned char out[DIGEST_SHA256_BYTES]);

/* Equality in time that depends on length alone. */
bool digest_equal(const void *a, const void *b, size_t length);

/* Overwrite for good. */
void digest_wipe(void *bytes, size_t length);

#endif
