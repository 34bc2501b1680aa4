/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop that answers requests, one at a time, from a listening socket that
 * it shares with others. libfcgi lives here only.
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include "server/server.h"

#include <stdatomic.h>
#include <stdint.h>

/* What a master knows of one worker, in memory that both see. */
struct worker_slot {
	_Atomic uint32_t is_ready;     /* it waits for requests */
	_Atomic uint64_t request_hash; /* of what it has in hand; 0: nothing */
};

/*
 * Serve until told to end (TERM, INT, USR1; the request in hand is finished),
 * or, with a master, until worn out (server.recycle_after, recycle_rss). slot
 * is NULL for a worker without a master: that one never wears out, because
 * whoever started it may not start another, checks the keys itself, and opens
 * its log again on HUP. Signals must be blocked. Gives the exit status.
 */
enum server_exit worker_run(struct server *server, struct worker_slot *slot);

#endif
