/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the master key is the right one, asked before anything is served. */
#ifndef SERVER_CHECK_H
#define SERVER_CHECK_H

#include "api/service.h"
#include "server/server.h"

/*
 * SERVER_CONFIG, and a line on standard error, when the master key does not
 * open the key ring. A database that is away is only logged: it may come.
 */
enum server_exit check_keys(struct service *service);

/*
 * The same in a child of its own, for a process that must not hold a
 * connection. Children must not be reaped elsewhere meanwhile.
 */
enum server_exit check_keys_aside(struct server *server);

#endif
