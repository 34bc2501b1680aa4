/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master key on its way from where it is kept to the processes that need
 * it. A master must be able to start a worker at any time, and by then it has
 * become a user who may not read the key again: so it keeps the bytes, in a
 * locked page of their own that core files leave out. Children inherit the
 * page, give it to service_open, and unmap it.
 */
#ifndef SERVER_MASTER_KEY_H
#define SERVER_MASTER_KEY_H

#include "base/config.h"
#include "base/fault.h"
#include "base/why.h"

/* Errors as keyring_read_master, with one line in why. */
enum fault master_key_read(const struct config *config, unsigned char **out,
                           char why[WHY_BYTES]);

/* Unmap this process's view of it; the others keep theirs. */
void master_key_forget(unsigned char *key);

#endif
