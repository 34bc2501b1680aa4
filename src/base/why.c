/* SPDX-License-Identifier: Apache-2.0 */
/* See why.h. */
#include "base/why.h"

#include <stdarg.h>
#include <stdio.h>

enum fault why_not(enum fault fault, char why[WHY_BYTES], const char *format,
                   ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(why, WHY_BYTES, format, arguments);
	va_end(arguments);
	return fault;
}
