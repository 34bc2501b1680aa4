/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared statements of one MariaDB connection: prepared on first use, kept
 * by the address of their table row, run with typed values. Knows nothing of
 * transactions and repetition. For the db*.c files alone.
 */
#ifndef STORE_DB_STMT_H
#define STORE_DB_STMT_H

#include "store/db.h"
#include "store/db_error.h"

#include <mysql.h>
#include <stddef.h>

#define DB_STMT_LIMIT 256
#define DB_STMT_SLOTS (2 * DB_STMT_LIMIT) /* a power of two */

/* Open addressing by pointer. Zero is the valid empty state. */
struct db_stmt_cache {
	size_t count;
	struct db_stmt_slot {
		const struct db_statement *statement;
		MYSQL_STMT *handle;
	} slot[DB_STMT_SLOTS];
};

/* One use of a statement. rows and arena are for those with columns. */
struct db_call {
	const struct db_statement *statement;
	const struct db_value *parameters;
	struct arena *arena;
	struct db_rows *rows;
	uint64_t *matched; /* may be NULL */
};

/* Run it. On an error nothing has been written to rows and matched. */
enum db_error db_stmt_call(struct db_stmt_cache *cache, MYSQL *server,
                           const struct db_call *call);

/* Close all statements: before their connection is closed. */
void db_stmt_forget(struct db_stmt_cache *cache);

#endif
