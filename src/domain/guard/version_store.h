/* SPDX-License-Identifier: Apache-2.0 */
/* The guard's version in MariaDB. */
#ifndef DOMAIN_GUARD_VERSION_STORE_H
#define DOMAIN_GUARD_VERSION_STORE_H

#include "domain/ctx.h"

enum fault version_store_raise(struct ctx *ctx);
enum fault version_store_read(struct ctx *ctx, int64_t *out);

#endif
