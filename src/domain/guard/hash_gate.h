/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate before password hashing: all processes of a host together hash at
 * most so many passwords at a time, a bounded number waits, the rest is told
 * to come again. Byte locks of a file in the runtime folder: the kernel gives
 * a dead process's place back.
 */
#ifndef DOMAIN_GUARD_HASH_GATE_H
#define DOMAIN_GUARD_HASH_GATE_H

#include "base/config.h"
#include "base/fault.h"
#include "base/shared.h"

struct hash_gate;

/* Open after fork: locks belong to this process. */
enum fault hash_gate_open(const struct config *config, struct shared *shared,
                          struct hash_gate **out);
void hash_gate_close(struct hash_gate *gate);

/*
 * Wait for a place, config->password.hash_wait at most. FAULT_BUSY when the
 * queue is full or the wait was in vain. Every FAULT_NONE needs its
 * hash_gate_leave.
 */
enum fault hash_gate_enter(struct hash_gate *gate);
void hash_gate_leave(struct hash_gate *gate);

#endif
