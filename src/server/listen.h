/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket: handed over by whoever started us, or our own. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include "base/config.h"
#include "base/fault.h"
#include "base/run_as.h"
#include "base/why.h"

#include <sys/types.h>

struct listener {
	int descriptor;   /* non-blocking, CLOEXEC, above 2 */
	const char *path; /* of our own socket; NULL for an inherited one */
	dev_t device;     /* which file it is, so that only that is removed */
	ino_t inode;
};

/*
 * Take over descriptor 0 when it listens, or the one socket of systemd.
 * FAULT_NOT_FOUND when there is none. Descriptor 0 then reads from /dev/null.
 */
enum fault listen_inherited(struct listener *out);

/*
 * Make server.listen: mode 0660, owned by the user and
 * server.socket_group, backlog 1024, never reachable with more than that. Its
 * folder must not be open to everyone unless it is sticky. What a dead server
 * left behind is replaced; FAULT_CONFLICT with a line in why when a live one
 * answers there, FAULT_VALIDATION for what a person must mend.
 */
enum fault listen_own(const struct config *config, const struct run_as *user,
                      struct listener *out, char why[WHY_BYTES]);

/* What listen_own would refuse at once, for --check-config. */
enum fault listen_check(const struct config *config, char why[WHY_BYTES]);

/* Remove our own socket's name, if it is still this socket's. */
void listen_remove(const struct listener *listener);

#endif
