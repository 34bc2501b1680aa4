/* SPDX-License-Identifier: Apache-2.0 */
/* The table of MariaDB's error numbers; see db_error.h. */
#include "store/db_error.h"

#include "base/log.h"

#include <assert.h>
#include <errmsg.h>
#include <mysqld_error.h>
#include <stddef.h>
#include <stdio.h>

#define DETAIL_BYTES 96 /* number, SQLSTATE and 60 bytes of the statement */

/*
 * Numbers that are not here are our own mistakes. Beyond the obvious: a server
 * that is not in the Primary component of its cluster (1047) refuses before it
 * looks at a statement; a commit that a cluster could not certify is 1213 or
 * 1180; whatever leaves the protocol in an unknown state has lost the
 * connection for us.
 */
static const struct {
	unsigned code;
	enum db_error error;
} meanings[] = {
    {CR_CONNECTION_ERROR, DB_ERROR_UNSENT},
    {CR_CONN_HOST_ERROR, DB_ERROR_UNSENT},
    {CR_SERVER_GONE_ERROR, DB_ERROR_UNSENT},
    {ER_UNKNOWN_COM_ERROR, DB_ERROR_UNSENT},

    {CR_SERVER_LOST, DB_ERROR_LOST},
    {CR_SERVER_LOST_EXTENDED, DB_ERROR_LOST},
    {CR_UNKNOWN_ERROR, DB_ERROR_LOST},
    {CR_OUT_OF_MEMORY, DB_ERROR_LOST},
    {CR_COMMANDS_OUT_OF_SYNC, DB_ERROR_LOST},
    {CR_MALFORMED_PACKET, DB_ERROR_LOST},
    {CR_SSL_CONNECTION_ERROR, DB_ERROR_LOST},
    {CR_ERR_NET_READ, DB_ERROR_LOST},
    {CR_ERR_NET_WRITE, DB_ERROR_LOST},
    {ER_SERVER_SHUTDOWN, DB_ERROR_LOST},
    {ER_NORMAL_SHUTDOWN, DB_ERROR_LOST},
    {ER_CONNECTION_KILLED, DB_ERROR_LOST},
    {ER_NEW_ABORTING_CONNECTION, DB_ERROR_LOST},
    {ER_NET_READ_ERROR, DB_ERROR_LOST},
    {ER_NET_READ_INTERRUPTED, DB_ERROR_LOST},
    {ER_NET_ERROR_ON_WRITE, DB_ERROR_LOST},
    {ER_NET_WRITE_INTERRUPTED, DB_ERROR_LOST},

    {ER_LOCK_DEADLOCK, DB_ERROR_AGAIN},
    {ER_LOCK_WAIT_TIMEOUT, DB_ERROR_AGAIN},
    {ER_NEED_REPREPARE, DB_ERROR_AGAIN},

    {ER_DUP_ENTRY, DB_ERROR_CONFLICT},
    {ER_DUP_KEY, DB_ERROR_CONFLICT},

    {ER_CON_COUNT_ERROR, DB_ERROR_UNAVAILABLE},
    {ER_TOO_MANY_USER_CONNECTIONS, DB_ERROR_UNAVAILABLE},
    {ER_USER_LIMIT_REACHED, DB_ERROR_UNAVAILABLE},
    {ER_MAX_PREPARED_STMT_COUNT_REACHED, DB_ERROR_UNAVAILABLE},
    {ER_OUTOFMEMORY, DB_ERROR_UNAVAILABLE},
    {ER_OUT_OF_RESOURCES, DB_ERROR_UNAVAILABLE},
    {ER_DISK_FULL, DB_ERROR_UNAVAILABLE},
    {ER_RECORD_FILE_FULL, DB_ERROR_UNAVAILABLE},
    {ER_ERROR_ON_WRITE, DB_ERROR_UNAVAILABLE},
    {ER_ERROR_DURING_COMMIT, DB_ERROR_UNAVAILABLE},
    {ER_OPTION_PREVENTS_STATEMENT, DB_ERROR_UNAVAILABLE},
    {ER_READ_ONLY_MODE, DB_ERROR_UNAVAILABLE},
    {ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, DB_ERROR_UNAVAILABLE},
    {ER_QUERY_INTERRUPTED, DB_ERROR_UNAVAILABLE},
    {ER_STATEMENT_TIMEOUT, DB_ERROR_UNAVAILABLE},
};

/* How loudly each kind is said, and what the caller is told. */
static const struct {
	const char *event;
	enum config_log_level level;
	enum fault fault;
} kinds[] = {
    [DB_ERROR_NONE] = {"db_fine", LOG_DEBUG, FAULT_NONE},
    [DB_ERROR_UNSENT] = {"db_unsent", LOG_WARNING, FAULT_UNAVAILABLE},
    [DB_ERROR_LOST] = {"db_lost", LOG_WARNING, FAULT_UNAVAILABLE},
    [DB_ERROR_AGAIN] = {"db_again", LOG_INFO, FAULT_UNAVAILABLE},
    [DB_ERROR_CONFLICT] = {"db_conflict", LOG_DEBUG, FAULT_CONFLICT},
    [DB_ERROR_UNAVAILABLE] = {"db_unavailable", LOG_WARNING, FAULT_UNAVAILABLE},
    [DB_ERROR_EXHAUSTED] = {"db_exhausted", LOG_WARNING, FAULT_EXHAUSTED},
    [DB_ERROR_INTERNAL] = {"db_failed", LOG_ERROR, FAULT_INTERNAL},
};

static_assert(sizeof(kinds) / sizeof(kinds[0]) == DB_ERROR_COUNT,
              "a row for every kind");

static enum db_error error_of(unsigned code)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].code == code)
			return meanings[i].error;
	}
	return DB_ERROR_INTERNAL;
}

enum fault db_error_fault(enum db_error error)
{
	return kinds[error].fault;
}

enum db_error db_error_note(unsigned code, const char *sqlstate,
                            const char *sql)
{
	enum db_error error = error_of(code);
	char detail[DETAIL_BYTES];

	if (error == DB_ERROR_CONFLICT)
		return error;
	(void)snprintf(detail, sizeof(detail), "%u %.5s: %.60s", code, sqlstate,
	               sql);
	log_note(kinds[error].level, kinds[error].event, detail);
	return error;
}
