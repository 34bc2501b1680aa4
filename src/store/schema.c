/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing a database up to date; see schema.h. The record is the table
 * schema_migration: a row is written before its migration runs and completed
 * behind it, so that one which stopped half-way stays visible. DDL commits by
 * itself in MariaDB: there is no transaction that could take it back.
 */
#include "store/schema.h"

#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME      "claviger-schema"
#define LOCK_WAIT_S    300
#define WHY_BYTES      512
#define MESSAGE_BYTES  256
#define CHECKSUM_BYTES 65
#define NAME_LIMIT     120 /* as the column */
#define DIGITS         4
#define PATH_BYTES     4096
#define SQL_LIMIT      (1024 * 1024)

enum statement {
	STATEMENT_CREATE,
	STATEMENT_EXISTS,
	STATEMENT_VERSION,
	STATEMENT_APPLIED,
	STATEMENT_START,
	STATEMENT_FINISH,
};

static const struct db_statement statements[] = {
    [STATEMENT_CREATE] = {"CREATE TABLE IF NOT EXISTS schema_migration ("
                          " number INT NOT NULL PRIMARY KEY,"
                          " name VARCHAR(120) NOT NULL,"
                          " checksum CHAR(64) NOT NULL,"
                          " started_at BIGINT NOT NULL,"
                          " applied_at BIGINT NULL"
                          ") ENGINE = InnoDB DEFAULT CHARSET = utf8mb4"
                          " COLLATE = utf8mb4_bin",
                          0, 0},
    [STATEMENT_EXISTS] = {"SELECT COUNT(*) FROM information_schema.TABLES"
                          " WHERE TABLE_SCHEMA = DATABASE()"
                          " AND TABLE_NAME = 'schema_migration'",
                          0, 1},
    [STATEMENT_VERSION] = {"SELECT COALESCE(MAX(number), 0)"
                           " FROM schema_migration"
                           " WHERE applied_at IS NOT NULL",
                           0, 1},
    [STATEMENT_APPLIED] = {"SELECT number, name, checksum, applied_at"
                           " FROM schema_migration ORDER BY number",
                           0, 4},
    [STATEMENT_START] = {"INSERT INTO schema_migration"
                         " (number, name, checksum, started_at)"
                         " VALUES (?, ?, ?, ?)",
                         4, 0},
    [STATEMENT_FINISH] = {"UPDATE schema_migration SET applied_at = ?"
                          " WHERE number = ?",
                          2, 0},
};

enum applied_column {
	APPLIED_NUMBER,
	APPLIED_NAME,
	APPLIED_CHECKSUM,
	APPLIED_AT,
};

/* One file of the folder. */
struct migration {
	char name[NAME_LIMIT + 1]; /* without .sql */
	char checksum[CHECKSUM_BYTES];
	struct span sql;
};

/* One call of schema_migrate. Migration number n is migrations[n - 1]. */
struct run {
	struct db *db;
	struct arena *arena;
	const char *folder;
	schema_checksum *checksum;
	schema_report *report;
	void *argument;
	char *why;
	struct migration *migrations;
	size_t count;
	struct db_rows applied;
};

static enum fault refuse(const struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum fault refuse(const struct run *run, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(run->why, WHY_BYTES, format, arguments);
	va_end(arguments);
	return FAULT_VALIDATION;
}

static int is_sql(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && strcmp(dot, ".sql") == 0;
}

/* By bytes, whatever the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* NNNN_name.sql, the name of [a-z0-9_]. Gives NNNN, or 0. */
static uint64_t number_of(const char *file)
{
	struct span digits = {file, strnlen(file, DIGITS)};
	size_t length = strlen(file) - strlen(".sql");
	uint64_t number;

	if (length <= DIGITS + 1 || length > NAME_LIMIT ||
	    file[DIGITS] != '_' ||
	    strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789_") != length ||
	    span_number(digits, UINT64_MAX, &number) != FAULT_NONE)
		return 0;
	return number;
}

/* Read all of an open file into the arena; the caller closes it. */
static enum fault read_all(struct arena *arena, int file, struct span *out)
{
	struct stat status;
	size_t length = 0;
	ssize_t got = 1;
	size_t size;
	char *at;

	if (fstat(file, &status) || status.st_size > SQL_LIMIT)
		return FAULT_VALIDATION;
	size = (size_t)status.st_size;
	at = arena_alloc(arena, size + 1);
	if (!at)
		return FAULT_EXHAUSTED;
	while (length < size && got > 0) {
		got = read(file, at + length, size - length);
		length += got > 0 ? (size_t)got : 0;
	}
	if (length < size)
		return FAULT_VALIDATION;
	*out = (struct span){at, length};
	return FAULT_NONE;
}

static enum fault read_sql(const struct run *run, const char *file,
                           struct span *out)
{
	char path[PATH_BYTES];
	enum fault fault;
	int descriptor;

	(void)snprintf(path, sizeof(path), "%s/%s", run->folder, file);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return refuse(run, "%s cannot be read", path);
	fault = read_all(run->arena, descriptor, out);
	(void)close(descriptor);
	if (fault == FAULT_VALIDATION)
		return refuse(run, "%s cannot be read, or is over 1 MiB", path);
	return fault;
}

/* Files come in order of their names: each number is one more than the last. */
static enum fault add_file(struct run *run, const char *file)
{
	struct migration *migration = &run->migrations[run->count];
	uint64_t number = number_of(file);
	enum fault fault;

	if (!number)
		return refuse(run, "%s is not named NNNN_name.sql", file);
	if (number == run->count)
		return refuse(run, "%s: this number is there twice", file);
	if (number != run->count + 1)
		return refuse(run, "migration %04zu is missing before %s",
		              run->count + 1, file);
	(void)snprintf(migration->name, sizeof(migration->name), "%.*s",
	               (int)(strlen(file) - strlen(".sql")), file);
	fault = read_sql(run, file, &migration->sql);
	if (!fault)
		fault = run->checksum(migration->sql, migration->checksum);
	if (!fault)
		run->count++;
	return fault;
}

static enum fault read_folder(struct run *run)
{
	struct dirent **entries;
	enum fault fault = FAULT_NONE;
	int count = scandir(run->folder, &entries, is_sql, compare_names);

	if (count < 0)
		return refuse(run, "the folder %s cannot be read", run->folder);
	run->migrations =
	    arena_array(run->arena, (size_t)count, sizeof(*run->migrations));
	if (!run->migrations)
		fault = FAULT_EXHAUSTED;
	for (int i = 0; i < count; i++) {
		if (!fault)
			fault = add_file(run, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return fault;
}

static enum fault check_row(const struct run *run, size_t i)
{
	const struct db_value *row = db_row(&run->applied, i);
	const char *name = db_to_text(&row[APPLIED_NAME]).at;
	struct span checksum = db_to_text(&row[APPLIED_CHECKSUM]);

	if (db_to_integer(&row[APPLIED_NUMBER]) != (int64_t)i + 1)
		return refuse(run, "migration %04zu was never applied, but %s",
		              i + 1, name);
	if (row[APPLIED_AT].type == DB_NULL)
		return refuse(run,
		              "%s stopped half-way: mend the schema by hand, "
		              "then set its applied_at in schema_migration, or "
		              "delete its row to run it again",
		              name);
	if (i >= run->count)
		return refuse(run, "%s was applied, but has no file", name);
	if (!span_equal(checksum, span_of(run->migrations[i].checksum)))
		return refuse(run, "%s.sql has changed since it was applied",
		              run->migrations[i].name);
	return FAULT_NONE;
}

/* What the database has must be the first of what the folder has. */
static enum fault check_applied(struct run *run)
{
	enum fault fault = db_select(run->db, &statements[STATEMENT_APPLIED],
	                             NULL, run->arena, &run->applied);

	for (size_t i = 0; !fault && i < run->applied.count; i++)
		fault = check_row(run, i);
	return fault;
}

static enum fault run_sql(const struct run *run,
                          const struct migration *migration)
{
	char message[MESSAGE_BYTES] = "";
	enum fault fault = db_run_script(run->db, migration->sql, message);

	if (fault)
		(void)refuse(run, "%s stopped half-way: %s", migration->name,
		             message);
	return fault;
}

static enum fault apply(const struct run *run, size_t i)
{
	const struct migration *migration = &run->migrations[i];
	int64_t number = (int64_t)i + 1;
	enum fault fault;

	fault = db_run(run->db, &statements[STATEMENT_START],
	               (const struct db_value[]){
			   db_integer(number),
			   db_text(span_of(migration->name)),
			   db_text(span_of(migration->checksum)),
			   db_integer(clock_now_ms()),
		       },
	               NULL);
	if (!fault)
		fault = run_sql(run, migration);
	if (!fault)
		fault = db_run(run->db, &statements[STATEMENT_FINISH],
		               (const struct db_value[]){
				   db_integer(clock_now_ms()),
				   db_integer(number),
			       },
		               NULL);
	return fault;
}

static enum fault apply_missing(const struct run *run)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; !fault && i < run->count; i++) {
		bool is_new = i >= run->applied.count;
		if (is_new)
			fault = apply(run, i);
		if (!fault && run->report)
			run->report(run->argument, run->migrations[i].name,
			            is_new);
	}
	return fault;
}

static enum fault migrate(struct run *run)
{
	enum fault fault =
	    db_run(run->db, &statements[STATEMENT_CREATE], NULL, NULL);

	if (!fault)
		fault = read_folder(run);
	if (!fault)
		fault = check_applied(run);
	if (!fault)
		fault = apply_missing(run);
	return fault;
}

enum fault schema_migrate(struct db *db, struct arena *arena,
                          const char *folder, schema_checksum *checksum,
                          schema_report *report, void *argument,
                          char why[WHY_BYTES])
{
	struct run run = {
	    .db = db,
	    .arena = arena,
	    .folder = folder,
	    .checksum = checksum,
	    .report = report,
	    .argument = argument,
	    .why = why,
	};
	enum fault fault = db_lock(db, LOCK_NAME, LOCK_WAIT_S);

	*why = '\0';
	if (fault == FAULT_CONFLICT)
		(void)refuse(&run, "another runner is still migrating");
	if (!fault) {
		fault = migrate(&run);
		db_unlock(db, LOCK_NAME);
	}
	if (fault && !*why)
		(void)refuse(&run, "the database: %s", fault_name(fault));
	return fault;
}

/* Asked first, because a statement on no table is a mistake in the log. */
static enum fault has_record(struct db *db, struct arena *arena, bool *out)
{
	const struct db_value *row;
	enum fault fault =
	    db_select_one(db, &statements[STATEMENT_EXISTS], NULL, arena, &row);

	if (!fault)
		*out = db_to_integer(row) != 0;
	return fault;
}

enum fault schema_version(struct db *db, struct arena *arena, int64_t *out)
{
	const struct db_value *row;
	bool exists = false;
	enum fault fault = has_record(db, arena, &exists);

	if (!fault && !exists)
		*out = 0;
	if (fault || !exists)
		return fault;
	fault = db_select_one(db, &statements[STATEMENT_VERSION], NULL, arena,
	                      &row);
	if (!fault)
		*out = db_to_integer(row);
	return fault;
}
