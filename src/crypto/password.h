/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Password hashing: HMAC-SHA-256 under a pepper, then Argon2id (RFC 9106) in
 * PHC string form, and an estimate of strength. A password is its exact bytes:
 * no normalisation, no trimming, NUL allowed.
 */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/text.h"
#include "crypto/digest.h"

#include <stdbool.h>
#include <stdint.h>

#define PASSWORD_PHC_BYTES 160

struct password_cost {
	uint32_t memory_kib;
	uint32_t passes;
	uint32_t memory_cap_kib; /* a stored hash above it is refused */
};

/*
 * A new PHC string with 16 bytes of salt and a 32-byte hash, lanes 1.
 * FAULT_INTERNAL for a cost out of bounds (memory_kib 8 … memory_cap_kib,
 * passes 1 … 16), FAULT_UNAVAILABLE when the kernel has no memory.
 */
enum fault password_hash(struct span password, struct mac *pepper,
                         const struct password_cost *cost,
                         char out[PASSWORD_PHC_BYTES]);

/*
 * FAULT_NONE when the password is the one of this PHC string, else
 * FAULT_INVALID_CREDENTIALS; FAULT_INTERNAL for a string that is broken or
 * costs more than the cap or 16 passes, without computing it;
 * FAULT_UNAVAILABLE when the kernel has no memory.
 */
enum fault password_verify(struct span password, struct mac *pepper,
                           struct span phc, const struct password_cost *cost);

/* Whether a stored PHC string was made with another cost than this. */
bool password_is_outdated(struct span phc, const struct password_cost *cost);

/*
 * zxcvbn's score 0 … 4 for a password, with words of the context (NULL ended,
 * lower case; NULL for none) counted as the first to be guessed. Looks at the
 * first 40 bytes and at most 32 words, which bounds it to about 15 ms. Not
 * constant in time: for choosing, never for checking.
 */
int password_strength(struct span password, const char *const *context);

#endif
