/* SPDX-License-Identifier: Apache-2.0 */
/* A key ring without a database, for tests of what signs and checks. */
#ifndef UNIT_RING_H
#define UNIT_RING_H

#include "base/arena.h"
#include "crypto/keyring.h"

/*
 * A ring with a current key of every purpose. Release it with keyring_free.
 * The test fails when it cannot be made.
 */
struct keyring *ring_make(struct arena *arena);

/* One more random key, of this id and state, to retire at this moment. */
void ring_add(struct keyring *ring, struct arena *arena,
              enum key_purpose purpose, const char *id, enum key_state state,
              int64_t retires_at_ms);

#endif
