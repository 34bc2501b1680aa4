/* SPDX-License-Identifier: Apache-2.0 */
/* The home of getrandom, and UUIDv7 made of it; see random.h. */
#include "crypto/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

/*
 * The last identifier's time and random part. Within one ms the random part
 * grows by a random step (RFC 9562, 6.2, method 2); the step is wide enough
 * that two children of one fork do not meet either.
 */
static struct {
	int64_t at_ms;
	uint64_t high; /* 12 bits, of which a new ms starts with 11 */
	uint64_t low;  /* 62 bits */
} last = {.at_ms = -1};

#define HIGH_START_BITS UINT64_C(0x7ff)
#define HIGH_BITS       UINT64_C(0xfff)
#define LOW_BITS        (UINT64_MAX >> 2)
#define STEP_BITS       (UINT64_MAX >> 16)

void random_bytes(void *out, size_t length)
{
	unsigned char *to = out;

	while (length) {
		ssize_t got = getrandom(to, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		/* No answer is safer than one that can be guessed. */
		if (got <= 0)
			abort();
		to += got;
		length -= (size_t)got;
	}
}

static void start_anew(int64_t at_ms)
{
	uint64_t drawn[2];

	random_bytes(drawn, sizeof(drawn));
	last.at_ms = at_ms;
	last.high = drawn[0] & HIGH_START_BITS;
	last.low = drawn[1] & LOW_BITS;
}

static void step_on(void)
{
	uint64_t step;

	random_bytes(&step, sizeof(step));
	last.low += (step & STEP_BITS) + 1;
	last.high += last.low > LOW_BITS;
	last.low &= LOW_BITS;
}

/* The lowest bytes of value, the most significant first. */
static void put_bytes(unsigned char *out, uint64_t value, size_t count)
{
	while (count--) {
		out[count] = (unsigned char)value;
		value >>= 8;
	}
}

void random_uuid(int64_t at_ms, struct uuid *out)
{
	if (at_ms == last.at_ms)
		step_on();
	else
		start_anew(at_ms);
	put_bytes(out->bytes, (uint64_t)at_ms, 6);
	put_bytes(out->bytes + 6, 0x7000 | (last.high & HIGH_BITS), 2);
	put_bytes(out->bytes + 8, UINT64_C(1) << 63 | last.low, 8);
}
