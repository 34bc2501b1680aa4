/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations against a real MariaDB: once each, in order, or not at all. */
#include "base/clock.h"
#include "stack.h"
#include "store/schema.h"

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)8 * 1024 * 1024)
#define WHY_BYTES   512
#define PATH_BYTES  512

static struct config config;
static struct arena arena;
static struct db *db;
static char folder[PATH_BYTES];
static char why[WHY_BYTES];
static char reported[1024];

/* Not SHA-256, which is not this layer's; another text gives another sum. */
static enum fault sum(struct span bytes, char hex[65])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes.length; i++)
		hash = (hash ^ (unsigned char)bytes.at[i]) *
		       UINT64_C(0x100000001b3);
	(void)snprintf(hex, 65, "%064llx", (unsigned long long)hash);
	return FAULT_NONE;
}

static void report(void *argument, const char *name, bool applied_now)
{
	size_t length = strlen(reported);

	(void)argument;
	(void)snprintf(reported + length, sizeof(reported) - length, "%s%s ",
	               applied_now ? "+" : "=", name);
}

static enum fault migrate_in(const char *from)
{
	arena_reset(&arena);
	*reported = '\0';
	return schema_migrate(db, &arena, from, sum, report, NULL, why);
}

static enum fault migrate(void)
{
	return migrate_in(folder);
}

static void put_file(const char *name, const char *text)
{
	char path[2 * PATH_BYTES];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *name)
{
	char path[2 * PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(unlink(path), 0);
}

static int64_t version(void)
{
	int64_t number = -1;

	assert_int_equal(schema_version(db, &arena, &number), FAULT_NONE);
	return number;
}

static int64_t ask(const struct db_statement *statement)
{
	const struct db_value *row;

	assert_int_equal(db_select_one(db, statement, NULL, &arena, &row),
	                 FAULT_NONE);
	return db_to_integer(row);
}

static int set_up(void **state)
{
	(void)state;
	stack_configure(&config);
	stack_start(STACK_MARIADB, NULL);
	return arena_init(&arena, ARENA_BYTES) || db_new(&config, &db);
}

static int tear_down(void **state)
{
	(void)state;
	db_free(db);
	arena_release(&arena);
	stack_end();
	return 0;
}

/* An empty database, and a new folder with three migrations. */
static int start_over(void **state)
{
	static int count;
	char message[256];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/migrations-%d",
	               stack_folder(), ++count);
	if (mkdir(folder, 0700) ||
	    db_run_script(
		db, SPAN("DROP DATABASE claviger; CREATE DATABASE claviger"),
		message))
		return 1;
	db_free(db);
	if (db_new(&config, &db))
		return 1;
	put_file("0001_first.sql", "CREATE TABLE first (id INT PRIMARY KEY);\n"
	                           "INSERT INTO first VALUES (1), (2);\n"
	                           "-- the end\n");
	put_file("0002_second.sql", "/* nothing */\n");
	put_file("0003_third.sql",
	         "SET @x = 40;\nINSERT INTO first VALUES (@x + 2)");
	put_file("README.md", "not a migration");
	put_file(".0004_hidden.sql", "not a migration");
	return 0;
}

static const struct db_statement sum_of_first = {
    "SELECT CAST(SUM(id) AS INT) FROM first", 0, 1};

static void gives_an_empty_database_the_version_0(void **state)
{
	(void)state;
	assert_int_equal(version(), 0);
}

static void applies_all_in_order(void **state)
{
	(void)state;
	assert_int_equal(migrate(), FAULT_NONE);
	assert_string_equal(reported, "+0001_first +0002_second +0003_third ");
	assert_string_equal(why, "");
	assert_int_equal(version(), 3);
	assert_int_equal(ask(&sum_of_first), 45);
}

static void is_safe_to_repeat(void **state)
{
	(void)state;
	assert_int_equal(migrate(), FAULT_NONE);
	assert_int_equal(migrate(), FAULT_NONE);
	assert_string_equal(reported, "=0001_first =0002_second =0003_third ");
	put_file("0004_fourth.sql", "INSERT INTO first VALUES (100)");
	assert_int_equal(migrate(), FAULT_NONE);
	assert_string_equal(
	    reported, "=0001_first =0002_second =0003_third +0004_fourth ");
	assert_int_equal(version(), 4);
	assert_int_equal(ask(&sum_of_first), 145);
}

static void refuses_a_file_that_has_changed(void **state)
{
	(void)state;
	assert_int_equal(migrate(), FAULT_NONE);
	put_file("0002_second.sql", "/* nothing. */\n");
	put_file("0004_fourth.sql", "INSERT INTO first VALUES (100)");
	assert_int_equal(migrate(), FAULT_VALIDATION);
	assert_string_equal(why,
	                    "0002_second.sql has changed since it was applied");
	assert_string_equal(reported, "");
	assert_int_equal(version(), 3);
}

static void refuses_a_missing_and_a_double_number(void **state)
{
	(void)state;
	remove_file("0002_second.sql");
	assert_int_equal(migrate(), FAULT_VALIDATION);
	assert_string_equal(why,
	                    "migration 0002 is missing before 0003_third.sql");
	put_file("0002_second.sql", "SELECT 1");
	put_file("0002_another.sql", "SELECT 1");
	assert_int_equal(migrate(), FAULT_VALIDATION);
	assert_string_equal(why, "0002_second.sql: this number is there twice");
	assert_int_equal(version(), 0);
}

static void refuses_a_name_of_another_shape(void **state)
{
	static const char *const names[] = {
	    "4_x.sql",    "00004_x.sql", "0004.sql",   "0004-x.sql",
	    "0004_X.sql", "0004_.sql",   "000a_x.sql", "0000_x.sql",
	    "x.sql",      "0004_x y.sql"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		put_file(names[i], "SELECT 1");
		assert_int_equal(migrate(), FAULT_VALIDATION);
		assert_non_null(strstr(why, names[i]));
		assert_non_null(strstr(why, "is not named NNNN_name.sql"));
		remove_file(names[i]);
	}
	assert_int_equal(version(), 0);
}

static void refuses_an_applied_one_without_a_file(void **state)
{
	(void)state;
	assert_int_equal(migrate(), FAULT_NONE);
	remove_file("0003_third.sql");
	assert_int_equal(migrate(), FAULT_VALIDATION);
	assert_string_equal(why, "0003_third was applied, but has no file");
}

static void refuses_a_folder_that_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(migrate_in("/nonexistent"), FAULT_VALIDATION);
	assert_string_equal(why, "the folder /nonexistent cannot be read");
}

static void names_the_one_that_stopped_half_way(void **state)
{
	static const struct db_statement forget = {
	    "DELETE FROM schema_migration WHERE number = 3", 0, 0};

	(void)state;
	put_file("0003_third.sql", "INSERT INTO first VALUES (7);\n"
	                           "INSERT INTO nowhere VALUES (8);\n"
	                           "INSERT INTO first VALUES (9);\n");
	assert_int_equal(migrate(), FAULT_INTERNAL);
	assert_string_equal(reported, "+0001_first +0002_second ");
	assert_non_null(strstr(why, "0003_third stopped half-way: 1146"));
	assert_non_null(strstr(why, "nowhere"));
	assert_int_equal(version(), 2);
	assert_int_equal(ask(&sum_of_first), 10);
	/* Nothing runs on top of it, not even once the file is right. */
	put_file("0003_third.sql", "INSERT INTO first VALUES (8)");
	assert_int_equal(migrate(), FAULT_VALIDATION);
	assert_non_null(strstr(why, "0003_third stopped half-way"));
	assert_string_equal(reported, "");
	/* Until somebody has looked. */
	assert_int_equal(db_run(db, &forget, NULL, NULL), FAULT_NONE);
	assert_int_equal(migrate(), FAULT_NONE);
	assert_string_equal(reported, "=0001_first =0002_second +0003_third ");
	assert_int_equal(ask(&sum_of_first), 18);
}

static void lets_two_runners_apply_each_one_once(void **state)
{
	enum { RUNNERS = 3 };
	int status;

	(void)state;
	put_file("0002_second.sql", "DO SLEEP(0.3)");
	for (int i = 0; i < RUNNERS; i++) {
		if (fork() == 0) {
			if (db_new(&config, &db))
				_exit(1);
			_exit(migrate() != FAULT_NONE);
		}
	}
	for (int i = 0; i < RUNNERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(version(), 3);
	assert_int_equal(ask(&sum_of_first), 45);
}

/* Longer than an ordinary statement may take. */
static void has_time_for_a_slow_one(void **state)
{
	(void)state;
	put_file("0002_second.sql", "DO SLEEP(2.2)");
	assert_int_equal(migrate(), FAULT_NONE);
	assert_int_equal(version(), 3);
}

static void says_when_the_arena_is_too_small(void **state)
{
	struct arena small;

	(void)state;
	assert_int_equal(arena_init(&small, 256), FAULT_NONE);
	assert_int_equal(
	    schema_migrate(db, &small, folder, sum, report, NULL, why),
	    FAULT_EXHAUSTED);
	assert_string_equal(why, "the database: exhausted");
	arena_release(&small);
	assert_int_equal(migrate(), FAULT_NONE);
}

static void applies_the_project_s_own_migrations(void **state)
{
	const char *source = getenv("srcdir");
	char path[PATH_BYTES];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sql/migrations",
	               source ? source : ".");
	assert_int_equal(migrate_in(path), FAULT_NONE);
	assert_true(version() >= 1);
	assert_int_equal(migrate_in(path), FAULT_NONE);
	assert_null(strchr(reported, '+'));
}

/* Last, because it takes the server away. */
static void says_that_the_database_is_away(void **state)
{
	int64_t number = 77;

	(void)state;
	stack_stop(STACK_MARIADB);
	assert_int_equal(migrate(), FAULT_UNAVAILABLE);
	assert_string_equal(why, "the database: unavailable");
	assert_int_equal(schema_version(db, &arena, &number),
	                 FAULT_UNAVAILABLE);
	assert_int_equal(number, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(gives_an_empty_database_the_version_0,
	                           start_over),
	    cmocka_unit_test_setup(applies_all_in_order, start_over),
	    cmocka_unit_test_setup(is_safe_to_repeat, start_over),
	    cmocka_unit_test_setup(refuses_a_file_that_has_changed, start_over),
	    cmocka_unit_test_setup(refuses_a_missing_and_a_double_number,
	                           start_over),
	    cmocka_unit_test_setup(refuses_a_name_of_another_shape, start_over),
	    cmocka_unit_test_setup(refuses_an_applied_one_without_a_file,
	                           start_over),
	    cmocka_unit_test_setup(refuses_a_folder_that_is_not_there,
	                           start_over),
	    cmocka_unit_test_setup(names_the_one_that_stopped_half_way,
	                           start_over),
	    cmocka_unit_test_setup(lets_two_runners_apply_each_one_once,
	                           start_over),
	    cmocka_unit_test_setup(has_time_for_a_slow_one, start_over),
	    cmocka_unit_test_setup(says_when_the_arena_is_too_small,
	                           start_over),
	    cmocka_unit_test_setup(applies_the_project_s_own_migrations,
	                           start_over),
	    cmocka_unit_test_setup(says_that_the_database_is_away, start_over),
	};

	if (!stack_has(STACK_MARIADB))
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
