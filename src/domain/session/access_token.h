/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens: what their claims mean (RFC 7519, RFC 9068), over the JOSE
 * layer of crypto/jwt. Checking one needs no store at all; whether it was
 * revoked is guard_admit's question.
 */
#ifndef DOMAIN_SESSION_ACCESS_TOKEN_H
#define DOMAIN_SESSION_ACCESS_TOKEN_H

#include "base/json_write.h"
#include "crypto/jwt.h"
#include "domain/ctx.h"
#include "domain/session/identity.h"

#define ACCESS_TOKEN_LIMIT_BYTES 2048

struct access_claims {
	struct uuid token_id;
	struct uuid user_id;
	struct uuid tenant_id;
	struct uuid session_id;
	struct span issuer;
	struct span audience;
	struct span email;
	struct span role;
	struct span amr; /* words of RFC 8176 separated by spaces */
	bool is_email_verified;
	int64_t issued_at_s;
	int64_t not_before_s;
	int64_t expires_at_s;
	int64_t auth_at_s;
	struct generations generations;
};

/* Append the claims as members of an object that is open. */
void access_token_write(struct json_writer *json,
                        const struct access_claims *claims);

/*
 * Make a token of a session for an identity, living config->session.access_ttl
 * from now. The text lives in the arena.
 */
enum fault access_token_make(struct ctx *ctx, const struct identity *identity,
                             const struct uuid *session_id, struct span amr,
                             int64_t auth_at_ms, struct span *out);

/*
 * Check a token's signature and claims. FAULT_TOKEN_INVALID for whatever is
 * wrong with it, FAULT_TOKEN_EXPIRED for a good one whose time is over.
 * is_key_unknown tells that the ring may be older than the token.
 */
enum fault access_token_check(struct ctx *ctx, struct span token,
                              struct access_claims *out, bool *is_key_unknown);

#endif
