/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with which field of an input, for the caller to mend. */
#ifndef BASE_FIELD_ERRORS_H
#define BASE_FIELD_ERRORS_H

#include "base/fault.h"

#include <stddef.h>

#define FIELD_ERRORS_LIMIT 16

/* Static texts all three: nothing from the input is repeated. */
struct field_error {
	const char *field;
	const char *code;   /* stable machine word */
	const char *detail; /* for people: what to do */
};

struct field_errors {
	size_t count;
	struct field_error at[FIELD_ERRORS_LIMIT];
};

/*
 * Note one wrong field; past the limit it is dropped. Always gives
 * FAULT_VALIDATION, so that a check can return it.
 */
enum fault field_errors_add(struct field_errors *errors, const char *field,
                            const char *code, const char *detail);

#endif
