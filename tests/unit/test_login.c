/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing in with everything behind it: how many guesses are hashed at all,
 * what a right password clears, what the owner is told, and what the log says.
 */
#include "domain/account/login.h"

#include "unit.h"

#include "base/encode.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/metrics.h"
#include "domain/account/administration.h"
#include "domain/account/registration.h"
#include "domain/guard/captcha.h"
#include "domain/guard/device.h"
#include "domain/guard/hash_gate.h"
#include "stack.h"
#include "world.h"

#include <stdlib.h>

#define SECOND_MS     INT64_C(1000)
#define MINUTE_MS     (60 * SECOND_MS)
#define HOME          "192.0.2.1"
#define THERE         "198.51.100.7"
#define ALICE         "alice@example.com"
#define PASSWORD      "tide velvet copper lantern"
#define SCRATCH_BYTES 65536
#define TEXT_BYTES    4096

static struct world world;
static struct session_tokens tokens;

static int start(void **state)
{
	(void)state;
	world_open(&world);
	const struct host_user wanted = {
	    .email = SPAN(ALICE),
	    .name = SPAN("Alice"),
	    .role = SPAN("member"),
	    .password = SPAN(PASSWORD),
	    .is_verified = true,
	};
	assert_int_equal(registration_add(&world.ctx, &wanted), FAULT_NONE);
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
	    "captcha.provider=none",     "captcha.after=3",
	    "captcha.difficulty=1000",   "limit.login_account=1000/5m",
	    "guard.auto_block_after=50",
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(settings); i++)
		world_set(&world, settings[i]);
	world.ctx.now_ms = WORLD_NOON_MS;
	world_run(&world, "DELETE FROM sign_in_failure");
	world_run(&world, "DELETE FROM outbox");
	world_run(&world, "DELETE FROM audit_event");
	world_run(&world, "DELETE FROM address_block");
	world_empty_redis();
	return 0;
}

static struct login login_of(const char *email, const char *password)
{
	return (struct login){
	    .email = span_of(email),
	    .password = span_of(password),
	};
}

static enum fault sign_in_with(const char *address, const struct login *login)
{
	world_turn(&world, address, 0);
	return login_with_password(&world.ctx, login, &tokens);
}

static enum fault sign_in(const char *address, const char *email,
                          const char *password)
{
	struct login login = login_of(email, password);
	return sign_in_with(address, &login);
}

static enum fault guess(const char *address)
{
	return sign_in(address, ALICE, "wrong");
}

static void guess_often(const char *address, size_t times)
{
	for (size_t i = 0; i < times; i++) {
		assert_int_equal(guess(address), FAULT_INVALID_CREDENTIALS);
		world.ctx.now_ms += MINUTE_MS;
	}
}

static int64_t number(const char *sql)
{
	return world_number(&world, sql);
}

static int64_t mails(const char *template)
{
	char sql[128];
	static char *kept[4];
	size_t i = 0;
	(void)snprintf(sql, sizeof(sql),
	               "SELECT COUNT(*) FROM outbox WHERE template = '%s'",
	               template);
	while (kept[i] && strcmp(kept[i], sql) != 0)
		i++;
	if (!kept[i])
		kept[i] = strdup(sql);
	return number(kept[i]);
}

/* LO-01: who does not wait gets only the first few. */
static void of_two_hundred_guesses_five_are_hashed(void **state)
{
	(void)state;
	uint64_t before = metrics_get(METRIC_PASSWORD_HASHES);
	for (int i = 0; i < 200; i++)
		assert_int_not_equal(guess(HOME), FAULT_NONE);
	assert_int_equal(metrics_get(METRIC_PASSWORD_HASHES) - before, 5);
}

static void of_two_hundred_patient_guesses_ten_are_hashed(void **state)
{
	(void)state;
	uint64_t before = metrics_get(METRIC_PASSWORD_HASHES);
	for (int i = 0; i < 200; i++) {
		assert_int_not_equal(guess(HOME), FAULT_NONE);
		world.ctx.now_ms += SECOND_MS;
	}
	assert_int_equal(metrics_get(METRIC_PASSWORD_HASHES) - before, 10);
}

static void the_owner_elsewhere_signs_in_all_the_while(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		(void)guess(THERE);
		if (i % 10 == 9)
			assert_int_equal(sign_in(HOME, ALICE, PASSWORD),
			                 FAULT_NONE);
		world.ctx.now_ms += MINUTE_MS;
	}
}

static void the_accounts_limit_does_not_starve_the_owner(void **state)
{
	(void)state;
	world_set(&world, "limit.login_account=2/5m");
	assert_int_equal(guess(THERE), FAULT_INVALID_CREDENTIALS);
	assert_int_equal(guess(THERE), FAULT_INVALID_CREDENTIALS);
	assert_int_equal(guess(THERE), FAULT_RATE_LIMITED);
	assert_true(world.ctx.retry_after_ms > 0);
	assert_int_equal(sign_in(HOME, ALICE, PASSWORD), FAULT_NONE);
	assert_int_equal(guess(HOME), FAULT_INVALID_CREDENTIALS);
	assert_int_equal(guess(HOME), FAULT_RATE_LIMITED);
}

static struct login login_from_known_device(void)
{
	struct login login = login_of(ALICE, PASSWORD);
	static char value[128];
	struct span made = {0};
	assert_int_equal(sign_in(HOME, ALICE, PASSWORD), FAULT_NONE);
	assert_int_equal(
	    device_make(&world.ctx, &tokens.identity.user_id, &made),
	    FAULT_NONE);
	assert_true(made.length < sizeof(value));
	memcpy(value, made.at, made.length);
	login.device = (struct span){value, made.length};
	return login;
}

static void a_known_device_signs_in_while_strangers_are_locked_out(void **state)
{
	(void)state;
	struct login known = login_from_known_device();
	guess_often("198.51.100.1", 5);
	guess_often("198.51.100.2", 5);
	assert_int_equal(sign_in(HOME, ALICE, PASSWORD), FAULT_ACCOUNT_LOCKED);
	struct login forged = known;
	forged.device.length--;
	assert_int_equal(sign_in_with(HOME, &forged), FAULT_ACCOUNT_LOCKED);
	struct login foreign = known;
	foreign.email = SPAN("nobody@example.com");
	assert_int_equal(sign_in_with(HOME, &foreign),
	                 FAULT_INVALID_CREDENTIALS);
	assert_int_equal(sign_in_with(HOME, &known), FAULT_NONE);
}

static void a_lock_tells_the_owner_once(void **state)
{
	(void)state;
	guess_often(HOME, 9);
	assert_int_equal(mails("account_locked"), 0);
	guess_often(HOME, 1);
	assert_int_equal(guess(HOME), FAULT_ACCOUNT_LOCKED);
	assert_int_equal(mails("account_locked"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM audit_event"
	                        " WHERE type = 'account_lock'"),
	                 1);
}

static void a_right_password_at_the_last_try_locks_nothing(void **state)
{
	(void)state;
	guess_often(HOME, 9);
	assert_int_equal(sign_in(HOME, ALICE, PASSWORD), FAULT_NONE);
	assert_int_equal(mails("account_locked"), 0);
	guess_often(HOME, 5);
}

static void a_sign_in_after_failures_is_told_of(void **state)
{
	(void)state;
	guess_often(THERE, 2);
	assert_int_equal(sign_in(HOME, ALICE, PASSWORD), FAULT_NONE);
	assert_int_equal(mails("suspicious_login"), 0);
	guess_often(THERE, 3);
	assert_int_equal(sign_in(HOME, ALICE, PASSWORD), FAULT_NONE);
	assert_int_equal(mails("suspicious_login"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM audit_event"
	                        " WHERE type = 'suspicious_activity'"),
	                 1);
}

static void a_known_device_after_failures_is_not_told_of(void **state)
{
	(void)state;
	struct login known = login_from_known_device();
	guess_often(THERE, 4);
	assert_int_equal(sign_in_with(HOME, &known), FAULT_NONE);
	assert_int_equal(mails("suspicious_login"), 0);
}

static void a_full_gate_counts_nobody(void **state)
{
	(void)state;
	struct hash_gate *other[8];
	size_t held = 0;
	for (; held < COUNT_OF(other); held++) {
		assert_int_equal(hash_gate_open(&world.config, world.ctx.shared,
		                                &other[held]),
		                 FAULT_NONE);
		if (hash_gate_enter(other[held])) {
			hash_gate_close(other[held]);
			break;
		}
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(guess(HOME), FAULT_BUSY);
	assert_true(world.ctx.retry_after_ms > 0);
	world_run(&world, "UPDATE sign_in_failure SET failures = 1");
	assert_int_equal(guess(HOME), FAULT_RATE_LIMITED);
	assert_true(world.ctx.retry_after_ms > 0);
	world_run(&world, "UPDATE sign_in_failure SET failures = failures - 1");
	for (size_t i = 0; i < held; i++) {
		hash_gate_leave(other[i]);
		hash_gate_close(other[i]);
	}
	assert_int_equal(number("SELECT CAST(SUM(failures) AS SIGNED) FROM"
	                        " sign_in_failure"),
	                 0);
}

static void a_sign_in_that_rolls_back_leaves_it_counted(void **state)
{
	(void)state;
	guess_often(HOME, 4);
	world_run(&world, "RENAME TABLE session TO session_away");
	assert_int_equal(sign_in(HOME, ALICE, PASSWORD), FAULT_INTERNAL);
	world_run(&world, "RENAME TABLE session_away TO session");
	assert_int_equal(number("SELECT failures FROM sign_in_failure"
	                        " WHERE kind = 'account'"),
	                 5);
}

static void no_spelling_of_an_address_has_a_counter_of_its_own(void **state)
{
	(void)state;
	static const char *const spellings[] = {
	    "alice@example.com", "Alice@Example.COM", " alice@example.com\t",
	    "ALICE@EXAMPLE.COM", "alice@example.com"};
	for (size_t i = 0; i < COUNT_OF(spellings); i++)
		assert_int_equal(sign_in(HOME, spellings[i], "wrong"),
		                 FAULT_INVALID_CREDENTIALS);
	for (size_t i = 0; i < COUNT_OF(spellings); i++)
		assert_int_equal(sign_in(HOME, spellings[i], "wrong"),
		                 FAULT_RATE_LIMITED);
	assert_int_equal(number("SELECT COUNT(*) FROM sign_in_failure"), 3);
}

/* EN-06: the same answers at the same places, for the same work. */
static void nobodys_account_answers_like_anybodys(void **state)
{
	(void)state;
	static const char *const emails[] = {ALICE, "nobody@example.com"};
	enum fault faults[2][40];
	uint64_t spent[2];
	for (size_t who = 0; who < 2; who++) {
		anew(NULL);
		world_set(&world, "captcha.provider=altcha");
		world_set(&world, "captcha.after=7");
		uint64_t before = metrics_get(METRIC_DB_STATEMENTS);
		for (size_t i = 0; i < 40; i++) {
			faults[who][i] = sign_in(HOME, emails[who], "wrong");
			world.ctx.now_ms += 5 * SECOND_MS;
		}
		spent[who] = metrics_get(METRIC_DB_STATEMENTS) - before;
	}
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(faults[0][i], faults[1][i]);
	assert_int_equal(spent[0], spent[1]);
}

static void an_unlock_lets_the_owner_in_at_once(void **state)
{
	(void)state;
	guess_often("198.51.100.1", 5);
	guess_often("198.51.100.2", 5);
	assert_int_equal(sign_in(HOME, ALICE, PASSWORD), FAULT_ACCOUNT_LOCKED);
	assert_int_equal(administration_unlock_address(
			     &world.ctx, SPAN(" Alice@example.com")),
	                 FAULT_NONE);
	assert_int_equal(sign_in(HOME, ALICE, PASSWORD), FAULT_NONE);
	assert_int_equal(number("SELECT COUNT(*) FROM audit_event"
	                        " WHERE type = 'account_unlock'"
	                        " AND user_id IS NOT NULL"),
	                 1);
}

static void an_address_of_nobody_can_be_unlocked(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		(void)sign_in(HOME, "nobody@example.com", "wrong");
		world.ctx.now_ms += MINUTE_MS;
	}
	assert_int_equal(sign_in(HOME, "nobody@example.com", "wrong"),
	                 FAULT_ACCOUNT_LOCKED);
	assert_int_equal(administration_unlock_address(
			     &world.ctx, SPAN("nobody@example.com")),
	                 FAULT_NONE);
	assert_int_equal(sign_in(HOME, "nobody@example.com", "wrong"),
	                 FAULT_INVALID_CREDENTIALS);
	assert_int_equal(
	    administration_unlock_address(&world.ctx, SPAN("nobody")),
	    FAULT_VALIDATION);
}

/* As a browser solves it, by trying. */
static struct span solve_captcha(void)
{
	const struct json_node *root = NULL;
	static char memory[TEXT_BYTES], coded_memory[TEXT_BYTES];
	struct captcha_solution solution;
	struct arena scratch;
	struct text text = arena_text(&world.arena, TEXT_BYTES);
	struct json_writer json = json_writer_over(&text);
	json_object_begin(&json, NULL);
	assert_int_equal(captcha_write_challenge(&world.ctx, &json),
	                 FAULT_NONE);
	json_object_end(&json);
	assert_int_equal(json_parse(&world.arena, text_span(&text),
	                            &json_limits_request, &root),
	                 FAULT_NONE);
	assert_int_equal(arena_init(&scratch, SCRATCH_BYTES), FAULT_NONE);
	world.ctx.arena = &scratch;
	for (int64_t i = 0; i <= 1000; i++) {
		struct text answer = text_over(memory, sizeof(memory));
		struct text coded =
		    text_over(coded_memory, sizeof(coded_memory));
		json = json_writer_over(&answer);
		json_object_begin(&json, NULL);
		json_string(&json, "algorithm", SPAN("SHA-256"));
		json_string(&json, "challenge",
		            json_member(root, "challenge")->text);
		json_string(&json, "salt", json_member(root, "salt")->text);
		json_string(&json, "signature",
		            json_member(root, "signature")->text);
		json_integer(&json, "number", i);
		json_object_end(&json);
		base64_append(&coded, answer.at, answer.length);
		enum fault fault =
		    captcha_read(&world.ctx, text_span(&coded), &solution);
		/* A thousand tries do not fit into the one of the world. */
		arena_reset(&scratch);
		if (!fault) {
			world.ctx.arena = &world.arena;
			arena_release(&scratch);
			return text_span(&coded);
		}
	}
	fail_msg("no number solves it");
	return (struct span){0};
}

static void a_captcha_is_wanted_and_used_up_only_then(void **state)
{
	(void)state;
	static char kept[TEXT_BYTES];
	world_set(&world, "captcha.provider=altcha");
	struct span answer = solve_captcha();
	memcpy(kept, answer.at, answer.length);
	struct login login = login_of(ALICE, "wrong");
	login.captcha = (struct span){kept, answer.length};
	for (int i = 0; i < 3; i++)
		assert_int_equal(sign_in_with(HOME, &login),
		                 FAULT_INVALID_CREDENTIALS);
	assert_int_equal(guess(HOME), FAULT_CAPTCHA_REQUIRED);
	assert_int_equal(sign_in_with(HOME, &login), FAULT_INVALID_CREDENTIALS);
	assert_int_equal(sign_in_with(HOME, &login), FAULT_CAPTCHA_REQUIRED);
	login.captcha = SPAN("AAAA");
	assert_int_equal(sign_in_with(HOME, &login), FAULT_CAPTCHA_REQUIRED);
}

static void a_network_that_keeps_failing_is_blocked(void **state)
{
	(void)state;
	char email[32];
	for (int i = 0; i < 50; i++) {
		(void)snprintf(email, sizeof(email), "u%d@example.com", i);
		assert_int_equal(sign_in(HOME, email, "wrong"),
		                 FAULT_INVALID_CREDENTIALS);
		assert_int_equal(number("SELECT COUNT(*) FROM address_block"),
		                 i == 49);
		world.ctx.now_ms += MINUTE_MS;
	}
	assert_int_equal(number("SELECT COUNT(*) FROM audit_event"
	                        " WHERE type = 'ip_block'"),
	                 1);
}

/* The last line of the log that has these words in it. */
static const char *last_line_with(const char *words)
{
	static char line[LOG_LINE_BYTES];
	char next[LOG_LINE_BYTES];
	FILE *log = fopen(stack_log_path(), "r");
	assert_non_null(log);
	*line = '\0';
	while (fgets(next, sizeof(next), log))
		if (strstr(next, words))
			(void)strcpy(line, next);
	(void)fclose(log);
	return line;
}

static void the_log_says_who_failed_in_a_fixed_order(void **state)
{
	(void)state;
	assert_int_equal(
	    sign_in(HOME, "x\" \"client\":\"192.0.2.99\" @", "wrong"),
	    FAULT_INVALID_CREDENTIALS);
	const char *line = last_line_with("login_failed");
	const char *client = strstr(line, ",\"client\":\"192.0.2.1\",\"reason\""
	                                  ":\"unknown_user\",\"user\":\"x\\\"");
	assert_non_null(client);
	const char *pid = strstr(line, "\"pid\":");
	assert_non_null(pid);
	assert_ptr_equal(strchr(pid, ','), client);
	assert_null(strstr(line, "\"client\":\"192.0.2.99\""));
}

static void the_log_says_why_nobody_was_asked_further(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(guess(HOME), FAULT_INVALID_CREDENTIALS);
	assert_int_equal(guess(HOME), FAULT_RATE_LIMITED);
	assert_non_null(
	    strstr(last_line_with("login_failed"), "\"reason\":\"limited\""));
	world.ctx.now_ms += MINUTE_MS;
	guess_often(HOME, 5);
	assert_int_equal(guess(HOME), FAULT_ACCOUNT_LOCKED);
	assert_non_null(
	    strstr(last_line_with("login_failed"), "\"reason\":\"locked\""));
	world_set(&world, "captcha.provider=altcha");
	assert_int_equal(guess(THERE), FAULT_CAPTCHA_REQUIRED);
	assert_non_null(strstr(last_line_with("login_failed"),
	                       "\"reason\":\"captcha_required\""));
}

static void an_emptied_redis_gives_no_guesses(void **state)
{
	(void)state;
	uint64_t before = metrics_get(METRIC_PASSWORD_HASHES);
	for (int i = 0; i < 12; i++) {
		world_empty_redis();
		(void)guess(HOME);
		world.ctx.now_ms += 10 * SECOND_MS;
	}
	assert_int_equal(metrics_get(METRIC_PASSWORD_HASHES) - before, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(of_two_hundred_guesses_five_are_hashed,
	                           anew),
	    cmocka_unit_test_setup(
		of_two_hundred_patient_guesses_ten_are_hashed, anew),
	    cmocka_unit_test_setup(the_owner_elsewhere_signs_in_all_the_while,
	                           anew),
	    cmocka_unit_test_setup(the_accounts_limit_does_not_starve_the_owner,
	                           anew),
	    cmocka_unit_test_setup(
		a_known_device_signs_in_while_strangers_are_locked_out, anew),
	    cmocka_unit_test_setup(a_lock_tells_the_owner_once, anew),
	    cmocka_unit_test_setup(
		a_right_password_at_the_last_try_locks_nothing, anew),
	    cmocka_unit_test_setup(a_sign_in_after_failures_is_told_of, anew),
	    cmocka_unit_test_setup(a_known_device_after_failures_is_not_told_of,
	                           anew),
	    cmocka_unit_test_setup(a_full_gate_counts_nobody, anew),
	    cmocka_unit_test_setup(a_sign_in_that_rolls_back_leaves_it_counted,
	                           anew),
	    cmocka_unit_test_setup(
		no_spelling_of_an_address_has_a_counter_of_its_own, anew),
	    cmocka_unit_test_setup(nobodys_account_answers_like_anybodys, anew),
	    cmocka_unit_test_setup(an_unlock_lets_the_owner_in_at_once, anew),
	    cmocka_unit_test_setup(an_address_of_nobody_can_be_unlocked, anew),
	    cmocka_unit_test_setup(a_captcha_is_wanted_and_used_up_only_then,
	                           anew),
	    cmocka_unit_test_setup(a_network_that_keeps_failing_is_blocked,
	                           anew),
	    cmocka_unit_test_setup(the_log_says_who_failed_in_a_fixed_order,
	                           anew),
	    cmocka_unit_test_setup(the_log_says_why_nobody_was_asked_further,
	                           anew),
	    cmocka_unit_test_setup(an_emptied_redis_gives_no_guesses, anew),
	};
	if (!stack_has(STACK_MARIADB) || !stack_has(STACK_REDIS))
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, start, end);
}
