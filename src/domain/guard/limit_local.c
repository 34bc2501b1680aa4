/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of slots for every hash, the least promising of which is given up when
 * all are taken. Nothing here must be right for ever: it bridges an outage.
 */
#include "domain/guard/limit_local.h"

#include <assert.h>
#include <stdatomic.h>

#define WAYS 8 /* slots of one set */
static_assert(SHARED_LIMIT_SLOTS % WAYS == 0, "whole sets");

/* FNV-1a, 64 bits; zero is kept for empty slots. */
static uint64_t hash_of(struct span subject)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < subject.length; i++) {
		hash ^= (unsigned char)subject.at[i];
		hash *= UINT64_C(1099511628211);
	}
	return hash ? hash : 1;
}

/* The subject's slot: its own, an empty one, or the one that ends first. */
static struct shared_limit_slot *find_slot(struct shared *shared, uint64_t hash)
{
	size_t set = (size_t)(hash >> 20) % (SHARED_LIMIT_SLOTS / WAYS) * WAYS;
	struct shared_limit_slot *best = &shared->limit[set];
	for (size_t i = 0; i < WAYS; i++) {
		struct shared_limit_slot *slot = &shared->limit[set + i];
		if (atomic_load(&slot->key_hash) == hash)
			return slot;
		if (atomic_load(&slot->arrival_ms) <
		    atomic_load(&best->arrival_ms))
			best = slot;
	}
	atomic_store(&best->key_hash, hash);
	atomic_store(&best->arrival_ms, 0);
	return best;
}

bool limit_local_take(struct shared *shared, struct span subject,
                      const struct config_rate *rate, int64_t now_ms,
                      int64_t *remaining, int64_t *reset_in_ms)
{
	struct shared_limit_slot *slot = find_slot(shared, hash_of(subject));
	int64_t step = rate->window_ms / rate->count;
	int64_t was = atomic_load(&slot->arrival_ms), next;
	do {
		next = (was > now_ms ? was : now_ms) + step;
		if (next - now_ms > rate->window_ms) {
			*remaining = 0;
			*reset_in_ms = next - now_ms - rate->window_ms;
			return false;
		}
	} while (!atomic_compare_exchange_weak(&slot->arrival_ms, &was, next));
	*remaining = (rate->window_ms - (next - now_ms)) / (step ? step : 1);
	*reset_in_ms = next - now_ms;
	return true;
}
