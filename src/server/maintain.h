/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that does what no request should wait for: round after round of
 * service_maintain. Every host has one; one of them all does the work, the
 * others look in now and then.
 */
#ifndef SERVER_MAINTAIN_H
#define SERVER_MAINTAIN_H

#include "server/server.h"
#include "server/worker.h"

/*
 * Until TERM, INT or USR1, which let the round in hand be finished. The slot is
 * marked ready. Signals must be blocked. Gives the exit status.
 */
enum server_exit maintain_run(struct server *server, struct worker_slot *slot);

#endif
