/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of blocked addresses; for block.c alone. */
#ifndef DOMAIN_GUARD_BLOCK_STORE_H
#define DOMAIN_GUARD_BLOCK_STORE_H

#include "domain/guard/block.h"

/* A row as processes hold it. */
struct block_row {
	struct ip_block block;
	int64_t expires_at_ms; /* 0: never */
};

/* Insert, or put in the place of what is there. */
enum fault block_store_put(struct ctx *ctx, const struct block_record *record);
/* Insert; of two, the one that lasts longer stays. */
enum fault block_store_extend(struct ctx *ctx,
                              const struct block_record *record);
/* FAULT_NOT_FOUND when there is none that has not expired. */
enum fault block_store_remove(struct ctx *ctx, const struct ip_block *block);
/* Live rows behind after (NULL: from the first), in order of block. */
enum fault block_store_list(struct ctx *ctx, const struct ip_block *after,
                            int64_t limit, const struct block_record **out,
                            size_t *count);
enum fault block_store_page(struct ctx *ctx, const struct ip_block *after,
                            int64_t limit, const struct block_row **out,
                            size_t *count);
enum fault block_store_expire(struct ctx *ctx);

#endif
