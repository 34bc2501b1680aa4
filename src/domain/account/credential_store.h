/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of passwords; for credential.c alone. */
#ifndef DOMAIN_ACCOUNT_CREDENTIAL_STORE_H
#define DOMAIN_ACCOUNT_CREDENTIAL_STORE_H

#include "domain/account/credential.h"

enum fault credential_store_renew(struct ctx *ctx, const struct uuid *user_id,
                                  const struct credential *credential);
enum fault credential_store_replace(struct ctx *ctx, const struct uuid *user_id,
                                    const struct credential *credential);
enum fault credential_store_remember(struct ctx *ctx,
                                     const struct uuid *user_id,
                                     const struct credential *credential);
/* The newest of the history; what lies behind them is forgotten. */
enum fault credential_store_history(struct ctx *ctx, const struct uuid *user_id,
                                    int64_t limit,
                                    const struct credential **out,
                                    size_t *count);
enum fault credential_store_forget(struct ctx *ctx, const struct uuid *user_id,
                                   int64_t keep);

#endif
