/* SPDX-License-Identifier: Apache-2.0 */
/* The process's environment, in one file so that no other calls getenv. */
#ifndef BASE_ENVIRONMENT_H
#define BASE_ENVIRONMENT_H

/*
 * The value of a variable, or NULL. It lives until environment_wipe of the
 * same name.
 */
const char *environment_get(const char *name);

/*
 * Take a variable out for good: its bytes are overwritten where they stand,
 * which is what /proc/PID/environ shows, and no child inherits it.
 */
void environment_wipe(const char *name);

#endif
