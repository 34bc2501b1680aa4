/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of every mail, one row each, and the message made of them:
 * multipart/alternative with a text and an HTML part (RFC 5322, RFC 2046).
 */
#ifndef DOMAIN_OUTBOX_MAIL_TEXT_H
#define DOMAIN_OUTBOX_MAIL_TEXT_H

#include "domain/outbox/outbox.h"

/* Stable names, kept in rows of the outbox; MAIL_NONE for an unknown one. */
const char *mail_text_name(enum mail_template template);
enum mail_template mail_text_template(struct span name);

/*
 * Append the whole message, headers included, lines ended by CR LF. id makes
 * the Message-ID, so that a mail sent twice is seen as one.
 */
void mail_text_render(const struct ctx *ctx, const struct mail *mail,
                      const struct uuid *id, struct text *out);

#endif
