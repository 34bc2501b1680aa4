/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes of one host share without a server: a file in the runtime
 * folder, mapped by every worker whoever spawned it. Zero bytes are its valid
 * initial state, every field is atomic, and a killed process leaves nothing
 * locked behind.
 */
#ifndef BASE_SHARED_H
#define BASE_SHARED_H

#include "base/fault.h"
#include "base/metrics.h"

#include <stdatomic.h>
#include <stdint.h>

/* Room for 100,000 attackers and everybody else: 4 MiB. */
#define SHARED_LIMIT_SLOTS 262144

/* A rate limit's state while Redis is away (guard/limit_local.c). */
struct shared_limit_slot {
	_Atomic uint64_t key_hash;
	_Atomic int64_t arrival_us;
};

struct shared {
	struct metrics metrics;
	/* The hash gate's wake-up word (guard/hash_gate.c). */
	_Atomic uint32_t gate_generation;
	/* Redis is left alone before this monotonic moment; 0: it is well
	 * (store/kv.c). */
	_Atomic int64_t kv_open_until_us;
	/* How often Redis has failed: connections from before are old. */
	_Atomic uint32_t kv_failures;
	/* Redis may lack a revocation until this is refilled: 0, or since. */
	_Atomic int64_t kv_distrusted_since_ms;
	_Atomic int64_t kv_next_refill_ms;
	_Atomic uint64_t limit_seed; /* 0: not drawn yet */
	struct shared_limit_slot limit[SHARED_LIMIT_SLOTS];
};

/*
 * Map <runtime_dir>/shared-<layout>.map, made with mode 0600 if missing, where
 * <layout> is the size of struct shared, so that two releases do not mix.
 * Attaches the metrics. FAULT_UNAVAILABLE when the folder cannot be used.
 * The mapping lives as long as the process.
 */
enum fault shared_open(const char *runtime_dir, struct shared **out);

#endif
