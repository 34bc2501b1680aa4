/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting wrong fields; see field_errors.h. */
#include "base/field_errors.h"

enum fault field_errors_add(struct field_errors *errors, const char *field,
                            const char *code, const char *detail)
{
	if (errors->count < FIELD_ERRORS_LIMIT)
		errors->at[errors->count++] =
		    (struct field_error){field, code, detail};
	return FAULT_VALIDATION;
}
