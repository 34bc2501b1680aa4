/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords that are replaced: forgotten and reset by mail, or changed by who
 * knows the old one. Both end every other session.
 */
#ifndef DOMAIN_ACCOUNT_RECOVERY_H
#define DOMAIN_ACCOUNT_RECOVERY_H

#include "domain/ctx.h"

/*
 * Mail a reset link, if there is an account. Known and unknown addresses write
 * a mail row and an event alike. FAULT_VALIDATION for what is no address.
 */
enum fault recovery_forgot(struct ctx *ctx, struct span email);

/*
 * Use up a reset token for a new password. Ends all sessions, voids all mailed
 * tokens, confirms the address, signs nobody in. FAULT_TOKEN_INVALID;
 * FAULT_VALIDATION leaves the token unused.
 */
enum fault recovery_reset(struct ctx *ctx, struct span token,
                          struct span new_password);

/*
 * Change the signed-in user's password; the present session goes on, all
 * others end. FAULT_INVALID_CREDENTIALS, FAULT_VALIDATION, FAULT_BUSY.
 */
enum fault recovery_change(struct ctx *ctx, struct span current_password,
                           struct span new_password);

#endif
