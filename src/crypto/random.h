/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes from the kernel, and the identifiers made of them. */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include "base/uuid.h"

#include <stddef.h>
#include <stdint.h>

/* Fill with kernel random bytes (getrandom); the process aborts without. */
void random_bytes(void *out, size_t length);

/*
 * A UUIDv7 of this moment (RFC 9562, 5.7): 48 bits of ms, 73 random bits. Ids
 * of one process made in the same ms still ascend, by a random step of 48
 * bits; the 74th bit starts as 0, so that there is room for that.
 */
void random_uuid(int64_t at_ms, struct uuid *out);

#endif
