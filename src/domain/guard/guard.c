/* SPDX-License-Identifier: Apache-2.0 */
/* Admission over Redis, with MariaDB and shared memory behind it. */
#include "domain/guard/guard.h"

#include "base/log.h"
#include "base/metrics.h"
#include "domain/guard/limit_local.h"
#include "domain/session/revocation.h"
#include "store/kv_keys.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

#define MS_PER_S           1000
#define REFILL_INTERVAL_MS 500
#define NUMBER_BYTES       24
#define KEYS_MOST          (1 + REVOCATION_KIND_COUNT + 1)
#define ARGUMENTS_MOST     (3 + REVOCATION_KIND_COUNT + 2)
#define REPLY_MOST         5

struct policy_row {
	const char *name;
	size_t rate_offset; /* of a struct config_rate in struct config */
};

#define RATE(member) offsetof(struct config, limit.member)
static const struct policy_row policies[] = {
    [LIMIT_NOTHING] = {"nothing", 0},
    [LIMIT_LOGIN] = {"login", RATE(login)},
    [LIMIT_REGISTRATION] = {"registration", RATE(registration)},
    [LIMIT_RESET] = {"reset", RATE(reset)},
    [LIMIT_VERIFICATION] = {"verification", RATE(verification)},
    [LIMIT_API] = {"api", RATE(api)},
};
static_assert(sizeof(policies) / sizeof(policies[0]) == LIMIT_POLICY_COUNT,
              "every policy has its row");

const char *guard_policy_name(enum limit_policy policy)
{
	assert(policy > LIMIT_UNSET && policy < LIMIT_POLICY_COUNT);
	return policies[policy].name;
}

static const struct config_rate *rate_of(const struct config *config,
                                         enum limit_policy policy)
{
	assert(policy > LIMIT_NOTHING && policy < LIMIT_POLICY_COUNT);
	const char *base = (const char *)config;
	return (const struct config_rate
	            *)(const void *)(base + policies[policy].rate_offset);
}

/* "login:192.0.2.1": what is counted, and for whom. */
static struct span limit_subject(struct ctx *ctx, enum limit_policy policy)
{
	char address[IP_TEXT_BYTES];
	struct ip network = ip_network(&ctx->ip);
	struct text text = arena_text(ctx->arena, 24 + IP_TEXT_BYTES);
	text_append_cstr(&text, policies[policy].name);
	text_append_byte(&text, ':');
	text_append_cstr(&text, ip_format(&network, address));
	return text_span(&text);
}

static struct span key_of(struct ctx *ctx, enum kv_key_kind kind,
                          struct span subject)
{
	struct text text = arena_text(ctx->arena, KV_KEY_BYTES);
	kv_key_append(&text, span_of(ctx->config->redis.prefix), kind, subject);
	return text_span(&text);
}

static struct span number(struct ctx *ctx, int64_t value)
{
	struct text text = arena_text(ctx->arena, NUMBER_BYTES);
	text_append_number(&text, value);
	return text_span(&text);
}

/* Keys and arguments of the admission script (store/lua/README.md). */
struct question {
	struct span keys[KEYS_MOST];
	struct span arguments[ARGUMENTS_MOST];
	size_t key_count;
	size_t argument_count;
};

static void ask(struct question *question, struct span key)
{
	assert(question->key_count < KEYS_MOST);
	question->keys[question->key_count++] = key;
}

static void tell(struct question *question, struct span argument)
{
	assert(question->argument_count < ARGUMENTS_MOST);
	question->arguments[question->argument_count++] = argument;
}

static enum fault compose(struct ctx *ctx, struct span run_id,
                          enum limit_policy policy,
                          const struct access_claims *claims,
                          struct question *question)
{
	struct revocation_marks marks = {0};
	size_t mark_count = claims ? REVOCATION_KIND_COUNT : 0;
	if (claims && revocation_marks(ctx, claims, &marks))
		return FAULT_EXHAUSTED;
	ask(question, key_of(ctx, KV_READY, (struct span){0}));
	tell(question, run_id);
	tell(question, claims ? SPAN("5") : SPAN("0"));
	tell(question, claims ? marks.session : SPAN(""));
	for (size_t i = 0; i < mark_count; i++) {
		ask(question, marks.keys[i]);
		tell(question, marks.thresholds[i]);
	}
	if (policy == LIMIT_NOTHING)
		return FAULT_NONE;
	const struct config_rate *rate = rate_of(ctx->config, policy);
	ask(question, key_of(ctx, KV_LIMIT, limit_subject(ctx, policy)));
	tell(question, number(ctx, rate->count));
	tell(question, number(ctx, rate->window_ms));
	return FAULT_NONE;
}
static_assert(REVOCATION_KIND_COUNT == 5, "compose() says five marks");

static void fill_in_limit(struct ctx *ctx, enum limit_policy policy,
                          struct admission *out)
{
	if (policy == LIMIT_NOTHING)
		return;
	const struct config_rate *rate = rate_of(ctx->config, policy);
	out->has_limit = true;
	out->limit = rate->count;
	out->window_s = rate->window_ms / MS_PER_S;
}

/* One process of the host at a time refills, and not too often. */
static bool may_refill(struct ctx *ctx)
{
	int64_t next = atomic_load(&ctx->shared->kv_next_refill_ms);
	return next <= ctx->now_ms &&
	       atomic_compare_exchange_strong(&ctx->shared->kv_next_refill_ms,
	                                      &next,
	                                      ctx->now_ms + REFILL_INTERVAL_MS);
}

static void refill(struct ctx *ctx, struct span run_id)
{
	if (!may_refill(ctx))
		return;
	if (revocation_refill(ctx, run_id))
		log_note(LOG_WARNING, "redis_not_refilled", NULL);
}

/* Redis does not know every mark: MariaDB does. */
static enum fault check_in_database(struct ctx *ctx,
                                    const struct access_claims *claims,
                                    struct admission *out)
{
	if (!claims)
		return FAULT_NONE;
	metrics_add(METRIC_KV_FALLBACKS, 1);
	enum fault fault = revocation_check(ctx, claims);
	out->is_revoked = fault == FAULT_TOKEN_REVOKED;
	return out->is_revoked ? FAULT_NONE : fault;
}

static enum fault admit_without_kv(struct ctx *ctx, enum limit_policy policy,
                                   const struct access_claims *claims,
                                   struct admission *out)
{
	if (policy != LIMIT_NOTHING)
		out->is_limited =
		    !limit_local_take(ctx->shared, limit_subject(ctx, policy),
		                      rate_of(ctx->config, policy), ctx->now_ms,
		                      &out->remaining, &out->reset_in_ms);
	return check_in_database(ctx, claims, out);
}

static bool is_distrusted(const struct ctx *ctx)
{
	return atomic_load(&ctx->shared->kv_distrusted_since_ms) != 0;
}

static enum fault read_answer(struct ctx *ctx, struct span run_id,
                              enum limit_policy policy,
                              const struct access_claims *claims,
                              const int64_t *reply, struct admission *out)
{
	bool is_ready = reply[0] == 1 && !is_distrusted(ctx);
	out->is_revoked = reply[1] != 0;
	out->is_limited = reply[2] != 0;
	if (policy != LIMIT_NOTHING) {
		out->remaining = reply[3];
		out->reset_in_ms = reply[4];
	}
	if (is_ready)
		return FAULT_NONE;
	refill(ctx, run_id);
	return out->is_revoked ? FAULT_NONE
	                       : check_in_database(ctx, claims, out);
}

enum fault guard_admit(struct ctx *ctx, enum limit_policy policy,
                       const struct access_claims *claims,
                       struct admission *out)
{
	*out = (struct admission){0};
	if (policy == LIMIT_NOTHING && !claims)
		return FAULT_NONE;
	fill_in_limit(ctx, policy, out);

	struct question question = {0};
	struct span run_id;
	int64_t reply[REPLY_MOST] = {0};
	size_t count = 0;
	enum fault fault = kv_run_id(ctx->kv, &run_id);
	if (!fault) {
		fault = compose(ctx, run_id, policy, claims, &question);
		if (fault)
			return fault;
		fault =
		    kv_run(ctx->kv, KV_SCRIPT_ADMIT, question.keys,
		           question.key_count, question.arguments,
		           question.argument_count, reply, REPLY_MOST, &count);
	}
	size_t wanted = policy == LIMIT_NOTHING ? 3 : REPLY_MOST;
	if (fault || count < wanted)
		return admit_without_kv(ctx, policy, claims, out);
	return read_answer(ctx, run_id, policy, claims, reply, out);
}

void guard_refund(struct ctx *ctx, enum limit_policy policy,
                  struct admission *admission)
{
	struct span key = key_of(ctx, KV_LIMIT, limit_subject(ctx, policy));
	int64_t done = 0;
	size_t count;
	/* Redis is away: the attempt stays counted, which is the safe side. */
	if (kv_run(ctx->kv, KV_SCRIPT_REFUND, &key, 1, NULL, 0, &done, 1,
	           &count))
		metrics_add(METRIC_KV_FALLBACKS, 1);
	admission->remaining += done;
}
