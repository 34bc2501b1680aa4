/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of mailed tokens; for proof.c alone. */
#ifndef DOMAIN_ACCOUNT_PROOF_STORE_H
#define DOMAIN_ACCOUNT_PROOF_STORE_H

#include "domain/account/proof.h"

enum fault proof_store_insert(struct ctx *ctx, const struct token_hash *hash,
                              const struct proof *proof, int64_t life_ms);
enum fault proof_store_void(struct ctx *ctx, const struct uuid *user_id,
                            enum proof_purpose purpose);
enum fault proof_store_void_all(struct ctx *ctx, const struct uuid *user_id,
                                enum proof_undo undo);
enum fault proof_store_count_since(struct ctx *ctx, const struct uuid *user_id,
                                   enum proof_purpose purpose, int64_t since_ms,
                                   int64_t *count, int64_t *first_at_ms);
/* Exactly one caller of many gets won. */
enum fault proof_store_use(struct ctx *ctx, const struct token_hash *hash,
                           bool *won);
enum fault proof_store_release(struct ctx *ctx, const struct token_hash *hash);
enum fault proof_store_find(struct ctx *ctx, const struct token_hash *hash,
                            struct proof *out, bool *is_usable);
enum fault proof_store_expire(struct ctx *ctx, int64_t before_ms);

#endif
