/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks in two places. MariaDB is the truth; Redis is filled from it, and the
 * key KV_READY in Redis holds the run id of the server that was filled: a Redis
 * that lost its data, or is another one, shows itself by its absence.
 */
#include "domain/session/revocation.h"

#include "base/log.h"
#include "base/metrics.h"
#include "domain/session/revocation_store.h"
#include "store/kv_keys.h"

#include <assert.h>
#include <stdatomic.h>

#define NUMBER_BYTES 24

static const enum kv_key_kind key_kinds[] = {
    [REVOKE_TOKEN] = KV_REVOKED_TOKEN, [REVOKE_SESSION] = KV_REVOKED_SESSION,
    [REVOKE_USER] = KV_REVOKED_USER,   [REVOKE_TENANT] = KV_REVOKED_TENANT,
    [REVOKE_ALL] = KV_REVOKED_ALL,
};
static_assert(sizeof(key_kinds) / sizeof(key_kinds[0]) == REVOCATION_KIND_COUNT,
              "every kind has its key");

static struct span id_text(struct ctx *ctx, const struct uuid *id)
{
	if (uuid_is_nil(id))
		return SPAN("");
	struct text text = arena_text(ctx->arena, UUID_TEXT_BYTES);
	uuid_append(&text, id);
	return text_span(&text);
}

static struct span number_text(struct ctx *ctx, int64_t number)
{
	struct text text = arena_text(ctx->arena, NUMBER_BYTES);
	text_append_number(&text, number);
	return text_span(&text);
}

static struct span mark_key(struct ctx *ctx, enum revocation_kind kind,
                            const struct uuid *subject)
{
	struct text text = arena_text(ctx->arena, KV_KEY_BYTES);
	struct span whose =
	    kind == REVOKE_ALL ? (struct span){0} : id_text(ctx, subject);
	kv_key_append(&text, span_of(ctx->config->redis.prefix),
	              key_kinds[kind], whose);
	return text_span(&text);
}

enum fault revocation_add(struct ctx *ctx, const struct revocation *revocation)
{
	assert(db_in_transaction(ctx->db));
	struct revocation mark = *revocation;
	mark.expires_at_ms = ctx->now_ms + kv_key_life_ms(KV_REVOKED_USER);
	enum fault fault = revocation_store_raise(ctx, &mark);
	if (!fault)
		metrics_add(METRIC_TOKEN_REVOCATIONS, 1);
	return fault;
}

/* Copy marks to Redis in one round trip. */
static enum fault copy(struct ctx *ctx, const struct revocation *marks,
                       size_t count)
{
	struct span *keys = arena_array(ctx->arena, count, sizeof(*keys));
	struct span *words = arena_array(ctx->arena, count * 3, sizeof(*words));
	if (!keys || !words)
		return FAULT_EXHAUSTED;
	for (size_t i = 0; i < count; i++) {
		int64_t left = marks[i].expires_at_ms - ctx->now_ms;
		keys[i] = mark_key(ctx, marks[i].kind, &marks[i].subject);
		words[3 * i] = number_text(ctx, marks[i].number);
		words[3 * i + 1] = number_text(ctx, left > 0 ? left : 1);
		words[3 * i + 2] = id_text(ctx, &marks[i].spared);
	}
	int64_t done;
	size_t done_count;
	return kv_run(ctx->kv, KV_SCRIPT_MARK, keys, count, words, count * 3,
	              &done, 1, &done_count);
}

void revocation_publish(struct ctx *ctx, const struct revocation *revocation)
{
	struct revocation mark = *revocation;
	mark.expires_at_ms = ctx->now_ms + kv_key_life_ms(KV_REVOKED_USER);
	if (!copy(ctx, &mark, 1))
		return;
	int64_t nobody = 0;
	atomic_compare_exchange_strong(&ctx->shared->kv_distrusted_since_ms,
	                               &nobody, ctx->now_ms);
	log_note(LOG_WARNING, "revocation_not_published",
	         "Redis did not take a mark: MariaDB answers until it has it");
}

enum fault revocation_marks(struct ctx *ctx, const struct access_claims *claims,
                            struct revocation_marks *out)
{
	const struct generations *generations = &claims->generations;
	const struct revocation marks[REVOCATION_KIND_COUNT] = {
	    {.subject = claims->token_id, .number = 1},
	    {.subject = claims->session_id, .number = 1},
	    {.subject = claims->user_id, .number = generations->user + 1},
	    {.subject = claims->tenant_id, .number = generations->tenant + 1},
	    {.number = generations->all + 1},
	};
	for (size_t i = 0; i < REVOCATION_KIND_COUNT; i++) {
		out->keys[i] =
		    mark_key(ctx, (enum revocation_kind)i, &marks[i].subject);
		out->thresholds[i] = number_text(ctx, marks[i].number);
		if (!out->keys[i].length || !out->thresholds[i].length)
			return FAULT_EXHAUSTED;
	}
	out->session = id_text(ctx, &claims->session_id);
	return FAULT_NONE;
}

static int64_t carried_number(const struct access_claims *claims,
                              enum revocation_kind kind)
{
	switch (kind) {
	case REVOKE_USER:
		return claims->generations.user;
	case REVOKE_TENANT:
		return claims->generations.tenant;
	case REVOKE_ALL:
		return claims->generations.all;
	case REVOKE_TOKEN:
	case REVOKE_SESSION:
	case REVOCATION_KIND_COUNT:
		break;
	}
	return 0;
}

enum fault revocation_check(struct ctx *ctx, const struct access_claims *claims)
{
	const struct revocation *marks;
	size_t count;
	enum fault fault =
	    revocation_store_of_token(ctx, claims, &marks, &count);
	if (fault)
		return FAULT_UNAVAILABLE;
	for (size_t i = 0; i < count; i++) {
		bool is_older =
		    carried_number(claims, marks[i].kind) < marks[i].number;
		bool is_spared =
		    uuid_equal(&marks[i].spared, &claims->session_id);
		if (is_older && !is_spared)
			return FAULT_TOKEN_REVOKED;
	}
	return FAULT_NONE;
}

static enum fault declare_filled(struct ctx *ctx, struct span run_id)
{
	struct text key = arena_text(ctx->arena, KV_KEY_BYTES);
	kv_key_append(&key, span_of(ctx->config->redis.prefix), KV_READY,
	              (struct span){0});
	const struct span words[] = {
	    SPAN("SET"),
	    text_span(&key),
	    run_id,
	    SPAN("PX"),
	    number_text(ctx, kv_key_life_ms(KV_READY)),
	};
	const struct kv_command command = {words, 5};
	return kv_pipeline(ctx->kv, &command, 1);
}

enum fault revocation_refill(struct ctx *ctx, struct span run_id)
{
	int64_t distrusted = atomic_load(&ctx->shared->kv_distrusted_since_ms);
	const struct revocation *marks, *last = NULL;
	size_t count;
	enum fault fault;
	do {
		fault = revocation_store_page(ctx, last, &marks, &count);
		if (!fault && count > 0)
			fault = copy(ctx, marks, count);
		if (!fault && count > 0)
			last = &marks[count - 1];
	} while (!fault && count == REVOCATION_PAGE);
	if (!fault)
		fault = declare_filled(ctx, run_id);
	if (fault)
		return fault;
	/* Unless somebody failed to publish while we were reading. */
	atomic_compare_exchange_strong(&ctx->shared->kv_distrusted_since_ms,
	                               &distrusted, 0);
	metrics_add(METRIC_KV_REFILLS, 1);
	return FAULT_NONE;
}

enum fault revocation_publish_pending(struct ctx *ctx)
{
	const struct revocation *marks;
	size_t count;
	enum fault fault = revocation_store_pending(ctx, &marks, &count);
	if (fault || count == 0)
		return fault;
	fault = copy(ctx, marks, count);
	for (size_t i = 0; !fault && i < count; i++)
		fault = revocation_store_published(ctx, &marks[i]);
	return fault;
}

enum fault revocation_expire(struct ctx *ctx)
{
	return revocation_store_expire(ctx);
}
