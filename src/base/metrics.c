/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of series. Rows of one family stand together, because the text
 * format wants HELP and TYPE once and the samples behind them.
 */
#include "base/metrics.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct series {
	const char *family;
	const char *labels;
	const char *help;
} series[] = {
    [METRIC_REQUESTS_2XX] = {"claviger_http_requests_total", "{class=\"2xx\"}",
                             "HTTP requests answered"},
    [METRIC_REQUESTS_3XX] = {"claviger_http_requests_total", "{class=\"3xx\"}",
                             ""},
    [METRIC_REQUESTS_4XX] = {"claviger_http_requests_total", "{class=\"4xx\"}",
                             ""},
    [METRIC_REQUESTS_5XX] = {"claviger_http_requests_total", "{class=\"5xx\"}",
                             ""},
    [METRIC_LOGIN_SUCCESSES] = {"auth_login_successes_total", "",
                                "Logins with the right password"},
    [METRIC_LOGIN_FAILURES] = {"auth_login_failures_total", "",
                               "Logins refused, whatever the reason"},
    [METRIC_REGISTRATIONS] = {"auth_registrations_total", "",
                              "Accounts registered"},
    [METRIC_TOKEN_REFRESHES] = {"token_refreshes_total", "",
                                "Refresh tokens exchanged"},
    [METRIC_TOKEN_REUSES] = {"token_reuses_total", "",
                             "Refresh tokens used a second time: theft"},
    [METRIC_TOKEN_REVOCATIONS] = {"token_revocations_total", "",
                                  "Revocations of tokens and sessions"},
    [METRIC_TOKEN_VERIFICATIONS] = {"token_verifications_total", "",
                                    "Access tokens accepted"},
    [METRIC_TOKEN_REJECTIONS] = {"token_rejections_total", "",
                                 "Access tokens refused"},
    [METRIC_PASSWORD_HASHES] = {"password_hashes_total", "",
                                "Argon2id computations"},
    [METRIC_HASH_QUEUE_REFUSALS] = {"hash_queue_refusals_total", "",
                                    "Requests the full hash queue refused"},
    [METRIC_RATE_LIMITED] = {"rate_limited_total", "",
                             "Requests refused by a rate limit"},
    [METRIC_CSRF_REFUSALS] = {"csrf_refusals_total", "",
                              "Requests refused as forged across sites"},
    [METRIC_AUDIT_INFO] = {"audit_events_total", "{severity=\"info\"}",
                           "Audit events written"},
    [METRIC_AUDIT_WARNING] = {"audit_events_total", "{severity=\"warning\"}",
                              ""},
    [METRIC_AUDIT_CRITICAL] = {"audit_events_total", "{severity=\"critical\"}",
                               ""},
    [METRIC_MAIL_SENT] = {"mail_sent_total", "", "Mails handed on"},
    [METRIC_MAIL_FAILED] = {"mail_failed_total", "",
                            "Attempts to send a mail that failed"},
    [METRIC_DB_STATEMENTS] = {"db_statements_total", "",
                              "Statements sent to MariaDB"},
    [METRIC_DB_RETRIES] = {"db_retries_total", "",
                           "Transactions repeated after a deadlock"},
    [METRIC_DB_FAILURES] = {"db_failures_total", "",
                            "Statements that MariaDB did not answer"},
    [METRIC_KV_ROUND_TRIPS] = {"redis_round_trips_total", "",
                               "Round trips to Redis"},
    [METRIC_KV_FAILURES] = {"redis_failures_total", "",
                            "Round trips to Redis that failed"},
    [METRIC_KV_FALLBACKS] = {"redis_fallbacks_total", "",
                             "Requests decided without Redis"},
    [METRIC_KV_REFILLS] = {"redis_refills_total", "",
                           "Times that Redis was filled from MariaDB"},
    [METRIC_WORKER_STARTS] = {"worker_starts_total", "",
                              "Worker processes started"},
    [METRIC_WORKER_CRASHES] = {"worker_crashes_total", "",
                               "Worker processes that died unasked"},
    [METRIC_GUARD_BLOCKED] = {"guard_blocked_total", "",
                              "Requests refused from blocked addresses"},
    [METRIC_GUARD_LOCKED] = {"guard_locked_total", "",
                             "Sign-ins refused because of a lock"},
    [METRIC_CAPTCHA_SOLVED] = {"guard_captcha_total", "{verdict=\"solved\"}",
                               "Captchas by what became of them"},
    [METRIC_CAPTCHA_REFUSED] = {"guard_captcha_total", "{verdict=\"refused\"}",
                                ""},
    [METRIC_CAPTCHA_WANTED] = {"guard_captcha_total", "{verdict=\"wanted\"}",
                               ""},
};

static_assert(sizeof(series) / sizeof(series[0]) == METRIC_SERIES_COUNT,
              "every metric has its series");

static const char *const policies[] = {
    "login",    "login_account", "registration", "reset",     "verification",
    "api_user", "api_anonymous", "api_key",      "websocket", "factor",
};

static_assert(sizeof(policies) / sizeof(policies[0]) == METRICS_POLICIES,
              "every limit policy has its name");

#define GUARD    "guard_requests_total"
#define DURATION "claviger_http_request_duration_seconds"

static const struct bucket {
	int64_t most_us;
	const char *le;
} buckets[] = {
    {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"}, {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"}, {250000, "0.25"},
    {500000, "0.5"},  {1000000, "1"},   {5000000, "5"},  {INT64_MAX, "+Inf"},
};

static_assert(sizeof(buckets) / sizeof(buckets[0]) == METRICS_BUCKETS,
              "every bucket has its bound");

static struct metrics private_metrics;
static struct metrics *current = &private_metrics;

void metrics_attach(struct metrics *metrics)
{
	current = metrics;
}

static void count(_Atomic uint64_t *counter, uint64_t by)
{
	atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static uint64_t get(_Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_add(enum metric metric, uint64_t by)
{
	count(&current->count[metric], by);
}

void metrics_request(int status, int64_t duration_us)
{
	size_t bucket = 0;

	if (status >= 200 && status <= 599)
		metrics_add(METRIC_REQUESTS_2XX + (unsigned)(status / 100 - 2),
		            1);
	if (duration_us < 0)
		duration_us = 0;
	while (duration_us > buckets[bucket].most_us)
		bucket++;
	count(&current->duration_bucket[bucket], 1);
	count(&current->duration_sum_us, (uint64_t)duration_us);
}

void metrics_guard(size_t policy, bool is_allowed)
{
	unsigned first =
	    is_allowed ? METRIC_GUARD_ALLOWED : METRIC_GUARD_LIMITED;

	assert(policy < METRICS_POLICIES);
	metrics_add((enum metric)(first + (unsigned)policy), 1);
}

const char *metrics_policy_name(size_t policy)
{
	assert(policy < METRICS_POLICIES);
	return policies[policy];
}

uint64_t metrics_get(enum metric metric)
{
	return get(&current->count[metric]);
}

static void append_head(struct text *text, const char *family, const char *help,
                        const char *type)
{
	text_append_cstr(text, "# HELP ");
	text_append_cstr(text, family);
	text_append_byte(text, ' ');
	text_append_cstr(text, help);
	text_append_cstr(text, "\n# TYPE ");
	text_append_cstr(text, family);
	text_append_byte(text, ' ');
	text_append_cstr(text, type);
	text_append_byte(text, '\n');
}

/* Counters stay below 2^63: the sign is never seen. */
static void append_value(struct text *text, uint64_t value)
{
	text_append_byte(text, ' ');
	text_append_number(text, (int64_t)value);
	text_append_byte(text, '\n');
}

static void append_counters(struct text *text)
{
	const char *family = "";

	for (size_t i = 0; i < METRIC_SERIES_COUNT; i++) {
		if (strcmp(series[i].family, family) != 0)
			append_head(text, series[i].family, series[i].help,
			            "counter");
		family = series[i].family;
		text_append_cstr(text, family);
		text_append_cstr(text, series[i].labels);
		append_value(text, get(&current->count[i]));
	}
}

static void append_verdicts(struct text *text, unsigned first,
                            const char *verdict)
{
	for (unsigned i = 0; i < METRICS_POLICIES; i++) {
		text_append_cstr(text, GUARD "{policy=\"");
		text_append_cstr(text, policies[i]);
		text_append_cstr(text, "\",verdict=\"");
		text_append_cstr(text, verdict);
		text_append_cstr(text, "\"}");
		append_value(text, get(&current->count[first + i]));
	}
}

static void append_guard(struct text *text)
{
	append_head(text, GUARD, "Requests and attempts by limit policy",
	            "counter");
	append_verdicts(text, METRIC_GUARD_ALLOWED, "allowed");
	append_verdicts(text, METRIC_GUARD_LIMITED, "limited");
}

static void append_seconds(struct text *text, uint64_t us)
{
	char fraction[] = ".000000";

	text_append_number(text, (int64_t)(us / 1000000));
	us %= 1000000;
	for (size_t i = 6; i > 0; i--, us /= 10)
		fraction[i] = (char)('0' + us % 10);
	text_append_cstr(text, fraction);
}

static void append_durations(struct text *text)
{
	uint64_t total = 0;

	append_head(text, DURATION, "Time from a request to its answer",
	            "histogram");
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		total += get(&current->duration_bucket[i]);
		text_append_cstr(text, DURATION "_bucket{le=\"");
		text_append_cstr(text, buckets[i].le);
		text_append_cstr(text, "\"}");
		append_value(text, total);
	}
	text_append_cstr(text, DURATION "_sum ");
	append_seconds(text, get(&current->duration_sum_us));
	text_append_cstr(text, "\n" DURATION "_count");
	append_value(text, total);
}

void metrics_append(struct text *text)
{
	append_counters(text);
	append_guard(text);
	append_durations(text);
}
