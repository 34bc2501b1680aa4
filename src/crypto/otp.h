/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time-based one-time passwords (RFC 6238) as authenticator apps make them:
 * HMAC-SHA-1, steps of 30 seconds, six digits. Remembers nothing: that a step
 * works once, and none before it any more, is the caller's part, who is told
 * the step for that.
 */
#ifndef CRYPTO_OTP_H
#define CRYPTO_OTP_H

#include "base/fault.h"
#include "base/text.h"

#include <stdint.h>

#define TOTP_STEP_S       30
#define TOTP_DIGITS       6
#define TOTP_CODE_BYTES   7  /* the digits and the NUL */
#define TOTP_WINDOW_LIMIT 10 /* steps to either side */

/*
 * The code of a key (its bytes, not base32) at a moment in seconds since 1970.
 * FAULT_INTERNAL for an empty key, a moment before 1970, or when liboath fails.
 */
enum fault totp_code(struct span key, int64_t at_s, char out[TOTP_CODE_BYTES]);

/*
 * Check a code against the moment's step and window steps to either side, up to
 * TOTP_WINDOW_LIMIT, in the same time whichever is right. step gets the number
 * of the newest that is. FAULT_INVALID_CREDENTIALS for a wrong code and for
 * whatever is not exactly six digits; FAULT_INTERNAL as totp_code.
 */
enum fault totp_check(struct span key, int64_t at_s, int window,
                      struct span code, int64_t *step);

#endif
