/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of the outbox; for outbox.c alone. */
#ifndef DOMAIN_OUTBOX_OUTBOX_STORE_H
#define DOMAIN_OUTBOX_OUTBOX_STORE_H

#include "domain/outbox/outbox.h"

struct outbox_row {
	struct uuid id;
	struct span template;
	struct uuid user_id;
	struct span key_id;
	struct span sealed;
	struct span state;
	int64_t attempts;
	int64_t created_at_ms;
};

enum fault outbox_store_insert(struct ctx *ctx, const struct outbox_row *row);
enum fault outbox_store_due(struct ctx *ctx, const struct outbox_row **out,
                            size_t *count);
/* Sent or failed for good: the sealed bytes are emptied. */
enum fault outbox_store_finish(struct ctx *ctx, const struct uuid *id,
                               const char *state, struct span error);
enum fault outbox_store_postpone(struct ctx *ctx, const struct uuid *id,
                                 int64_t next_at_ms, struct span error);
enum fault outbox_store_expire(struct ctx *ctx, int64_t before_ms);

#endif
