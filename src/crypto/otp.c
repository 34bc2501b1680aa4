/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time passwords by liboath, which lives here only. Of it only the making
 * of a code is used: its checking takes the number of digits from what it is
 * given, and a code of seven or eight digits is none of ours.
 */
#include "crypto/otp.h"

#include "crypto/digest.h"

#include <assert.h>
#include <liboath/oath.h>

/* The code of a step: HOTP of its number (RFC 6238, 4.2). */
static enum fault code_of_step(struct span key, int64_t step,
                               char out[TOTP_CODE_BYTES])
{
	static bool is_ready;

	if (!is_ready)
		is_ready = oath_init() == OATH_OK;
	if (!is_ready || !key.length || step < 0 ||
	    oath_hotp_generate(key.at, key.length, (uint64_t)step, TOTP_DIGITS,
	                       false, OATH_HOTP_DYNAMIC_TRUNCATION,
	                       out) != OATH_OK)
		return FAULT_INTERNAL;
	return FAULT_NONE;
}

enum fault totp_code(struct span key, int64_t at_s, char out[TOTP_CODE_BYTES])
{
	if (at_s < 0)
		return FAULT_INTERNAL;
	return code_of_step(key, at_s / TOTP_STEP_S, out);
}

static bool is_code(struct span code)
{
	if (code.length != TOTP_DIGITS)
		return false;
	for (size_t i = 0; i < code.length; i++)
		if (code.at[i] < '0' || code.at[i] > '9')
			return false;
	return true;
}

enum fault totp_check(struct span key, int64_t at_s, int window,
                      struct span code, int64_t *step)
{
	const int64_t middle = at_s / TOTP_STEP_S;
	char wanted[TOTP_CODE_BYTES];
	int64_t found = -1;
	enum fault fault = FAULT_NONE;

	assert(window >= 0 && window <= TOTP_WINDOW_LIMIT);
	if (at_s < 0)
		return FAULT_INTERNAL;
	if (!is_code(code))
		return FAULT_INVALID_CREDENTIALS;
	/* Every step is looked at: the time must not tell which was right. */
	for (int64_t i = middle - window; !fault && i <= middle + window; i++) {
		if (i < 0)
			continue;
		fault = code_of_step(key, i, wanted);
		if (!fault && digest_equal(wanted, code.at, TOTP_DIGITS))
			found = i;
	}
	digest_wipe(wanted, sizeof(wanted));
	if (fault)
		return fault;
	if (found < 0)
		return FAULT_INVALID_CREDENTIALS;
	*step = found;
	return FAULT_NONE;
}
