/* SPDX-License-Identifier: Apache-2.0 */
/* The user that serves. Nothing that listens to strangers runs as root. */
#ifndef BASE_RUN_AS_H
#define BASE_RUN_AS_H

#include "base/config.h"
#include "base/fault.h"
#include "base/why.h"

#include <sys/types.h>

struct run_as {
	char name[64]; /* "" when there is nobody else to become */
	uid_t uid;
	gid_t gid;
};

/*
 * Whom to serve as: server.user when started as root, else whoever we are.
 * FAULT_VALIDATION with a line in why when root is given nobody to become, or
 * root, or a user that does not exist.
 */
enum fault run_as_find(const struct config *config, struct run_as *out,
                       char why[WHY_BYTES]);

/*
 * Become that user for good: groups and ids.
 * Makes server.runtime_dir first, which the user may not be able to.
 */
enum fault run_as_assume(const struct run_as *user, const struct config *config,
                         char why[WHY_BYTES]);

#endif
