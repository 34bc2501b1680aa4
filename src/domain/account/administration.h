/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a user by others: the platform's people and the host. */
#ifndef DOMAIN_ACCOUNT_ADMINISTRATION_H
#define DOMAIN_ACCOUNT_ADMINISTRATION_H

#include "domain/account/user.h"
#include "domain/ctx.h"

/*
 * Disable a user, which ends every session, or let them in again.
 * FAULT_NOT_FOUND.
 */
enum fault administration_set_status(struct ctx *ctx,
                                     const struct uuid *user_id,
                                     enum user_status status);

/*
 * Give a user a role in a tenant; their tokens die, their sessions go on with
 * the new role. FAULT_VALIDATION for an unknown role, FAULT_NOT_FOUND.
 */
enum fault administration_set_role(struct ctx *ctx, const struct uuid *user_id,
                                   const struct uuid *tenant_id,
                                   struct span role);

/*
 * Lift the locks that failed sign-ins put on an account; an address that is
 * nobody's may be locked, too. FAULT_NOT_FOUND for an unknown user,
 * FAULT_VALIDATION for what is no address.
 */
enum fault administration_unlock(struct ctx *ctx, const struct uuid *user_id);
enum fault administration_unlock_address(struct ctx *ctx, struct span address);

/*
 * Revocation for an incident: one access token by its jti; every session of
 * a tenant; every session there is. reason is for the record.
 */
enum fault administration_revoke_token(struct ctx *ctx,
                                       const struct uuid *token_id,
                                       struct span reason);
enum fault administration_revoke_tenant(struct ctx *ctx,
                                        const struct uuid *tenant_id,
                                        struct span reason);
enum fault administration_revoke_all(struct ctx *ctx, struct span reason);

/* End every session of a user. reason is for the record. */
enum fault administration_revoke(struct ctx *ctx, const struct uuid *user_id,
                                 struct span reason);

#endif
