/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database handle against a real MariaDB: values there and back, faults,
 * repetition, and a server that is killed, stopped, started again or read-only.
 */
#include "base/clock.h"
#include "base/metrics.h"
#include "stack.h"
#include "store/db.h"

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)8 * 1024 * 1024)
#define MS_PER_US   1000
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct config config;
static struct arena arena;
static struct db *db;

static const struct db_statement create_value = {
    "CREATE TABLE item (id INT NOT NULL PRIMARY KEY, number BIGINT,"
    " wide BIGINT UNSIGNED, text VARCHAR(200), plain VARCHAR(200)"
    " CHARACTER SET ascii, bytes LONGBLOB) DEFAULT CHARSET = utf8mb4"
    " COLLATE = utf8mb4_bin",
    0, 0};
static const struct db_statement insert_value = {
    "INSERT INTO item (id, number, text, plain, bytes)"
    " VALUES (?, ?, ?, ?, ?)",
    5, 0};
static const struct db_statement find_value = {
    "SELECT number, text, plain, bytes FROM item WHERE id = ?", 1, 4};
static const struct db_statement count_values = {"SELECT COUNT(*) FROM item", 0,
                                                 1};
static const struct db_statement delete_values = {"DELETE FROM item", 0, 0};
static const struct db_statement connection_id = {"SELECT CONNECTION_ID()", 0,
                                                  1};
static const struct db_statement kill_connection = {"KILL ?", 1, 0};
static const struct db_statement set_number = {
    "UPDATE item SET number = ? WHERE id = ?", 2, 0};
static const struct db_statement add_number = {
    "UPDATE item SET number = number + 1 WHERE id = ?", 1, 0};
static const struct db_statement get_number = {
    "SELECT number FROM item WHERE id = ?", 1, 1};

static struct db_value text_value(const char *text)
{
	return db_text(span_of(text));
}

static enum fault insert(struct db *into, int64_t id, int64_t number)
{
	return db_run(into, &insert_value,
	              (const struct db_value[]){
			  db_integer(id),
			  db_integer(number),
			  db_null(),
			  db_null(),
			  db_null(),
		      },
	              NULL);
}

static int64_t ask(const struct db_statement *statement,
                   const struct db_value *parameters)
{
	const struct db_value *row;

	assert_int_equal(db_select_one(db, statement, parameters, &arena, &row),
	                 FAULT_NONE);
	return db_to_integer(row);
}

static int64_t number_of(int64_t id)
{
	return ask(&get_number, (const struct db_value[]){db_integer(id)});
}

/* A connection of another process, which it makes after it has been forked. */
static struct db *other_handle(void)
{
	struct db *other;

	if (db_new(&config, &other) != FAULT_NONE)
		_exit(EXIT_FAILURE);
	return other;
}

static void kill_after(int64_t id, int64_t ms)
{
	struct db *other;

	if (fork())
		return;
	other = other_handle();
	clock_sleep_ms(ms);
	_exit(db_run(other, &kill_connection,
	             (const struct db_value[]){db_integer(id)},
	             NULL) != FAULT_NONE);
}

static void wait_for_children(int count)
{
	int status;

	while (count--) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

static int set_up(void **state)
{
	(void)state;
	stack_configure(&config);
	stack_start(STACK_MARIADB, NULL);
	return arena_init(&arena, ARENA_BYTES) || db_new(&config, &db) ||
	       db_run(db, &create_value, NULL, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	db_free(db);
	arena_release(&arena);
	stack_end();
	return 0;
}

static int empty_table(void **state)
{
	(void)state;
	arena_reset(&arena);
	return db_run(db, &delete_values, NULL, NULL) != FAULT_NONE;
}

static void assert_bytes(const struct db_value *value, struct span expected)
{
	assert_int_equal(value->type, DB_BYTES);
	assert_int_equal(value->bytes.length, expected.length);
	assert_memory_equal(value->bytes.at, expected.at, expected.length);
	assert_int_equal(value->bytes.at[expected.length], '\0');
}

static const struct db_value *store(struct db_value number,
                                    struct db_value text, struct db_value plain,
                                    struct db_value bytes)
{
	const struct db_value values[] = {db_integer(1), number, text, plain,
	                                  bytes};
	const struct db_value *row;
	uint64_t matched = 0;

	assert_int_equal(db_run(db, &insert_value, values, &matched),
	                 FAULT_NONE);
	assert_int_equal(matched, 1);
	assert_int_equal(db_select_one(db, &find_value, values, &arena, &row),
	                 FAULT_NONE);
	return row;
}

static void keeps_null(void **state)
{
	const struct db_value *row = store(db_null(), db_text((struct span){0}),
	                                   db_null(), db_uuid(NULL));

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(row[i].type, DB_NULL);
	assert_int_equal(db_to_integer(&row[0]), 0);
	assert_null(db_to_text(&row[1]).at);
	assert_true(uuid_is_nil(&(struct uuid){0}));
}

static void keeps_empty_apart_from_null(void **state)
{
	const struct db_value *row = store(db_integer(0), text_value(""),
	                                   text_value(""), db_bytes("", 0));

	(void)state;
	assert_int_equal(row[0].type, DB_INTEGER);
	assert_bytes(&row[1], SPAN(""));
	assert_bytes(&row[2], SPAN(""));
	assert_bytes(&row[3], SPAN(""));
}

static void keeps_text_and_binary_with_nul(void **state)
{
	static const char bytes[] = "a\0\xff\xfe\x80'\"\\%;--z";
	const struct db_value *row =
	    store(db_integer(-1), text_value("ä€𝄞' OR 1=1 --"),
	          text_value("plain"), db_bytes(bytes, sizeof(bytes)));

	(void)state;
	assert_int_equal(db_to_integer(&row[0]), -1);
	assert_bytes(&row[1], SPAN("ä€𝄞' OR 1=1 --"));
	assert_bytes(&row[2], SPAN("plain"));
	assert_bytes(&row[3], (struct span){bytes, sizeof(bytes)});
}

static void keeps_integers_of_64_bits(void **state)
{
	static const int64_t numbers[] = {INT64_MIN,        INT64_MAX, 0, -1,
	                                  (int64_t)1 << 53, INT32_MIN};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		assert_int_equal(insert(db, (int64_t)i, numbers[i]),
		                 FAULT_NONE);
		assert_true(number_of((int64_t)i) == numbers[i]);
	}
}

static void keeps_a_long_blob(void **state)
{
	size_t length = (size_t)2 * 1024 * 1024;
	char *bytes = malloc(length);
	const struct db_value *row;

	(void)state;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(i * 2654435761U >> 24);
	row = store(db_null(), db_null(), db_null(), db_bytes(bytes, length));
	assert_bytes(&row[3], (struct span){bytes, length});
	free(bytes);
}

static void keeps_a_uuid(void **state)
{
	const struct uuid uuid = {"0123456789abcde"};
	const struct db_value *row =
	    store(db_null(), db_null(), db_null(), db_uuid(&uuid));
	struct uuid back = db_to_uuid(&row[3]);

	(void)state;
	assert_true(uuid_equal(&uuid, &back));
}

static void reads_small_integers_of_every_type(void **state)
{
	static const struct db_statement cast = {
	    "SELECT CAST(? AS INT), (SELECT COUNT(*) FROM item), 1 = 1,"
	    " YEAR('2026-01-15'), CAST(1.5 AS DECIMAL(3,1))",
	    1, 5};
	const struct db_value *row;

	(void)state;
	assert_int_equal(
	    db_select_one(db, &cast, (const struct db_value[]){db_integer(-7)},
	                  &arena, &row),
	    FAULT_NONE);
	assert_int_equal(db_to_integer(&row[0]), -7);
	assert_int_equal(db_to_integer(&row[1]), 0);
	assert_int_equal(db_to_integer(&row[2]), 1);
	assert_int_equal(db_to_integer(&row[3]), 2026);
	assert_bytes(&row[4], SPAN("1.5"));
}

static void refuses_an_integer_over_the_limit(void **state)
{
	static const struct db_statement wide = {
	    "SELECT CAST(18446744073709551615 AS UNSIGNED)", 0, 1};
	struct db_rows rows;

	(void)state;
	assert_int_equal(db_select(db, &wide, NULL, &arena, &rows),
	                 FAULT_INTERNAL);
	assert_int_equal(db_ping(db), FAULT_NONE);
}

static void refuses_text_that_a_column_cannot_hold(void **state)
{
	static const char *const wrong[][2] = {
	    {"\xff\xfe", NULL}, /* not UTF-8 */
	    {NULL, "ä"},        /* not ASCII */
	};
	char longer[202];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < COUNT_OF(wrong) + 1; i++) {
		bool is_last = i == COUNT_OF(wrong);
		const struct db_value values[] = {
		    db_integer(1), db_null(),
		    text_value(is_last ? longer : wrong[i][0]),
		    text_value(is_last ? NULL : wrong[i][1]), db_null()};

		assert_int_equal(db_run(db, &insert_value, values, NULL),
		                 FAULT_INTERNAL);
	}
	assert_int_equal(ask(&count_values, NULL), 0);
}

static void compares_text_byte_by_byte(void **state)
{
	static const struct db_statement compare = {
	    "SELECT ? = ?, ? = ?, ? = ?", 6, 3};
	const struct db_value *row;

	(void)state;
	assert_int_equal(
	    db_select_one(db, &compare,
	                  (const struct db_value[]){
			      text_value("Admin"), text_value("admin"),
			      text_value("admın"), text_value("admin"),
			      text_value("admin"), text_value("admin")},
	                  &arena, &row),
	    FAULT_NONE);
	assert_int_equal(db_to_integer(&row[0]), 0);
	assert_int_equal(db_to_integer(&row[1]), 0);
	assert_int_equal(db_to_integer(&row[2]), 1);
}

static void gives_many_rows_in_order(void **state)
{
	static const struct db_statement many = {
	    "SELECT seq, CONCAT('row ', seq) FROM seq_1_to_1000", 0, 2};
	struct db_rows rows;
	char expected[32];

	(void)state;
	assert_int_equal(db_select(db, &many, NULL, &arena, &rows), FAULT_NONE);
	assert_int_equal(rows.count, 1000);
	for (size_t i = 0; i < rows.count; i++) {
		(void)snprintf(expected, sizeof(expected), "row %zu", i + 1);
		assert_int_equal(db_to_integer(&db_row(&rows, i)[0]), i + 1);
		assert_bytes(&db_row(&rows, i)[1], span_of(expected));
	}
}

static void says_when_the_arena_is_full_and_goes_on(void **state)
{
	static const struct db_statement many = {
	    "SELECT seq, REPEAT('x', 100) FROM seq_1_to_5000", 0, 2};
	struct arena small;
	struct db_rows rows = {.count = 77};

	(void)state;
	for (size_t bytes = 64; bytes < 65536; bytes *= 2) {
		assert_int_equal(arena_init(&small, bytes), FAULT_NONE);
		assert_int_equal(db_select(db, &many, NULL, &small, &rows),
		                 FAULT_EXHAUSTED);
		assert_int_equal(rows.count, 77);
		arena_release(&small);
		assert_int_equal(ask(&count_values, NULL), 0);
	}
}

static void tells_no_row_from_one(void **state)
{
	const struct db_value *row = NULL;
	const struct db_value id = db_integer(5);

	(void)state;
	assert_int_equal(db_select_one(db, &get_number, &id, &arena, &row),
	                 FAULT_NOT_FOUND);
	assert_null(row);
	assert_int_equal(insert(db, 5, 50), FAULT_NONE);
	assert_int_equal(number_of(5), 50);
}

static void counts_rows_that_matched_without_changing(void **state)
{
	const struct db_value values[] = {db_integer(5), db_integer(1)};
	uint64_t matched = 9;

	(void)state;
	assert_int_equal(insert(db, 1, 5), FAULT_NONE);
	assert_int_equal(db_run(db, &set_number, values, &matched), FAULT_NONE);
	assert_int_equal(matched, 1);
	assert_int_equal(db_run(db, &delete_values, NULL, NULL), FAULT_NONE);
	assert_int_equal(db_run(db, &set_number, values, &matched), FAULT_NONE);
	assert_int_equal(matched, 0);
}

static void makes_the_session_that_it_promises(void **state)
{
	static const struct db_statement session = {
	    "SELECT @@sql_mode, @@time_zone, @@tx_isolation,"
	    " @@character_set_connection, @@collation_connection,"
	    " @@wsrep_sync_wait, @@innodb_lock_wait_timeout, @@local_infile,"
	    " @@autocommit",
	    0, 9};
	static const char *const texts[] = {
	    "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION", "+00:00",
	    "READ-COMMITTED", "utf8mb4", "utf8mb4_bin"};
	const struct db_value *row;

	(void)state;
	assert_int_equal(db_select_one(db, &session, NULL, &arena, &row),
	                 FAULT_NONE);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_bytes(&row[i], span_of(texts[i]));
	assert_int_equal(db_to_integer(&row[5]), 1);
	assert_int_equal(db_to_integer(&row[6]), 1);
	assert_int_equal(db_to_integer(&row[8]), 1);
}

static void refuses_to_send_a_local_file(void **state)
{
	static const struct db_statement load = {
	    "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE item", 0, 0};

	(void)state;
	assert_int_equal(db_run(db, &load, NULL, NULL), FAULT_INTERNAL);
	assert_int_equal(ask(&count_values, NULL), 0);
}

static void takes_a_duplicate_for_a_conflict(void **state)
{
	(void)state;
	assert_int_equal(insert(db, 1, 1), FAULT_NONE);
	assert_int_equal(insert(db, 1, 2), FAULT_CONFLICT);
	assert_int_equal(number_of(1), 1);
}

static void refuses_a_statement_whose_row_lies(void **state)
{
	static const struct db_statement lies[] = {
	    {"SELECT ?, 1", 2, 2},
	    {"SELECT ?, 1", 0, 2},
	    {"SELECT ?, 1", 1, 1},
	    {"DELETE FROM item WHERE id = ?", 1, 1},
	};
	const struct db_value values[2] = {db_integer(1), db_integer(2)};
	struct db_rows rows;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lies); i++)
		assert_int_equal(db_select(db, &lies[i], values, &arena, &rows),
		                 FAULT_INTERNAL);
}

static void takes_wrong_sql_for_our_mistake(void **state)
{
	static const struct db_statement wrong = {"SELEKT 1", 0, 0};
	static const struct db_statement missing = {"DELETE FROM nothing", 0,
	                                            0};

	(void)state;
	assert_int_equal(db_run(db, &wrong, NULL, NULL), FAULT_INTERNAL);
	assert_int_equal(db_run(db, &missing, NULL, NULL), FAULT_INTERNAL);
	assert_int_equal(ask(&count_values, NULL), 0);
}

static void logs_no_words_of_the_server(void **state)
{
	static const struct db_statement wrong = {
	    "INSERT INTO item (id, number) VALUES (1, ?)", 1, 0};
	const struct db_value secret = text_value("canary-secret");
	char command[256];

	(void)state;
	assert_int_equal(db_run(db, &wrong, &secret, NULL), FAULT_INTERNAL);
	(void)snprintf(command, sizeof(command), "grep -q 'INTO item' %s",
	               stack_log_path());
	assert_int_equal(system(command), 0);
	(void)snprintf(command, sizeof(command), "grep -q canary %s",
	               stack_log_path());
	assert_int_not_equal(system(command), 0);
}

static void leaves_no_descriptor_to_a_child(void **state)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	struct stat status;
	int sockets = 0;

	(void)state;
	assert_int_equal(db_ping(db), FAULT_NONE);
	while ((entry = readdir(folder))) {
		int descriptor = atoi(entry->d_name);

		if (fstat(descriptor, &status) || !S_ISSOCK(status.st_mode))
			continue;
		sockets++;
		assert_int_equal(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
	}
	(void)closedir(folder);
	assert_true(sockets > 0);
}

static void runs_more_statements_than_it_keeps(void **state)
{
	static struct db_statement statements[600];

	(void)state;
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT_OF(statements); i++) {
			statements[i] = (struct db_statement){"SELECT 1", 0, 1};
			assert_int_equal(ask(&statements[i], NULL), 1);
		}
	}
}

/* Transactions */

struct transfer {
	struct db *db;
	int64_t first;
	int64_t second;
	int calls;
	int64_t pause_ms;
	enum fault ends_with;
	int64_t victim; /* a connection to kill between the two, or 0 */
	bool is_careless;
};

static enum fault add_to(struct db *to, int64_t id)
{
	return db_run(to, &add_number,
	              (const struct db_value[]){db_integer(id)}, NULL);
}

static enum fault transfer_work(void *argument)
{
	struct transfer *transfer = argument;
	enum fault fault;

	transfer->calls++;
	fault = add_to(transfer->db, transfer->first);
	if (transfer->victim) {
		kill_after(transfer->victim, 0);
		transfer->victim = 0;
		wait_for_children(1);
		clock_sleep_ms(50);
	}
	clock_sleep_ms(transfer->pause_ms);
	if (!fault)
		fault = add_to(transfer->db, transfer->second);
	if (fault && transfer->is_careless)
		fault = add_to(transfer->db, transfer->first);
	if (transfer->is_careless)
		return FAULT_NONE;
	return fault ? fault : transfer->ends_with;
}

static int insert_two(void **state)
{
	return empty_table(state) || insert(db, 1, 0) || insert(db, 2, 0);
}

static void commits_both_or_neither(void **state)
{
	struct transfer transfer = {.db = db, .first = 1, .second = 2};

	(void)state;
	assert_int_equal(db_transact(db, transfer_work, &transfer), FAULT_NONE);
	assert_int_equal(number_of(1), 1);
	assert_int_equal(number_of(2), 1);
	transfer.ends_with = FAULT_FORBIDDEN;
	assert_int_equal(db_transact(db, transfer_work, &transfer),
	                 FAULT_FORBIDDEN);
	assert_int_equal(number_of(1), 1);
	assert_int_equal(number_of(2), 1);
	assert_false(db_in_transaction(db));
}

static enum fault conflict_work(void *argument)
{
	assert_true(db_in_transaction(db));
	*(enum fault *)argument = insert(db, 1, 7);
	return insert(db, 3, 30);
}

static void goes_on_after_a_conflict(void **state)
{
	enum fault conflict = FAULT_NONE;

	(void)state;
	assert_int_equal(db_transact(db, conflict_work, &conflict), FAULT_NONE);
	assert_int_equal(conflict, FAULT_CONFLICT);
	assert_int_equal(number_of(3), 30);
}

/* Two who lock the same two rows in opposite order, at the same time. */
static void repeats_a_deadlock_until_both_succeed(void **state)
{
	struct transfer transfer = {
	    .db = db, .first = 1, .second = 2, .pause_ms = 150};
	uint64_t retries = metrics_get(METRIC_DB_RETRIES);
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		transfer.db = other_handle();
		transfer.first = 2;
		transfer.second = 1;
		if (db_transact(transfer.db, transfer_work, &transfer))
			_exit(100);
		_exit(transfer.calls);
	}
	assert_int_equal(db_transact(db, transfer_work, &transfer), FAULT_NONE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 100);
	assert_true(transfer.calls + WEXITSTATUS(status) > 2);
	assert_int_equal(metrics_get(METRIC_DB_RETRIES) - retries,
	                 transfer.calls - 1);
	assert_int_equal(number_of(1), 2);
	assert_int_equal(number_of(2), 2);
}

/* What follows an ignored deadlock would commit by itself. */
static void does_not_commit_the_half_of_careless_work(void **state)
{
	struct transfer transfer = {.db = db,
	                            .first = 1,
	                            .second = 2,
	                            .pause_ms = 150,
	                            .is_careless = true};
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		transfer.db = other_handle();
		transfer.first = 2;
		transfer.second = 1;
		_exit(db_transact(transfer.db, transfer_work, &transfer) !=
		      FAULT_NONE);
	}
	assert_int_equal(db_transact(db, transfer_work, &transfer), FAULT_NONE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(number_of(1), 2);
	assert_int_equal(number_of(2), 2);
}

static void gives_up_on_a_lock_that_is_not_let_go(void **state)
{
	struct transfer transfer = {.db = db, .first = 1, .second = 2};
	int64_t started_us;
	int ready[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct transfer holder = {.first = 1, .second = 2};

		holder.db = other_handle();
		holder.pause_ms = 6000;
		clock_sleep_ms(0);
		(void)!write(ready[1], "x", 1);
		(void)db_transact(holder.db, transfer_work, &holder);
		_exit(0);
	}
	(void)!read(ready[0], ready, 1);
	clock_sleep_ms(200);
	started_us = clock_monotonic_us();
	assert_int_equal(db_transact(db, transfer_work, &transfer),
	                 FAULT_UNAVAILABLE);
	assert_true(clock_monotonic_us() - started_us <
	            3500 * (int64_t)MS_PER_US);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static void repeats_a_transaction_whose_connection_was_killed(void **state)
{
	struct transfer transfer = {.db = db, .first = 1, .second = 2};
	uint64_t retries = metrics_get(METRIC_DB_RETRIES);

	(void)state;
	transfer.victim = ask(&connection_id, NULL);
	assert_int_equal(db_transact(db, transfer_work, &transfer), FAULT_NONE);
	assert_int_equal(transfer.calls, 2);
	assert_int_equal(metrics_get(METRIC_DB_RETRIES) - retries, 1);
	assert_int_equal(number_of(1), 1);
	assert_int_equal(number_of(2), 1);
}

/* A killed connection */

static void repeats_a_read_that_was_killed(void **state)
{
	static const struct db_statement slow = {"SELECT SLEEP(0.6)", 0, 1};
	uint64_t retries = metrics_get(METRIC_DB_RETRIES);

	(void)state;
	kill_after(ask(&connection_id, NULL), 200);
	assert_int_equal(ask(&slow, NULL), 0);
	assert_int_equal(metrics_get(METRIC_DB_RETRIES) - retries, 1);
	wait_for_children(1);
}

static void does_not_repeat_a_write_that_was_killed(void **state)
{
	static const struct db_statement slow = {
	    "UPDATE item SET number = number + 1 WHERE id = ?"
	    " AND SLEEP(0.6) = 0",
	    1, 0};
	const struct db_value id = db_integer(1);

	(void)state;
	kill_after(ask(&connection_id, NULL), 200);
	assert_int_equal(db_run(db, &slow, &id, NULL), FAULT_UNAVAILABLE);
	wait_for_children(1);
	assert_int_equal(number_of(1), 0);
	assert_int_equal(db_run(db, &add_number, &id, NULL), FAULT_NONE);
	assert_int_equal(number_of(1), 1);
}

/* Over TCP, where a statement to a dead peer seems to go well at first. */
static void writes_at_once_on_a_connection_killed_while_idle(void **state)
{
	struct config remote = config;
	const struct db_value *row;
	struct db *other;
	char host[64];

	(void)state;
	(void)snprintf(host, sizeof(host), "127.0.0.1:%d",
	               stack_mariadb_port());
	remote.database.host = host;
	assert_int_equal(db_new(&remote, &other), FAULT_NONE);
	assert_int_equal(
	    db_select_one(other, &connection_id, NULL, &arena, &row),
	    FAULT_NONE);
	assert_int_equal(add_to(other, 1), FAULT_NONE);
	kill_after(db_to_integer(row), 0);
	wait_for_children(1);
	clock_sleep_ms(50);
	assert_int_equal(add_to(other, 1), FAULT_NONE);
	assert_int_equal(number_of(1), 2);
	db_free(other);
}

/* Exactly one winner */

static int win_once(struct db *other, int64_t id)
{
	static const struct db_statement take = {
	    "UPDATE item SET number = 1 WHERE id = ? AND number IS NULL", 1, 0};
	const struct db_value value = db_integer(id);
	uint64_t matched = 0;

	if (db_run(other, &take, &value, &matched))
		return -1;
	return (int)matched;
}

static void lets_exactly_one_of_eight_processes_win(void **state)
{
	enum { ROUNDS = 40, RACERS = 8 };
	const struct db_value nothing = db_null();
	int wins = 0;
	int status;

	(void)state;
	assert_int_equal(empty_table(NULL), 0);
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(
		    db_run(db, &insert_value,
		           (const struct db_value[]){db_integer(i), nothing,
		                                     nothing, nothing, nothing},
		           NULL),
		    FAULT_NONE);
	for (int i = 0; i < RACERS; i++) {
		if (fork() == 0) {
			struct db *other = other_handle();
			int won = 0;

			for (int round = 0; round < ROUNDS; round++) {
				int result = win_once(other, round);
				if (result < 0)
					_exit(100);
				won += result;
			}
			_exit(won);
		}
	}
	for (int i = 0; i < RACERS; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 100);
		wins += WEXITSTATUS(status);
	}
	assert_int_equal(wins, ROUNDS);
}

/* Locks */

static void gives_a_lock_to_one_at_a_time(void **state)
{
	struct db *other;

	(void)state;
	assert_int_equal(db_new(&config, &other), FAULT_NONE);
	assert_int_equal(db_lock(db, "work", 0), FAULT_NONE);
	assert_int_equal(db_lock(other, "work", 0), FAULT_CONFLICT);
	assert_int_equal(db_lock(other, "other work", 0), FAULT_NONE);
	db_unlock(db, "work");
	assert_int_equal(db_lock(other, "work", 0), FAULT_NONE);
	assert_int_equal(db_lock(db, "work", 0), FAULT_CONFLICT);
	db_free(other);
	assert_int_equal(db_lock(db, "work", 2), FAULT_NONE);
	db_unlock(db, "work");
}

static void keeps_the_locks_of_databases_apart(void **state)
{
	static const struct db_statement create = {
	    "CREATE DATABASE IF NOT EXISTS neighbour", 0, 0};
	struct config neighbour = config;
	struct db *other;

	(void)state;
	neighbour.database.name = "neighbour";
	assert_int_equal(db_run(db, &create, NULL, NULL), FAULT_NONE);
	assert_int_equal(db_new(&neighbour, &other), FAULT_NONE);
	assert_int_equal(db_lock(db, "work", 0), FAULT_NONE);
	assert_int_equal(db_lock(other, "work", 0), FAULT_NONE);
	db_free(other);
	db_unlock(db, "work");
}

/* A server that is not there, or not well */

static enum fault timed_ping(int64_t *took_ms)
{
	int64_t started_us = clock_monotonic_us();
	enum fault fault = db_ping(db);

	*took_ms = (clock_monotonic_us() - started_us) / MS_PER_US;
	return fault;
}

static void faults_within_three_seconds_when_the_server_hangs(void **state)
{
	struct transfer transfer = {.db = db, .first = 1, .second = 2};
	int64_t started_us;
	int64_t took_ms;

	(void)state;
	assert_int_equal(db_ping(db), FAULT_NONE);
	stack_signal(STACK_MARIADB, SIGSTOP);
	clock_sleep_ms(20);
	started_us = clock_monotonic_us();
	assert_int_equal(db_transact(db, transfer_work, &transfer),
	                 FAULT_UNAVAILABLE);
	assert_true(clock_monotonic_us() - started_us <
	            3000 * (int64_t)MS_PER_US);
	/* Now there is no connection: it hangs in making one. */
	assert_int_equal(timed_ping(&took_ms), FAULT_UNAVAILABLE);
	assert_true(took_ms < 3000);
	/* And directly after it the next one fails at once. */
	assert_int_equal(timed_ping(&took_ms), FAULT_UNAVAILABLE);
	assert_true(took_ms < 50);
	stack_signal(STACK_MARIADB, SIGCONT);
	clock_sleep_ms(250);
	assert_int_equal(db_ping(db), FAULT_NONE);
}

static void recovers_when_the_server_comes_back(void **state)
{
	int64_t took_ms;

	(void)state;
	assert_int_equal(insert(db, 9, 90), FAULT_NONE);
	stack_stop(STACK_MARIADB);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(timed_ping(&took_ms), FAULT_UNAVAILABLE);
		assert_true(took_ms < 100);
	}
	stack_start(STACK_MARIADB, NULL);
	clock_sleep_ms(250);
	assert_int_equal(number_of(9), 90);
	/* A restart that nobody noticed costs nobody anything. */
	stack_stop(STACK_MARIADB);
	stack_start(STACK_MARIADB, NULL);
	assert_int_equal(add_to(db, 9), FAULT_NONE);
	assert_int_equal(number_of(9), 91);
}

static void takes_a_read_only_server_for_unavailable(void **state)
{
	static const struct db_statement statements[] = {
	    {"CREATE OR REPLACE USER plain@localhost", 0, 0},
	    {"GRANT SELECT, INSERT, UPDATE ON claviger.* TO plain@localhost", 0,
	     0},
	    {"SET GLOBAL read_only = 1", 0, 0},
	};
	static const struct db_statement writable = {"SET GLOBAL read_only = 0",
	                                             0, 0};
	struct config plain = config;
	struct db *other;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(statements); i++)
		assert_int_equal(db_run(db, &statements[i], NULL, NULL),
		                 FAULT_NONE);
	plain.database.user = "plain";
	assert_int_equal(db_new(&plain, &other), FAULT_NONE);
	assert_int_equal(insert(other, 1, 1), FAULT_UNAVAILABLE);
	assert_int_equal(db_run(db, &writable, NULL, NULL), FAULT_NONE);
	assert_int_equal(insert(other, 1, 1), FAULT_NONE);
	db_free(other);
}

static void counts_what_it_does(void **state)
{
	uint64_t statements = metrics_get(METRIC_DB_STATEMENTS);
	uint64_t failures = metrics_get(METRIC_DB_FAILURES);
	struct transfer transfer = {.db = db, .first = 1, .second = 2};
	static const struct db_statement wrong = {"SELEKT 1", 0, 0};

	(void)state;
	assert_int_equal(db_transact(db, transfer_work, &transfer), FAULT_NONE);
	assert_int_equal(metrics_get(METRIC_DB_STATEMENTS) - statements, 4);
	assert_int_equal(db_run(db, &wrong, NULL, NULL), FAULT_INTERNAL);
	assert_int_equal(metrics_get(METRIC_DB_FAILURES) - failures, 1);
}

/* Hosts and TLS: the server starts anew with a certificate. */

static char ca_path[256];

/* A listener that nobody accepts from; it stays open until the end. */
static int mute_port(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, length),
	                 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

static void start_with_tls(void)
{
	const char *folder = stack_folder();
	char command[1024];
	char options[3][256];

	(void)snprintf(ca_path, sizeof(ca_path), "%s/cert.pem", folder);
	(void)snprintf(command, sizeof(command),
	               "openssl req -x509 -newkey rsa:2048 -nodes -days 2 "
	               "-subj /CN=127.0.0.1 -addext "
	               "subjectAltName=IP:127.0.0.1,DNS:127.0.0.1 "
	               "-keyout %s/key.pem -out %s/cert.pem 2>/dev/null && "
	               "openssl req -x509 -newkey rsa:2048 -nodes -days 2 "
	               "-subj /CN=127.0.0.1 "
	               "-keyout /dev/null -out %s/other.pem 2>/dev/null",
	               folder, folder, folder);
	assert_int_equal(system(command), 0);
	(void)snprintf(options[0], sizeof(options[0]), "--ssl-cert=%s/cert.pem",
	               folder);
	(void)snprintf(options[1], sizeof(options[1]), "--ssl-key=%s/key.pem",
	               folder);
	(void)snprintf(options[2], sizeof(options[2]), "--ssl-ca=%s/cert.pem",
	               folder);
	stack_stop(STACK_MARIADB);
	stack_start(STACK_MARIADB,
	            (const char *[]){options[0], options[1], options[2], NULL});
}

static void uses_tls_and_tries_the_hosts_in_turn(void **state)
{
	static const struct db_statement cipher = {
	    "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS"
	    " WHERE VARIABLE_NAME = 'Ssl_cipher'",
	    0, 1};
	struct config remote = config;
	const struct db_value *row;
	struct db *other;
	char hosts[128];

	(void)state;
	start_with_tls();
	(void)snprintf(hosts, sizeof(hosts), "127.0.0.1:1, 127.0.0.1:%d",
	               stack_mariadb_port());
	remote.database.host = hosts;
	remote.database.tls_ca = ca_path;
	assert_int_equal(db_new(&remote, &other), FAULT_NONE);
	assert_int_equal(db_select_one(other, &cipher, NULL, &arena, &row),
	                 FAULT_NONE);
	assert_true(db_to_text(row).length > 0);
	db_free(other);
}

static void begins_behind_a_host_that_failed(void **state)
{
	struct config remote = config;
	struct db *other;
	const struct db_value *row;
	char hosts[128];
	int64_t took_ms;
	int64_t started_us;

	(void)state;
	/* The first accepts and never speaks: it is a port of this test. */
	(void)snprintf(hosts, sizeof(hosts), "127.0.0.1:%d,127.0.0.1:%d",
	               mute_port(), stack_mariadb_port());
	remote.database.host = hosts;
	assert_int_equal(db_new(&remote, &other), FAULT_NONE);
	assert_int_equal(db_ping(other), FAULT_UNAVAILABLE);
	clock_sleep_ms(210);
	started_us = clock_monotonic_us();
	assert_int_equal(
	    db_select_one(other, &connection_id, NULL, &arena, &row),
	    FAULT_NONE);
	took_ms = (clock_monotonic_us() - started_us) / MS_PER_US;
	assert_true(took_ms < 500);
	db_free(other);
}

static void refuses_a_server_of_another_authority(void **state)
{
	struct config remote = config;
	struct db *other;
	char host[64];
	char path[256];

	(void)state;
	(void)snprintf(host, sizeof(host), "127.0.0.1:%d",
	               stack_mariadb_port());
	(void)snprintf(path, sizeof(path), "%s/other.pem", stack_folder());
	remote.database.host = host;
	remote.database.tls_ca = path;
	assert_int_equal(db_new(&remote, &other), FAULT_NONE);
	assert_int_equal(db_ping(other), FAULT_UNAVAILABLE);
	db_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(keeps_null, empty_table),
	    cmocka_unit_test_setup(keeps_empty_apart_from_null, empty_table),
	    cmocka_unit_test_setup(keeps_text_and_binary_with_nul, empty_table),
	    cmocka_unit_test_setup(keeps_integers_of_64_bits, empty_table),
	    cmocka_unit_test_setup(keeps_a_long_blob, empty_table),
	    cmocka_unit_test_setup(keeps_a_uuid, empty_table),
	    cmocka_unit_test_setup(reads_small_integers_of_every_type,
	                           empty_table),
	    cmocka_unit_test_setup(refuses_an_integer_over_the_limit,
	                           empty_table),
	    cmocka_unit_test_setup(refuses_text_that_a_column_cannot_hold,
	                           empty_table),
	    cmocka_unit_test_setup(compares_text_byte_by_byte, empty_table),
	    cmocka_unit_test_setup(gives_many_rows_in_order, empty_table),
	    cmocka_unit_test_setup(says_when_the_arena_is_full_and_goes_on,
	                           empty_table),
	    cmocka_unit_test_setup(tells_no_row_from_one, empty_table),
	    cmocka_unit_test_setup(counts_rows_that_matched_without_changing,
	                           empty_table),
	    cmocka_unit_test_setup(makes_the_session_that_it_promises,
	                           empty_table),
	    cmocka_unit_test_setup(refuses_to_send_a_local_file, empty_table),
	    cmocka_unit_test_setup(takes_a_duplicate_for_a_conflict,
	                           empty_table),
	    cmocka_unit_test_setup(refuses_a_statement_whose_row_lies,
	                           empty_table),
	    cmocka_unit_test_setup(takes_wrong_sql_for_our_mistake,
	                           empty_table),
	    cmocka_unit_test_setup(logs_no_words_of_the_server, empty_table),
	    cmocka_unit_test_setup(leaves_no_descriptor_to_a_child,
	                           empty_table),
	    cmocka_unit_test_setup(runs_more_statements_than_it_keeps,
	                           empty_table),
	    cmocka_unit_test_setup(commits_both_or_neither, insert_two),
	    cmocka_unit_test_setup(goes_on_after_a_conflict, insert_two),
	    cmocka_unit_test_setup(repeats_a_deadlock_until_both_succeed,
	                           insert_two),
	    cmocka_unit_test_setup(does_not_commit_the_half_of_careless_work,
	                           insert_two),
	    cmocka_unit_test_setup(gives_up_on_a_lock_that_is_not_let_go,
	                           insert_two),
	    cmocka_unit_test_setup(
		repeats_a_transaction_whose_connection_was_killed, insert_two),
	    cmocka_unit_test_setup(repeats_a_read_that_was_killed, insert_two),
	    cmocka_unit_test_setup(does_not_repeat_a_write_that_was_killed,
	                           insert_two),
	    cmocka_unit_test_setup(
		writes_at_once_on_a_connection_killed_while_idle, insert_two),
	    cmocka_unit_test_setup(lets_exactly_one_of_eight_processes_win,
	                           empty_table),
	    cmocka_unit_test_setup(gives_a_lock_to_one_at_a_time, empty_table),
	    cmocka_unit_test_setup(keeps_the_locks_of_databases_apart,
	                           empty_table),
	    cmocka_unit_test_setup(counts_what_it_does, insert_two),
	    cmocka_unit_test_setup(
		faults_within_three_seconds_when_the_server_hangs, insert_two),
	    cmocka_unit_test_setup(recovers_when_the_server_comes_back,
	                           empty_table),
	    cmocka_unit_test_setup(takes_a_read_only_server_for_unavailable,
	                           empty_table),
	    cmocka_unit_test_setup(uses_tls_and_tries_the_hosts_in_turn,
	                           empty_table),
	    cmocka_unit_test_setup(begins_behind_a_host_that_failed,
	                           empty_table),
	    cmocka_unit_test_setup(refuses_a_server_of_another_authority,
	                           empty_table),
	};

	if (!stack_has(STACK_MARIADB))
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
