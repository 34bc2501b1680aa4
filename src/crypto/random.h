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
 * A UUIDv7 of this moment (RFC 9562, 5.7): 48 bits of ms, 74 random bits.
 * Ids of one process made in the same ms still ascend.
 */
void random_uuid(int64_t at_ms, struct uuid *out);

#endif
