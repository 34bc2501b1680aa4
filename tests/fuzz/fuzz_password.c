/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PHC strings as a row might hold them, and passwords to be estimated. The
 * first byte chooses: even for a PHC string, whose cost stays under the cap
 * whatever it says; odd for a password.
 */
#include "fuzz.h"

#include "crypto/password.h"

/* The least that Argon2 takes, so that an accepted string is cheap. */
static const struct password_cost cost = {
    .memory_kib = 8, .passes = 1, .memory_cap_kib = 16};

static void check_phc(struct span phc)
{
	struct mac *pepper;
	enum fault fault;

	fuzz_require(!mac_new("pepper", 6, &pepper));
	fault = password_verify(SPAN("password"), pepper, phc, &cost);
	mac_free(pepper);
	fuzz_require(fault == FAULT_NONE || fault == FAULT_INTERNAL ||
	             fault == FAULT_INVALID_CREDENTIALS);
	if (fault == FAULT_INTERNAL)
		return;
	fuzz_require(span_starts_with(phc, SPAN("$argon2id$v=19$m=")));
	fuzz_require(phc.length < PASSWORD_PHC_BYTES);
	(void)password_is_outdated(phc, &cost);
}

static void check_password(struct span password)
{
	static const char *const context[] = {"alice", "claviger", NULL};
	int score = password_strength(password, context);

	fuzz_require(score >= 0 && score <= 4);
	fuzz_require(password.length || score == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (!length)
		return 0;
	if (bytes[0] % 2 == 0)
		check_phc((struct span){(const char *)bytes + 1, length - 1});
	else
		check_password(
		    (struct span){(const char *)bytes + 1, length - 1});
	return 0;
}
