/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known devices: a cookie that a browser gets when it signs in, which says so
 * of one account for guard.device_life. It opens nothing; it passes the lock
 * that strangers can put on an account. No store is asked.
 */
#ifndef DOMAIN_GUARD_DEVICE_H
#define DOMAIN_GUARD_DEVICE_H

#include "domain/ctx.h"

#include <stdbool.h>

/* The cookie's value for an account, in the arena (HMAC under KEY_DEVICE). */
enum fault device_make(struct ctx *ctx, const struct uuid *user_id,
                       struct span *out);

/* Whether a value is good and of this account (nil never is). */
bool device_check(struct ctx *ctx, const struct uuid *user_id,
                  struct span value);

#endif
