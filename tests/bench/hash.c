/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long one password hash takes here: checks one password again and again
 * for so many seconds, at the cost that settings have by default. Prints the
 * median of the time that passed and the mean of the time on a core, both in
 * microseconds. Start several to see what the cores do to one another.
 */
#include "base/clock.h"
#include "base/config.h"
#include "crypto/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

static int64_t cpu_us(void)
{
	struct timespec spent;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (int64_t)spent.tv_sec * 1000000 + spent.tv_nsec / 1000;
}

static int print(int64_t *times_us, size_t count, int64_t spent_us)
{
	qsort(times_us, count, sizeof(times_us[0]), compare);
	return printf("%lld %lld\n", (long long)times_us[count / 2],
	              (long long)(spent_us / (int64_t)count)) < 0;
}

static int measure(struct mac *pepper, int64_t seconds)
{
	static int64_t times_us[TIMES_LIMIT];
	const struct password_cost cost = default_cost();
	const int64_t until_us = clock_monotonic_us() + seconds * 1000000;
	char phc[PASSWORD_PHC_BYTES];
	int64_t before_us;
	size_t count = 0;

	if (password_hash(PASSWORD, pepper, &cost, phc))
		return 1;
	before_us = cpu_us();
	do {
		times_us[count] = check_once(pepper, span_of(phc), &cost);
		if (times_us[count++] < 0)
			return 1;
	} while (count < TIMES_LIMIT && clock_monotonic_us() < until_us);
	return print(times_us, count, cpu_us() - before_us);
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
