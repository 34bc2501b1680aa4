/* SPDX-License-Identifier: Apache-2.0 */
/* The table of limit policies, and changing their rates. */
#include "domain/guard/policy.h"

#include "base/log.h"
#include "base/metrics.h"
#include "domain/audit/audit.h"
#include "domain/guard/policy_store.h"
#include "domain/guard/version.h"

#include <assert.h>

#define COUNT_MOST      1000000
#define WINDOW_LEAST_MS INT64_C(1000)
#define WINDOW_MOST_MS  (INT64_C(30) * 24 * 3600 * 1000)
#define DETAIL_BYTES    160
#define MS_PER_S        1000

static const struct {
	const char *name;
	size_t rate; /* where struct config has the configured one */
} rows[] = {
    [LIMIT_UNSET] = {"?", 0},
    [LIMIT_NOTHING] = {"nothing", 0},
    [LIMIT_API] = {"api", 0},
#define RATE(member) #member, offsetof(struct config, limit.member)
    [LIMIT_LOGIN] = {RATE(login)},
    [LIMIT_LOGIN_ACCOUNT] = {RATE(login_account)},
    [LIMIT_REGISTRATION] = {RATE(registration)},
    [LIMIT_RESET] = {RATE(reset)},
    [LIMIT_VERIFICATION] = {RATE(verification)},
    [LIMIT_API_USER] = {RATE(api_user)},
    [LIMIT_API_ANONYMOUS] = {RATE(api_anonymous)},
    [LIMIT_API_KEY] = {RATE(api_key)},
    [LIMIT_WEBSOCKET] = {RATE(websocket)},
    [LIMIT_FACTOR] = {RATE(factor)},
#undef RATE
};
static_assert(sizeof(rows) / sizeof(rows[0]) == LIMIT_POLICY_COUNT,
              "every policy has its row");
static_assert(LIMIT_POLICY_COUNT - LIMIT_POLICY_FIRST == METRICS_POLICIES,
              "every policy has its metrics");

const char *policy_name(enum limit_policy policy)
{
	assert(policy < LIMIT_POLICY_COUNT);
	return rows[policy].name;
}

enum limit_policy policy_find(struct span name)
{
	for (unsigned i = LIMIT_POLICY_FIRST; i < LIMIT_POLICY_COUNT; i++)
		if (span_equal(name, span_of(rows[i].name)))
			return (enum limit_policy)i;
	return LIMIT_UNSET;
}

static const struct config_rate *configured(const struct config *config,
                                            unsigned policy)
{
	const char *base = (const char *)config;
	return (const struct config_rate *)(const void *)(base +
	                                                  rows[policy].rate);
}

void policy_configured(const struct config *config, struct policies *out)
{
	*out = (struct policies){0};
	for (unsigned i = LIMIT_POLICY_FIRST; i < LIMIT_POLICY_COUNT; i++)
		out->rate[i] = *configured(config, i);
}

static bool is_in_bounds(const struct config_rate *rate)
{
	return rate->count >= 1 && rate->count <= COUNT_MOST &&
	       rate->window_ms >= WINDOW_LEAST_MS &&
	       rate->window_ms <= WINDOW_MOST_MS && rate->burst >= 0 &&
	       rate->burst <= COUNT_MOST;
}

enum fault policy_load(struct ctx *ctx, struct policies *out)
{
	const struct policy_row *changed;
	size_t count;
	enum fault fault = policy_store_list(ctx, &changed, &count);
	if (fault)
		return fault;
	struct policies policies;
	policy_configured(ctx->config, &policies);
	policies.version = out->version;
	for (size_t i = 0; i < count; i++) {
		enum limit_policy policy = policy_find(changed[i].name);
		if (policy == LIMIT_UNSET || !is_in_bounds(&changed[i].rate)) {
			log_note(LOG_WARNING, "policy_ignored", NULL);
			continue;
		}
		policies.rate[policy] = changed[i].rate;
		policies.is_changed[policy] = true;
	}
	*out = policies;
	return FAULT_NONE;
}

struct change {
	struct ctx *ctx;
	const struct policy_wish *wishes;
	size_t count;
	int64_t version;
};

/* "5/900s", "100/60s burst 10". */
static void append_rate(struct text *text, const struct config_rate *rate)
{
	bool is_whole = rate->window_ms % MS_PER_S == 0;
	text_append_number(text, rate->count);
	text_append_byte(text, '/');
	text_append_number(text, is_whole ? rate->window_ms / MS_PER_S
	                                  : rate->window_ms);
	text_append_cstr(text, is_whole ? "s" : "ms");
	if (!rate->burst)
		return;
	text_append_cstr(text, " burst ");
	text_append_number(text, rate->burst);
}

static enum fault note(struct ctx *ctx, const struct policy_wish *wish,
                       const struct policies *before)
{
	const struct config_rate *rate =
	    wish->rate ? wish->rate : configured(ctx->config, wish->policy);
	struct text detail = arena_text(ctx->arena, DETAIL_BYTES);
	append_rate(&detail, &before->rate[wish->policy]);
	text_append_cstr(&detail, " -> ");
	append_rate(&detail, rate);
	if (!wish->rate)
		text_append_cstr(&detail, " (as configured)");
	return audit_append(ctx, &(struct audit_event){
				     .type = AUDIT_POLICY_CHANGE,
				     .outcome = AUDIT_SUCCESS,
				     .reason = span_of(rows[wish->policy].name),
				     .detail = text_span(&detail),
				 });
}

static enum fault apply(struct ctx *ctx, const struct policy_wish *wish)
{
	struct policy_row row = {.name = span_of(rows[wish->policy].name)};
	if (!wish->rate)
		return policy_store_remove(ctx, row.name);
	row.rate = *wish->rate;
	return policy_store_put(ctx, &row);
}

/* The version first: of two at once the other waits here, and then sees what
 * this one has made. */
static enum fault change_work(void *argument)
{
	struct change *change = argument;
	struct policies before = {0};
	enum fault fault = version_raise(change->ctx, &change->version);
	if (!fault)
		fault = policy_load(change->ctx, &before);
	for (size_t i = 0; !fault && i < change->count; i++) {
		fault = apply(change->ctx, &change->wishes[i]);
		if (!fault)
			fault = note(change->ctx, &change->wishes[i], &before);
	}
	return fault;
}

static bool is_possible(const struct policy_wish *wish)
{
	return wish->policy >= LIMIT_POLICY_FIRST &&
	       wish->policy < LIMIT_POLICY_COUNT &&
	       (!wish->rate || is_in_bounds(wish->rate));
}

enum fault policy_change_many(struct ctx *ctx, const struct policy_wish *wishes,
                              size_t count)
{
	struct change change = {ctx, wishes, count, 0};
	for (size_t i = 0; i < count; i++)
		if (!is_possible(&wishes[i]))
			return FAULT_VALIDATION;
	if (count == 0)
		return FAULT_NONE;
	enum fault fault = db_transact(ctx->db, change_work, &change);
	if (!fault)
		version_publish(ctx, change.version);
	return fault;
}

enum fault policy_change(struct ctx *ctx, enum limit_policy policy,
                         const struct config_rate *rate)
{
	const struct policy_wish wish = {policy, rate};
	return policy_change_many(ctx, &wish, 1);
}
