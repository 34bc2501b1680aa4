/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail that has been decided but not sent: a row in the transaction of what
 * caused it, sealed, sent later by maintenance with growing pauses. Nothing is
 * lost while the mail server is away.
 */
#ifndef DOMAIN_OUTBOX_OUTBOX_H
#define DOMAIN_OUTBOX_OUTBOX_H

#include "domain/ctx.h"

#include <stdint.h>

/* The words of each are a row of mail_text.c. */
enum mail_template {
	MAIL_NONE = 0,
	MAIL_VERIFY,             /* link */
	MAIL_ALREADY_REGISTERED, /* link to sign in */
	MAIL_RESET,              /* link */
	MAIL_PASSWORD_CHANGED,   /* link to reset */
	MAIL_EMAIL_CONFIRM,      /* link; to the new address */
	MAIL_EMAIL_CHANGED,      /* link to undo, detail: the new address */
	MAIL_SESSIONS_ENDED,     /* a refresh token was used twice */
	MAIL_ACCOUNT_LOCKED,     /* link to reset, detail: from where */
	MAIL_SUSPICIOUS_LOGIN,   /* link to reset, detail: from where */
	MAIL_TEMPLATE_COUNT
};

enum mail_fate {
	MAIL_TO_SEND = 0,
	MAIL_VOID, /* costs what a mail costs, and is never sent */
};

struct mail {
	enum mail_template template;
	enum mail_fate fate;
	struct uuid user_id;
	struct span to; /* canonical address */
	struct span name;
	struct span link;
	struct span detail;
};

/* Queue a mail inside the open transaction. */
enum fault outbox_add(struct ctx *ctx, const struct mail *mail);

/*
 * A link of ours for a mail: public URL, page, and the token in the fragment,
 * which no server and no Referer ever sees. token may be absent.
 */
struct span outbox_link(struct ctx *ctx, const char *page, struct span token);

/*
 * Send what is due, a bounded number. One process at a time calls it. sent
 * gets how many left. A message that does not leave is no fault, its row says
 * why and when it is tried again; but it ends the round, for a server that
 * hangs must not hold up everything else.
 */
enum fault outbox_send_due(struct ctx *ctx, size_t *sent);

/* Remove finished rows older than before_ms. */
enum fault outbox_expire(struct ctx *ctx, int64_t before_ms);

#endif
