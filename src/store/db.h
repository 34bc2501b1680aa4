/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One MariaDB connection: prepared statements with typed values, and
 * transactions that repeat themselves when the server asks for it. SQL text
 * lives in const tables beside the domain code that runs it (*_store.c).
 * MariaDB Connector/C lives here only.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/arena.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

#define DB_VALUES_LIMIT 64 /* parameters, and columns, of one statement */

struct db;

/* One statement: a row of a static const table; its address is its identity. */
struct db_statement {
	const char *sql;
	unsigned parameters;
	unsigned columns; /* 0 for a statement that gives no rows */
};

enum db_type { DB_NULL, DB_INTEGER, DB_BYTES };

struct db_value {
	enum db_type type;
	int64_t integer;
	struct span bytes;
};

struct db_value db_null(void);
struct db_value db_integer(int64_t value);
struct db_value db_bytes(const void *bytes, size_t length);
struct db_value db_text(struct span text);        /* absent becomes NULL */
struct db_value db_uuid(const struct uuid *uuid); /* NULL pointer: NULL */

/* Rows in arena memory, row by row. */
struct db_rows {
	size_t count;
	unsigned columns;
	const struct db_value *values;
};

/* A row's first value; column i is [i]. */
const struct db_value *db_row(const struct db_rows *rows, size_t index);

/* Reading a value that the schema says is there; NULL gives 0 or absent. */
int64_t db_to_integer(const struct db_value *value);
struct span db_to_text(const struct db_value *value);
struct uuid db_to_uuid(const struct db_value *value); /* nil for NULL */

/*
 * An unconnected handle; db_run and db_select connect when they must. config
 * must outlive it; database.host may be a list, "a,b:3307,c". The session it
 * makes: strict SQL mode, utf8mb4 with binary comparison, UTC, READ COMMITTED,
 * FOUND_ROWS, no LOCAL INFILE, wsrep_sync_wait=1 where known, timeouts of
 * config->database.timeout, CLOEXEC. At most 256 statements.
 */
enum fault db_new(const struct config *config, struct db **out);
void db_free(struct db *db);

/*
 * Run a statement that gives no rows. matched gets the number of rows that
 * matched (may be NULL). FAULT_CONFLICT for a duplicate key, FAULT_UNAVAILABLE
 * when the server cannot be reached or is read-only, FAULT_INTERNAL for
 * anything else. Outside a transaction a deadlock repeats the statement, and a
 * lost connection is opened again: a statement that never reached the server,
 * or that begins with SELECT, is then sent once more, unless half the timeout
 * is gone already.
 */
enum fault db_run(struct db *db, const struct db_statement *statement,
                  const struct db_value *parameters, uint64_t *matched);

/*
 * Run a statement that gives rows, all of them, into the arena; bytes are ended
 * by a NUL that their length does not count. FAULT_EXHAUSTED when it is full.
 */
enum fault db_select(struct db *db, const struct db_statement *statement,
                     const struct db_value *parameters, struct arena *arena,
                     struct db_rows *out);

/* As db_select for at most one row: FAULT_NOT_FOUND when there is none. */
enum fault db_select_one(struct db *db, const struct db_statement *statement,
                         const struct db_value *parameters, struct arena *arena,
                         const struct db_value **row);

/*
 * Run work inside a transaction and commit. When work or the commit meets a
 * deadlock, a lock timeout or a failed certification (1213, 1205), all of it
 * is rolled back and repeated, three times at most and not beyond the timeout,
 * then FAULT_UNAVAILABLE. A connection lost before the commit repeats all of it
 * once, on a new one. From such a failure on every statement of work fails
 * unsent, so that it cannot go on by half, whatever it makes of the fault.
 * A fault of work rolls back and is given on. work must therefore set what it
 * gives anew at each call, and must not act outside the database. Not nested.
 * A commit whose answer was lost gives FAULT_UNAVAILABLE: it may have happened.
 */
typedef enum fault db_work(void *argument);
enum fault db_transact(struct db *db, db_work *work, void *argument);

/* Whether a transaction is open: asserts that a write has one. */
bool db_in_transaction(const struct db *db);

/* FAULT_NONE when the server answers within the timeout. */
enum fault db_ping(struct db *db);

/*
 * Take or give back a named lock of this database (GET_LOCK); it is lost with
 * the connection. FAULT_CONFLICT when another holds it after wait_s seconds.
 */
enum fault db_lock(struct db *db, const char *name, int wait_s);
void db_unlock(struct db *db, const char *name);

/*
 * Run the text of a migration on a connection of its own: many statements, no
 * values, no hurry. message gets the server's words on a fault. For
 * store/schema.c alone.
 */
enum fault db_run_script(struct db *db, struct span sql, char message[256]);

#endif
