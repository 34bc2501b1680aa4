/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored passwords: checking one, making one, replacing one with its history.
 * All hashing passes the gate, and costs the same for a user that does not
 * exist.
 */
#ifndef DOMAIN_ACCOUNT_CREDENTIAL_H
#define DOMAIN_ACCOUNT_CREDENTIAL_H

#include "domain/account/user.h"
#include "domain/ctx.h"

/* A hash ready to be stored, in arena memory. */
struct credential {
	struct span hash; /* PHC string */
	struct span pepper_id;
};

/*
 * Check a password. user is NULL when there is none: the work is done all the
 * same, and the answer is FAULT_INVALID_CREDENTIALS. renewed gets a new hash
 * when the stored one was made with another cost or pepper (hash.at is NULL
 * otherwise). FAULT_BUSY when the gate is full.
 */
enum fault credential_check(struct ctx *ctx, const struct user *user,
                            struct span password, struct credential *renewed);

/* Hash a new password under the current pepper. FAULT_BUSY. */
enum fault credential_make(struct ctx *ctx, struct span password,
                           struct credential *out);

/*
 * Whether the password is the user's present one or among the last
 * config->password.history: adds a field error (code reused), FAULT_VALIDATION.
 */
enum fault credential_check_history(struct ctx *ctx, const char *field,
                                    const struct user *user,
                                    struct span password);

/* Inside a transaction: replace the hash after a renewal. */
enum fault credential_renew(struct ctx *ctx, const struct uuid *user_id,
                            const struct credential *credential);

/* Inside a transaction: a new password; the old one goes to the history. */
enum fault credential_replace(struct ctx *ctx, const struct user *user,
                              const struct credential *credential);

#endif
