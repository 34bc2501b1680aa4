/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a failed call to MariaDB means for whoever made it: one table from the
 * server's and the library's numbers to the few things that can be done about
 * them. For the db*.c files alone.
 */
#ifndef STORE_DB_ERROR_H
#define STORE_DB_ERROR_H

#include "base/fault.h"

enum db_error {
	DB_ERROR_NONE = 0,
	DB_ERROR_UNSENT,      /* the connection is gone, nothing happened */
	DB_ERROR_LOST,        /* the connection is gone, it may have happened */
	DB_ERROR_AGAIN,       /* undone for the sake of others: repeat it */
	DB_ERROR_CONFLICT,    /* a duplicate key */
	DB_ERROR_UNAVAILABLE, /* the server cannot now */
	DB_ERROR_EXHAUSTED,   /* the arena is full */
	DB_ERROR_INTERNAL,    /* our own mistake */
	DB_ERROR_COUNT
};

/* What the caller of the store is told. */
enum fault db_error_fault(enum db_error error);

/*
 * Classify an error number and log it, unless it is a duplicate key, which is
 * a normal answer. The line holds number, SQLSTATE and the statement's first
 * bytes; never the server's words, which repeat values.
 */
enum db_error db_error_note(unsigned code, const char *sqlstate,
                            const char *sql);

#endif
