/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of failed sign-ins against a real MariaDB, by claims alone: who has
 * to wait, who is locked, whom an attacker cannot lock out, and that of many at
 * once no more pass than may.
 */
#include "domain/guard/failure.h"

#include "unit.h"

#include "base/metrics.h"
#include "stack.h"
#include "world.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define CROWD     64

#define HOME  "192.0.2.1"
#define THERE "198.51.100.7"
#define ALICE "alice@example.com"

static struct world world;
static struct failure_claim last; /* what the last claim led to */

static const struct identity alice = {
    .user_id = {.bytes = {1}},
    .email = {ALICE, sizeof(ALICE) - 1},
    .name = {"Alice", 5},
    .is_active = true,
};

static struct attempt_at attempt_at(const char *email)
{
	struct attempt_at at = {.email = span_of(email)};
	if (strcmp(email, ALICE) == 0)
		at.owner = &alice;
	return at;
}

static enum fault claim_with(const char *address, const struct attempt_at *at)
{
	world_turn(&world, address, 0);
	return failure_claim(&world.ctx, at, &last);
}

static enum fault claim(const char *address)
{
	struct attempt_at at = attempt_at(ALICE);
	return claim_with(address, &at);
}

static enum fault claim_from_device(const char *address, const char *cookie)
{
	struct attempt_at at = attempt_at(ALICE);
	at.device = span_of(cookie);
	return claim_with(address, &at);
}

static void wait_ms(int64_t ms)
{
	world.ctx.now_ms += ms;
}

/* So many failures, each as soon as it may be. */
static void fail_often(const char *address, size_t times)
{
	for (size_t i = 0; i < times; i++) {
		enum fault fault = claim(address);
		if (fault == FAULT_RATE_LIMITED) {
			wait_ms(world.ctx.retry_after_ms);
			fault = claim(address);
		}
		assert_int_equal(fault, FAULT_NONE);
	}
}

struct settling {
	struct attempt_at at;
	enum fault (*settle)(struct ctx *ctx, const struct attempt_at *attempt,
	                     const struct failure_claim *claim);
	enum fault then;
};

static enum fault settle_work(void *argument)
{
	struct settling *settling = argument;
	enum fault fault = settling->settle(&world.ctx, &settling->at, &last);
	return fault ? fault : settling->then;
}

static void clear_then(const char *address, enum fault then)
{
	struct settling settling = {attempt_at(ALICE), failure_clear, then};
	world_turn(&world, address, 0);
	assert_int_equal(db_transact(world.ctx.db, settle_work, &settling),
	                 then);
}

static enum fault announce_work(void *argument)
{
	return failure_announce(&world.ctx, argument, &last);
}

static void announce(const char *email)
{
	struct attempt_at at = attempt_at(email);
	assert_int_equal(db_transact(world.ctx.db, announce_work, &at),
	                 FAULT_NONE);
}

static enum fault unlock_work(void *argument)
{
	return failure_unlock(&world.ctx, span_of(argument));
}

static int64_t number(const char *sql)
{
	return world_number(&world, sql);
}

static int start(void **state)
{
	(void)state;
	world_open(&world);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static int anew(void **state)
{
	static const char *const settings[] = {
	    "captcha.provider=none",    "captcha.after=3",
	    "guard.delay_after=5",      "guard.delay_first=1s",
	    "guard.delay_most=1m",      "guard.lock_after=10",
	    "guard.auto_block_after=0",
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(settings); i++)
		world_set(&world, settings[i]);
	world.ctx.now_ms = WORLD_NOON_MS;
	world_run(&world, "DELETE FROM sign_in_failure");
	world_run(&world, "DELETE FROM outbox");
	world_run(&world, "DELETE FROM audit_event");
	world_run(&world, "DELETE FROM address_block");
	last = (struct failure_claim){0};
	return 0;
}

static void waits_grow_from_the_fifth_failure_on(void **state)
{
	(void)state;
	static const int64_t waits_s[] = {1, 2, 4, 8};
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(claim(HOME), FAULT_NONE);
	for (size_t i = 0; i < COUNT_OF(waits_s); i++) {
		assert_int_equal(claim(HOME), FAULT_RATE_LIMITED);
		assert_int_equal(world.ctx.retry_after_ms,
		                 waits_s[i] * SECOND_MS);
		wait_ms(waits_s[i] * SECOND_MS - 1);
		assert_int_equal(claim(HOME), FAULT_RATE_LIMITED);
		wait_ms(1);
		assert_int_equal(claim(HOME), FAULT_NONE);
	}
}

static void a_network_waits_for_failures_at_all_accounts(void **state)
{
	(void)state;
	char email[32];
	for (int i = 0; i < 12; i++) {
		(void)snprintf(email, sizeof(email), "u%d@example.com", i);
		struct attempt_at at = attempt_at(email);
		enum fault fault = claim_with(HOME, &at);
		wait_ms(world.ctx.retry_after_ms);
		assert_int_equal(fault,
		                 i < 5 ? FAULT_NONE : FAULT_RATE_LIMITED);
		if (fault)
			assert_int_equal(claim_with(HOME, &at), FAULT_NONE);
	}
	assert_int_equal(claim(HOME), FAULT_RATE_LIMITED);
	assert_int_equal(world.ctx.retry_after_ms, MINUTE_MS);
	assert_int_equal(claim(THERE), FAULT_NONE);
}

static void the_tenth_failure_locks_the_network_out(void **state)
{
	(void)state;
	fail_often(HOME, 9);
	assert_false(last.has_locked_pair);
	fail_often(HOME, 1);
	assert_true(last.has_locked_pair && last.is_first_lock);
	assert_false(last.has_locked_account);
	assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
	assert_int_equal(world.ctx.retry_after_ms, 15 * MINUTE_MS);
}

static void locks_grow_up_to_the_longest(void **state)
{
	(void)state;
	static const int64_t minutes[] = {15, 30, 60, 120, 240, 240};
	fail_often(HOME, 10);
	for (size_t i = 0; i < COUNT_OF(minutes); i++) {
		assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
		assert_int_equal(world.ctx.retry_after_ms,
		                 minutes[i] * MINUTE_MS);
		wait_ms(world.ctx.retry_after_ms);
		assert_int_equal(claim(HOME), FAULT_NONE);
		assert_false(last.is_first_lock);
	}
}

static void tries_while_locked_do_not_extend_the_lock(void **state)
{
	(void)state;
	fail_often(HOME, 10);
	for (int i = 0; i < 14; i++) {
		wait_ms(MINUTE_MS);
		assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
	}
	wait_ms(MINUTE_MS);
	assert_int_equal(claim(HOME), FAULT_NONE);
}

static void one_network_alone_never_locks_the_owner_out_elsewhere(void **state)
{
	(void)state;
	size_t passed = 0;
	for (int i = 0; i < 1000; i++) {
		passed += claim(THERE) == FAULT_NONE;
		wait_ms(MINUTE_MS);
	}
	assert_true(passed > 10);
	assert_int_equal(claim(HOME), FAULT_NONE);
}

static void lock_the_account(void)
{
	fail_often("198.51.100.1", 5);
	fail_often("198.51.100.2", 4);
	assert_false(last.has_locked_account);
	fail_often("198.51.100.2", 1);
	assert_true(last.has_locked_account);
}

static void two_networks_lock_the_account_as_a_whole(void **state)
{
	(void)state;
	lock_the_account();
	assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
	assert_int_equal(world.ctx.retry_after_ms, 15 * MINUTE_MS);
	wait_ms(15 * MINUTE_MS);
	assert_int_equal(claim(HOME), FAULT_NONE);
}

static void addresses_of_one_ipv6_network_are_one(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		char address[32];
		(void)snprintf(address, sizeof(address), "2001:db8::%d", i);
		assert_int_equal(claim(address), FAULT_NONE);
	}
	assert_int_equal(claim("2001:db8::ffff"), FAULT_RATE_LIMITED);
	assert_int_equal(claim("2001:db8:0:1::"), FAULT_NONE);
}

static void after_a_lock_one_network_does_not_lock_again(void **state)
{
	(void)state;
	lock_the_account();
	wait_ms(15 * MINUTE_MS);
	fail_often("198.51.100.2", 5);
	assert_int_equal(claim(HOME), FAULT_NONE);
	fail_often("198.51.100.1", 4);
	assert_true(last.has_locked_account);
	assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
	assert_int_equal(world.ctx.retry_after_ms, 30 * MINUTE_MS);
}

static void a_known_device_passes_the_lock_of_the_account(void **state)
{
	(void)state;
	lock_the_account();
	assert_int_equal(claim_from_device(HOME, "mine"), FAULT_NONE);
	assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
}

static void a_known_device_does_not_pass_the_lock_of_its_network(void **state)
{
	(void)state;
	fail_often(HOME, 10);
	assert_int_equal(claim_from_device(HOME, "mine"), FAULT_ACCOUNT_LOCKED);
}

static void a_stolen_device_cookie_locks_itself_out_everywhere(void **state)
{
	(void)state;
	size_t passed = 0;
	char address[32];
	for (int i = 0; i < 200; i++) {
		(void)snprintf(address, sizeof(address), "203.0.113.%d", i);
		passed += claim_from_device(address, "stolen") == FAULT_NONE;
		wait_ms(SECOND_MS);
	}
	assert_int_equal(passed, 10);
	assert_int_equal(claim_from_device(HOME, "mine"), FAULT_NONE);
}

static void a_captcha_is_wanted_after_three_failures(void **state)
{
	(void)state;
	struct attempt_at solved = attempt_at(ALICE);
	solved.has_captcha = true;
	world_set(&world, "captcha.provider=altcha");
	for (int i = 0; i < 3; i++)
		assert_int_equal(claim(HOME), FAULT_NONE);
	assert_int_equal(claim(HOME), FAULT_CAPTCHA_REQUIRED);
	assert_int_equal(claim(THERE), FAULT_CAPTCHA_REQUIRED);
	assert_int_equal(claim_with(THERE, &solved), FAULT_NONE);
}

static void a_captcha_is_wanted_of_a_network_at_other_accounts(void **state)
{
	(void)state;
	struct attempt_at other = attempt_at("bob@example.com");
	world_set(&world, "captcha.provider=altcha");
	for (int i = 0; i < 3; i++)
		assert_int_equal(claim(HOME), FAULT_NONE);
	assert_int_equal(claim_with(HOME, &other), FAULT_CAPTCHA_REQUIRED);
	assert_int_equal(claim_with(THERE, &other), FAULT_NONE);
}

static void who_must_wait_is_not_asked_for_a_captcha(void **state)
{
	(void)state;
	fail_often(HOME, 5);
	world_set(&world, "captcha.provider=altcha");
	assert_int_equal(claim(HOME), FAULT_RATE_LIMITED);
	fail_often(THERE, 0);
	world_set(&world, "captcha.provider=none");
	fail_often(HOME, 5);
	world_set(&world, "captcha.provider=altcha");
	assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
}

static void refusals_count_nothing_and_leave_no_rows(void **state)
{
	(void)state;
	fail_often(HOME, 5);
	int64_t rows = number("SELECT COUNT(*) FROM sign_in_failure");
	int64_t failures = number("SELECT CAST(SUM(failures) AS SIGNED) FROM"
	                          " sign_in_failure");
	struct attempt_at other = attempt_at("bob@example.com");
	assert_int_equal(claim_with(HOME, &other), FAULT_RATE_LIMITED);
	assert_int_equal(claim(HOME), FAULT_RATE_LIMITED);
	assert_int_equal(number("SELECT COUNT(*) FROM sign_in_failure"), rows);
	assert_int_equal(number("SELECT CAST(SUM(failures) AS SIGNED) FROM"
	                        " sign_in_failure"),
	                 failures);
}

static void the_limit_of_the_account_binds_only_who_failed(void **state)
{
	(void)state;
	struct attempt_at at = attempt_at(ALICE);
	at.limit_wait_ms = 1234;
	assert_int_equal(claim_with(HOME, &at), FAULT_NONE);
	assert_int_equal(claim_with(HOME, &at), FAULT_RATE_LIMITED);
	assert_int_equal(world.ctx.retry_after_ms, 1234);
	at.device = SPAN("mine");
	assert_int_equal(claim_with(HOME, &at), FAULT_NONE);
}

static void a_success_starts_account_and_network_anew(void **state)
{
	(void)state;
	fail_often(HOME, 9);
	clear_then(HOME, FAULT_NONE);
	assert_int_equal(number("SELECT COUNT(*) FROM sign_in_failure"
	                        " WHERE kind = 'pair'"),
	                 0);
	assert_int_equal(number("SELECT failures FROM sign_in_failure"
	                        " WHERE kind = 'account'"),
	                 0);
	/* Of the network, only this attempt is taken back. */
	assert_int_equal(number("SELECT failures FROM sign_in_failure"
	                        " WHERE kind = 'network'"),
	                 8);
}

static void a_success_does_not_clear_another_network(void **state)
{
	(void)state;
	fail_often(THERE, 10);
	assert_int_equal(claim(HOME), FAULT_NONE);
	clear_then(HOME, FAULT_NONE);
	assert_int_equal(claim(THERE), FAULT_ACCOUNT_LOCKED);
	assert_int_equal(claim(HOME), FAULT_NONE);
}

static void a_sign_in_that_is_rolled_back_clears_nothing(void **state)
{
	(void)state;
	fail_often(HOME, 10);
	clear_then(HOME, FAULT_INTERNAL);
	assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
}

static void an_emptied_redis_resets_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		world_empty_redis();
		fail_often(HOME, 1);
	}
	world_empty_redis();
	assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
}

static void withdraw(const char *address)
{
	struct attempt_at at = attempt_at(ALICE);
	world_turn(&world, address, 0);
	assert_int_equal(failure_withdraw(&world.ctx, &at, &last), FAULT_NONE);
}

static void a_withdrawn_attempt_was_none(void **state)
{
	(void)state;
	fail_often(HOME, 9);
	for (int i = 0; i < 5; i++) {
		fail_often(HOME, 1);
		assert_true(last.has_locked_pair && last.is_first_lock);
		withdraw(HOME);
		assert_int_equal(number("SELECT failures FROM sign_in_failure"
		                        " WHERE kind = 'pair'"),
		                 9);
	}
	fail_often(HOME, 1);
	assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
	assert_int_equal(world.ctx.retry_after_ms, 15 * MINUTE_MS);
}

static void a_withdrawn_lock_of_the_account_was_none(void **state)
{
	(void)state;
	fail_often("198.51.100.1", 5);
	fail_often("198.51.100.2", 4);
	for (int i = 0; i < 3; i++) {
		fail_often("198.51.100.2", 1);
		assert_true(last.has_locked_account);
		withdraw("198.51.100.2");
		assert_int_equal(number("SELECT counted FROM sign_in_failure"
		                        " WHERE kind = 'account'"),
		                 9);
	}
	assert_int_equal(claim(HOME), FAULT_NONE);
	assert_true(last.has_locked_account);
}

static void an_unlock_lifts_every_lock_of_the_account(void **state)
{
	(void)state;
	char email[] = ALICE;
	lock_the_account();
	wait_ms(15 * MINUTE_MS);
	fail_often(HOME, 10);
	assert_int_equal(claim(HOME), FAULT_ACCOUNT_LOCKED);
	assert_int_equal(db_transact(world.ctx.db, unlock_work, email),
	                 FAULT_NONE);
	wait_ms(MINUTE_MS); /* the network still has to wait */
	assert_int_equal(claim(HOME), FAULT_NONE);
	assert_int_equal(claim("198.51.100.9"), FAULT_NONE);
}

static void failures_are_forgotten_after_a_day(void **state)
{
	(void)state;
	fail_often(HOME, 9);
	wait_ms(DAY_MS + 1);
	fail_often(HOME, 5);
	assert_int_equal(number("SELECT failures FROM sign_in_failure"
	                        " WHERE kind = 'account'"),
	                 5);
}

static void expiry_spares_what_is_young_or_locked(void **state)
{
	(void)state;
	world_set(&world, "guard.forget_after=1m");
	fail_often(HOME, 10);
	fail_often(THERE, 1);
	wait_ms(2 * MINUTE_MS);
	assert_int_equal(claim("203.0.113.1"), FAULT_NONE);
	assert_int_equal(failure_expire(&world.ctx), FAULT_NONE);
	/* The account, the new network and pair, and the locked pair. */
	assert_int_equal(number("SELECT COUNT(*) FROM sign_in_failure"), 4);
	world_set(&world, "guard.forget_after=1d");
}

static void a_lock_is_recorded_and_its_owner_told(void **state)
{
	(void)state;
	lock_the_account();
	announce(ALICE);
	assert_int_equal(number("SELECT COUNT(*) FROM audit_event"
	                        " WHERE type = 'account_lock'"
	                        " AND severity = 'critical'"
	                        " AND user_id IS NOT NULL"),
	                 1);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE template ="
	                        " 'account_locked' AND state = 'waiting'"),
	                 1);
}

static void the_lock_of_nobodys_account_costs_the_same(void **state)
{
	(void)state;
	uint64_t spent[2];
	static const char *const emails[] = {ALICE, "nobody@example.com"};
	for (size_t i = 0; i < 2; i++) {
		anew(NULL);
		uint64_t before = metrics_get(METRIC_DB_STATEMENTS);
		struct attempt_at at = attempt_at(emails[i]);
		for (int n = 0; n < 12; n++) {
			enum fault fault = claim_with(HOME, &at);
			assert_int_equal(fault, n < 10 ? FAULT_NONE
			                               : FAULT_ACCOUNT_LOCKED);
			wait_ms(MINUTE_MS);
			if (n < 10)
				announce(emails[i]);
		}
		spent[i] = metrics_get(METRIC_DB_STATEMENTS) - before;
	}
	assert_int_equal(spent[0], spent[1]);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE template ="
	                        " 'account_locked' AND state = 'void'"),
	                 1);
	assert_int_equal(number("SELECT COUNT(*) FROM audit_event"
	                        " WHERE type = 'account_lock'"
	                        " AND user_id IS NULL"),
	                 1);
}

static void a_network_that_keeps_failing_is_blocked_once(void **state)
{
	(void)state;
	struct failure_claim claims[3];
	world_set(&world, "guard.auto_block_after=20");
	world_set(&world, "guard.delay_after=1000");
	world_set(&world, "guard.lock_after=100");
	fail_often(HOME, 19);
	assert_false(last.has_to_block);
	for (size_t i = 0; i < COUNT_OF(claims); i++) {
		fail_often(HOME, 1);
		assert_true(last.has_to_block);
		claims[i] = last;
	}
	for (size_t i = 0; i < COUNT_OF(claims); i++) {
		last = claims[i];
		announce(ALICE);
		assert_int_equal(last.has_blocked, i == 0);
	}
	assert_true(claims[0].guard_version == 0);
	assert_int_equal(number("SELECT COUNT(*) FROM address_block"
	                        " WHERE source = 'auto'"),
	                 1);
	/* What failed since is half of it: the next block is as far away. */
	fail_often(HOME, 1);
	assert_false(last.has_to_block);
}

static void no_spelling_of_an_address_has_a_counter_of_its_own(void **state)
{
	(void)state;
	static const char *const spellings[] = {
	    "not an address", "NOT an Address", "  not an address \r\n"};
	struct span subjects[COUNT_OF(spellings)];
	world_turn(&world, HOME, 0);
	for (size_t i = 0; i < COUNT_OF(spellings); i++)
		assert_int_equal(failure_subject(&world.ctx,
		                                 span_of(spellings[i]),
		                                 &subjects[i]),
		                 FAULT_NONE);
	assert_true(span_equal(subjects[0], subjects[1]));
	assert_true(span_equal(subjects[0], subjects[2]));
	assert_int_equal(
	    failure_subject(&world.ctx, SPAN("another"), &subjects[1]),
	    FAULT_NONE);
	assert_false(span_equal(subjects[0], subjects[1]));
}

static void an_address_without_end_is_counted_like_any(void **state)
{
	(void)state;
	static char endless[65536];
	memset(endless, 'a', sizeof(endless) - 1);
	struct attempt_at at = attempt_at(endless);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(claim_with(HOME, &at), FAULT_NONE);
		wait_ms(MINUTE_MS);
	}
	announce(endless);
	assert_int_equal(claim_with(HOME, &at), FAULT_ACCOUNT_LOCKED);
}

/* How many of a crowd pass at once, each a process with its own connection. */
static int claim_as_one_of_many(int i, bool is_one_network)
{
	char address[32];
	(void)snprintf(address, sizeof(address), "203.0.113.%d",
	               is_one_network ? 0 : i);
	world_fork(&world);
	enum fault fault = claim(address);
	bool is_refused =
	    fault == FAULT_RATE_LIMITED || fault == FAULT_ACCOUNT_LOCKED;
	return fault == FAULT_NONE ? 0 : is_refused ? 1 : 2;
}

static int count_passing(bool is_one_network)
{
	pid_t pids[CROWD];
	int passed = 0;
	for (int i = 0; i < CROWD; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(claim_as_one_of_many(i, is_one_network));
	}
	for (int i = 0; i < CROWD; i++) {
		int status = -1;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		passed += WEXITSTATUS(status) == 0;
	}
	return passed;
}

static void of_many_at_once_from_one_network_few_pass(void **state)
{
	(void)state;
	assert_int_equal(count_passing(true), 5);
}

static void of_many_at_once_no_more_pass_than_lock_the_pair(void **state)
{
	(void)state;
	world_set(&world, "guard.delay_after=1000");
	assert_int_equal(count_passing(true), 10);
}

static void of_many_networks_at_once_no_more_pass_than_lock(void **state)
{
	(void)state;
	assert_int_equal(count_passing(false), 10);
}

/*
 * Without pauses an attacker has the first few; with all the patience of a day
 * not a hundred.
 */
static void a_day_of_patience_gives_few_attempts(void **state)
{
	(void)state;
	size_t passed = 0;
	for (int64_t s = 0; s < DAY_MS / SECOND_MS; s += 20) {
		passed += claim(HOME) == FAULT_NONE;
		wait_ms(20 * SECOND_MS);
	}
	assert_in_range(passed, 10, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(waits_grow_from_the_fifth_failure_on, anew),
	    cmocka_unit_test_setup(a_network_waits_for_failures_at_all_accounts,
	                           anew),
	    cmocka_unit_test_setup(the_tenth_failure_locks_the_network_out,
	                           anew),
	    cmocka_unit_test_setup(locks_grow_up_to_the_longest, anew),
	    cmocka_unit_test_setup(tries_while_locked_do_not_extend_the_lock,
	                           anew),
	    cmocka_unit_test_setup(
		one_network_alone_never_locks_the_owner_out_elsewhere, anew),
	    cmocka_unit_test_setup(two_networks_lock_the_account_as_a_whole,
	                           anew),
	    cmocka_unit_test_setup(addresses_of_one_ipv6_network_are_one, anew),
	    cmocka_unit_test_setup(after_a_lock_one_network_does_not_lock_again,
	                           anew),
	    cmocka_unit_test_setup(
		a_known_device_passes_the_lock_of_the_account, anew),
	    cmocka_unit_test_setup(
		a_known_device_does_not_pass_the_lock_of_its_network, anew),
	    cmocka_unit_test_setup(
		a_stolen_device_cookie_locks_itself_out_everywhere, anew),
	    cmocka_unit_test_setup(a_captcha_is_wanted_after_three_failures,
	                           anew),
	    cmocka_unit_test_setup(
		a_captcha_is_wanted_of_a_network_at_other_accounts, anew),
	    cmocka_unit_test_setup(who_must_wait_is_not_asked_for_a_captcha,
	                           anew),
	    cmocka_unit_test_setup(refusals_count_nothing_and_leave_no_rows,
	                           anew),
	    cmocka_unit_test_setup(
		the_limit_of_the_account_binds_only_who_failed, anew),
	    cmocka_unit_test_setup(a_success_starts_account_and_network_anew,
	                           anew),
	    cmocka_unit_test_setup(a_success_does_not_clear_another_network,
	                           anew),
	    cmocka_unit_test_setup(a_sign_in_that_is_rolled_back_clears_nothing,
	                           anew),
	    cmocka_unit_test_setup(an_emptied_redis_resets_nothing, anew),
	    cmocka_unit_test_setup(a_withdrawn_attempt_was_none, anew),
	    cmocka_unit_test_setup(a_withdrawn_lock_of_the_account_was_none,
	                           anew),
	    cmocka_unit_test_setup(an_unlock_lifts_every_lock_of_the_account,
	                           anew),
	    cmocka_unit_test_setup(failures_are_forgotten_after_a_day, anew),
	    cmocka_unit_test_setup(expiry_spares_what_is_young_or_locked, anew),
	    cmocka_unit_test_setup(a_lock_is_recorded_and_its_owner_told, anew),
	    cmocka_unit_test_setup(the_lock_of_nobodys_account_costs_the_same,
	                           anew),
	    cmocka_unit_test_setup(a_network_that_keeps_failing_is_blocked_once,
	                           anew),
	    cmocka_unit_test_setup(
		no_spelling_of_an_address_has_a_counter_of_its_own, anew),
	    cmocka_unit_test_setup(an_address_without_end_is_counted_like_any,
	                           anew),
	    cmocka_unit_test_setup(of_many_at_once_from_one_network_few_pass,
	                           anew),
	    cmocka_unit_test_setup(
		of_many_at_once_no_more_pass_than_lock_the_pair, anew),
	    cmocka_unit_test_setup(
		of_many_networks_at_once_no_more_pass_than_lock, anew),
	    cmocka_unit_test_setup(a_day_of_patience_gives_few_attempts, anew),
	};
	if (!stack_has(STACK_MARIADB) || !stack_has(STACK_REDIS))
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, start, end);
}
