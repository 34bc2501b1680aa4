/* SPDX-License-Identifier: Apache-2.0 */
/* Sending one message through a sendmail program. A row of transport.c. */
#ifndef DOMAIN_OUTBOX_SENDMAIL_H
#define DOMAIN_OUTBOX_SENDMAIL_H

#include "domain/outbox/transport.h"

/* As transport_send. */
enum fault sendmail_send(const struct config *config, const struct uuid *id,
                         struct span to, struct span message,
                         char why[TRANSPORT_ERROR_BYTES]);

#endif
