/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long one password hash takes here: checks one password again and again
 * for so many seconds, at the cost that settings have by default. Prints the
 * median and how many there were. Start several to see what the cores do to
 * one another.
 */
#include "base/clock.h"
#include "base/config.h"
#include "crypto/password.h"

#include <stdio.h>
#include <stdlib.h>

#define TIMES_LIMIT 10000
#define PASSWORD    SPAN("one hash of the bench")

static struct password_cost default_cost(void)
{
	struct config config;

	config_defaults(&config);
	return (struct password_cost){
	    .memory_kib = (uint32_t)config.password.argon2_memory_kib,
	    .passes = (uint32_t)config.password.argon2_passes,
	    .memory_cap_kib = (uint32_t)config.password.argon2_memory_cap_kib,
	};
}

/* How many microseconds one check takes, or -1. */
static int64_t check_once(struct mac *pepper, struct span phc,
                          const struct password_cost *cost)
{
	int64_t began_us = clock_monotonic_us();

	if (password_verify(PASSWORD, pepper, phc, cost))
		return -1;
	return clock_monotonic_us() - began_us;
}

static int compare(const void *left, const void *right)
{
	const int64_t *a = left;
	const int64_t *b = right;

	return (*a > *b) - (*a < *b);
}

static int measure(struct mac *pepper, int64_t seconds)
{
	static int64_t times_us[TIMES_LIMIT];
	const struct password_cost cost = default_cost();
	const int64_t until_us = clock_monotonic_us() + seconds * 1000000;
	char phc[PASSWORD_PHC_BYTES];
	size_t count = 0;

	if (password_hash(PASSWORD, pepper, &cost, phc))
		return 1;
	while (count < TIMES_LIMIT &&
	       (count == 0 || clock_monotonic_us() < until_us)) {
		times_us[count] = check_once(pepper, span_of(phc), &cost);
		if (times_us[count++] < 0)
			return 1;
	}
	qsort(times_us, count, sizeof(times_us[0]), compare);
	return printf("%lld %zu\n", (long long)times_us[count / 2], count) < 0;
}

int main(int argc, char **argv)
{
	struct mac *pepper;
	int64_t seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
	int status;

	if (mac_new("a pepper of the bench", 21, &pepper))
		return 1;
	status = measure(pepper, seconds);
	mac_free(pepper);
	return status;
}
