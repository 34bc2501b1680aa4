/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelope encryption: every value under a data key of its own (AES-256-GCM,
 * 128-bit IV, 128-bit tag), the data key wrapped the same way under a key
 * encryption key. The additional data binds the value to its row; a blob that
 * was moved, cut or changed in any bit does not open (NIST SP 800-38D).
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/text.h"

#define SEAL_KEY_BYTES 32
/* version 1, wrapped key 16+32+16, value 16+n+16 */
#define SEAL_OVERHEAD_BYTES 97

/*
 * Append plain.length + SEAL_OVERHEAD_BYTES to out. FAULT_EXHAUSTED when they
 * do not fit; nothing is written then.
 */
enum fault seal_value(const unsigned char key[SEAL_KEY_BYTES],
                      struct span bound_to, struct span plain,
                      struct text *out);

/*
 * Open a blob into arena memory. FAULT_VALIDATION when it is not a blob of
 * this key bound to this text; nothing of the plain text is given then.
 * FAULT_EXHAUSTED when the arena is full.
 */
enum fault seal_open(const unsigned char key[SEAL_KEY_BYTES],
                     struct span bound_to, struct span blob,
                     struct arena *arena, struct span *out);

#endif
