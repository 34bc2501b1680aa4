/* SPDX-License-Identifier: Apache-2.0 */
/* The rates that an administrator changed; for policy.c alone. */
#ifndef DOMAIN_GUARD_POLICY_STORE_H
#define DOMAIN_GUARD_POLICY_STORE_H

#include "domain/ctx.h"

#include <stddef.h>

struct policy_row {
	struct span name;
	struct config_rate rate;
};

enum fault policy_store_list(struct ctx *ctx, const struct policy_row **out,
                             size_t *count);
enum fault policy_store_put(struct ctx *ctx, const struct policy_row *row);
enum fault policy_store_remove(struct ctx *ctx, struct span name);

#endif
