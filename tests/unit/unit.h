/* SPDX-License-Identifier: Apache-2.0 */
/* What cmocka.h wants before it, and the two looks at spans and texts. */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Fail the test, showing both, unless the span holds exactly this string. */
static inline void assert_span_equal(struct span span, const char *expected)
{
	if (!span_equal(span, span_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)span.length,
		         span.at ? span.at : "", expected);
}

static inline void assert_text_equal(const struct text *text,
                                     const char *expected)
{
	assert_false(text->overflowed);
	assert_span_equal(text_span(text), expected);
}

#endif
