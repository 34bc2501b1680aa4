/* SPDX-License-Identifier: Apache-2.0 */
/* What a client gets of a session; for session.c and session_refresh.c. */
#ifndef DOMAIN_SESSION_SESSION_TOKENS_H
#define DOMAIN_SESSION_SESSION_TOKENS_H

#include "domain/session/session_store.h"

/*
 * Inside a transaction: make the next refresh token of a session, store its
 * hash, and make an access token with it.
 */
enum fault session_tokens_make(struct ctx *ctx, const struct session_row *row,
                               const struct identity *identity,
                               struct session_tokens *out);

/* Fill in everything but the two tokens. */
void session_tokens_describe(struct ctx *ctx, const struct session_row *row,
                             const struct identity *identity,
                             struct session_tokens *out);

#endif
