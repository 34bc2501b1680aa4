/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of sessions: opening, renewing, ending, and CSRF tokens. */
#include "domain/session/session.h"

#include "base/encode.h"
#include "base/metrics.h"
#include "crypto/random.h"
#include "domain/outbox/outbox.h"
#include "domain/session/session_store.h"

#include <assert.h>

#define CSRF_TOKEN_BYTES 43

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void fill_in_tokens(struct ctx *ctx, const struct session_row *row,
                           const struct identity *identity,
                           struct session_tokens *out)
{
	int64_t until = earlier(row->idle_expires_at_ms, row->expires_at_ms);
	out->session_id = row->id;
	out->kind = row->kind;
	out->identity = *identity;
	out->access_life_s = ctx->config->session.access_ttl / 1000;
	out->refresh_life_s = (until - ctx->now_ms) / 1000;
}

/* Make the next refresh token of a session and an access token with it. */
static enum fault make_tokens(struct ctx *ctx, const struct session_row *row,
                              const struct identity *identity,
                              struct session_tokens *out)
{
	char text[TOKEN_TEXT_BYTES];
	struct token_hash hash;
	enum fault fault = token_make(text, &hash);
	if (!fault)
		fault = session_store_add_token(ctx, row, &hash);
	if (!fault)
		fault = access_token_make(ctx, identity, &row->id, row->amr,
		                          row->auth_at_ms, &out->access_token);
	if (fault)
		return fault;
	out->refresh_token = arena_copy(ctx->arena, span_of(text));
	digest_wipe(text, sizeof(text));
	if (!out->refresh_token.at)
		return FAULT_EXHAUSTED;
	fill_in_tokens(ctx, row, identity, out);
	return FAULT_NONE;
}

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
		fault = make_tokens(ctx, &row, identity, out);
	return fault;
}

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
	    make_tokens(ctx, row, &refresh->identity, refresh->out);
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
	fill_in_tokens(ctx, row, &refresh->identity, refresh->out);
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
	enum fault fault = audit_append_alone(refresh->ctx, &event);
	return fault ? fault : verdict;
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

static enum fault csrf_mac(const struct key *key, const struct uuid *session_id,
                           unsigned char out[DIGEST_SHA256_BYTES])
{
	const struct span parts[] = {
	    SPAN("csrf:"),
	    {(const char *)session_id->bytes, sizeof(session_id->bytes)},
	};
	return mac_sign(key->mac, parts, 2, out);
}

enum fault session_csrf_token(struct ctx *ctx, const struct uuid *session_id,
                              struct span *out)
{
	const struct key *key = keyring_current(ctx->keys, KEY_CSRF);
	unsigned char mac[DIGEST_SHA256_BYTES];
	if (!key)
		return FAULT_INTERNAL;
	enum fault fault = csrf_mac(key, session_id, mac);
	if (fault)
		return fault;
	/* "<key id>.<mac>": a rotated key still checks its old tokens. */
	struct text text =
	    arena_text(ctx->arena, KEYRING_ID_BYTES + 1 + CSRF_TOKEN_BYTES);
	text_append_cstr(&text, key->id);
	text_append_byte(&text, '.');
	base64url_append(&text, mac, sizeof(mac));
	*out = text_span(&text);
	return text_check(&text);
}

enum fault session_csrf_check(struct ctx *ctx, const struct uuid *session_id,
                              struct span token)
{
	struct span id, rest = token;
	unsigned char sent[DIGEST_SHA256_BYTES], mac[DIGEST_SHA256_BYTES];
	size_t length;
	if (!span_cut(&rest, '.', &id) || !rest.at)
		return FAULT_CSRF_FAILED;
	const struct key *key =
	    keyring_find(ctx->keys, KEY_CSRF, id, ctx->now_ms);
	if (!key || base64url_decode(rest, sent, sizeof(sent), &length) ||
	    length != sizeof(sent))
		return FAULT_CSRF_FAILED;
	enum fault fault = csrf_mac(key, session_id, mac);
	if (fault)
		return fault;
	return digest_equal(mac, sent, sizeof(mac)) ? FAULT_NONE
	                                            : FAULT_CSRF_FAILED;
}
