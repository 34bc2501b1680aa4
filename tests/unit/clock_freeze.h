/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping the clock: link clock_freeze.c and its clock_now_ms wins. */
#ifndef UNIT_CLOCK_FREEZE_H
#define UNIT_CLOCK_FREEZE_H

#include <stdint.h>

/* Stand still at this moment until told otherwise; 0 runs again. */
void clock_freeze(int64_t at_ms);

#endif
