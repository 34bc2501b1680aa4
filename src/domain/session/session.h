/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: a family of refresh tokens, each used once, and the access tokens
 * made with them (RFC 9700, 4.14). A refresh token that comes twice ends its
 * family.
 */
#ifndef DOMAIN_SESSION_SESSION_H
#define DOMAIN_SESSION_SESSION_H

#include "crypto/token.h"
#include "domain/audit/audit.h"
#include "domain/ctx.h"
#include "domain/session/identity.h"
#include "domain/session/revocation.h"

enum session_kind { SESSION_TOKEN, SESSION_COOKIE };

/* How somebody signed in. */
struct session_start {
	enum session_kind kind;
	struct span device_name;
	struct span amr; /* words of RFC 8176 separated by spaces */
};

/* What a client gets of a session, in arena memory. */
struct session_tokens {
	struct uuid session_id;
	enum session_kind kind;
	struct identity identity;
	struct span access_token;
	int64_t access_life_s;
	struct span refresh_token;
	int64_t refresh_life_s;
};

/*
 * Open a session inside the caller's transaction. The identity must have been
 * read before the password was checked: a change in between ends the session
 * by its generation.
 */
enum fault session_open(struct ctx *ctx, const struct identity *identity,
                        const struct session_start *start,
                        struct session_tokens *out);

/*
 * Use up a refresh token for new tokens, exactly one winner.
 * FAULT_TOKEN_INVALID for an unknown or expired one; FAULT_TOKEN_REVOKED when
 * its session has ended, and when it was used before: then the whole family
 * ends at once. Within config->session.refresh_grace the direct predecessor
 * gives the same successor once more. The caller checks who may present it by
 * kind: a session of another kind is FAULT_TOKEN_INVALID. Audits.
 */
enum fault session_refresh(struct ctx *ctx, struct span refresh_token,
                           enum session_kind kind, struct session_tokens *out);

/* The live session of a refresh token, without using it up. */
enum fault session_of_token(struct ctx *ctx, struct span refresh_token,
                            struct uuid *session_id, struct uuid *user_id);

/*
 * End one live session of a user; its access tokens die at once. reason is a
 * word of ours. FAULT_NOT_FOUND when the user has no such live session.
 * Audits with the type given.
 */
enum fault session_end(struct ctx *ctx, const struct uuid *session_id,
                       const struct uuid *user_id, struct span reason,
                       enum audit_type type);

/*
 * For use inside a transaction that ends all sessions of a user but one (nil:
 * all): raises the user's generation, marks the rows, carries the spared one
 * over, and fills in the mark that the caller publishes after the commit.
 */
enum fault session_end_all(struct ctx *ctx, const struct uuid *user_id,
                           const struct uuid *spared, struct span reason,
                           struct revocation *mark);

/*
 * Inside a transaction: the access tokens of a user die, the sessions go on;
 * the next refresh reads what has changed (a role). Fills in the mark.
 */
enum fault session_renew_all(struct ctx *ctx, const struct uuid *user_id,
                             struct span reason, struct revocation *mark);

/*
 * Inside a transaction: every session of a tenant, or every session there is,
 * is over, by one generation. Fills in the mark. FAULT_NOT_FOUND.
 */
enum fault session_end_tenant(struct ctx *ctx, const struct uuid *tenant_id,
                              struct span reason, struct revocation *mark);
enum fault session_end_everything(struct ctx *ctx, struct span reason,
                                  struct revocation *mark);

/* session_end_all for the caller's other sessions, in its own transaction. */
enum fault session_end_others(struct ctx *ctx);

struct session_record {
	struct uuid id;
	struct span device_name;
	struct span user_agent;
	struct ip ip;
	int64_t created_at_ms, last_used_at_ms, expires_at_ms;
};

/* Live sessions of a user, newest first, ids below before (nil: all). */
enum fault session_list(struct ctx *ctx, const struct uuid *user_id,
                        const struct uuid *before, int64_t limit,
                        const struct session_record **out, size_t *count);

/*
 * Remove sessions that expired before_ms, a few at a time: each takes its
 * refresh tokens with it, of which there may be thousands.
 */
enum fault session_expire(struct ctx *ctx, int64_t before_ms);

/*
 * The CSRF token of a session: HMAC-SHA-256 of its id under KEY_CSRF, as
 * base64url, in the arena; and the check of one that a page sent.
 */
enum fault session_csrf_token(struct ctx *ctx, const struct uuid *session_id,
                              struct span *out);
enum fault session_csrf_check(struct ctx *ctx, const struct uuid *session_id,
                              struct span token);

#endif
