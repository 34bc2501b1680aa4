/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that the domain stands on, for its tests: the servers of stack.h with the
 * schema and a key ring, and a ctx whose clock stands at world_noon_ms until
 * the test moves ctx.now_ms.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include "domain/ctx.h"

#include <stdint.h>

#define WORLD_NOON_MS INT64_C(1768478400000) /* 2026-01-15T12:00:00Z */

struct world {
	struct config config;
	struct arena arena;
	struct ctx ctx;
};

/* Open everything; ends the program when it cannot. */
void world_open(struct world *world);
void world_close(struct world *world);

/* "section.key=value"; limits are those of the configuration again. */
void world_set(struct world *world, const char *assignment);

/* The next request: an empty arena, from this address, so much later. */
void world_turn(struct world *world, const char *address, int64_t later_ms);

/* In a forked child: connections of its own. */
void world_fork(struct world *world);

/* Run SQL; and the number that a SELECT gives. Not for values. */
void world_run(struct world *world, const char *sql);
int64_t world_number(struct world *world, const char *sql);

/* Redis as after FLUSHALL: started anew with nothing in it. */
void world_empty_redis(void);

#endif
