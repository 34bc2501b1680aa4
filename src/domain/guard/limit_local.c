/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of slots for every hash, the least promising of which is given up when
 * all are taken. A slot is one word: 22 bits of the subject's hash, and below
 * them the moment up to which its places are taken, so that whose it is and how
 * much was taken never disagree. Nothing here must be right for ever: it
 * bridges an outage.
 */
#include "domain/guard/limit_local.h"

#include <assert.h>
#include <stdatomic.h>

#define WAYS        8  /* slots of one set */
#define MOMENT_BITS 42 /* ms since 1970 until the year 2109 */
#define MOMENT_MASK ((UINT64_C(1) << MOMENT_BITS) - 1)
static_assert(SHARED_LIMIT_SLOTS % WAYS == 0, "whole sets");

/*
 * FNV-1a, 64 bits, and the last steps of MurmurHash3: without them addresses
 * that differ in their last letter alone would share one set.
 */
static uint64_t hash_of(struct span subject)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < subject.length; i++) {
		hash ^= (unsigned char)subject.at[i];
		hash *= UINT64_C(1099511628211);
	}
	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 33;
}

/* Whose a word is: never 0, which is nobody. */
static uint64_t owner_of(uint64_t hash)
{
	uint64_t owner = hash & ~MOMENT_MASK;
	return owner ? owner : MOMENT_MASK + 1;
}

static int64_t moment_of(uint64_t word)
{
	return (int64_t)(word & MOMENT_MASK);
}

/* A slot, and the word that was seen in it. */
struct seen {
	_Atomic uint64_t *slot;
	uint64_t word;
};

/*
 * The owner's slot, or the one of the set that ends first. All who look at the
 * same words choose the same slot: of those who make it theirs, one wins.
 */
static struct seen look_for(struct shared *shared, uint64_t hash)
{
	size_t set = (size_t)(hash % (SHARED_LIMIT_SLOTS / WAYS)) * WAYS;
	struct seen first = {0};
	for (size_t i = 0; i < WAYS; i++) {
		_Atomic uint64_t *slot = &shared->limit[set + i];
		struct seen seen = {slot, atomic_load(slot)};
		if ((seen.word & ~MOMENT_MASK) == owner_of(hash))
			return seen;
		if (!first.slot || moment_of(seen.word) < moment_of(first.word))
			first = seen;
	}
	return first;
}

/* Up to when the owner's places are taken: nothing, in the slot of another. */
static int64_t taken_until(const struct seen *seen, uint64_t hash,
                           int64_t now_ms)
{
	bool is_own = (seen->word & ~MOMENT_MASK) == owner_of(hash);
	int64_t until_ms = moment_of(seen->word);
	return is_own && until_ms > now_ms ? until_ms : now_ms;
}

bool limit_local_take(struct shared *shared, struct span subject,
                      const struct config_rate *rate, int64_t now_ms,
                      int64_t *remaining, int64_t *reset_in_ms)
{
	/* Whole ms, and never faster than the rate: count of them fit. */
	int64_t step = (rate->window_ms + rate->count - 1) / rate->count;
	int64_t room = step * rate->count;
	uint64_t hash = hash_of(subject);
	struct seen seen;
	int64_t taken;
	do {
		seen = look_for(shared, hash);
		taken = taken_until(&seen, hash, now_ms) - now_ms + step;
		if (taken > room) {
			*remaining = 0;
			*reset_in_ms = taken - room;
			return false;
		}
	} while (!atomic_compare_exchange_strong(
	    seen.slot, &seen.word,
	    owner_of(hash) | ((uint64_t)(now_ms + taken) & MOMENT_MASK)));
	*remaining = (room - taken) / step;
	*reset_in_ms = taken;
	return true;
}
