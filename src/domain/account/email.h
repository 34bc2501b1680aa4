/* SPDX-License-Identifier: Apache-2.0 */
/*
 * E-mail addresses in one canonical spelling: trimmed, lower case, the domain
 * as A-labels (RFC 5321, RFC 5891). One person, one spelling, one counter.
 */
#ifndef DOMAIN_ACCOUNT_EMAIL_H
#define DOMAIN_ACCOUNT_EMAIL_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/text.h"

#define EMAIL_BYTES 254

/*
 * Canonical form in the arena. FAULT_VALIDATION for what is no address: the
 * local part must be a dot-atom of ASCII, so that nothing in it can end a
 * header or add a recipient.
 */
enum fault email_canonical(struct arena *arena, struct span address,
                           struct span *out);

#endif
