/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of one request: bytes are taken from one block of fixed size and
 * given back all at once. There is no free(); arena_reset wipes, so no secret
 * outlives its request.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/fault.h"
#include "base/text.h"

#include <stddef.h>

struct arena {
	unsigned char *memory;
	size_t limit;
	size_t used;
	size_t high; /* the most that was used since the last reset */
};

/*
 * Map limit_bytes of memory that is left out of core files. FAULT_EXHAUSTED
 * when the kernel has none. Release with arena_release.
 */
enum fault arena_init(struct arena *arena, size_t limit_bytes);

/* Wipe and unmap. A zeroed arena is allowed. */
void arena_release(struct arena *arena);

/* Wipe every byte that was ever used since the last reset and start over. */
void arena_reset(struct arena *arena);

/*
 * Take bytes, zeroed and aligned for any type. NULL when the arena is full:
 * the caller answers FAULT_EXHAUSTED. Zero bytes give a valid pointer.
 */
void *arena_alloc(struct arena *arena, size_t bytes);

/* As arena_alloc for count elements; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t bytes);

/*
 * Copy a span and end it with a NUL that length does not count. On a full
 * arena the result's at is NULL.
 */
struct span arena_copy(struct arena *arena, struct span from);

/*
 * A text of at most limit_bytes in arena memory. On a full arena the text has
 * limit 0, so that the first append overflows it.
 */
struct text arena_text(struct arena *arena, size_t limit_bytes);

#endif
