/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A captcha provider's verdict over HTTPS: the siteverify calls of hCaptcha and
 * Turnstile, which are alike. For captcha.c alone.
 */
#ifndef DOMAIN_GUARD_CAPTCHA_REMOTE_H
#define DOMAIN_GUARD_CAPTCHA_REMOTE_H

#include "domain/ctx.h"

/* Once in a process: libcurl's own preparation. */
enum fault captcha_remote_prepare(void);

/*
 * Ask about a token. FAULT_CAPTCHA_REQUIRED when it is not good;
 * FAULT_UNAVAILABLE when there was no answer, or none that can be understood,
 * within captcha.timeout.
 */
enum fault captcha_remote_check(struct ctx *ctx, struct span token);

#endif
