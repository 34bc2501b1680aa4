/* SPDX-License-Identifier: Apache-2.0 */
/* What every process of the server is given, and how it may end. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/config.h"
#include "server/peer.h"

/* Exit statuses; the last two are those of sysexits.h. */
enum server_exit {
	SERVER_OK = 0,
	SERVER_USAGE = 2,
	SERVER_TEMPORARY = 75, /* not now; starting again may help */
	SERVER_CONFIG = 78,    /* a person has to mend a setting first */
};

struct server {
	const struct config *config;
	struct peers peers;
	int listener;       /* non-blocking, CLOEXEC */
	unsigned char *key; /* a master_key_read page */
};

#endif
