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

#define BLOCK_REASON_BYTES 200

/* What one process knows of blocks; opened once, loaded again and again. */
struct blocks;

/* With the file mapped, if there is one, and no row; config must outlive it. */
enum fault block_open(const struct config *config, struct blocks **out);
void block_close(struct blocks *blocks);

/*
 * Map the file again when it is another one (or none: then it is let go), and
 * read the rows anew. A fault leaves the rows that were known in force; a file
 * that is no list is logged and the one before stays in force.
 */
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

struct block_wish {
	struct ip_block block;
	int64_t duration_ms; /* 0: for ever */
	struct span reason;  /* at most BLOCK_REASON_BYTES */
	enum block_force force;
};

/*
 * Block an address or CIDR block; one that is there is replaced. Audits
 * (ip_block), raises the guard's version and publishes it. FAULT_CONFLICT, with
 * a field error that says which, when guard.allow covers all of it
 * ("always_allowed"), or when it covers ctx->ip and is not forced
 * ("own_address"; the host has no address). FAULT_VALIDATION for a reason that
 * is too long, no UTF-8, or has control characters.
 */
enum fault block_add(struct ctx *ctx, const struct block_wish *wish,
                     struct block_record *out);

/*
 * The same by the guard itself, for guard.auto_block_for, inside the caller's
 * transaction; it has version_publish the version after the commit. A block
 * that is there and lasts longer stays as it is. When guard.allow covers the
 * network nothing is done and version is 0.
 */
enum fault block_add_automatically(struct ctx *ctx, const struct ip *network,
                                   struct span reason, int64_t *version);

/*
 * FAULT_NOT_FOUND when there is no such row. Audits (ip_unblock), raises the
 * version and publishes it.
 */
enum fault block_remove(struct ctx *ctx, const struct ip_block *block);

/*
 * Have all processes look at the file again: raise the version and publish it.
 */
enum fault block_announce_list(struct ctx *ctx);

/* Rows that have not expired, in order of address behind after (NULL: from the
 * first). */
enum fault block_list(struct ctx *ctx, const struct ip_block *after,
                      int64_t limit, const struct block_record **out,
                      size_t *count);

/* Remove rows that have expired: whoever asks block_has goes by the time. */
enum fault block_expire(struct ctx *ctx);

#endif
