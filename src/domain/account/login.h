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
	struct span captcha; /* an answer to one, if it was asked for */
	struct span device;  /* the known-device cookie, if there is one */
};

/*
 * Open a session. FAULT_CAPTCHA_REQUIRED, FAULT_RATE_LIMITED and
 * FAULT_ACCOUNT_LOCKED before any hashing, and whether there is such an account
 * or not (guard/failure.h). FAULT_INVALID_CREDENTIALS for an unknown address, a
 * wrong password, a disabled account and a foreign tenant alike, after the same
 * work; the audit event keeps the difference. FAULT_BUSY, unless
 * failures at this account are what fills the gate: FAULT_RATE_LIMITED.
 */
enum fault login_with_password(struct ctx *ctx, const struct login *login,
                               struct session_tokens *out);

#endif
