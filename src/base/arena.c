/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of mapped memory that is handed out front to back. Everything behind
 * the used part is zero at all times, so that a fresh allocation needs no
 * clearing: the kernel gives zeros, and a reset puts them back.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* Under AddressSanitizer whatever is not handed out must not be touched. */
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes)   ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

#define ALIGNMENT alignof(max_align_t)

enum fault arena_init(struct arena *arena, size_t limit_bytes)
{
	void *memory;

	memory = mmap(NULL, limit_bytes, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return FAULT_EXHAUSTED;
	/* Not every kernel can; the process is not dumpable anyway. */
	(void)madvise(memory, limit_bytes, MADV_DONTDUMP);
	ASAN_POISON_MEMORY_REGION(memory, limit_bytes);
	*arena = (struct arena){.memory = memory, .limit = limit_bytes};
	return FAULT_NONE;
}

void arena_release(struct arena *arena)
{
	if (!arena->memory)
		return;
	arena_reset(arena);
	ASAN_UNPOISON_MEMORY_REGION(arena->memory, arena->limit);
	(void)munmap(arena->memory, arena->limit);
	*arena = (struct arena){0};
}

void arena_reset(struct arena *arena)
{
	if (!arena->memory)
		return;
	ASAN_UNPOISON_MEMORY_REGION(arena->memory, arena->high);
	explicit_bzero(arena->memory, arena->high);
	ASAN_POISON_MEMORY_REGION(arena->memory, arena->high);
	arena->used = 0;
	arena->high = 0;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	size_t padding = (ALIGNMENT - arena->used % ALIGNMENT) % ALIGNMENT;
	size_t room = arena->limit - arena->used;
	unsigned char *at;

	if (!arena->memory || padding > room || bytes > room - padding)
		return NULL;
	at = arena->memory + arena->used + padding;
	arena->used += padding + bytes;
	if (arena->used > arena->high)
		arena->high = arena->used;
	ASAN_UNPOISON_MEMORY_REGION(at, bytes);
	return at;
}

void *arena_array(struct arena *arena, size_t count, size_t bytes)
{
	size_t product;

	if (__builtin_mul_overflow(count, bytes, &product))
		return NULL;
	return arena_alloc(arena, product);
}

struct span arena_copy(struct arena *arena, struct span from)
{
	char *at;

	if (from.length == SIZE_MAX)
		return (struct span){0};
	at = arena_alloc(arena, from.length + 1);
	if (!at)
		return (struct span){0};
	if (from.length)
		memcpy(at, from.at, from.length);
	at[from.length] = '\0';
	return (struct span){at, from.length};
}

struct text arena_text(struct arena *arena, size_t limit_bytes)
{
	char *at = arena_alloc(arena, limit_bytes);

	return text_over(at, at ? limit_bytes : 0);
}
