/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing an address: the new one is confirmed by a mail to it, the old one
 * is told and can take the change back.
 */
#ifndef DOMAIN_ACCOUNT_EMAIL_CHANGE_H
#define DOMAIN_ACCOUNT_EMAIL_CHANGE_H

#include "domain/account/proof.h"
#include "domain/account/user.h"
#include "domain/ctx.h"
#include "domain/session/revocation.h"

/*
 * Ask for another address for the signed-in user; wants the password. The
 * answer does not tell whether the address is free. FAULT_VALIDATION with
 * field errors, FAULT_INVALID_CREDENTIALS, FAULT_BUSY.
 */
enum fault email_change_request(struct ctx *ctx, struct span new_email,
                                struct span password);

/* A mark to publish after the commit, where sessions were ended. */
struct email_takeover {
	bool has_mark;
	struct revocation mark;
};

/*
 * Inside a transaction, for a proof that was just used (PROOF_EMAIL_CHANGE or
 * PROOF_EMAIL_UNDO): the account's address becomes the proof's. Taking a
 * change back also ends every session. FAULT_TOKEN_INVALID when the address
 * has been taken by another account meanwhile.
 */
enum fault email_change_take_over(struct ctx *ctx, const struct proof *proof,
                                  struct email_takeover *out);

#endif
