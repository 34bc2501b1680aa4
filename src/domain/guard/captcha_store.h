/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of things that may be used once; for captcha.c alone. */
#ifndef DOMAIN_GUARD_CAPTCHA_STORE_H
#define DOMAIN_GUARD_CAPTCHA_STORE_H

#include "domain/guard/captcha.h"

/* Use it up: FAULT_CONFLICT for everybody but the first. */
enum fault captcha_store_use(struct ctx *ctx,
                             const struct captcha_solution *solution);
enum fault captcha_store_expire(struct ctx *ctx);

#endif
