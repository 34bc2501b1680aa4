/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that stands still when told to; see clock_freeze.h. */
#include "clock_freeze.h"

#include "base/clock.h"

#include <time.h>

static int64_t frozen_at_ms;

void clock_freeze(int64_t at_ms)
{
	frozen_at_ms = at_ms;
}

int64_t clock_now_ms(void)
{
	struct timespec now;

	if (frozen_at_ms)
		return frozen_at_ms;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
