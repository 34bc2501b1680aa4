/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The moment at which a connection has had its time. Timeouts of single reads
 * cannot say that: a peer that sends a byte now and then would hold a worker
 * for ever. When the time has come the connection is shut down under whoever
 * reads from it or writes to it, who then sees it end. One at a time.
 */
#ifndef SERVER_DEADLINE_H
#define SERVER_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Install the handler. Once per process, behind FCGX_Init. */
void deadline_init(void);

/* Shut the connection down (SHUT_RD, SHUT_RDWR) in so many ms, at least 1. */
void deadline_arm(int connection, int how, int64_t ms);

/* Not any more. Gives whether it had happened. */
bool deadline_disarm(void);

#endif
