/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of the key ring; for keys.c alone. */
#ifndef DOMAIN_VAULT_KEYS_STORE_H
#define DOMAIN_VAULT_KEYS_STORE_H

#include "domain/ctx.h"

struct key_row {
	struct key header; /* bytes unset */
	struct span sealed;
};

enum fault keys_store_list(struct ctx *ctx, const struct key_row **out,
                           size_t *count);
enum fault keys_store_insert(struct ctx *ctx, const struct key *header,
                             struct span sealed);
/* The current key of this purpose checks on until retires_at_ms (0: ever). */
enum fault keys_store_supersede(struct ctx *ctx, enum key_purpose purpose,
                                int64_t retires_at_ms);
enum fault keys_store_retire(struct ctx *ctx);

#endif
