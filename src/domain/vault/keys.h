/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key ring's rows: loading them into the process, making the first key of
 * each purpose, rotating. Every host reads the same rows; the master key that
 * opens them is in none.
 */
#ifndef DOMAIN_VAULT_KEYS_H
#define DOMAIN_VAULT_KEYS_H

#include "domain/ctx.h"

/*
 * Read every key that is not retired into ctx->keys. FAULT_VALIDATION when a
 * row does not open: the master key is another one than the rows were sealed
 * under. FAULT_NOT_FOUND when a purpose has no current key yet.
 */
enum fault keys_load(struct ctx *ctx);

/*
 * Make a current key for every purpose that has none; made gets how many.
 * Two runners at once make one each: the unique index lets one win.
 */
enum fault keys_generate(struct ctx *ctx, size_t *made);

/*
 * Make a new current key of a purpose; the old one checks on until the last
 * thing it signed has expired. Audited. FAULT_CONFLICT when another process
 * rotates it at this very moment; nothing is changed then. A pepper changes a
 * hash only at the next sign-in, so its old key stays retiring for ever.
 */
enum fault keys_rotate(struct ctx *ctx, enum key_purpose purpose);

/* Mark as retired what has passed its moment. */
enum fault keys_retire(struct ctx *ctx);

#endif
