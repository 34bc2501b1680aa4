/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard's version: one number in MariaDB that every change of policies and
 * blocks raises, copied to Redis, where each admission reads it in passing.
 */
#ifndef DOMAIN_GUARD_VERSION_H
#define DOMAIN_GUARD_VERSION_H

#include "base/fault.h"

#include <stdint.h>

struct ctx;

/* Inside a transaction: raise it and give the new number. */
enum fault version_raise(struct ctx *ctx, int64_t *out);

/*
 * After the commit: copy it to Redis. Where that fails this host no longer
 * trusts Redis until it was refilled, and processes find out from MariaDB
 * within a second.
 */
void version_publish(struct ctx *ctx, int64_t version);

/* Copy a number that was read; Redis keeps a higher one. */
enum fault version_copy(struct ctx *ctx, int64_t version);

/* The number in MariaDB. */
enum fault version_read(struct ctx *ctx, int64_t *out);

#endif
