/* SPDX-License-Identifier: Apache-2.0 */
/* Counting, and the text that Prometheus reads. */
#include "unit.h"

#include "base/metrics.h"

static struct metrics metrics;
static char memory[16 * 1024];
static struct text text;

static int set_up(void **state)
{
	(void)state;
	memset(&metrics, 0, sizeof(metrics));
	metrics_attach(&metrics);
	text = text_over(memory, sizeof(memory));
	return 0;
}

/* Whether the text has exactly this line. */
static bool has_line(const char *line)
{
	struct span rest = text_span(&text);
	struct span one;

	while (span_cut(&rest, '\n', &one))
		if (span_equal(one, span_of(line)))
			return true;
	return false;
}

static size_t count_of_lines_with(const char *prefix)
{
	struct span rest = text_span(&text);
	struct span one;
	size_t count = 0;

	while (span_cut(&rest, '\n', &one))
		count += span_starts_with(one, span_of(prefix));
	return count;
}

static void counts_every_metric_on_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		metrics_add((enum metric)i, i + 1);
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		assert_int_equal(metrics_get((enum metric)i), i + 1);
}

static void classes_requests_by_their_status(void **state)
{
	static const int statuses[] = {100, 200, 204, 303, 404, 429, 503, 700};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		metrics_request(statuses[i], 1);
	assert_int_equal(metrics_get(METRIC_REQUESTS_2XX), 2);
	assert_int_equal(metrics_get(METRIC_REQUESTS_3XX), 1);
	assert_int_equal(metrics_get(METRIC_REQUESTS_4XX), 2);
	assert_int_equal(metrics_get(METRIC_REQUESTS_5XX), 1);
}

static void writes_help_and_type_once_for_each_family(void **state)
{
	(void)state;
	metrics_append(&text);
	assert_false(text_check(&text));
	assert_int_equal(
	    count_of_lines_with("# HELP claviger_http_requests_total "), 1);
	assert_int_equal(
	    count_of_lines_with("# TYPE claviger_http_requests_total "), 1);
	assert_int_equal(count_of_lines_with("claviger_http_requests_total{"),
	                 4);
	assert_true(has_line("# TYPE audit_events_total counter"));
	assert_int_equal(count_of_lines_with("# TYPE audit_events_total"), 1);
	assert_int_equal(count_of_lines_with("audit_events_total{severity="),
	                 3);
	/* Each family of a single series, and the histogram. */
	assert_int_equal(count_of_lines_with("# TYPE "),
	                 count_of_lines_with("# HELP "));
	assert_int_equal(count_of_lines_with("# TYPE "),
	                 METRIC_SERIES_COUNT - 3 - 2 - 2 + 1 + 1);
}

static void writes_the_counts(void **state)
{
	(void)state;
	metrics_add(METRIC_LOGIN_FAILURES, 3);
	metrics_add(METRIC_AUDIT_CRITICAL, 2);
	metrics_add(METRIC_KV_REFILLS, 1);
	metrics_append(&text);
	assert_true(has_line("auth_login_failures_total 3"));
	assert_true(has_line("audit_events_total{severity=\"critical\"} 2"));
	assert_true(has_line("redis_refills_total 1"));
	assert_true(has_line("token_revocations_total 0"));
	assert_int_equal(memory[text.length - 1], '\n');
}

static void counts_verdicts_by_limit_policy(void **state)
{
	(void)state;
	metrics_guard(0, true);
	metrics_guard(0, true);
	metrics_guard(0, false);
	metrics_guard(METRICS_POLICIES - 1, false);
	metrics_append(&text);
#define FAMILY "guard_requests_total"
	assert_true(has_line("# TYPE " FAMILY " counter"));
	assert_true(
	    has_line(FAMILY "{policy=\"login\",verdict=\"allowed\"} 2"));
	assert_true(
	    has_line(FAMILY "{policy=\"login\",verdict=\"limited\"} 1"));
	assert_true(
	    has_line(FAMILY "{policy=\"factor\",verdict=\"limited\"} 1"));
	assert_int_equal(count_of_lines_with(FAMILY "{"), 2 * METRICS_POLICIES);
}

static void writes_a_cumulative_histogram(void **state)
{
	(void)state;
	metrics_request(200, 1000);
	metrics_request(200, 1001);
	metrics_request(200, 700000);
	metrics_request(200, INT64_C(9000000));
	metrics_request(200, -5);
	metrics_append(&text);
#define NAME "claviger_http_request_duration_seconds"
	assert_true(has_line("# TYPE " NAME " histogram"));
	assert_true(has_line(NAME "_bucket{le=\"0.001\"} 2"));
	assert_true(has_line(NAME "_bucket{le=\"0.0025\"} 3"));
	assert_true(has_line(NAME "_bucket{le=\"0.5\"} 3"));
	assert_true(has_line(NAME "_bucket{le=\"1\"} 4"));
	assert_true(has_line(NAME "_bucket{le=\"5\"} 4"));
	assert_true(has_line(NAME "_bucket{le=\"+Inf\"} 5"));
	assert_true(has_line(NAME "_sum 9.702001"));
	assert_true(has_line(NAME "_count 5"));
	assert_int_equal(count_of_lines_with(NAME "_bucket"), METRICS_BUCKETS);
}

static void says_when_the_text_is_too_small(void **state)
{
	(void)state;
	text = text_over(memory, 100);
	metrics_append(&text);
	assert_int_equal(text_check(&text), FAULT_EXHAUSTED);
}

#define CASE(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(counts_every_metric_on_its_own),
	    CASE(classes_requests_by_their_status),
	    CASE(writes_help_and_type_once_for_each_family),
	    CASE(writes_the_counts),
	    CASE(counts_verdicts_by_limit_policy),
	    CASE(writes_a_cumulative_histogram),
	    CASE(says_when_the_text_is_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
