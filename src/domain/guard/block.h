/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocked addresses: rows in MariaDB, made by administrators or by the guard
 * itself, and a list in a file. Processes hold the rows in a sorted array and
 * map the file; looking an address up asks no store.
 */
#ifndef DOMAIN_GUARD_BLOCK_H
#define DOMAIN_GUARD_BLOCK_H

#include "base/ip.h"
#include "base/text.h"
#include "base/uuid.h"
#include "domain/ctx.h"

#include <stdbool.h>
#include <stdint.h>

/* What one process knows of blocks; opened once, loaded again and again. */
struct blocks;

enum fault block_open(const struct config *config, struct blocks **out);
void block_close(struct blocks *blocks);

/* Read the rows anew, and map the file again when it is another one. A fault
 * leaves what was known in force. */
enum fault block_load(struct ctx *ctx, struct blocks *blocks);

/*
 * Whether an address is blocked at this moment: guard.allow wins, then rows
 * that have not expired, then the file. A few microseconds, no allocation.
 */
bool block_has(const struct blocks *blocks, const struct ip *ip,
               int64_t now_ms);

struct block_record {
	struct ip_block block;
	struct span reason;
	bool is_automatic;
	struct uuid created_by; /* nil: the guard, or the host */
	int64_t created_at_ms;
	int64_t expires_at_ms; /* 0: never */
};

/* Adding a block that covers the caller's own address needs to be meant. */
enum block_force { BLOCK_CAREFUL, BLOCK_FORCED };

/*
 * Block an address or CIDR block for a time (0: for ever); one that is there
 * is replaced. Audits (ip_block). FAULT_CONFLICT when it covers ctx->ip and is
 * not forced, or when guard.allow covers all of it.
 */
enum fault block_add(struct ctx *ctx, const struct ip_block *block,
                     int64_t duration_ms, struct span reason,
                     enum block_force force);

/* The same by the guard itself, inside the caller's transaction. */
enum fault block_add_automatically(struct ctx *ctx, const struct ip *network,
                                   struct span reason, int64_t *version);

/* FAULT_NOT_FOUND when there is no such row. Audits (ip_unblock). */
enum fault block_remove(struct ctx *ctx, const struct ip_block *block);

/* Rows that have not expired, in order of address behind after (NULL: from the
 * first). */
enum fault block_list(struct ctx *ctx, const struct ip_block *after,
                      int64_t limit, const struct block_record **out,
                      size_t *count);

/* Remove rows that have expired. */
enum fault block_expire(struct ctx *ctx);

#endif
