/* SPDX-License-Identifier: Apache-2.0 */
/* The ways a finished message can leave, one function each in a table. */
#ifndef DOMAIN_OUTBOX_TRANSPORT_H
#define DOMAIN_OUTBOX_TRANSPORT_H

#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "base/uuid.h"

#define TRANSPORT_ERROR_BYTES 200

/*
 * Hand a message to the configured transport. FAULT_UNAVAILABLE: try again
 * later; FAULT_VALIDATION: refused for good. why then holds words for the
 * operator (never secrets).
 */
enum fault transport_send(const struct config *config, const struct uuid *id,
                          struct span to, struct span message,
                          char why[TRANSPORT_ERROR_BYTES]);

#endif
