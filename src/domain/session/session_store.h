/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of sessions and refresh tokens; for session.c alone. */
#ifndef DOMAIN_SESSION_SESSION_STORE_H
#define DOMAIN_SESSION_SESSION_STORE_H

#include "domain/session/session.h"

struct session_row {
	struct uuid id, user_id, tenant_id;
	enum session_kind kind;
	struct generations generations;
	struct span amr;
	int64_t auth_at_ms, idle_expires_at_ms, expires_at_ms;
	bool is_ended;
	/* of the refresh token that led here */
	int64_t token_used_at_ms; /* 0: unused */
	int64_t token_expires_at_ms;
	struct span successor;
};

enum fault session_store_insert(struct ctx *ctx, const struct session_row *row,
                                const struct session_start *start);
enum fault session_store_add_token(struct ctx *ctx,
                                   const struct session_row *row,
                                   const struct token_hash *hash);
/* Exactly one caller of many gets won. */
enum fault session_store_use_token(struct ctx *ctx,
                                   const struct token_hash *hash, bool *won);
enum fault session_store_set_successor(struct ctx *ctx,
                                       const struct token_hash *hash,
                                       struct span sealed);
enum fault session_store_by_token(struct ctx *ctx,
                                  const struct token_hash *hash,
                                  struct session_row *out);
enum fault session_store_touch(struct ctx *ctx, const struct session_row *row);
enum fault session_store_end(struct ctx *ctx, const struct uuid *session_id,
                             const struct uuid *user_id, struct span reason);
enum fault session_store_end_others(struct ctx *ctx, const struct uuid *user_id,
                                    const struct uuid *spared,
                                    struct span reason);
/* Raise the user's generation and give the new one. */
enum fault session_store_next_generation(struct ctx *ctx,
                                         const struct uuid *user_id,
                                         int64_t *generation);
enum fault session_store_next_tenant_generation(struct ctx *ctx,
                                                const struct uuid *tenant_id,
                                                int64_t *generation);
enum fault session_store_next_all_generation(struct ctx *ctx,
                                             int64_t *generation);
/* One session, or every live one of a user, goes on with a generation. */
enum fault session_store_carry_over(struct ctx *ctx,
                                    const struct uuid *session_id,
                                    int64_t generation);
enum fault session_store_carry_all_over(struct ctx *ctx,
                                        const struct uuid *user_id,
                                        int64_t generation);
/* End the oldest so that there is room for one more. */
enum fault session_store_make_room(struct ctx *ctx, const struct uuid *user_id);
enum fault session_store_list(struct ctx *ctx, const struct uuid *user_id,
                              const struct uuid *before, int64_t limit,
                              const struct session_record **out, size_t *count);
enum fault session_store_expire(struct ctx *ctx, int64_t before_ms);

#endif
