/* SPDX-License-Identifier: Apache-2.0 */
/* Faults have names, and wrong fields are collected. */
#include "unit.h"

#include "base/fault.h"
#include "base/field_errors.h"

static void names_every_fault(void **state)
{
	(void)state;
	assert_string_equal(fault_name(FAULT_NONE), "none");
	assert_string_equal(fault_name(FAULT_TOKEN_EXPIRED), "token_expired");
	for (int i = 0; i < FAULT_COUNT; i++) {
		const char *name = fault_name((enum fault)i);
		assert_non_null(name);
		assert_string_not_equal(name, "unknown");
		for (int k = 0; k < i; k++)
			assert_string_not_equal(name,
			                        fault_name((enum fault)k));
	}
}

static void calls_a_foreign_value_unknown(void **state)
{
	(void)state;
	assert_string_equal(fault_name(FAULT_COUNT), "unknown");
	assert_string_equal(fault_name((enum fault)99), "unknown");
}

static void collects_wrong_fields(void **state)
{
	struct field_errors errors = {0};

	(void)state;
	assert_int_equal(
	    field_errors_add(&errors, "email", "required", "is required"),
	    FAULT_VALIDATION);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.at[0].field, "email");
	assert_string_equal(errors.at[0].code, "required");
	assert_string_equal(errors.at[0].detail, "is required");
}

static void drops_wrong_fields_past_the_limit(void **state)
{
	struct field_errors errors = {0};

	(void)state;
	for (int i = 0; i < 2 * FIELD_ERRORS_LIMIT; i++)
		assert_int_equal(field_errors_add(&errors, "f", "c", "d"),
		                 FAULT_VALIDATION);
	assert_int_equal(errors.count, FIELD_ERRORS_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_every_fault),
	    cmocka_unit_test(calls_a_foreign_value_unknown),
	    cmocka_unit_test(collects_wrong_fields),
	    cmocka_unit_test(drops_wrong_fields_past_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
