/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a connection to MariaDB the way the settings ask, with the session
 * that every statement may rely on. For the db*.c files alone.
 */
#ifndef STORE_DB_CONNECT_H
#define STORE_DB_CONNECT_H

#include "base/config.h"
#include "store/db_error.h"

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_connector {
	const struct config *config;
	size_t host;         /* of the list: the first to try */
	int64_t retry_at_us; /* no attempt before this moment */
	bool lacks_wsrep;    /* the server has no wsrep_sync_wait */
};

enum db_connection {
	DB_CONNECTION_NORMAL,
	DB_CONNECTION_SCRIPT, /* many statements at once, and no hurry */
};

/*
 * Open a connection; close it with mysql_close. Every failure is logged and
 * gives DB_ERROR_UNAVAILABLE; for the following 200 ms so does every call, at
 * once. The hosts of a list are tried from connector->host on, which then is
 * the one that answered, as long as half the timeout allows.
 */
enum db_error db_connect_open(struct db_connector *connector,
                              enum db_connection kind, MYSQL **out);

/* Whether the server has not hung up, as far as this host knows. */
bool db_connect_is_alive(MYSQL *server);

#endif
