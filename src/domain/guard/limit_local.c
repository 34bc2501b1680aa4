/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of slots for every subject, found by a hash that nobody outside can
 * compute: whoever could would fill the set of a victim.
 */
#include "domain/guard/limit_local.h"

#include "crypto/digest.h"
#include "crypto/random.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#define WAYS      8 /* slots of one set */
#define US_PER_MS 1000
static_assert(SHARED_LIMIT_SLOTS % WAYS == 0, "whole sets");

/* Whoever comes first draws for the host. */
static uint64_t seed_of(struct shared *shared)
{
	uint64_t seed = atomic_load(&shared->limit_seed);
	uint64_t drawn;
	if (seed)
		return seed;
	random_bytes(&drawn, sizeof(drawn));
	drawn |= 1;
	return atomic_compare_exchange_strong(&shared->limit_seed, &seed, drawn)
	           ? drawn
	           : seed;
}

/* Zero is kept for empty slots. */
static uint64_t hash_of(struct shared *shared, struct span subject)
{
	uint64_t seed = seed_of(shared), hash = 0;
	unsigned char digest[DIGEST_SHA256_BYTES];
	const struct span parts[] = {
	    {(const char *)&seed, sizeof(seed)},
	    subject,
	};
	/* Without SHA-256 all share one slot, which is the safe side. */
	if (!digest_sha256(parts, 2, digest))
		memcpy(&hash, digest, sizeof(hash));
	return hash ? hash : 1;
}

static struct shared_limit_slot *set_of(struct shared *shared, uint64_t hash)
{
	return &shared->limit[hash % (SHARED_LIMIT_SLOTS / WAYS) * WAYS];
}

static struct shared_limit_slot *find(struct shared_limit_slot *set,
                                      uint64_t hash)
{
	for (size_t i = 0; i < WAYS; i++)
		if (atomic_load(&set[i].key_hash) == hash)
			return &set[i];
	return NULL;
}

/* Make the first slot that is free the subject's; NULL when none is. What a
 * free one holds is over: it need not be changed. */
static struct shared_limit_slot *claim(struct shared_limit_slot *set,
                                       uint64_t hash, int64_t now_us)
{
	for (size_t i = 0; i < WAYS; i++) {
		uint64_t was = atomic_load(&set[i].key_hash);
		if (was == hash)
			return &set[i]; /* another process was faster */
		if (was && atomic_load(&set[i].arrival_us) > now_us)
			continue;
		if (atomic_compare_exchange_strong(&set[i].key_hash, &was,
		                                   hash) ||
		    was == hash)
			return &set[i];
	}
	return NULL;
}

static int64_t first_free_us(struct shared_limit_slot *set)
{
	int64_t first_us = INT64_MAX;
	for (size_t i = 0; i < WAYS; i++) {
		int64_t arrival_us = atomic_load(&set[i].arrival_us);
		if (arrival_us < first_us)
			first_us = arrival_us;
	}
	return first_us;
}

/* The time that one attempt takes to come back, and all of them together. */
static int64_t step_us(const struct config_rate *rate)
{
	int64_t window_us = rate->window_ms * US_PER_MS;
	return (window_us + rate->count - 1) / rate->count;
}

static int64_t size_us(const struct config_rate *rate)
{
	return step_us(rate) * (rate->burst ? rate->burst : rate->count);
}

static int64_t to_ms(int64_t us)
{
	return us > 0 ? (us + US_PER_MS - 1) / US_PER_MS : 1;
}

/* More than there can be is out only after a rate or a clock was changed. */
static int64_t debt_of(int64_t arrival_us, int64_t now_us, int64_t most_us)
{
	int64_t debt_us = arrival_us > now_us ? arrival_us - now_us : 0;
	return debt_us < most_us ? debt_us : most_us;
}

bool limit_local_take(struct shared *shared, struct span subject,
                      const struct config_rate *rate, int64_t now_ms,
                      int64_t *remaining, int64_t *reset_in_ms)
{
	int64_t now_us = now_ms * US_PER_MS;
	int64_t step = step_us(rate), most = size_us(rate), debt;
	uint64_t hash = hash_of(shared, subject);
	struct shared_limit_slot *set = set_of(shared, hash);
	struct shared_limit_slot *slot = find(set, hash);
	if (!slot)
		slot = claim(set, hash, now_us);
	*remaining = 0;
	if (!slot) {
		*reset_in_ms = to_ms(first_free_us(set) - now_us);
		return false;
	}
	int64_t was = atomic_load(&slot->arrival_us);
	do {
		debt = debt_of(was, now_us, most) + step;
		*reset_in_ms = to_ms(debt - most);
		if (debt > most)
			return false;
	} while (!atomic_compare_exchange_weak(&slot->arrival_us, &was,
	                                       now_us + debt));
	*remaining = (most - debt) / step;
	*reset_in_ms = to_ms(debt);
	return true;
}

bool limit_local_give(struct shared *shared, struct span subject,
                      const struct config_rate *rate, int64_t now_ms)
{
	int64_t now_us = now_ms * US_PER_MS;
	uint64_t hash = hash_of(shared, subject);
	struct shared_limit_slot *slot = find(set_of(shared, hash), hash);
	if (!slot)
		return false;
	int64_t was = atomic_load(&slot->arrival_us);
	do {
		if (was <= now_us)
			return false;
	} while (!atomic_compare_exchange_weak(&slot->arrival_us, &was,
	                                       was - step_us(rate)));
	return true;
}
