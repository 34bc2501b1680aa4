/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-256-GCM with a tag of 128 bits (NIST SP 800-38D), and no other key or tag
 * length. For seal.c, which sees to it that no IV is used twice under a key,
 * and for checking it against public test vectors; nobody else wants it.
 */
#ifndef CRYPTO_GCM_H
#define CRYPTO_GCM_H

#include "base/fault.h"
#include "base/text.h"

#include <stddef.h>

#define GCM_KEY_BYTES 32
#define GCM_TAG_BYTES 16
#define GCM_IV_LIMIT  128

/* What both directions are given. */
struct gcm {
	const unsigned char *key; /* GCM_KEY_BYTES */
	struct span iv;           /* 1 … GCM_IV_LIMIT bytes */
	const struct span *bound; /* additional data, one behind the other */
	size_t bound_count;
};

/*
 * Encrypt to out, of plain.length bytes, which may not overlap it.
 * FAULT_INTERNAL for an IV out of bounds and when OpenSSL fails.
 */
enum fault gcm_seal(const struct gcm *gcm, struct span plain,
                    unsigned char *out, unsigned char tag[GCM_TAG_BYTES]);

/*
 * Decrypt to out, of sealed.length bytes. FAULT_VALIDATION when the tag is not
 * right, FAULT_INTERNAL as above; out is wiped then.
 */
enum fault gcm_open(const struct gcm *gcm, struct span sealed,
                    const unsigned char tag[GCM_TAG_BYTES], unsigned char *out);

#endif
