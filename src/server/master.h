/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that makes processes: workers and the one for maintenance. It
 * keeps their number, replaces what dies, no faster than makes sense, and
 * never touches a request or a database itself.
 */
#ifndef SERVER_MASTER_H
#define SERVER_MASTER_H

#include "server/options.h"
#include "server/server.h"

/*
 * Run until TERM, INT or USR1: children then finish what they have in hand, for
 * server.request_deadline and a few seconds at most. HUP reads the settings
 * again (bad ones are logged and not used), opens the log again, and replaces
 * the children one by one, each new one first: the socket stays open and
 * nobody is refused. Signals must be blocked. Gives the exit status.
 */
enum server_exit master_run(struct server *server,
                            const struct options *options);

/*
 * For a worker without a master: fork a child that keeps only a maintenance
 * process alive, and ends when this process does.
 */
void master_run_maintenance(struct server *server);

#endif
