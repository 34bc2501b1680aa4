/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of sessions: opening, ending, listing. */
#include "domain/session/session.h"

#include "crypto/random.h"
#include "domain/session/session_store.h"
#include "domain/session/session_tokens.h"

#include <assert.h>

enum fault session_open(struct ctx *ctx, const struct identity *identity,
                        const struct session_start *start,
                        struct session_tokens *out)
{
	assert(db_in_transaction(ctx->db));
	struct session_row row = {
	    .user_id = identity->user_id,
	    .tenant_id = identity->tenant_id,
	    .kind = start->kind,
	    .generations = identity->generations,
	    .amr = start->amr,
	    .auth_at_ms = ctx->now_ms,
	    .idle_expires_at_ms = ctx->now_ms + ctx->config->session.idle,
	    .expires_at_ms = ctx->now_ms + ctx->config->session.absolute,
	};
	random_uuid(ctx->now_ms, &row.id);
	enum fault fault = session_store_make_room(ctx, &identity->user_id);
	if (!fault)
		fault = session_store_insert(ctx, &row, start);
	if (!fault)
		fault = session_tokens_make(ctx, &row, identity, out);
	return fault;
}

enum fault session_of_token(struct ctx *ctx, struct span refresh_token,
                            struct uuid *session_id, struct uuid *user_id)
{
	struct token_hash hash;
	struct session_row row;
	enum fault fault = token_hash(refresh_token, &hash);
	if (!fault)
		fault = session_store_by_token(ctx, &hash, &row);
	if (fault == FAULT_NOT_FOUND || (!fault && row.is_ended))
		return FAULT_TOKEN_INVALID;
	if (fault)
		return fault;
	*session_id = row.id;
	*user_id = row.user_id;
	return FAULT_NONE;
}

struct ending {
	struct ctx *ctx;
	const struct uuid *session_id;
	const struct uuid *user_id;
	struct span reason;
	enum audit_type type;
	struct revocation mark;
};

static enum fault end_work(void *argument)
{
	struct ending *ending = argument;
	struct ctx *ctx = ending->ctx;
	ending->mark = (struct revocation){
	    .kind = REVOKE_SESSION,
	    .subject = *ending->session_id,
	    .number = 1,
	    .reason = ending->reason,
	};
	enum fault fault = session_store_end(ctx, ending->session_id,
	                                     ending->user_id, ending->reason);
	if (!fault)
		fault = revocation_add(ctx, &ending->mark);
	if (!fault)
		fault = audit_append(ctx, &(struct audit_event){
					      .type = ending->type,
					      .outcome = AUDIT_SUCCESS,
					      .user_id = *ending->user_id,
					      .session_id = *ending->session_id,
					      .reason = ending->reason,
					  });
	return fault;
}

enum fault session_end(struct ctx *ctx, const struct uuid *session_id,
                       const struct uuid *user_id, struct span reason,
                       enum audit_type type)
{
	struct ending ending = {
	    .ctx = ctx,
	    .session_id = session_id,
	    .user_id = user_id,
	    .reason = reason,
	    .type = type,
	};
	enum fault fault = db_transact(ctx->db, end_work, &ending);
	if (!fault)
		revocation_publish(ctx, &ending.mark);
	return fault;
}

enum fault session_end_all(struct ctx *ctx, const struct uuid *user_id,
                           const struct uuid *spared, struct span reason,
                           struct revocation *mark)
{
	assert(db_in_transaction(ctx->db));
	*mark = (struct revocation){
	    .kind = REVOKE_USER,
	    .subject = *user_id,
	    .spared = *spared,
	    .reason = reason,
	};
	enum fault fault =
	    session_store_next_generation(ctx, user_id, &mark->number);
	if (!fault)
		fault = session_store_carry_over(ctx, spared, mark->number);
	if (!fault)
		fault = session_store_end_others(ctx, user_id, spared, reason);
	return fault ? fault : revocation_add(ctx, mark);
}

enum fault session_renew_all(struct ctx *ctx, const struct uuid *user_id,
                             struct span reason, struct revocation *mark)
{
	assert(db_in_transaction(ctx->db));
	*mark = (struct revocation){
	    .kind = REVOKE_USER,
	    .subject = *user_id,
	    .reason = reason,
	};
	enum fault fault =
	    session_store_next_generation(ctx, user_id, &mark->number);
	if (!fault)
		fault =
		    session_store_carry_all_over(ctx, user_id, mark->number);
	return fault ? fault : revocation_add(ctx, mark);
}

enum fault session_end_tenant(struct ctx *ctx, const struct uuid *tenant_id,
                              struct span reason, struct revocation *mark)
{
	assert(db_in_transaction(ctx->db));
	*mark = (struct revocation){
	    .kind = REVOKE_TENANT,
	    .subject = *tenant_id,
	    .reason = reason,
	};
	enum fault fault =
	    session_store_next_tenant_generation(ctx, tenant_id, &mark->number);
	return fault ? fault : revocation_add(ctx, mark);
}

enum fault session_end_everything(struct ctx *ctx, struct span reason,
                                  struct revocation *mark)
{
	assert(db_in_transaction(ctx->db));
	*mark = (struct revocation){.kind = REVOKE_ALL, .reason = reason};
	enum fault fault =
	    session_store_next_all_generation(ctx, &mark->number);
	return fault ? fault : revocation_add(ctx, mark);
}

struct ending_others {
	struct ctx *ctx;
	struct revocation mark;
};

static enum fault end_others_work(void *argument)
{
	struct ending_others *ending = argument;
	struct ctx *ctx = ending->ctx;
	enum fault fault =
	    session_end_all(ctx, &ctx->actor.user_id, &ctx->actor.session_id,
	                    SPAN("ended_by_owner"), &ending->mark);
	if (!fault)
		fault = audit_append(ctx, &(struct audit_event){
					      .type = AUDIT_SESSION_END,
					      .outcome = AUDIT_SUCCESS,
					      .reason = SPAN("all_others"),
					  });
	return fault;
}

enum fault session_end_others(struct ctx *ctx)
{
	struct ending_others ending = {.ctx = ctx};
	enum fault fault = db_transact(ctx->db, end_others_work, &ending);
	if (!fault)
		revocation_publish(ctx, &ending.mark);
	return fault;
}

enum fault session_list(struct ctx *ctx, const struct uuid *user_id,
                        const struct uuid *before, int64_t limit,
                        const struct session_record **out, size_t *count)
{
	return session_store_list(ctx, user_id, before, limit, out, count);
}

enum fault session_expire(struct ctx *ctx, int64_t before_ms)
{
	return session_store_expire(ctx, before_ms);
}
