/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepare, bind, execute, fetch; see db_stmt.h. Rows are read as they arrive
 * and copied once, from the connection's buffer into the arena: integers are
 * bound to a word each, everything else is bound to nothing, which yields its
 * length, and fetched when its place is there.
 */
#include "store/db_stmt.h"

#include "base/log.h"
#include "base/metrics.h"

#include <assert.h>
#include <string.h>

#define FIRST_ROWS 4

/* The row being read. */
struct cursor {
	MYSQL_STMT *handle;
	unsigned columns;
	MYSQL_BIND bind[DB_VALUES_LIMIT];
	int64_t integer[DB_VALUES_LIMIT];
	unsigned long length[DB_VALUES_LIMIT];
	my_bool is_null[DB_VALUES_LIMIT];
	my_bool is_cut[DB_VALUES_LIMIT];
};

/* Rows whose number is not known yet. */
struct row_list {
	struct db_value *values;
	size_t count;
	size_t limit;
};

static enum db_error note(MYSQL_STMT *handle,
                          const struct db_statement *statement)
{
	return db_error_note(mysql_stmt_errno(handle),
	                     mysql_stmt_sqlstate(handle), statement->sql);
}

static struct db_stmt_slot *find_slot(struct db_stmt_cache *cache,
                                      const struct db_statement *statement)
{
	/* Table rows are 16 bytes apart: the lowest bits say nothing. */
	size_t i = (size_t)((uintptr_t)statement >> 4);

	while (cache->slot[i % DB_STMT_SLOTS].statement &&
	       cache->slot[i % DB_STMT_SLOTS].statement != statement)
		i++;
	return &cache->slot[i % DB_STMT_SLOTS];
}

void db_stmt_forget(struct db_stmt_cache *cache)
{
	for (size_t i = 0; i < DB_STMT_SLOTS; i++) {
		if (cache->slot[i].handle)
			(void)mysql_stmt_close(cache->slot[i].handle);
	}
	*cache = (struct db_stmt_cache){0};
}

/* The row of the table must say what the server says. */
static enum db_error check_shape(MYSQL_STMT *handle,
                                 const struct db_statement *statement)
{
	if (mysql_stmt_param_count(handle) == statement->parameters &&
	    mysql_stmt_field_count(handle) == statement->columns &&
	    statement->parameters <= DB_VALUES_LIMIT &&
	    statement->columns <= DB_VALUES_LIMIT)
		return DB_ERROR_NONE;
	log_note(LOG_ERROR, "db_statement_shape", statement->sql);
	return DB_ERROR_INTERNAL;
}

/* A statement that was only prepared has not happened. */
static enum db_error
prepare(MYSQL *server, const struct db_statement *statement, MYSQL_STMT **out)
{
	MYSQL_STMT *handle = mysql_stmt_init(server);
	enum db_error error;

	if (!handle)
		return DB_ERROR_UNAVAILABLE;
	if (mysql_stmt_prepare(handle, statement->sql, strlen(statement->sql)))
		error = note(handle, statement);
	else
		error = check_shape(handle, statement);
	if (!error) {
		*out = handle;
		return DB_ERROR_NONE;
	}
	(void)mysql_stmt_close(handle);
	return error == DB_ERROR_LOST ? DB_ERROR_UNSENT : error;
}

static enum db_error find_handle(struct db_stmt_cache *cache, MYSQL *server,
                                 const struct db_statement *statement,
                                 MYSQL_STMT **out)
{
	struct db_stmt_slot *slot = find_slot(cache, statement);
	enum db_error error;

	if (slot->statement) {
		*out = slot->handle;
		return DB_ERROR_NONE;
	}
	error = prepare(server, statement, out);
	if (error)
		return error;
	/* More statements than a program of ours has: begin anew. */
	if (cache->count == DB_STMT_LIMIT) {
		db_stmt_forget(cache);
		slot = find_slot(cache, statement);
	}
	cache->count++;
	*slot = (struct db_stmt_slot){statement, *out};
	return DB_ERROR_NONE;
}

/*
 * Bytes go as text of the connection's character set: a binary column takes
 * them as they are, a text column checks them. As a blob, a column of another
 * character set would silently take question marks instead.
 */
static MYSQL_BIND bind_of(const struct db_value *value)
{
	MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_NULL};

	if (value->type == DB_INTEGER) {
		bind.buffer_type = MYSQL_TYPE_LONGLONG;
		/* The library only reads: the const is safe. */
		bind.buffer = (void *)(uintptr_t)&value->integer;
	}
	if (value->type == DB_BYTES) {
		bind.buffer_type = MYSQL_TYPE_STRING;
		bind.buffer = (void *)(uintptr_t)value->bytes.at;
		bind.buffer_length = value->bytes.length;
	}
	return bind;
}

static enum db_error execute(MYSQL_STMT *handle, const struct db_call *call)
{
	MYSQL_BIND bind[DB_VALUES_LIMIT];
	unsigned count = call->statement->parameters;

	for (unsigned i = 0; i < count; i++)
		bind[i] = bind_of(&call->parameters[i]);
	metrics_add(METRIC_DB_STATEMENTS, 1);
	if ((count && mysql_stmt_bind_param(handle, bind)) ||
	    mysql_stmt_execute(handle))
		return note(handle, call->statement);
	return DB_ERROR_NONE;
}

static bool is_integer(enum enum_field_types type)
{
	return type == MYSQL_TYPE_LONGLONG || type == MYSQL_TYPE_LONG ||
	       type == MYSQL_TYPE_INT24 || type == MYSQL_TYPE_SHORT ||
	       type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_YEAR;
}

/* After every execute, because a migration may have changed the types. */
static int cursor_open(struct cursor *cursor, MYSQL_STMT *handle,
                       unsigned columns)
{
	const MYSQL_FIELD *fields = mariadb_stmt_fetch_fields(handle);

	cursor->handle = handle;
	cursor->columns = columns;
	for (unsigned i = 0; i < cursor->columns; i++) {
		cursor->is_cut[i] = 0;
		cursor->bind[i] = (MYSQL_BIND){
		    .buffer_type = MYSQL_TYPE_STRING,
		    .length = &cursor->length[i],
		    .is_null = &cursor->is_null[i],
		    .error = &cursor->is_cut[i],
		};
		if (is_integer(fields[i].type)) {
			cursor->bind[i].buffer_type = MYSQL_TYPE_LONGLONG;
			cursor->bind[i].buffer = &cursor->integer[i];
		}
	}
	return mysql_stmt_bind_result(handle, cursor->bind);
}

/* At least one byte is taken, and the last is a NUL that length leaves out. */
static enum db_error read_bytes(struct cursor *cursor, unsigned column,
                                struct arena *arena, struct span *out)
{
	unsigned long length = cursor->length[column];
	char *at = arena_alloc(arena, length + 1);
	MYSQL_BIND bind = {
	    .buffer_type = MYSQL_TYPE_BLOB,
	    .buffer = at,
	    .buffer_length = length,
	};

	if (!at)
		return DB_ERROR_EXHAUSTED;
	/* It fails only when there is no row, and there is one. */
	if (length)
		(void)mysql_stmt_fetch_column(cursor->handle, &bind, column, 0);
	*out = (struct span){at, length};
	return DB_ERROR_NONE;
}

static enum db_error read_value(struct cursor *cursor, unsigned column,
                                struct arena *arena, struct db_value *out)
{
	*out = db_null();
	if (cursor->is_null[column])
		return DB_ERROR_NONE;
	if (cursor->bind[column].buffer_type != MYSQL_TYPE_LONGLONG) {
		out->type = DB_BYTES;
		return read_bytes(cursor, column, arena, &out->bytes);
	}
	*out = db_integer(cursor->integer[column]);
	if (!cursor->is_cut[column])
		return DB_ERROR_NONE;
	log_note(LOG_ERROR, "db_integer_over_limit", NULL);
	return DB_ERROR_INTERNAL;
}

/* Room for one more row; an outgrown list stays behind in the arena. */
static struct db_value *add_row(struct row_list *list, struct arena *arena,
                                unsigned columns)
{
	size_t limit = list->limit ? 2 * list->limit : FIRST_ROWS;
	size_t row_bytes = columns * sizeof(struct db_value);
	struct db_value *values;

	if (list->count == list->limit) {
		values = arena_array(arena, limit, row_bytes);
		if (!values)
			return NULL;
		if (list->count)
			memcpy(values, list->values, list->count * row_bytes);
		list->values = values;
		list->limit = limit;
	}
	return &list->values[list->count++ * columns];
}

static enum db_error read_row(struct cursor *cursor, struct arena *arena,
                              struct row_list *list)
{
	struct db_value *row = add_row(list, arena, cursor->columns);
	enum db_error error = DB_ERROR_NONE;

	if (!row)
		return DB_ERROR_EXHAUSTED;
	for (unsigned i = 0; i < cursor->columns && !error; i++)
		error = read_value(cursor, i, arena, &row[i]);
	return error;
}

static enum db_error read_rows(MYSQL_STMT *handle, const struct db_call *call)
{
	struct cursor cursor;
	struct row_list list = {0};
	enum db_error error = DB_ERROR_NONE;
	int status = cursor_open(&cursor, handle, call->statement->columns);

	if (!status)
		status = mysql_stmt_fetch(handle);
	while (!error && (status == 0 || status == MYSQL_DATA_TRUNCATED)) {
		error = read_row(&cursor, call->arena, &list);
		if (!error)
			status = mysql_stmt_fetch(handle);
	}
	if (!error && status != MYSQL_NO_DATA)
		error = note(handle, call->statement);
	if (error)
		return error;
	*call->rows = (struct db_rows){
	    .count = list.count,
	    .columns = cursor.columns,
	    .values = list.values,
	};
	return DB_ERROR_NONE;
}

enum db_error db_stmt_call(struct db_stmt_cache *cache, MYSQL *server,
                           const struct db_call *call)
{
	MYSQL_STMT *handle;
	enum db_error error =
	    find_handle(cache, server, call->statement, &handle);

	if (!error)
		error = execute(handle, call);
	if (error)
		return error;
	if (call->statement->columns) {
		error = read_rows(handle, call);
		/* Whatever was not read must not stay in the connection. */
		(void)mysql_stmt_free_result(handle);
		return error;
	}
	if (call->matched)
		*call->matched = mysql_stmt_affected_rows(handle);
	return DB_ERROR_NONE;
}
