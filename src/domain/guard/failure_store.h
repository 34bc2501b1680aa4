/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of failed sign-ins; for failure.c alone. */
#ifndef DOMAIN_GUARD_FAILURE_STORE_H
#define DOMAIN_GUARD_FAILURE_STORE_H

#include "crypto/digest.h"
#include "domain/ctx.h"

struct failure_row {
	const char *kind;
	unsigned char subject[DIGEST_SHA256_BYTES];
	struct span account; /* of a pair: the account's subject */
	int64_t failures, locks;
	int64_t epoch, counted;
	int64_t last_at_ms, next_at_ms, locked_until_ms;
};

/*
 * Inside a transaction: lock the row of this kind and subject, made when there
 * is none, and read its counters.
 */
enum fault failure_store_take(struct ctx *ctx, struct failure_row *row);
enum fault failure_store_save(struct ctx *ctx, const struct failure_row *row);

/* Nothing counted and no lock: the next epoch of an account begins. */
enum fault failure_store_renew(struct ctx *ctx, const struct failure_row *row);
/* One failure less, and nothing to wait for. */
enum fault failure_store_lessen(struct ctx *ctx, const struct failure_row *row);
/* Half the failures of one that has so many: FAULT_CONFLICT when it has not. */
enum fault failure_store_halve(struct ctx *ctx, const struct failure_row *row,
                               int64_t least);
enum fault failure_store_delete(struct ctx *ctx, const struct failure_row *row);
/* All pairs of an account. */
enum fault failure_store_delete_pairs(struct ctx *ctx, struct span account);
enum fault failure_store_expire(struct ctx *ctx, int64_t before_ms);

#endif
