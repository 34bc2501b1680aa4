/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an account comes to be: by registering it, or by a person with a shell
 * on the host; and how its address is confirmed.
 */
#ifndef DOMAIN_ACCOUNT_REGISTRATION_H
#define DOMAIN_ACCOUNT_REGISTRATION_H

#include "domain/ctx.h"

struct registration {
	struct span email;
	struct span password;
	struct span name;        /* may be absent */
	struct span tenant_name; /* may be absent */
};

/*
 * Register a person with a tenant of their own, and mail them a link to
 * confirm the address. An address that is known gives the same answer in the
 * same time; its owner gets a mail that says so. FAULT_VALIDATION with field
 * errors, FAULT_FORBIDDEN when registration is closed, FAULT_BUSY.
 */
enum fault registration_register(struct ctx *ctx,
                                 const struct registration *wanted);

/* Mail a new link, if there is somebody to whom it is of use. */
enum fault registration_resend(struct ctx *ctx, struct span email);

/*
 * Use up a mailed token: confirms the address, or takes over a changed one, or
 * takes the change back. FAULT_TOKEN_INVALID.
 */
enum fault registration_verify(struct ctx *ctx, struct span token);

/* What clavigerctl makes: a member of the system tenant. */
struct host_user {
	struct span email;
	struct span name;
	struct span role;
	struct span password;
	bool is_verified;
};

/* FAULT_CONFLICT when the address is taken, FAULT_VALIDATION with errors. */
enum fault registration_add(struct ctx *ctx, const struct host_user *wanted);

#endif
