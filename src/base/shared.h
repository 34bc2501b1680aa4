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

#define SHARED_LIMIT_SLOTS 65536

struct shared {
	struct metrics metrics;
	/* The hash gate's wake-up word (guard/hash_gate.c). */
	_Atomic uint32_t gate_generation;
	/* Redis may lack a revocation until this is refilled: 0, or since. */
	_Atomic int64_t kv_distrusted_since_ms;
	_Atomic int64_t kv_next_refill_ms;
	/* Rate limits while Redis is away (guard/limit_local.c): whose and how
	 * much in one word, so that one compare-and-set changes both. */
	_Atomic uint64_t limit[SHARED_LIMIT_SLOTS];
};

/*
 * Map <runtime_dir>/shared-<layout>.map, made with mode 0600 if missing, where
 * <layout> is the size of struct shared, so that two releases do not mix.
 * Attaches the metrics. FAULT_UNAVAILABLE when the folder cannot be used.
 * The mapping lives as long as the process.
 */
enum fault shared_open(const char *runtime_dir, struct shared **out);

#endif
