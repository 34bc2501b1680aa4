/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renewing a session: one winner rotates the token, whoever comes with a used
 * one ends the family (RFC 9700, 4.14.2).
 */
#include "base/metrics.h"
#include "domain/outbox/outbox.h"
#include "domain/session/session.h"
#include "domain/session/session_store.h"
#include "domain/session/session_tokens.h"

static bool is_live(const struct ctx *ctx, const struct session_row *row,
                    const struct identity *identity)
{
	const struct generations *then = &row->generations;
	const struct generations *now = &identity->generations;
	return !row->is_ended && identity->is_active &&
	       then->user == now->user && then->tenant == now->tenant &&
	       then->all == now->all && row->idle_expires_at_ms > ctx->now_ms &&
	       row->expires_at_ms > ctx->now_ms;
}

/* What one refresh knows on its way through the transaction. */
struct refresh {
	struct ctx *ctx;
	struct span token;
	struct token_hash hash;
	enum session_kind kind;
	struct session_tokens *out;
	/* set by each run of the work */
	struct session_row row;
	struct identity identity;
	enum fault verdict; /* of a run that must be committed all the same */
	struct revocation mark;
	bool has_mark;
};

static struct audit_event refresh_event(const struct refresh *refresh,
                                        enum audit_type type,
                                        enum audit_outcome outcome,
                                        struct span reason)
{
	return (struct audit_event){
	    .type = type,
	    .outcome = outcome,
	    .user_id = refresh->row.user_id,
	    .tenant_id = refresh->row.tenant_id,
	    .session_id = refresh->row.id,
	    .reason = reason,
	};
}

/* The winner: the token is used up, its successor takes its place. */
static enum fault rotate(struct refresh *refresh)
{
	struct ctx *ctx = refresh->ctx;
	struct session_row *row = &refresh->row;
	row->idle_expires_at_ms = ctx->now_ms + ctx->config->session.idle;
	enum fault fault =
	    session_tokens_make(ctx, row, &refresh->identity, refresh->out);
	if (!fault && ctx->config->session.refresh_grace > 0) {
		struct text sealed = arena_text(ctx->arena, 200);
		fault = token_seal(refresh->token, refresh->out->refresh_token,
		                   &sealed);
		if (!fault)
			fault = session_store_set_successor(ctx, &refresh->hash,
			                                    text_span(&sealed));
	}
	if (!fault)
		fault = session_store_touch(ctx, row);
	struct audit_event event = refresh_event(
	    refresh, AUDIT_TOKEN_REFRESH, AUDIT_SUCCESS, (struct span){0});
	return fault ? fault : audit_append(ctx, &event);
}

/* The successor of a token that was used a moment ago, if it is unused. */
static enum fault repeat_successor(struct refresh *refresh, bool *repeated)
{
	struct ctx *ctx = refresh->ctx;
	const struct session_row *row = &refresh->row;
	int64_t grace = ctx->config->session.refresh_grace;
	*repeated = false;
	if (grace == 0 || !row->successor.length ||
	    ctx->now_ms - row->token_used_at_ms > grace ||
	    !is_live(ctx, row, &refresh->identity))
		return FAULT_NONE;

	struct session_row next;
	struct token_hash hash;
	struct span token;
	enum fault fault =
	    token_open(refresh->token, row->successor, ctx->arena, &token);
	if (!fault)
		fault = token_hash(token, &hash);
	if (!fault)
		fault = session_store_by_token(ctx, &hash, &next);
	if (fault || next.token_used_at_ms)
		return fault;
	*repeated = true;
	refresh->out->refresh_token = token;
	session_tokens_describe(ctx, row, &refresh->identity, refresh->out);
	return access_token_make(ctx, &refresh->identity, &row->id, row->amr,
	                         row->auth_at_ms, &refresh->out->access_token);
}

static enum fault tell_owner(struct ctx *ctx, const struct identity *identity)
{
	return outbox_add(ctx, &(struct mail){
				   .template = MAIL_SESSIONS_ENDED,
				   .user_id = identity->user_id,
				   .to = identity->email,
				   .name = identity->name,
				   .link = outbox_link(ctx, "/account.html",
	                                               (struct span){0}),
			       });
}

/* A token came twice: whoever holds the other copy, the family is over. */
static enum fault end_family(struct refresh *refresh)
{
	struct ctx *ctx = refresh->ctx;
	const struct session_row *row = &refresh->row;
	refresh->mark = (struct revocation){
	    .kind = REVOKE_SESSION,
	    .subject = row->id,
	    .number = 1,
	    .reason = SPAN("refresh_token_reuse"),
	};
	enum fault fault = session_store_end(ctx, &row->id, &row->user_id,
	                                     refresh->mark.reason);
	if (fault == FAULT_NOT_FOUND)
		return FAULT_NONE; /* another one ended it just now */
	if (!fault)
		fault = revocation_add(ctx, &refresh->mark);
	if (!fault)
		fault = tell_owner(ctx, &refresh->identity);
	struct audit_event event =
	    refresh_event(refresh, AUDIT_SUSPICIOUS_ACTIVITY, AUDIT_FAILURE,
	                  refresh->mark.reason);
	if (!fault)
		fault = audit_append(ctx, &event);
	refresh->has_mark = !fault;
	return fault;
}

/* The token was not there to be used: unknown, expired, or used before. */
static enum fault handle_loser(struct refresh *refresh)
{
	if (!refresh->row.token_used_at_ms)
		return FAULT_TOKEN_INVALID;
	bool repeated;
	enum fault fault = repeat_successor(refresh, &repeated);
	if (fault || repeated)
		return fault;
	refresh->verdict = FAULT_TOKEN_REVOKED;
	return refresh->row.is_ended ? FAULT_NONE : end_family(refresh);
}

static enum fault refresh_work(void *argument)
{
	struct refresh *refresh = argument;
	struct ctx *ctx = refresh->ctx;
	bool won;
	refresh->verdict = FAULT_NONE;
	refresh->has_mark = false;
	enum fault fault = session_store_use_token(ctx, &refresh->hash, &won);
	if (!fault)
		fault =
		    session_store_by_token(ctx, &refresh->hash, &refresh->row);
	if (!fault)
		fault =
		    identity_find(ctx, &refresh->row.user_id,
		                  &refresh->row.tenant_id, &refresh->identity);
	if (fault == FAULT_NOT_FOUND)
		return FAULT_TOKEN_INVALID;
	if (fault)
		return fault;
	if (refresh->row.kind != refresh->kind)
		return FAULT_TOKEN_INVALID;
	if (!won)
		return handle_loser(refresh);
	if (!is_live(ctx, &refresh->row, &refresh->identity))
		return FAULT_TOKEN_REVOKED;
	return rotate(refresh);
}

static enum fault note_refusal(struct refresh *refresh, enum fault verdict)
{
	struct audit_event event =
	    refresh_event(refresh, AUDIT_TOKEN_REFRESH, AUDIT_FAILURE,
	                  span_of(fault_name(verdict)));
	return audit_refusal(refresh->ctx, &event, verdict);
}

enum fault session_refresh(struct ctx *ctx, struct span refresh_token,
                           enum session_kind kind, struct session_tokens *out)
{
	struct refresh refresh = {
	    .ctx = ctx,
	    .token = refresh_token,
	    .kind = kind,
	    .out = out,
	};
	enum fault fault = token_hash(refresh_token, &refresh.hash);
	if (!fault)
		fault = db_transact(ctx->db, refresh_work, &refresh);
	if (fault == FAULT_TOKEN_INVALID || fault == FAULT_TOKEN_REVOKED)
		return note_refusal(&refresh, fault);
	if (fault)
		return fault;
	if (refresh.has_mark) {
		revocation_publish(ctx, &refresh.mark);
		metrics_add(METRIC_TOKEN_REUSES, 1);
	}
	if (!refresh.verdict)
		metrics_add(METRIC_TOKEN_REFRESHES, 1);
	return refresh.verdict;
}
