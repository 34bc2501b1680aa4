/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key ring's rows against a real MariaDB: made once whoever else makes
 * them, sealed under the one master key, rotated without a gap, retired in time
 * (requirements SV-02, SV-05, JW-07).
 */
#include "unit.h"

#include "domain/vault/keys.h"
#include "site.h"
#include "stack.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PURPOSES  (KEY_PURPOSE_COUNT - KEY_PURPOSE_NONE - 1)
#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    (24 * HOUR_MS)
#define PROCESSES 6

static struct ctx ctx;

static const struct db_statement delete_keys = {"DELETE FROM key_ring", 0, 0};
static const struct db_statement count_current = {
    "SELECT COUNT(*) FROM key_ring WHERE state = 'current'", 0, 1};
static const struct db_statement count_state = {
    "SELECT COUNT(*) FROM key_ring WHERE purpose = ? AND state = ?", 2, 1};
static const struct db_statement retires_at = {
    "SELECT COALESCE(retires_at, 0) FROM key_ring"
    " WHERE purpose = ? AND state = 'retiring'",
    1, 1};
static const struct db_statement sealed_bytes = {
    "SELECT LENGTH(sealed) FROM key_ring"
    " WHERE purpose = ? AND state = 'retired'",
    1, 1};
static const struct db_statement leaks = {
    "SELECT COUNT(*) FROM key_ring WHERE LOCATE(?, sealed) > 0", 1, 1};
static const struct db_statement copy_seal = {
    "UPDATE key_ring a JOIN key_ring b ON b.purpose = ?"
    " SET a.sealed = b.sealed WHERE a.purpose = ?",
    2, 0};
static const struct db_statement flip_seal = {
    "UPDATE key_ring SET sealed = INSERT(sealed, ?, 1,"
    " CHAR(ASCII(SUBSTR(sealed, ?, 1)) ^ 1)) WHERE purpose = ?",
    3, 0};
static const struct db_statement rename_key = {
    "UPDATE key_ring SET id = 'another' WHERE purpose = ?", 1, 0};
static const struct db_statement move_key = {
    "UPDATE key_ring SET state = 'retiring', purpose = ? WHERE purpose = ?", 2,
    0};
static const struct db_statement count_events = {
    "SELECT COUNT(*) FROM audit_event WHERE type = 'key_rotate'"
    " AND success = 1 AND reason = ?",
    1, 1};

static int set_up(void **state)
{
	(void)state;
	site_start(&ctx);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	site_end(&ctx);
	return 0;
}

/* No key anywhere. */
static int start_over(void **state)
{
	(void)state;
	site_reset(&ctx);
	site_run(&ctx, &delete_keys, NULL);
	keyring_clear(ctx.keys);
	return 0;
}

static struct db_value text_value(const char *text)
{
	return db_text(span_of(text));
}

static struct db_value name_of(enum key_purpose purpose)
{
	return text_value(keyring_purpose_name(purpose));
}

static int64_t count_of(enum key_purpose purpose, const char *state)
{
	return site_ask(
	    &ctx, &count_state,
	    (const struct db_value[]){name_of(purpose), text_value(state)});
}

static void generate(size_t wanted)
{
	size_t made = 77;

	assert_int_equal(keys_generate(&ctx, &made), FAULT_NONE);
	assert_int_equal(made, wanted);
}

/* A copy of the current key's id. */
static struct span current_id(enum key_purpose purpose)
{
	const struct key *key = keyring_current(ctx.keys, purpose);

	assert_non_null(key);
	return arena_copy(ctx.arena, span_of(key->id));
}

static bool checks(enum key_purpose purpose, struct span id, int64_t at_ms)
{
	return keyring_find(ctx.keys, purpose, id, at_ms) != NULL;
}

static void makes_one_key_of_each_purpose_once(void **state)
{
	(void)state;
	assert_int_equal(keys_load(&ctx), FAULT_NOT_FOUND);
	generate(PURPOSES);
	assert_int_equal(site_ask(&ctx, &count_current, NULL), PURPOSES);
	for (int i = KEY_PURPOSE_NONE + 1; i < KEY_PURPOSE_COUNT; i++)
		assert_non_null(keyring_current(ctx.keys, (enum key_purpose)i));
	generate(0);
	assert_int_equal(site_ask(&ctx, &count_current, NULL), PURPOSES);
}

static void makes_only_what_is_missing(void **state)
{
	struct span id;

	(void)state;
	generate(PURPOSES);
	id = current_id(KEY_CSRF);
	site_run(&ctx,
	         &(struct db_statement){
		     "DELETE FROM key_ring WHERE purpose = 'cursor'", 0, 0},
	         NULL);
	assert_int_equal(keys_load(&ctx), FAULT_NOT_FOUND);
	generate(1);
	assert_true(span_equal(current_id(KEY_CSRF), id));
}

static void loads_what_another_process_made(void **state)
{
	struct span ids[KEY_PURPOSE_COUNT];

	(void)state;
	generate(PURPOSES);
	for (int i = KEY_PURPOSE_NONE + 1; i < KEY_PURPOSE_COUNT; i++)
		ids[i] = current_id((enum key_purpose)i);
	keyring_clear(ctx.keys);
	assert_int_equal(keys_load(&ctx), FAULT_NONE);
	for (int i = KEY_PURPOSE_NONE + 1; i < KEY_PURPOSE_COUNT; i++)
		assert_true(
		    span_equal(current_id((enum key_purpose)i), ids[i]));
}

/* CO-01: no two purposes share their bytes. */
static void makes_each_key_of_its_own_bytes(void **state)
{
	(void)state;
	generate(PURPOSES);
	for (int i = KEY_PURPOSE_NONE + 1; i < KEY_PURPOSE_COUNT; i++)
		for (int j = KEY_PURPOSE_NONE + 1; j < i; j++)
			assert_memory_not_equal(
			    keyring_current(ctx.keys, (enum key_purpose)i)
				->bytes,
			    keyring_current(ctx.keys, (enum key_purpose)j)
				->bytes,
			    SEAL_KEY_BYTES);
}

static void stores_no_byte_of_a_key_in_the_open(void **state)
{
	(void)state;
	generate(PURPOSES);
	for (int i = KEY_PURPOSE_NONE + 1; i < KEY_PURPOSE_COUNT; i++) {
		const struct key *key =
		    keyring_current(ctx.keys, (enum key_purpose)i);

		for (size_t at = 0; at + 4 <= SEAL_KEY_BYTES; at += 4)
			assert_int_equal(
			    site_ask(&ctx, &leaks,
			             (const struct db_value[]){
					 db_bytes(key->bytes + at, 4)}),
			    0);
	}
}

static void SV_05_refuses_another_master_key(void **state)
{
	static const unsigned char other[SEAL_KEY_BYTES] = "another master";
	struct keyring *mine = ctx.keys;

	(void)state;
	generate(PURPOSES);
	assert_int_equal(keyring_new(other, &ctx.keys), FAULT_NONE);
	assert_int_equal(keys_load(&ctx), FAULT_VALIDATION);
	for (int i = KEY_PURPOSE_NONE + 1; i < KEY_PURPOSE_COUNT; i++)
		assert_null(keyring_current(ctx.keys, (enum key_purpose)i));
	/* Nor does it make others beside those that it cannot open. */
	assert_int_equal(keys_generate(&ctx, &(size_t){0}), FAULT_VALIDATION);
	keyring_free(ctx.keys);
	ctx.keys = mine;
	assert_int_equal(site_ask(&ctx, &count_current, NULL), PURPOSES);
	assert_int_equal(keys_load(&ctx), FAULT_NONE);
}

/* A row that does not open is told, and does not take the others with it. */
static void expect_one_bad_row(enum key_purpose purpose)
{
	assert_int_equal(keys_load(&ctx), FAULT_VALIDATION);
	for (int i = KEY_PURPOSE_NONE + 1; i < KEY_PURPOSE_COUNT; i++)
		assert_int_equal(
		    keyring_current(ctx.keys, (enum key_purpose)i) != NULL,
		    i != (int)purpose);
}

static void SV_02_refuses_a_row_with_a_bit_changed(void **state)
{
	(void)state;
	for (int64_t at = 1; at <= SEAL_KEY_BYTES + SEAL_OVERHEAD_BYTES;
	     at += 16) {
		const struct db_value values[] = {
		    db_integer(at), db_integer(at), name_of(KEY_CSRF)};

		(void)start_over(NULL);
		generate(PURPOSES);
		site_run(&ctx, &flip_seal, values);
		expect_one_bad_row(KEY_CSRF);
		site_run(&ctx, &flip_seal, values);
		assert_int_equal(keys_load(&ctx), FAULT_NONE);
	}
}

static void SV_02_refuses_a_seal_of_another_row(void **state)
{
	const struct db_value purposes[] = {name_of(KEY_CURSOR),
	                                    name_of(KEY_CSRF)};

	(void)state;
	generate(PURPOSES);
	site_run(&ctx, &copy_seal, purposes);
	expect_one_bad_row(KEY_CSRF);
}

static void SV_02_refuses_a_row_of_another_id(void **state)
{
	(void)state;
	generate(PURPOSES);
	site_run(&ctx, &rename_key,
	         (const struct db_value[]){name_of(KEY_CSRF)});
	expect_one_bad_row(KEY_CSRF);
}

/* A key for cursors does not become one that signs people in. */
static void SV_02_refuses_a_row_of_another_purpose(void **state)
{
	const struct db_value purposes[] = {name_of(KEY_ACCESS_TOKEN),
	                                    name_of(KEY_CURSOR)};

	(void)state;
	generate(PURPOSES);
	site_run(&ctx, &move_key, purposes);
	expect_one_bad_row(KEY_CURSOR);
}

static void refuses_a_row_of_words_it_does_not_know(void **state)
{
	(void)state;
	generate(PURPOSES);
	site_run(&ctx, &move_key,
	         (const struct db_value[]){text_value("unheard_of"),
	                                   name_of(KEY_CSRF)});
	expect_one_bad_row(KEY_CSRF);
}

/* How long the old key of each purpose goes on checking; 0 is for ever. */
static const struct {
	enum key_purpose purpose;
	int64_t lasts_ms;
} lives[] = {
    {KEY_ACCESS_TOKEN, HOUR_MS}, {KEY_PASSWORD_PEPPER, 0},
    {KEY_CSRF, 31 * DAY_MS},     {KEY_OUTBOX, 8 * DAY_MS},
    {KEY_CURSOR, DAY_MS},        {KEY_DEVICE, 400 * DAY_MS},
    {KEY_CAPTCHA, DAY_MS},       {KEY_SUBJECT, DAY_MS},
};

static void JW_07_checks_with_the_old_key_until_it_retires(void **state)
{
	(void)state;
	generate(PURPOSES);
	for (size_t i = 0; i < COUNT_OF(lives); i++) {
		enum key_purpose purpose = lives[i].purpose;
		struct span old = current_id(purpose);
		int64_t until = SITE_NOW + lives[i].lasts_ms;
		const struct db_value whose[] = {name_of(purpose)};

		assert_int_equal(keys_rotate(&ctx, purpose), FAULT_NONE);
		assert_false(span_equal(current_id(purpose), old));
		assert_int_equal(count_of(purpose, "current"), 1);
		assert_int_equal(count_of(purpose, "retiring"), 1);
		assert_int_equal(site_ask(&ctx, &retires_at, whose),
		                 lives[i].lasts_ms ? until : 0);
		assert_true(checks(purpose, old, SITE_NOW));
		assert_true(checks(purpose, old, until - 1));
		assert_int_equal(checks(purpose, old, until),
		                 lives[i].lasts_ms == 0);
	}
	static_assert(COUNT_OF(lives) == PURPOSES, "every purpose has a row");
}

static void puts_each_rotation_on_record(void **state)
{
	(void)state;
	generate(PURPOSES);
	for (int i = 1; i <= 3; i++) {
		ctx.now_ms++;
		assert_int_equal(keys_rotate(&ctx, KEY_CSRF), FAULT_NONE);
		assert_int_equal(
		    site_ask(&ctx, &count_events,
		             (const struct db_value[]){name_of(KEY_CSRF)}),
		    i);
	}
	assert_int_equal(count_of(KEY_CSRF, "retiring"), 3);
}

static void retires_what_is_over_and_empties_it(void **state)
{
	const struct db_value whose[] = {name_of(KEY_ACCESS_TOKEN)};
	struct span old, pepper;

	(void)state;
	generate(PURPOSES);
	old = current_id(KEY_ACCESS_TOKEN);
	pepper = current_id(KEY_PASSWORD_PEPPER);
	assert_int_equal(keys_rotate(&ctx, KEY_ACCESS_TOKEN), FAULT_NONE);
	assert_int_equal(keys_rotate(&ctx, KEY_PASSWORD_PEPPER), FAULT_NONE);
	ctx.now_ms = SITE_NOW + HOUR_MS;
	assert_int_equal(keys_retire(&ctx), FAULT_NONE);
	assert_int_equal(count_of(KEY_ACCESS_TOKEN, "retiring"), 1);
	ctx.now_ms++;
	assert_int_equal(keys_retire(&ctx), FAULT_NONE);
	assert_int_equal(count_of(KEY_ACCESS_TOKEN, "retired"), 1);
	assert_int_equal(site_ask(&ctx, &sealed_bytes, whose), 0);
	assert_int_equal(keys_load(&ctx), FAULT_NONE);
	assert_false(checks(KEY_ACCESS_TOKEN, old, SITE_NOW));
	/* A pepper goes with the last hash that was made with it. */
	ctx.now_ms = SITE_NOW + 3650 * DAY_MS;
	assert_int_equal(keys_retire(&ctx), FAULT_NONE);
	assert_int_equal(keys_load(&ctx), FAULT_NONE);
	assert_true(checks(KEY_PASSWORD_PEPPER, pepper, ctx.now_ms));
}

/* How many of so many processes came to this fault; all begin together. */
static int count_faults(enum fault (*work)(void), enum fault fault)
{
	int status, count = 0;

	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid)
			continue;
		site_reconnect(&ctx);
		_exit((int)work());
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		count += WEXITSTATUS(status) == (int)fault;
	}
	return count;
}

static enum fault generate_all(void)
{
	size_t made;

	return keys_generate(&ctx, &made);
}

static void makes_one_of_each_with_many_at_it(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		(void)start_over(NULL);
		assert_int_equal(count_faults(generate_all, FAULT_NONE),
		                 PROCESSES);
		assert_int_equal(site_ask(&ctx, &count_current, NULL),
		                 PURPOSES);
		assert_int_equal(keys_load(&ctx), FAULT_NONE);
	}
}

static enum fault rotate_one(void)
{
	return keys_rotate(&ctx, KEY_ACCESS_TOKEN);
}

/* Who comes between the two steps of another is told so, and changes nothing.
 */
static void has_one_current_key_after_many_rotations_at_once(void **state)
{
	int64_t before;
	int conflicts;

	(void)state;
	generate(PURPOSES);
	before = count_of(KEY_ACCESS_TOKEN, "retiring");
	conflicts = count_faults(rotate_one, FAULT_CONFLICT);
	assert_true(conflicts < PROCESSES);
	assert_int_equal(count_of(KEY_ACCESS_TOKEN, "current"), 1);
	assert_int_equal(count_of(KEY_ACCESS_TOKEN, "retiring"),
	                 before + PROCESSES - conflicts);
	assert_int_equal(keys_load(&ctx), FAULT_NONE);
}

/* Last, for it takes the server away. */
static void keeps_its_ring_while_the_database_is_away(void **state)
{
	struct span id;

	(void)state;
	generate(PURPOSES);
	id = current_id(KEY_ACCESS_TOKEN);
	stack_stop(STACK_MARIADB);
	assert_int_equal(keys_load(&ctx), FAULT_UNAVAILABLE);
	assert_true(span_equal(current_id(KEY_ACCESS_TOKEN), id));
	assert_int_equal(keys_rotate(&ctx, KEY_ACCESS_TOKEN),
	                 FAULT_UNAVAILABLE);
	assert_true(span_equal(current_id(KEY_ACCESS_TOKEN), id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(makes_one_key_of_each_purpose_once,
	                           start_over),
	    cmocka_unit_test_setup(makes_only_what_is_missing, start_over),
	    cmocka_unit_test_setup(loads_what_another_process_made, start_over),
	    cmocka_unit_test_setup(makes_each_key_of_its_own_bytes, start_over),
	    cmocka_unit_test_setup(stores_no_byte_of_a_key_in_the_open,
	                           start_over),
	    cmocka_unit_test_setup(SV_05_refuses_another_master_key,
	                           start_over),
	    cmocka_unit_test_setup(SV_02_refuses_a_row_with_a_bit_changed,
	                           start_over),
	    cmocka_unit_test_setup(SV_02_refuses_a_seal_of_another_row,
	                           start_over),
	    cmocka_unit_test_setup(SV_02_refuses_a_row_of_another_id,
	                           start_over),
	    cmocka_unit_test_setup(SV_02_refuses_a_row_of_another_purpose,
	                           start_over),
	    cmocka_unit_test_setup(refuses_a_row_of_words_it_does_not_know,
	                           start_over),
	    cmocka_unit_test_setup(
		JW_07_checks_with_the_old_key_until_it_retires, start_over),
	    cmocka_unit_test_setup(puts_each_rotation_on_record, start_over),
	    cmocka_unit_test_setup(retires_what_is_over_and_empties_it,
	                           start_over),
	    cmocka_unit_test_setup(makes_one_of_each_with_many_at_it,
	                           start_over),
	    cmocka_unit_test_setup(
		has_one_current_key_after_many_rotations_at_once, start_over),
	    cmocka_unit_test_setup(keeps_its_ring_while_the_database_is_away,
	                           start_over),
	};

	if (!site_can_run())
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
