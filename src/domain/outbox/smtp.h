/* SPDX-License-Identifier: Apache-2.0 */
/* Sending one message over SMTP (RFC 5321) with libcurl. A row of
 * transport.c. */
#ifndef DOMAIN_OUTBOX_SMTP_H
#define DOMAIN_OUTBOX_SMTP_H

#include "domain/outbox/transport.h"

/* As transport_send. */
enum fault smtp_send(const struct config *config, const struct uuid *id,
                     struct span to, struct span message,
                     char why[TRANSPORT_ERROR_BYTES]);

#endif
