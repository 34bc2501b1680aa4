/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of revocation marks; for revocation.c alone. */
#ifndef DOMAIN_SESSION_REVOCATION_STORE_H
#define DOMAIN_SESSION_REVOCATION_STORE_H

#include "domain/session/revocation.h"

/* As many as fit into one call of the script that copies them. */
#define REVOCATION_PAGE 60

enum fault revocation_store_raise(struct ctx *ctx,
                                  const struct revocation *revocation);
/* Live marks behind this one in key order, REVOCATION_PAGE at most. */
enum fault revocation_store_page(struct ctx *ctx,
                                 const struct revocation *after,
                                 const struct revocation **out, size_t *count);
/* Live marks that were not declared published. */
enum fault revocation_store_pending(struct ctx *ctx,
                                    const struct revocation **out,
                                    size_t *count);
enum fault revocation_store_published(struct ctx *ctx,
                                      const struct revocation *revocation);
/* The live marks of a token, of any kind. */
enum fault revocation_store_of_token(struct ctx *ctx,
                                     const struct access_claims *claims,
                                     const struct revocation **out,
                                     size_t *count);
enum fault revocation_store_expire(struct ctx *ctx);

#endif
