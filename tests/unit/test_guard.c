/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admission and policies against a real MariaDB and Redis: what is counted for
 * whom, changes that take effect, and a Redis that is stopped, hung, read-only,
 * full or emptied, while limits and revocations go on holding.
 */
#include "unit.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "domain/guard/guard.h"
#include "domain/guard/version.h"
#include "domain/session/revocation.h"
#include "stack.h"
#include "store/kv_keys.h"
#include "world.h"

#include <signal.h>
#include <stdatomic.h>

#define REPLICA  "REPLICAOF", "127.0.0.1", "1"
#define FULL     "CONFIG", "SET", "maxmemory", "1"
#define NOT_FULL "CONFIG", "SET", "maxmemory", "0"

static struct world world;
static struct ctx *ctx;
static struct policies policies;
static struct admission admission;
static struct access_claims claims;

/* A command of up to five words; whether the server took it. */
static bool redis(const char *const words[5])
{
	struct span spans[5];
	struct kv_command command = {spans, 0};

	for (; command.count < 5 && words[command.count]; command.count++)
		spans[command.count] = span_of(words[command.count]);
	atomic_store(&ctx->shared->kv_open_until_us, 0);
	return !kv_pipeline(ctx->kv, &command, 1);
}
#define REDIS(...) assert_true(redis((const char *const[5]){__VA_ARGS__}))

static void set(const char *assignment)
{
	world_set(&world, assignment);
	policy_configured(&world.config, &policies);
}

static void fill_redis(void)
{
	struct span run_id;

	assert_int_equal(kv_run_id(ctx->kv, &run_id), FAULT_NONE);
	assert_int_equal(guard_refill(ctx, run_id), FAULT_NONE);
}

static int set_up(void **state)
{
	(void)state;
	world_open(&world);
	ctx = &world.ctx;
	ctx->policies = &policies;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

/* Rates as configured, nothing counted anywhere, Redis filled and trusted. */
static int start_anew(void **state)
{
	(void)state;
	stack_signal(STACK_REDIS, SIGCONT);
	world_turn(&world, "192.0.2.1", 0);
	ctx->actor = (struct actor){0};
	memset(ctx->shared->limit, 0, sizeof(ctx->shared->limit));
	atomic_store(&ctx->shared->kv_distrusted_since_ms, 0);
	atomic_store(&ctx->shared->kv_next_refill_ms, 0);
	world_run(&world, "DELETE FROM limit_policy");
	world_run(&world, "DELETE FROM revocation");
	set("limit.login=5/15m");
	set("limit.api_anonymous=20/1m burst 5");
	set("limit.ipv6_site_factor=16");
	claims = (struct access_claims){
	    .token_id = {{1}},
	    .user_id = {{2}},
	    .tenant_id = {{3}},
	    .session_id = {{4}},
	};
	REDIS("FLUSHALL");
	fill_redis();
	return 0;
}

static bool is_admitted(enum limit_policy policy)
{
	world_turn(&world, "192.0.2.1", 0);
	assert_int_equal(guard_admit(ctx, policy, NULL, &admission),
	                 FAULT_NONE);
	return !admission.is_limited;
}

static bool is_admitted_from(const char *address)
{
	world_turn(&world, address, 0);
	assert_int_equal(guard_admit(ctx, LIMIT_LOGIN, NULL, &admission),
	                 FAULT_NONE);
	return !admission.is_limited;
}

static int admitted_of(int asked, enum limit_policy policy)
{
	int admitted = 0;

	for (int i = 0; i < asked; i++)
		admitted += is_admitted(policy);
	return admitted;
}

/* Whom a limit is for */

static void limits_a_network(void **state)
{
	(void)state;
	assert_true(is_admitted(LIMIT_LOGIN));
	assert_true(admission.has_limit);
	assert_int_equal(admission.policy, LIMIT_LOGIN);
	assert_int_equal(admission.limit, 5);
	assert_int_equal(admission.burst, 0);
	assert_int_equal(admission.window_s, 900);
	assert_int_equal(admission.remaining, 4);
	assert_int_equal(admitted_of(9, LIMIT_LOGIN), 4);
	assert_in_range(admission.reset_in_ms, 890000, 900000);
	assert_true(is_admitted_from("192.0.2.2"));
	assert_false(is_admitted_from("::ffff:192.0.2.1"));
	assert_true(is_admitted(LIMIT_RESET));
}

static void limits_an_ipv6_network_and_its_site(void **state)
{
	char address[IP_TEXT_BYTES];
	int admitted = 0;

	(void)state;
	set("limit.ipv6_site_factor=3");
	for (int i = 0; i < 8; i++) {
		(void)snprintf(address, sizeof(address), "2001:db8:1:1::%x", i);
		admitted += is_admitted_from(address);
	}
	assert_int_equal(admitted, 5);
	assert_int_equal(admission.limit, 5);
	/* 15 for all of the /48: ten more, wherever from. */
	for (int i = 2; i < 40; i++) {
		(void)snprintf(address, sizeof(address), "2001:db8:1:%x::1", i);
		admitted += is_admitted_from(address);
	}
	assert_int_equal(admitted, 15);
	assert_int_equal(admission.limit, 15);
	assert_int_equal(admission.remaining, 0);
	assert_true(admission.reset_in_ms > 0);
	assert_true(is_admitted_from("2001:db8:2:1::1"));
}

static void limits_the_api_by_who_calls(void **state)
{
	struct access_claims other = claims;

	(void)state;
	assert_int_equal(admitted_of(8, LIMIT_API), 5);
	assert_int_equal(admission.policy, LIMIT_API_ANONYMOUS);
	assert_int_equal(admission.limit, 20);
	assert_int_equal(admission.burst, 5);
	/* Signed in, the network does not matter. */
	for (int i = 0; i < 10; i++) {
		assert_int_equal(
		    guard_admit(ctx, LIMIT_API, &claims, &admission),
		    FAULT_NONE);
		assert_false(admission.is_limited);
	}
	assert_int_equal(admission.policy, LIMIT_API_USER);
	assert_int_equal(admission.limit, 100);
	assert_int_equal(admission.remaining, 0);
	assert_int_equal(guard_admit(ctx, LIMIT_API, &claims, &admission),
	                 FAULT_NONE);
	assert_true(admission.is_limited);
	assert_in_range(admission.reset_in_ms, 1, 600);
	other.user_id.bytes[0]++;
	assert_int_equal(guard_admit(ctx, LIMIT_API, &other, &admission),
	                 FAULT_NONE);
	assert_false(admission.is_limited);
}

static void charges_a_subject_of_the_callers(void **state)
{
	struct span account = SPAN("alice@example.com");

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    guard_charge(ctx, LIMIT_LOGIN_ACCOUNT, account),
		    FAULT_NONE);
	assert_int_equal(guard_charge(ctx, LIMIT_LOGIN_ACCOUNT, account),
	                 FAULT_RATE_LIMITED);
	assert_in_range(ctx->retry_after_ms, 290000, 300000);
	assert_int_equal(
	    guard_charge(ctx, LIMIT_LOGIN_ACCOUNT, SPAN("bob@example.com")),
	    FAULT_NONE);
	guard_refund_charge(ctx, LIMIT_LOGIN_ACCOUNT, account);
	assert_int_equal(guard_charge(ctx, LIMIT_LOGIN_ACCOUNT, account),
	                 FAULT_NONE);
	assert_int_equal(guard_charge(ctx, LIMIT_LOGIN_ACCOUNT, account),
	                 FAULT_RATE_LIMITED);
}

static void gives_an_attempt_back(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_true(is_admitted_from("2001:db8:1:1::1"));
		guard_refund(ctx, LIMIT_LOGIN, &admission);
		assert_int_equal(admission.remaining, 5);
	}
	for (int i = 0; i < 20; i++) {
		assert_true(is_admitted(LIMIT_LOGIN));
		guard_refund(ctx, LIMIT_LOGIN, NULL);
	}
}

static void counts_verdicts_by_policy(void **state)
{
	size_t place = LIMIT_LOGIN - LIMIT_POLICY_FIRST;
	enum metric allowed = (enum metric)(METRIC_GUARD_ALLOWED + place);
	enum metric limited = (enum metric)(METRIC_GUARD_LIMITED + place);
	uint64_t before = metrics_get(allowed);
	uint64_t refused = metrics_get(limited);

	(void)state;
	(void)admitted_of(7, LIMIT_LOGIN);
	assert_int_equal(metrics_get(allowed) - before, 5);
	assert_int_equal(metrics_get(limited) - refused, 2);
}

static void asks_redis_once_and_mariadb_never(void **state)
{
	uint64_t trips;
	uint64_t statements;

	(void)state;
	(void)is_admitted(LIMIT_API);
	trips = metrics_get(METRIC_KV_ROUND_TRIPS);
	statements = metrics_get(METRIC_DB_STATEMENTS);
	for (int i = 0; i < 10; i++) {
		world_turn(&world, "2001:db8::1", 0);
		assert_int_equal(
		    guard_admit(ctx, LIMIT_API, &claims, &admission),
		    FAULT_NONE);
	}
	assert_int_equal(metrics_get(METRIC_KV_ROUND_TRIPS) - trips, 10);
	assert_int_equal(metrics_get(METRIC_DB_STATEMENTS) - statements, 0);
	assert_true(world.arena.high < 8192);
}

/* Policies */

static void has_the_names_of_the_metrics(void **state)
{
	(void)state;
	for (unsigned i = LIMIT_POLICY_FIRST; i < LIMIT_POLICY_COUNT; i++) {
		const char *name = policy_name((enum limit_policy)i);

		assert_string_equal(
		    name, metrics_policy_name(i - LIMIT_POLICY_FIRST));
		assert_int_equal(policy_find(span_of(name)), i);
	}
	assert_int_equal(policy_find(SPAN("nothing")), LIMIT_UNSET);
	assert_int_equal(policy_find(SPAN("api")), LIMIT_UNSET);
	assert_int_equal(policy_find(SPAN("LOGIN")), LIMIT_UNSET);
}

static void loads_what_was_changed_and_takes_it_back(void **state)
{
	const struct config_rate wanted = {7, 30000, 3};

	(void)state;
	assert_int_equal(policy_change(ctx, LIMIT_LOGIN, &wanted), FAULT_NONE);
	assert_int_equal(policy_load(ctx, &policies), FAULT_NONE);
	assert_memory_equal(&policies.rate[LIMIT_LOGIN], &wanted,
	                    sizeof(wanted));
	assert_true(policies.is_changed[LIMIT_LOGIN]);
	assert_false(policies.is_changed[LIMIT_RESET]);
	assert_int_equal(admitted_of(9, LIMIT_LOGIN), 3);
	assert_int_equal(policy_change(ctx, LIMIT_LOGIN, NULL), FAULT_NONE);
	assert_int_equal(policy_load(ctx, &policies), FAULT_NONE);
	assert_false(policies.is_changed[LIMIT_LOGIN]);
	assert_int_equal(policies.rate[LIMIT_LOGIN].count, 5);
	/* From a bucket to a window: neither is taken for the other. */
	assert_int_equal(admitted_of(9, LIMIT_LOGIN), 5);
}

static void records_a_change_with_the_rates_before_and_after(void **state)
{
	const struct config_rate wanted = {7, 30500, 3};

	(void)state;
	world_run(&world, "DELETE FROM audit_event");
	assert_int_equal(policy_change(ctx, LIMIT_LOGIN, &wanted), FAULT_NONE);
	assert_int_equal(
	    world_number(&world,
	                 "SELECT COUNT(*) FROM audit_event WHERE"
	                 " type = 'policy_change' AND reason = 'login' AND"
	                 " detail = '5/900s -> 7/30500ms burst 3'"),
	    1);
	assert_int_equal(policy_change(ctx, LIMIT_LOGIN, NULL), FAULT_NONE);
	assert_int_equal(world_number(&world,
	                              "SELECT COUNT(*) FROM audit_event WHERE"
	                              " detail = '7/30500ms burst 3 -> 5/900s"
	                              " (as configured)'"),
	                 1);
}

static void refuses_rates_out_of_bounds(void **state)
{
	static const struct config_rate wrong[] = {
	    {0, 60000, 0},
	    {-1, 60000, 0},
	    {1000001, 60000, 0},
	    {5, 999, 0},
	    {5, INT64_C(2592000001), 0},
	    {5, 60000, -1},
	    {5, 60000, 1000001},
	    {INT64_MAX, INT64_MAX, INT64_MAX},
	    {INT64_MIN, INT64_MIN, INT64_MIN},
	};
	static const struct config_rate right[] = {
	    {1, 1000, 0},
	    {1000000, INT64_C(2592000000), 1000000},
	    {1, INT64_C(2592000000), 1000000},
	};
	int64_t version = 0;
	int64_t after = 0;

	(void)state;
	assert_int_equal(version_read(ctx, &version), FAULT_NONE);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(policy_change(ctx, LIMIT_LOGIN, &wrong[i]),
		                 FAULT_VALIDATION);
	assert_int_equal(policy_change(ctx, LIMIT_NOTHING, NULL),
	                 FAULT_VALIDATION);
	assert_int_equal(policy_change(ctx, LIMIT_API, NULL), FAULT_VALIDATION);
	assert_int_equal(policy_change(ctx, LIMIT_POLICY_COUNT, NULL),
	                 FAULT_VALIDATION);
	assert_int_equal(version_read(ctx, &after), FAULT_NONE);
	assert_int_equal(after, version);
	for (size_t i = 0; i < COUNT_OF(right); i++) {
		assert_int_equal(policy_change(ctx, LIMIT_LOGIN, &right[i]),
		                 FAULT_NONE);
		assert_int_equal(policy_load(ctx, &policies), FAULT_NONE);
		assert_true(is_admitted(LIMIT_LOGIN));
	}
}

static void changes_all_or_none(void **state)
{
	const struct config_rate right = {9, 60000, 0};
	const struct config_rate wrong = {0, 60000, 0};
	struct policy_wish wishes[] = {
	    {LIMIT_LOGIN, &right},
	    {LIMIT_RESET, &wrong},
	};
	int64_t version = 0;
	int64_t after = 0;

	(void)state;
	assert_int_equal(version_read(ctx, &version), FAULT_NONE);
	assert_int_equal(policy_change_many(ctx, wishes, 2), FAULT_VALIDATION);
	assert_int_equal(policy_load(ctx, &policies), FAULT_NONE);
	assert_false(policies.is_changed[LIMIT_LOGIN]);
	wishes[1].rate = &right;
	assert_int_equal(policy_change_many(ctx, wishes, 2), FAULT_NONE);
	assert_int_equal(policy_load(ctx, &policies), FAULT_NONE);
	assert_true(policies.is_changed[LIMIT_LOGIN] &&
	            policies.is_changed[LIMIT_RESET]);
	assert_int_equal(version_read(ctx, &after), FAULT_NONE);
	assert_int_equal(after, version + 1);
}

static void ignores_rows_that_make_no_sense(void **state)
{
	(void)state;
	world_run(&world,
	          "INSERT INTO limit_policy (name, count, window_ms,"
	          " burst, changed_at) VALUES ('login', 0, 1000, 0, 0),"
	          " ('reset', 5, 10, 0, 0), ('nonsense', 1, 1000, 0, 0)");
	assert_int_equal(policy_load(ctx, &policies), FAULT_NONE);
	assert_int_equal(policies.rate[LIMIT_LOGIN].count, 5);
	assert_int_equal(policies.rate[LIMIT_RESET].window_ms, 3600000);
}

/* What a process does with an admission: api/service.c's in short. */
static void keep_up(void)
{
	if (!admission.is_stale)
		return;
	assert_int_equal(policy_load(ctx, &policies), FAULT_NONE);
	policies.version = admission.guard_version;
}

static void tells_the_next_request_that_a_policy_was_changed(void **state)
{
	const struct config_rate wanted = {2, 60000, 0};
	int64_t version = 0;

	(void)state;
	assert_true(is_admitted(LIMIT_LOGIN));
	assert_int_equal(version_read(ctx, &version), FAULT_NONE);
	assert_int_equal(admission.guard_version, version);
	policies.version = version;
	assert_int_equal(policy_change(ctx, LIMIT_LOGIN, &wanted), FAULT_NONE);
	assert_true(is_admitted(LIMIT_LOGIN));
	assert_true(admission.is_stale);
	assert_int_equal(admission.guard_version, version + 1);
	keep_up();
	/* One was counted before the change, none by the stale question. */
	assert_int_equal(admitted_of(5, LIMIT_LOGIN), 1);
	assert_false(admission.is_stale);
	assert_int_equal(admission.limit, 2);
}

static void never_lowers_the_version_in_redis(void **state)
{
	int64_t version = 0;

	(void)state;
	assert_int_equal(version_read(ctx, &version), FAULT_NONE);
	version_publish(ctx, version + 5);
	version_publish(ctx, version);
	fill_redis();
	assert_true(is_admitted(LIMIT_LOGIN));
	assert_int_equal(admission.guard_version, version + 5);
}

/* Redis is away */

static void holds_the_limits(void)
{
	assert_int_equal(admitted_of(12, LIMIT_LOGIN), 5);
	assert_in_range(admission.reset_in_ms, 1, 180000);
	assert_int_equal(admission.guard_version, 0);
	assert_int_equal(admitted_of(12, LIMIT_API), 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    guard_charge(ctx, LIMIT_LOGIN_ACCOUNT, SPAN("alice")),
		    FAULT_NONE);
	assert_int_equal(guard_charge(ctx, LIMIT_LOGIN_ACCOUNT, SPAN("alice")),
	                 FAULT_RATE_LIMITED);
	assert_in_range(ctx->retry_after_ms, 1, 60000);
	guard_refund_charge(ctx, LIMIT_LOGIN_ACCOUNT, SPAN("alice"));
	assert_int_equal(guard_charge(ctx, LIMIT_LOGIN_ACCOUNT, SPAN("alice")),
	                 FAULT_NONE);
}

static void assert_revoked(bool is_revoked)
{
	assert_int_equal(guard_admit(ctx, LIMIT_API, &claims, &admission),
	                 FAULT_NONE);
	assert_int_equal(admission.is_revoked, is_revoked);
}

static void revoke_in_mariadb(void)
{
	world_run(&world,
	          "INSERT INTO revocation (kind, subject, number,"
	          " reason, created_at, expires_at) VALUES ('session',"
	          " UNHEX('04000000000000000000000000000000'), 1, 'test',"
	          " 0, 4102444800000)");
}

static void holds_revocations(void)
{
	revoke_in_mariadb();
	assert_revoked(true);
	world_run(&world, "DELETE FROM revocation");
	assert_revoked(false);
}

/* Back within two seconds, with the counts that it had. */
static void comes_back(void)
{
	int64_t until_us = clock_monotonic_us() + 2000000;

	do {
		clock_sleep_ms(20);
		world_turn(&world, "192.0.2.99", 20);
		assert_int_equal(guard_admit(ctx, LIMIT_API, NULL, &admission),
		                 FAULT_NONE);
		assert_true(clock_monotonic_us() < until_us);
	} while (admission.guard_version == 0);
	assert_false(admission.is_local);
}

static void holds_while_redis_is_stopped(void **state)
{
	(void)state;
	stack_stop(STACK_REDIS);
	holds_the_limits();
	assert_true(admission.is_local);
	holds_revocations();
	stack_start(STACK_REDIS, NULL);
	comes_back();
}

static void holds_while_redis_hangs_and_costs_no_time(void **state)
{
	int64_t took_us = 0;
	int64_t started_us;

	(void)state;
	assert_true(is_admitted(LIMIT_LOGIN));
	stack_signal(STACK_REDIS, SIGSTOP);
	holds_the_limits();
	for (int i = 0; i < 600; i++) {
		started_us = clock_monotonic_us();
		(void)is_admitted(LIMIT_API);
		took_us += clock_monotonic_us() - started_us;
		clock_sleep_ms(2);
	}
	/* About three trials of 50 ms, and a machine that may be busy. */
	assert_true(took_us < 600000);
	holds_revocations();
	stack_signal(STACK_REDIS, SIGCONT);
	comes_back();
}

static void holds_while_redis_is_read_only(void **state)
{
	(void)state;
	REDIS(REPLICA);
	holds_the_limits();
	holds_revocations();
	REDIS("REPLICAOF", "NO", "ONE");
	comes_back();
}

static void holds_while_redis_is_full(void **state)
{
	(void)state;
	REDIS(FULL);
	holds_the_limits();
	holds_revocations();
	REDIS(NOT_FULL);
	comes_back();
}

static void holds_over_flushall(void **state)
{
	(void)state;
	assert_int_equal(admitted_of(9, LIMIT_LOGIN), 5);
	REDIS("FLUSHALL");
	/* Before the refill MariaDB is asked, after it Redis knows it all. */
	revoke_in_mariadb();
	assert_revoked(true);
	comes_back();
	world_run(&world, "DELETE FROM revocation");
	assert_revoked(true);
	assert_int_equal(admitted_of(9, LIMIT_LOGIN), 5);
}

static void gives_an_attempt_back_where_it_was_counted(void **state)
{
	(void)state;
	stack_stop(STACK_REDIS);
	for (int i = 0; i < 20; i++) {
		assert_true(is_admitted_from("2001:db8:1:1::1"));
		guard_refund(ctx, LIMIT_LOGIN, &admission);
		assert_int_equal(admission.remaining, 5);
	}
	stack_start(STACK_REDIS, NULL);
	comes_back();
}

static void does_not_trust_a_redis_that_missed_a_change(void **state)
{
	const struct config_rate wanted = {2, 60000, 0};
	int64_t version = 0;

	(void)state;
	assert_int_equal(version_read(ctx, &version), FAULT_NONE);
	stack_signal(STACK_REDIS, SIGSTOP);
	assert_int_equal(policy_change(ctx, LIMIT_LOGIN, &wanted), FAULT_NONE);
	stack_signal(STACK_REDIS, SIGCONT);
	comes_back();
	assert_int_equal(admission.guard_version, version + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(test) cmocka_unit_test_setup(test, start_anew)
	    CASE(limits_a_network),
	    CASE(limits_an_ipv6_network_and_its_site),
	    CASE(limits_the_api_by_who_calls),
	    CASE(charges_a_subject_of_the_callers),
	    CASE(gives_an_attempt_back),
	    CASE(counts_verdicts_by_policy),
	    CASE(asks_redis_once_and_mariadb_never),
	    CASE(has_the_names_of_the_metrics),
	    CASE(loads_what_was_changed_and_takes_it_back),
	    CASE(records_a_change_with_the_rates_before_and_after),
	    CASE(refuses_rates_out_of_bounds),
	    CASE(changes_all_or_none),
	    CASE(ignores_rows_that_make_no_sense),
	    CASE(tells_the_next_request_that_a_policy_was_changed),
	    CASE(never_lowers_the_version_in_redis),
	    CASE(holds_while_redis_is_stopped),
	    CASE(holds_while_redis_hangs_and_costs_no_time),
	    CASE(holds_while_redis_is_read_only),
	    CASE(holds_while_redis_is_full),
	    CASE(holds_over_flushall),
	    CASE(gives_an_attempt_back_where_it_was_counted),
	    CASE(does_not_trust_a_redis_that_missed_a_change),
	};

	if (!stack_has(STACK_MARIADB) || !stack_has(STACK_REDIS))
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
