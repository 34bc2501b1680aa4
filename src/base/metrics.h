/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters, gauges and one histogram, all in the host's shared mapping, so
 * that any worker answers for all of them. One row of metrics.c a series.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/text.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_POLICIES 10 /* limit policies, in guard/policy.h's order */

enum metric {
	METRIC_REQUESTS_2XX,
	METRIC_REQUESTS_3XX,
	METRIC_REQUESTS_4XX,
	METRIC_REQUESTS_5XX,
	METRIC_LOGIN_SUCCESSES,
	METRIC_LOGIN_FAILURES,
	METRIC_REGISTRATIONS,
	METRIC_TOKEN_REFRESHES,
	METRIC_TOKEN_REUSES,
	METRIC_TOKEN_REVOCATIONS,
	METRIC_TOKEN_VERIFICATIONS,
	METRIC_TOKEN_REJECTIONS,
	METRIC_PASSWORD_HASHES,
	METRIC_HASH_QUEUE_REFUSALS,
	METRIC_RATE_LIMITED,
	METRIC_CSRF_REFUSALS,
	METRIC_AUDIT_INFO,
	METRIC_AUDIT_WARNING,
	METRIC_AUDIT_CRITICAL,
	METRIC_MAIL_SENT,
	METRIC_MAIL_FAILED,
	METRIC_DB_STATEMENTS,
	METRIC_DB_RETRIES,
	METRIC_DB_FAILURES,
	METRIC_KV_ROUND_TRIPS,
	METRIC_KV_FAILURES,
	METRIC_KV_FALLBACKS,
	METRIC_KV_REFILLS,
	METRIC_WORKER_STARTS,
	METRIC_WORKER_CRASHES,
	METRIC_GUARD_BLOCKED,
	METRIC_GUARD_LOCKED,
	METRIC_CAPTCHA_SOLVED,
	METRIC_CAPTCHA_REFUSED,
	METRIC_CAPTCHA_WANTED,
	METRIC_SERIES_COUNT, /* of those with a row each */
	/* Two ranges: one counter for every limit policy. */
	METRIC_GUARD_ALLOWED = METRIC_SERIES_COUNT,
	METRIC_GUARD_LIMITED = METRIC_GUARD_ALLOWED + METRICS_POLICIES,
	METRIC_COUNT = METRIC_GUARD_LIMITED + METRICS_POLICIES
};

#define METRICS_BUCKETS 12 /* of request durations, the last is +Inf */

struct metrics {
	_Atomic uint64_t count[METRIC_COUNT];
	_Atomic uint64_t duration_bucket[METRICS_BUCKETS];
	_Atomic uint64_t duration_sum_us;
};

/* Count into this memory from now on (private memory before). */
void metrics_attach(struct metrics *metrics);

void metrics_add(enum metric metric, uint64_t by);
void metrics_request(int status, int64_t duration_us);

/* Count a verdict on a request by the limit policy with this place. */
void metrics_guard(size_t policy, bool is_allowed);

/* The word that stands for it in the series. */
const char *metrics_policy_name(size_t policy);

uint64_t metrics_get(enum metric metric);

/* The Prometheus text format 0.0.4 of everything. */
void metrics_append(struct text *text);

#endif
