/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a new password must be: long enough, not leaked, not made of the
 * person's own words, strong by estimate (NIST SP 800-63B, 5.1.1.2).
 */
#ifndef DOMAIN_ACCOUNT_PASSWORD_POLICY_H
#define DOMAIN_ACCOUNT_PASSWORD_POLICY_H

#include "domain/ctx.h"

/*
 * Check a password that somebody chose. The first rule that it breaks is added
 * to ctx->errors under this field (codes in this order: too_short, too_long,
 * missing_classes, leaked, contains_context, too_weak) and the result is
 * FAULT_VALIDATION. email and words (names; may be absent) are what it must not
 * be made of.
 */
enum fault password_policy_check(struct ctx *ctx, const char *field,
                                 struct span password, struct span email,
                                 const struct span *words, size_t word_count);

/* Whether a password is longer than any stored one can be. */
bool password_policy_is_too_long(const struct config *config,
                                 struct span password);

#endif
