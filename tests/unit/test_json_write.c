/* SPDX-License-Identifier: Apache-2.0 */
/* JSON for outside. */
#include "unit.h"

#include "base/json_write.h"

static char memory[1024];
static struct text text;
static struct json_writer writer;

static int set_up(void **state)
{
	(void)state;
	text = text_over(memory, sizeof(memory));
	writer = json_writer_over(&text);
	return 0;
}

static void puts_commas_where_they_belong(void **state)
{
	(void)state;
	json_object_begin(&writer, NULL);
	json_integer(&writer, "a", -1);
	json_array_begin(&writer, "b");
	json_bool(&writer, NULL, true);
	json_null(&writer, NULL);
	json_object_begin(&writer, NULL);
	json_object_end(&writer);
	json_array_begin(&writer, NULL);
	json_array_end(&writer);
	json_array_end(&writer);
	json_string(&writer, "c", SPAN("d"));
	json_object_end(&writer);
	assert_text_equal(&text,
	                  "{\"a\":-1,\"b\":[true,null,{},[]],\"c\":\"d\"}");
	assert_int_equal(writer.depth, 0);
	assert_int_equal(writer.whole_length, text.length);
}

static void writes_absent_values_as_null(void **state)
{
	(void)state;
	json_array_begin(&writer, NULL);
	json_string(&writer, NULL, (struct span){0});
	json_string(&writer, NULL, SPAN(""));
	json_time(&writer, NULL, 0);
	json_raw(&writer, NULL, (struct span){0});
	json_array_end(&writer);
	assert_text_equal(&text, "[null,\"\",null,null]");
}

static void escapes_what_could_do_harm(void **state)
{
	(void)state;
	json_string(&writer, NULL, SPAN("\"\\/\b\f\n\r\t\0\x1f\x7f</script>"));
	assert_text_equal(&text, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f"
	                         "\\u007f\\u003c/script>\"");
}

static void escapes_line_separators_and_keeps_other_letters(void **state)
{
	(void)state;
	json_string(&writer, NULL,
	            SPAN("\xc3\xa4\xe2\x82\xac\xf0\x9d\x84\x9e"
	                 "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9"));
	assert_text_equal(&text, "\"\xc3\xa4\xe2\x82\xac\xf0\x9d\x84\x9e"
	                         "\xe2\x80\xa7\\u2028\\u2029\"");
}

static void replaces_malformed_utf8(void **state)
{
	(void)state;
	json_string(&writer, NULL, SPAN("a\xff\xc3z\xe2\x82"));
	assert_text_equal(&text, "\"a\xef\xbf\xbd\xef\xbf\xbdz"
	                         "\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void escapes_names_too(void **state)
{
	(void)state;
	json_object_begin(&writer, NULL);
	json_null(&writer, "a\"<");
	json_object_end(&writer);
	assert_text_equal(&text, "{\"a\\\"\\u003c\":null}");
}

static void writes_uuids_times_and_ready_json(void **state)
{
	struct uuid uuid = {{0x01, [15] = 0xef}};

	(void)state;
	json_object_begin(&writer, NULL);
	json_uuid(&writer, "id", &uuid);
	json_time(&writer, "at", INT64_C(1768473000123));
	json_raw(&writer, "raw", SPAN("[1]"));
	json_integer(&writer, "n", INT64_MIN);
	json_object_end(&writer);
	assert_text_equal(&text,
	                  "{\"id\":\"01000000-0000-0000-0000-0000000000ef\","
	                  "\"at\":\"2026-01-15T10:30:00Z\",\"raw\":[1],"
	                  "\"n\":-9223372036854775808}");
}

static void knows_how_much_was_whole_when_it_overflows(void **state)
{
	(void)state;
	text = text_over(memory, 20);
	json_object_begin(&writer, NULL);
	json_integer(&writer, "a", 1);
	json_array_begin(&writer, "b");
	json_integer(&writer, NULL, 1);
	json_string(&writer, NULL, SPAN("much too long for it"));
	json_array_end(&writer);
	json_integer(&writer, "c", 1);
	json_object_end(&writer);
	assert_int_equal(text_check(&text), FAULT_EXHAUSTED);
	text.length = writer.whole_length;
	assert_span_equal(text_span(&text), "{\"a\":1");
}

#define CASE(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(puts_commas_where_they_belong),
	    CASE(writes_absent_values_as_null),
	    CASE(escapes_what_could_do_harm),
	    CASE(escapes_line_separators_and_keeps_other_letters),
	    CASE(replaces_malformed_utf8),
	    CASE(escapes_names_too),
	    CASE(writes_uuids_times_and_ready_json),
	    CASE(knows_how_much_was_whole_when_it_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
