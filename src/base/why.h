/* SPDX-License-Identifier: Apache-2.0 */
/* The one clear line with which a start is refused. */
#ifndef BASE_WHY_H
#define BASE_WHY_H

#include "base/fault.h"

#define WHY_BYTES 512

/* Write the line, and give the fault on. */
enum fault why_not(enum fault fault, char why[WHY_BYTES], const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

#endif
