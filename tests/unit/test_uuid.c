/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs as text. */
#include "unit.h"

#include "base/uuid.h"

#define CANONICAL "01234567-89ab-7def-8123-456789abcdef"

static void reads_and_writes_the_canonical_form(void **state)
{
	char text[UUID_TEXT_BYTES];
	char memory[64];
	struct text appended = text_over(memory, sizeof(memory));
	struct uuid uuid;

	(void)state;
	assert_int_equal(uuid_parse(SPAN(CANONICAL), &uuid), FAULT_NONE);
	assert_int_equal(uuid.bytes[0], 0x01);
	assert_int_equal(uuid.bytes[15], 0xef);
	assert_string_equal(uuid_format(&uuid, text), CANONICAL);
	uuid_append(&appended, &uuid);
	assert_text_equal(&appended, CANONICAL);
}

static void reads_upper_case_as_the_same(void **state)
{
	struct uuid lower;
	struct uuid upper;

	(void)state;
	assert_false(uuid_parse(SPAN(CANONICAL), &lower));
	assert_false(
	    uuid_parse(SPAN("01234567-89AB-7DEF-8123-456789ABCDEF"), &upper));
	assert_true(uuid_equal(&lower, &upper));
}

static void refuses_every_other_form(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "0123456789ab7def8123456789abcdef",
	    ("{" CANONICAL "}"),
	    (CANONICAL "0"),
	    (CANONICAL "-"),
	    (" " CANONICAL),
	    "01234567-89ab-7def-8123-456789abcde",
	    "01234567-89ab-7def-8123-456789abcdeg",
	    "0123456-789ab-7def-8123-456789abcdef",
	    "01234567-89ab-7def-8123456789abcdef",
	    "01234567_89ab_7def_8123_456789abcdef",
	};
	struct uuid uuid = {{42}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(uuid_parse(span_of(wrong[i]), &uuid),
		                 FAULT_VALIDATION);
	assert_int_equal(uuid.bytes[0], 42);
}

static void knows_the_nil_uuid(void **state)
{
	struct uuid uuid = {0};

	(void)state;
	assert_true(uuid_is_nil(&uuid));
	uuid.bytes[15] = 1;
	assert_false(uuid_is_nil(&uuid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_and_writes_the_canonical_form),
	    cmocka_unit_test(reads_upper_case_as_the_same),
	    cmocka_unit_test(refuses_every_other_form),
	    cmocka_unit_test(knows_the_nil_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
