/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captchas: ALTCHA's proof of work, made and checked here, or a remote
 * provider's verdict. Whatever cannot be checked is not solved.
 */
#ifndef DOMAIN_GUARD_CAPTCHA_H
#define DOMAIN_GUARD_CAPTCHA_H

#include "base/json_write.h"
#include "crypto/digest.h"
#include "domain/ctx.h"

/* Once in a process, before system calls are confined. */
enum fault captcha_prepare(const struct config *config);

/*
 * Write the members of a challenge into an open object: provider and, for
 * altcha, algorithm, challenge, salt, signature, maxnumber (the ALTCHA form);
 * for the others site_key. FAULT_NOT_FOUND when no provider is configured.
 */
enum fault captcha_write_challenge(struct ctx *ctx, struct json_writer *json);

/*
 * Check an answer: for altcha base64 of the ALTCHA payload (signed by us, not
 * expired, not used before: exactly one winner), else the provider's token.
 * FAULT_CAPTCHA_REQUIRED when it is not good, FAULT_UNAVAILABLE when the
 * provider cannot be asked.
 */
enum fault captcha_check(struct ctx *ctx, struct span answer);

/* What makes an answer of ALTCHA one that can be used up. */
struct captcha_solution {
	unsigned char hash[DIGEST_SHA256_BYTES];
	int64_t expires_at_ms;
};

/*
 * All of captcha_check for altcha but that it was not used before; asks no
 * store. FAULT_CAPTCHA_REQUIRED when it is not good.
 */
enum fault captcha_read(struct ctx *ctx, struct span answer,
                        struct captcha_solution *out);

/* Forget used answers that have expired, a bounded number at a time. */
enum fault captcha_expire(struct ctx *ctx);

#endif
