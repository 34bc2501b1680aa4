/* SPDX-License-Identifier: Apache-2.0 */
/* Admission over Redis, with MariaDB and shared memory behind it. */
#include "domain/guard/guard.h"

#include "base/log.h"
#include "base/metrics.h"
#include "domain/guard/limit_local.h"
#include "domain/guard/version.h"
#include "domain/session/revocation.h"
#include "store/kv_keys.h"

#include <assert.h>
#include <stdatomic.h>

#define MS_PER_S           1000
#define REFILL_INTERVAL_MS 500
#define NUMBER_BYTES       24
#define SUBJECT_BYTES      192
#define USES_MOST          2
#define HEAD_COUNT         4 /* of the script's answer, before the limits */
#define KEYS_MOST          (2 + REVOCATION_KIND_COUNT + USES_MOST)
#define ARGUMENTS_MOST     (4 + REVOCATION_KIND_COUNT + 3 * USES_MOST)
#define REPLY_MOST         (HEAD_COUNT + 2 * USES_MOST)

/* One limit that a request counts against. */
struct use {
	struct span subject; /* "login:192.0.2.1" */
	struct config_rate rate;
};

/* All of them; none at all is possible. They are of one policy. */
struct uses {
	enum limit_policy policy;
	size_t count;
	struct use at[USES_MOST];
};

/* What a limit said. */
struct verdict {
	int64_t remaining;
	int64_t reset_in_ms;
};

/* Counted by user where there is one. */
static const bool is_by_user[LIMIT_POLICY_COUNT] = {
    [LIMIT_API_USER] = true,
    [LIMIT_WEBSOCKET] = true,
    [LIMIT_FACTOR] = true,
};

static enum fault add_use(struct ctx *ctx, struct uses *uses, const char *kind,
                          struct span whose, int64_t factor)
{
	const struct config_rate *rate = &ctx->policies->rate[uses->policy];
	struct text text = arena_text(ctx->arena, SUBJECT_BYTES);
	assert(uses->count < USES_MOST);
	text_append_cstr(&text, policy_name(uses->policy));
	text_append_cstr(&text, kind);
	text_append(&text, whose);
	uses->at[uses->count++] = (struct use){
	    .subject = text_span(&text),
	    .rate = {rate->count * factor, rate->window_ms,
	             rate->burst * factor},
	};
	return text_check(&text);
}

static enum fault add_user(struct ctx *ctx, struct uses *uses,
                           const struct uuid *user_id)
{
	char id[UUID_TEXT_BYTES];
	uuid_format(user_id, id);
	return add_use(ctx, uses, ":", span_of(id), 1);
}

/* An IPv6 customer has thousands of networks: all together have a cap too. */
static enum fault add_network(struct ctx *ctx, struct uses *uses)
{
	char address[IP_TEXT_BYTES];
	struct ip network = ip_network(&ctx->ip);
	struct ip site = ip_site(&ctx->ip);
	enum fault fault =
	    add_use(ctx, uses, ":", span_of(ip_format(&network, address)), 1);
	if (fault || ip_is_v4(&ctx->ip))
		return fault;
	return add_use(ctx, uses, ":site:", span_of(ip_format(&site, address)),
	               ctx->config->limit.ipv6_site_factor);
}

static enum fault find_uses(struct ctx *ctx, enum limit_policy policy,
                            const struct uuid *user_id, struct uses *out)
{
	*out = (struct uses){.policy = policy};
	if (policy == LIMIT_NOTHING)
		return FAULT_NONE;
	if (policy == LIMIT_API)
		out->policy = user_id ? LIMIT_API_USER : LIMIT_API_ANONYMOUS;
	assert(out->policy >= LIMIT_POLICY_FIRST);
	if (user_id && is_by_user[out->policy])
		return add_user(ctx, out, user_id);
	return add_network(ctx, out);
}

static struct span key_of(struct ctx *ctx, enum kv_key_kind kind,
                          struct span subject)
{
	struct text text = arena_text(ctx->arena, KV_KEY_BYTES);
	kv_key_append(&text, span_of(ctx->config->redis.prefix), kind, subject);
	return text_span(&text);
}

static struct span key_of_use(struct ctx *ctx, const struct use *use)
{
	return key_of(ctx, use->rate.burst ? KV_BUCKET : KV_LIMIT,
	              use->subject);
}

static struct span number(struct ctx *ctx, int64_t value)
{
	struct text text = arena_text(ctx->arena, NUMBER_BYTES);
	text_append_number(&text, value);
	return text_span(&text);
}

/* Keys and arguments of a script (store/lua/README.md). */
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

static void ask_of_uses(struct ctx *ctx, const struct uses *uses,
                        struct question *question)
{
	for (size_t i = 0; i < uses->count; i++) {
		const struct config_rate *rate = &uses->at[i].rate;
		ask(question, key_of_use(ctx, &uses->at[i]));
		tell(question, number(ctx, rate->count));
		tell(question, number(ctx, rate->window_ms));
		tell(question, number(ctx, rate->burst));
	}
}

static enum fault compose(struct ctx *ctx, struct span run_id, int64_t version,
                          const struct access_claims *claims,
                          const struct uses *uses, struct question *question)
{
	struct revocation_marks marks = {0};
	size_t mark_count = claims ? REVOCATION_KIND_COUNT : 0;
	if (claims && revocation_marks(ctx, claims, &marks))
		return FAULT_EXHAUSTED;
	ask(question, key_of(ctx, KV_READY, (struct span){0}));
	ask(question, key_of(ctx, KV_GUARD_VERSION, (struct span){0}));
	tell(question, run_id);
	tell(question, number(ctx, version));
	tell(question, claims ? SPAN("5") : SPAN("0"));
	tell(question, claims ? marks.session : SPAN(""));
	for (size_t i = 0; i < mark_count; i++) {
		ask(question, marks.keys[i]);
		tell(question, marks.thresholds[i]);
	}
	ask_of_uses(ctx, uses, question);
	return FAULT_NONE;
}
static_assert(REVOCATION_KIND_COUNT == 5, "compose() says five marks");

/* What the script said; run_id is the answering server's. */
struct answer {
	struct span run_id;
	bool is_ready;
	bool is_stale;
	bool is_revoked;
	bool is_limited;
	int64_t guard_version;
	struct verdict verdicts[USES_MOST];
};

static enum fault read_reply(const int64_t *reply, size_t count,
                             int64_t version, const struct uses *uses,
                             struct answer *out)
{
	if (count < HEAD_COUNT)
		return FAULT_UNAVAILABLE;
	out->is_ready = reply[0] == 1;
	out->is_revoked = reply[1] != 0;
	out->is_limited = reply[2] != 0;
	out->guard_version = reply[3];
	out->is_stale = version && reply[3] && reply[3] != version;
	if (out->is_stale)
		return FAULT_NONE;
	if (count < HEAD_COUNT + 2 * uses->count)
		return FAULT_UNAVAILABLE;
	for (size_t i = 0; i < uses->count; i++)
		out->verdicts[i] = (struct verdict){
		    reply[HEAD_COUNT + 2 * i],
		    reply[HEAD_COUNT + 2 * i + 1],
		};
	return FAULT_NONE;
}

/* FAULT_UNAVAILABLE when Redis is away. version 0: any will do. */
static enum fault ask_redis(struct ctx *ctx, int64_t version,
                            const struct access_claims *claims,
                            const struct uses *uses, struct answer *out)
{
	struct question question = {0};
	int64_t reply[REPLY_MOST] = {0};
	size_t count = 0;
	*out = (struct answer){0};
	enum fault fault = kv_run_id(ctx->kv, &out->run_id);
	if (!fault)
		fault =
		    compose(ctx, out->run_id, version, claims, uses, &question);
	if (!fault)
		fault =
		    kv_run(ctx->kv, KV_SCRIPT_ADMIT, question.keys,
		           question.key_count, question.arguments,
		           question.argument_count, reply, REPLY_MOST, &count);
	return fault ? fault : read_reply(reply, count, version, uses, out);
}

static bool give_locally(struct ctx *ctx, const struct uses *uses, size_t count)
{
	bool is_given = count > 0;
	for (size_t i = 0; i < count; i++)
		is_given &= limit_local_give(ctx->shared, uses->at[i].subject,
		                             &uses->at[i].rate, ctx->now_ms);
	return is_given;
}

/* False when one refuses: those before it get theirs back, those behind it are
 * not asked. */
static bool take_locally(struct ctx *ctx, const struct uses *uses,
                         struct verdict verdicts[USES_MOST])
{
	for (size_t i = 0; i < USES_MOST; i++)
		verdicts[i] = (struct verdict){INT64_MAX, 0};
	for (size_t i = 0; i < uses->count; i++) {
		const struct use *use = &uses->at[i];
		if (limit_local_take(ctx->shared, use->subject, &use->rate,
		                     ctx->now_ms, &verdicts[i].remaining,
		                     &verdicts[i].reset_in_ms))
			continue;
		(void)give_locally(ctx, uses, i);
		for (size_t j = 0; j < i; j++)
			verdicts[j].remaining++;
		return false;
	}
	return true;
}

/* Refused, the one that takes longest; else the one that has least left. */
static bool is_tighter(const struct verdict *a, const struct verdict *b,
                       bool is_limited)
{
	if (is_limited && a->remaining == 0 && b->remaining == 0)
		return a->reset_in_ms > b->reset_in_ms;
	return a->remaining < b->remaining;
}

static void tell_of_tightest(const struct uses *uses,
                             const struct verdict *verdicts,
                             struct admission *out)
{
	size_t tightest = 0;
	if (uses->count == 0)
		return;
	for (size_t i = 1; i < uses->count; i++)
		if (is_tighter(&verdicts[i], &verdicts[tightest],
		               out->is_limited))
			tightest = i;
	const struct config_rate *rate = &uses->at[tightest].rate;
	out->has_limit = true;
	out->policy = uses->policy;
	out->limit = rate->count;
	out->burst = rate->burst;
	out->window_s = rate->window_ms / MS_PER_S;
	out->remaining = verdicts[tightest].remaining;
	out->reset_in_ms = verdicts[tightest].reset_in_ms;
}

static void count_verdict(const struct uses *uses, bool is_limited)
{
	if (uses->count == 0)
		return;
	metrics_guard((size_t)uses->policy - LIMIT_POLICY_FIRST, !is_limited);
	if (is_limited)
		metrics_add(METRIC_RATE_LIMITED, 1);
}

enum fault guard_refill(struct ctx *ctx, struct span run_id)
{
	int64_t version;
	enum fault fault = version_read(ctx, &version);
	if (!fault)
		fault = version_copy(ctx, version);
	return fault ? fault : revocation_refill(ctx, run_id);
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
	if (guard_refill(ctx, run_id))
		log_note(LOG_WARNING, "redis_not_refilled", NULL);
}

/* Redis does not know every mark: MariaDB does. */
static enum fault check_in_database(struct ctx *ctx,
                                    const struct access_claims *claims,
                                    struct admission *out)
{
	if (!claims)
		return FAULT_NONE;
	enum fault fault = revocation_check(ctx, claims);
	out->is_revoked = fault == FAULT_TOKEN_REVOKED;
	return out->is_revoked ? FAULT_NONE : fault;
}

static enum fault admit_without_kv(struct ctx *ctx, const struct uses *uses,
                                   const struct access_claims *claims,
                                   struct admission *out)
{
	struct verdict verdicts[USES_MOST];
	metrics_add(METRIC_KV_FALLBACKS, 1);
	out->is_local = true;
	out->is_limited = !take_locally(ctx, uses, verdicts);
	tell_of_tightest(uses, verdicts, out);
	return check_in_database(ctx, claims, out);
}

static bool is_distrusted(const struct ctx *ctx)
{
	return atomic_load(&ctx->shared->kv_distrusted_since_ms) != 0;
}

static enum fault take_answer(struct ctx *ctx, const struct answer *answer,
                              const struct uses *uses,
                              const struct access_claims *claims,
                              struct admission *out)
{
	out->is_stale = answer->is_stale;
	out->guard_version = answer->guard_version;
	if (out->is_stale)
		return FAULT_NONE;
	out->is_revoked = answer->is_revoked;
	out->is_limited = answer->is_limited;
	tell_of_tightest(uses, answer->verdicts, out);
	if (answer->is_ready && !is_distrusted(ctx))
		return FAULT_NONE;
	out->guard_version = 0;
	refill(ctx, answer->run_id);
	if (out->is_revoked)
		return FAULT_NONE;
	metrics_add(METRIC_KV_FALLBACKS, 1);
	return check_in_database(ctx, claims, out);
}

enum fault guard_admit(struct ctx *ctx, enum limit_policy policy,
                       const struct access_claims *claims,
                       struct admission *out)
{
	*out = (struct admission){0};
	struct uses uses;
	struct answer answer;
	enum fault fault =
	    find_uses(ctx, policy, claims ? &claims->user_id : NULL, &uses);
	if (fault || (uses.count == 0 && !claims))
		return fault;
	fault = ask_redis(ctx, ctx->policies->version, claims, &uses, &answer);
	if (fault == FAULT_UNAVAILABLE)
		fault = admit_without_kv(ctx, &uses, claims, out);
	else if (!fault)
		fault = take_answer(ctx, &answer, &uses, claims, out);
	if (!out->is_stale)
		count_verdict(&uses, out->is_limited);
	return fault;
}

static enum fault find_charge(struct ctx *ctx, enum limit_policy policy,
                              struct span subject, struct uses *out)
{
	assert(policy >= LIMIT_POLICY_FIRST);
	*out = (struct uses){.policy = policy};
	return add_use(ctx, out, ":", subject, 1);
}

enum fault guard_charge(struct ctx *ctx, enum limit_policy policy,
                        struct span subject)
{
	struct uses uses;
	struct answer answer;
	enum fault fault = find_charge(ctx, policy, subject, &uses);
	if (fault)
		return fault;
	fault = ask_redis(ctx, 0, NULL, &uses, &answer);
	if (fault == FAULT_EXHAUSTED)
		return fault;
	if (fault)
		answer.is_limited = !take_locally(ctx, &uses, answer.verdicts);
	count_verdict(&uses, answer.is_limited);
	if (!answer.is_limited)
		return FAULT_NONE;
	ctx->retry_after_ms = answer.verdicts[0].reset_in_ms;
	return FAULT_RATE_LIMITED;
}

/* Whether all was given back. */
static enum fault give_in_redis(struct ctx *ctx, const struct uses *uses,
                                bool *is_given)
{
	struct question question = {0};
	struct span run_id;
	int64_t given[USES_MOST] = {0};
	size_t count = 0;
	ask_of_uses(ctx, uses, &question);
	enum fault fault = kv_run_id(ctx->kv, &run_id);
	if (!fault)
		fault =
		    kv_run(ctx->kv, KV_SCRIPT_REFUND, question.keys,
		           question.key_count, question.arguments,
		           question.argument_count, given, USES_MOST, &count);
	*is_given = !fault && count == uses->count && count > 0;
	for (size_t i = 0; *is_given && i < count; i++)
		*is_given = given[i] == 1;
	return fault;
}

/* Where Redis has counted and is away now, the attempt stays counted, which is
 * the safe side. */
static bool give_back(struct ctx *ctx, const struct uses *uses, bool is_local)
{
	bool is_given;
	if (is_local)
		return give_locally(ctx, uses, uses->count);
	if (give_in_redis(ctx, uses, &is_given))
		return give_locally(ctx, uses, uses->count);
	return is_given;
}

void guard_refund(struct ctx *ctx, enum limit_policy policy,
                  struct admission *admission)
{
	struct uses uses;
	if (admission && !admission->has_limit)
		return;
	if (admission)
		policy = admission->policy;
	bool has_user = ctx->actor.kind == ACTOR_USER;
	if (find_uses(ctx, policy, has_user ? &ctx->actor.user_id : NULL,
	              &uses))
		return;
	bool is_given = give_back(ctx, &uses, admission && admission->is_local);
	if (admission && is_given)
		admission->remaining++;
}

void guard_refund_charge(struct ctx *ctx, enum limit_policy policy,
                         struct span subject)
{
	struct uses uses;
	if (!find_charge(ctx, policy, subject, &uses))
		(void)give_back(ctx, &uses, false);
}
