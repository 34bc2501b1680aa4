/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handle: when to connect, what to repeat, where a transaction begins and
 * ends. How to connect is db_connect.c, how to run one statement db_stmt.c,
 * what an error means db_error.c.
 */
#include "store/db.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "store/db_connect.h"
#include "store/db_error.h"
#include "store/db_stmt.h"

#include <assert.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AGAIN_LIMIT      3
#define LOCK_ARENA_BYTES 4096
#define LOCK_POLL_MS     50
#define MS_PER_S         1000
#define AGAIN_PAUSE_US   8192 /* at most, times the attempts so far */
#define MESSAGE_BYTES    256

struct db {
	struct db_connector connector;
	MYSQL *server; /* NULL while there is no connection */
	struct db_stmt_cache statements;
	bool in_transaction;
	/* Why the open transaction cannot go on, or nothing. */
	enum db_error spoiled;
};

/* How often one piece of work may still be repeated, and until when. */
struct patience {
	unsigned again;
	unsigned unsent;
	int64_t again_until_us;
	int64_t unsent_until_us;
};

struct db_value db_null(void)
{
	return (struct db_value){.type = DB_NULL};
}

struct db_value db_integer(int64_t value)
{
	return (struct db_value){.type = DB_INTEGER, .integer = value};
}

struct db_value db_bytes(const void *bytes, size_t length)
{
	return (struct db_value){.type = DB_BYTES, .bytes = {bytes, length}};
}

struct db_value db_text(struct span text)
{
	return text.at ? db_bytes(text.at, text.length) : db_null();
}

struct db_value db_uuid(const struct uuid *uuid)
{
	return uuid ? db_bytes(uuid->bytes, sizeof(uuid->bytes)) : db_null();
}

const struct db_value *db_row(const struct db_rows *rows, size_t index)
{
	assert(index < rows->count);
	return &rows->values[index * rows->columns];
}

int64_t db_to_integer(const struct db_value *value)
{
	assert(value->type != DB_BYTES);
	return value->integer;
}

struct span db_to_text(const struct db_value *value)
{
	assert(value->type != DB_INTEGER);
	return value->bytes;
}

struct uuid db_to_uuid(const struct db_value *value)
{
	struct uuid uuid = {0};

	assert(value->type == DB_NULL ||
	       (value->type == DB_BYTES &&
	        value->bytes.length == sizeof(uuid.bytes)));
	if (value->type == DB_BYTES)
		memcpy(uuid.bytes, value->bytes.at, sizeof(uuid.bytes));
	return uuid;
}

enum fault db_new(const struct config *config, struct db **out)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return FAULT_EXHAUSTED;
	db->connector.config = config;
	*out = db;
	return FAULT_NONE;
}

static void disconnect(struct db *db)
{
	if (!db->server)
		return;
	db_stmt_forget(&db->statements);
	mysql_close(db->server);
	db->server = NULL;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	disconnect(db);
	free(db);
}

bool db_in_transaction(const struct db *db)
{
	return db->in_transaction;
}

/*
 * A server that restarted or closed an idle connection is noticed before
 * anything is sent, when nothing can be lost yet.
 */
static enum db_error ensure_connection(struct db *db)
{
	if (db->server && !db->in_transaction &&
	    !db_connect_is_alive(db->server))
		disconnect(db);
	if (db->server)
		return DB_ERROR_NONE;
	return db_connect_open(&db->connector, DB_CONNECTION_NORMAL,
	                       &db->server);
}

static bool is_gone(enum db_error error)
{
	return error == DB_ERROR_UNSENT || error == DB_ERROR_LOST;
}

/*
 * Keep the handle true to what an error says. Gives the error back. A server
 * that hung, went, or left its cluster is not the first one to try next.
 */
static enum db_error digest(struct db *db, enum db_error error)
{
	if (is_gone(error)) {
		disconnect(db);
		db->connector.host++;
	}
	if (db->in_transaction && (is_gone(error) || error == DB_ERROR_AGAIN))
		db->spoiled = error;
	return error;
}

static struct patience patience_of(const struct db *db)
{
	int64_t timeout_us = db->connector.config->database.timeout * 1000;
	int64_t now_us = clock_monotonic_us();

	return (struct patience){
	    .again = AGAIN_LIMIT,
	    .unsent = 1,
	    .again_until_us = now_us + timeout_us,
	    .unsent_until_us = now_us + timeout_us / 2,
	};
}

/* Two who met in a deadlock should not meet again in step. */
static void pause_after(const struct patience *patience)
{
	int64_t limit_us = AGAIN_PAUSE_US * (AGAIN_LIMIT - patience->again);

	clock_sleep_ms(1 + clock_monotonic_us() % limit_us / 1000);
}

/*
 * Whether to try once more. What took long before it failed is not: a server
 * that hangs, a lock that another does not let go.
 */
static bool may_repeat(struct patience *patience, enum db_error error)
{
	int64_t now_us = clock_monotonic_us();

	if (error == DB_ERROR_UNSENT && patience->unsent &&
	    now_us < patience->unsent_until_us) {
		patience->unsent--;
		metrics_add(METRIC_DB_RETRIES, 1);
		return true;
	}
	if (error == DB_ERROR_AGAIN && patience->again &&
	    now_us < patience->again_until_us) {
		patience->again--;
		metrics_add(METRIC_DB_RETRIES, 1);
		pause_after(patience);
		return true;
	}
	return false;
}

static enum fault settle(enum db_error error)
{
	enum fault fault = db_error_fault(error);

	if (fault == FAULT_UNAVAILABLE || fault == FAULT_INTERNAL)
		metrics_add(METRIC_DB_FAILURES, 1);
	return fault;
}

/* INSERT … RETURNING gives rows too, but must not be done twice. */
static bool is_read(const struct db_statement *statement)
{
	return strncasecmp(statement->sql, "SELECT", strlen("SELECT")) == 0;
}

/* Until its commit a transaction has done nothing, nor has a read ever. */
static enum db_error attempt(struct db *db, const struct db_call *call)
{
	enum db_error error = db->spoiled;

	if (!error)
		error = ensure_connection(db);
	if (!error)
		error = db_stmt_call(&db->statements, db->server, call);
	if (error == DB_ERROR_LOST &&
	    (db->in_transaction || is_read(call->statement)))
		error = DB_ERROR_UNSENT;
	return digest(db, error);
}

static enum fault perform(struct db *db, const struct db_call *call)
{
	struct patience patience = patience_of(db);
	enum db_error error;

	do
		error = attempt(db, call);
	while (!db->in_transaction && may_repeat(&patience, error));
	/* Of a spoiled transaction only its end is a failure, or none. */
	return db->spoiled ? db_error_fault(error) : settle(error);
}

enum fault db_run(struct db *db, const struct db_statement *statement,
                  const struct db_value *parameters, uint64_t *matched)
{
	const struct db_call call = {
	    .statement = statement,
	    .parameters = parameters,
	    .matched = matched,
	};

	assert(statement->columns == 0);
	return perform(db, &call);
}

enum fault db_select(struct db *db, const struct db_statement *statement,
                     const struct db_value *parameters, struct arena *arena,
                     struct db_rows *out)
{
	const struct db_call call = {
	    .statement = statement,
	    .parameters = parameters,
	    .arena = arena,
	    .rows = out,
	};

	assert(statement->columns != 0);
	return perform(db, &call);
}

enum fault db_select_one(struct db *db, const struct db_statement *statement,
                         const struct db_value *parameters, struct arena *arena,
                         const struct db_value **row)
{
	struct db_rows rows = {0};
	enum fault fault = db_select(db, statement, parameters, arena, &rows);

	if (fault)
		return fault;
	if (rows.count == 0)
		return FAULT_NOT_FOUND;
	assert(rows.count == 1);
	*row = db_row(&rows, 0);
	return FAULT_NONE;
}

static enum db_error send_text(MYSQL *server, const char *sql)
{
	metrics_add(METRIC_DB_STATEMENTS, 1);
	if (!mysql_real_query(server, sql, strlen(sql)))
		return DB_ERROR_NONE;
	return db_error_note(mysql_errno(server), mysql_sqlstate(server), sql);
}

static enum db_error begin(struct db *db)
{
	enum db_error error = ensure_connection(db);

	if (!error)
		error = send_text(db->server, "START TRANSACTION");
	if (error == DB_ERROR_LOST)
		error = DB_ERROR_UNSENT;
	return digest(db, error);
}

/* A connection that cannot even roll back is closed: the server then does. */
static void roll_back(struct db *db)
{
	if (db->server && send_text(db->server, "ROLLBACK"))
		disconnect(db);
}

static enum db_error commit(struct db *db)
{
	enum db_error error = send_text(db->server, "COMMIT");

	if (error && !is_gone(error))
		roll_back(db);
	return error;
}

static enum db_error transact_once(struct db *db, db_work *work, void *argument,
                                   enum fault *fault)
{
	enum db_error error = begin(db);

	if (error)
		return error;
	db->in_transaction = true;
	*fault = work(argument);
	db->in_transaction = false;
	error = db->spoiled;
	db->spoiled = DB_ERROR_NONE;
	if (error || *fault)
		roll_back(db);
	else
		error = digest(db, commit(db));
	return error;
}

enum fault db_transact(struct db *db, db_work *work, void *argument)
{
	struct patience patience = patience_of(db);
	enum fault fault = FAULT_NONE;
	enum db_error error;

	assert(!db->in_transaction);
	do
		error = transact_once(db, work, argument, &fault);
	while (may_repeat(&patience, error));
	return error ? settle(error) : fault;
}

enum fault db_ping(struct db *db)
{
	enum db_error error = ensure_connection(db);

	if (!error && mysql_ping(db->server))
		error = db_error_note(mysql_errno(db->server),
		                      mysql_sqlstate(db->server), "ping");
	return settle(digest(db, error));
}

/* The server knows one set of names for all its databases: add ours. */
static const struct db_statement get_lock = {
    "SELECT GET_LOCK(LEFT(CONCAT(?, '.', DATABASE()), 64), 0)", 1, 1};
static const struct db_statement release_lock = {
    "SELECT RELEASE_LOCK(LEFT(CONCAT(?, '.', DATABASE()), 64))", 1, 1};

/* Run one of the two; FAULT_CONFLICT when it did not say 1. */
static enum fault call_lock(struct db *db, const struct db_statement *statement,
                            const char *name)
{
	struct db_value parameter = db_text(span_of(name));
	const struct db_value *row;
	struct arena arena;
	enum fault fault = arena_init(&arena, LOCK_ARENA_BYTES);

	if (fault)
		return fault;
	fault = db_select_one(db, statement, &parameter, &arena, &row);
	if (!fault && db_to_integer(row) != 1)
		fault = FAULT_CONFLICT;
	arena_release(&arena);
	return fault;
}

/* Waiting inside the server would meet the statement's time limit. */
enum fault db_lock(struct db *db, const char *name, int wait_s)
{
	int64_t until_us =
	    clock_monotonic_us() + (int64_t)wait_s * MS_PER_S * 1000;
	enum fault fault = call_lock(db, &get_lock, name);

	while (fault == FAULT_CONFLICT && clock_monotonic_us() < until_us) {
		clock_sleep_ms(LOCK_POLL_MS);
		fault = call_lock(db, &get_lock, name);
	}
	return fault;
}

/* A lock that cannot be given back went with its connection. */
void db_unlock(struct db *db, const char *name)
{
	(void)call_lock(db, &release_lock, name);
}

/* Read every result of a script. False on an error, and at the end of all. */
static bool has_next_result(MYSQL *server)
{
	mysql_free_result(mysql_store_result(server));
	return mysql_errno(server) == 0 && mysql_next_result(server) == 0;
}

/* Comments behind the last statement are an empty one: no error of ours. */
static enum db_error run_script(MYSQL *server, struct span sql,
                                char message[MESSAGE_BYTES])
{
	metrics_add(METRIC_DB_STATEMENTS, 1);
	if (!mysql_real_query(server, sql.at, sql.length)) {
		while (has_next_result(server))
			;
	}
	if (!mysql_errno(server) || mysql_errno(server) == ER_EMPTY_QUERY)
		return DB_ERROR_NONE;
	(void)snprintf(message, MESSAGE_BYTES, "%u (%s): %s",
	               mysql_errno(server), mysql_sqlstate(server),
	               mysql_error(server));
	return db_error_note(mysql_errno(server), mysql_sqlstate(server),
	                     "migration");
}

enum fault db_run_script(struct db *db, struct span sql,
                         char message[MESSAGE_BYTES])
{
	MYSQL *server;
	enum db_error error =
	    db_connect_open(&db->connector, DB_CONNECTION_SCRIPT, &server);

	if (error) {
		(void)snprintf(message, MESSAGE_BYTES,
		               "no connection to the database");
		return settle(error);
	}
	error = run_script(server, sql, message);
	mysql_close(server);
	return settle(error);
}
