/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private servers for a unit test: a MariaDB with an empty database and a
 * Redis, in a temporary folder, on unix sockets (MariaDB also on a port of
 * 127.0.0.1). They end with the test program, however it ends.
 */
#ifndef TESTS_UNIT_STACK_H
#define TESTS_UNIT_STACK_H

#include "base/config.h"

#include <stdbool.h>

enum stack_server { STACK_MARIADB, STACK_REDIS, STACK_SERVER_COUNT };

/* What an automake test exits with when it cannot run here. */
#define STACK_SKIP 77

/* Whether this host has the server at all. */
bool stack_has(enum stack_server server);

/*
 * Start a server, or start it again on its old data, and wait until it
 * listens. extra are further arguments, up to a NULL; NULL for none. Ends the
 * program when it cannot.
 */
void stack_start(enum stack_server server, const char *const *extra);

/* Kill it and wait until it is gone. */
void stack_stop(enum stack_server server);

/* Send it a signal: SIGSTOP and SIGCONT are of use. */
void stack_signal(enum stack_server server, int signal);

/*
 * Stop everything and remove the folder, unless CLAVIGER_KEEP is in the
 * environment: then its logs stay for a look.
 */
void stack_end(void);

/* The defaults, pointed at these servers. Log lines go to stack_log_path. */
void stack_configure(struct config *config);

const char *stack_folder(void);
const char *stack_log_path(void);

/* The port of 127.0.0.1 that MariaDB listens on. */
int stack_mariadb_port(void);

#endif
