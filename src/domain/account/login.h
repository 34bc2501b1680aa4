/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in with a password. */
#ifndef DOMAIN_ACCOUNT_LOGIN_H
#define DOMAIN_ACCOUNT_LOGIN_H

#include "domain/ctx.h"
#include "domain/session/session.h"

struct login {
	struct span email;
	struct span password;
	struct uuid tenant_id; /* nil: the user's home */
	struct span device_name;
	enum session_kind kind;
};

/*
 * Open a session. FAULT_INVALID_CREDENTIALS for an unknown address, a wrong
 * password, a disabled account and a foreign tenant alike, after the same
 * work; the audit event keeps the difference. FAULT_BUSY.
 */
enum fault login_with_password(struct ctx *ctx, const struct login *login,
                               struct session_tokens *out);

#endif
