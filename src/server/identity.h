/* SPDX-License-Identifier: Apache-2.0 */
/* The user that serves. Nothing that listens to strangers runs as root. */
#ifndef SERVER_IDENTITY_H
#define SERVER_IDENTITY_H

#include "base/config.h"
#include "base/fault.h"
#include "server/why.h"

#include <sys/types.h>

struct identity {
	char name[64]; /* "" when there is nobody else to become */
	uid_t uid;
	gid_t gid;
};

/*
 * Whom to serve as: server.user when started as root, else whoever we are.
 * FAULT_VALIDATION with a line in why when root is given nobody to become, or
 * root, or a user that does not exist.
 */
enum fault identity_find(const struct config *config, struct identity *out,
                         char why[WHY_BYTES]);

/*
 * Become that user for good: groups, ids, an empty capability bounding set.
 * Makes server.runtime_dir first, which the user may not be able to.
 */
enum fault identity_assume(const struct identity *identity,
                           const struct config *config, char why[WHY_BYTES]);

#endif
