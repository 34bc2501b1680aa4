/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may speak to the socket. Whoever can speak FastCGI can claim any client
 * certificate and any address, so only the front server's user may.
 */
#ifndef SERVER_PEER_H
#define SERVER_PEER_H

#include "base/config.h"
#include "base/fault.h"
#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct peers {
	size_t count;
	uid_t uids[CONFIG_WORDS_LIMIT + 2];
};

/*
 * The users named, the one who serves, and root.
 * FAULT_VALIDATION with a line in why for a name that is no user.
 */
enum fault peer_list(const struct config_words *names, uid_t self,
                     struct peers *out, char why[WHY_BYTES]);

/*
 * Whether this connection may be served: on a unix socket by the other side's
 * user, over TCP only from this host.
 */
bool peer_is_welcome(const struct peers *peers, int connection);

#endif
