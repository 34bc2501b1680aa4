/* SPDX-License-Identifier: Apache-2.0 */
/* A published list of addresses: read, merged, mapped, looked up, quickly. */
#include "domain/guard/blocklist.h"

#include "unit.h"

#include "base/clock.h"
#include "folder.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES     100000
#define LOOKUPS     200000
#define LOOKUP_US   5
#define LINE_BYTES  64
#define FILES_BYTES ((size_t)ENTRIES * LINE_BYTES)

static struct ip address(const char *text)
{
	struct ip ip = {0};
	assert_int_equal(ip_parse(span_of(text), &ip), FAULT_NONE);
	return ip;
}

static bool lists(const struct blocklist *list, const char *text)
{
	struct ip ip = address(text);
	return blocklist_has(list, &ip);
}

static enum fault build(const char *text, struct blocklist_report *report)
{
	return blocklist_build(folder_write("feed", 0644, text),
	                       folder_path("list"), NULL, NULL, report);
}

static struct blocklist *list_of(const char *text)
{
	struct blocklist_report report;
	struct blocklist *list = NULL;
	assert_int_equal(build(text, &report), FAULT_NONE);
	assert_int_equal(blocklist_open(folder_path("list"), &list),
	                 FAULT_NONE);
	return list;
}

static int make_folder(void **state)
{
	(void)state;
	folder_make();
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	folder_remove();
	return 0;
}

static void finds_addresses_and_blocks_of_both_families(void **state)
{
	(void)state;
	struct blocklist *list = list_of("192.0.2.7\n"
	                                 "198.51.100.0/24\n"
	                                 "2001:db8:5::/48\n"
	                                 "2001:db8::9\n");
	assert_true(lists(list, "192.0.2.7"));
	assert_true(lists(list, "::ffff:192.0.2.7"));
	assert_false(lists(list, "192.0.2.6"));
	assert_false(lists(list, "192.0.2.8"));
	assert_true(lists(list, "198.51.100.0"));
	assert_true(lists(list, "198.51.100.255"));
	assert_false(lists(list, "198.51.99.255"));
	assert_false(lists(list, "198.51.101.0"));
	assert_true(lists(list, "2001:db8:5::"));
	assert_true(lists(list, "2001:db8:5:ffff:ffff:ffff:ffff:ffff"));
	assert_false(lists(list, "2001:db8:6::"));
	assert_true(lists(list, "2001:db8::9"));
	assert_false(lists(list, "::"));
	assert_false(lists(list, "ffff:ffff::"));
	blocklist_close(list);
}

static void finds_the_very_first_and_the_very_last_address(void **state)
{
	(void)state;
	struct blocklist *list =
	    list_of("::\nffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n"
	            "0.0.0.0\n255.255.255.255\n");
	assert_true(lists(list, "::"));
	assert_false(lists(list, "::1"));
	assert_true(lists(list, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(lists(list, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"));
	assert_true(lists(list, "0.0.0.0"));
	assert_true(lists(list, "255.255.255.255"));
	assert_false(lists(list, "128.0.0.0"));
	blocklist_close(list);
}

static void passes_over_comments_and_empty_lines(void **state)
{
	(void)state;
	struct blocklist_report report;
	assert_int_equal(build("# a feed\r\n"
	                       "\n"
	                       "  ; of bad people\n"
	                       "\t192.0.2.1 ; SBL123\r\n"
	                       "192.0.2.3# here\n"
	                       "   \n"
	                       "192.0.2.5",
	                       &report),
	                 FAULT_NONE);
	assert_int_equal(report.entries, 3);
	assert_int_equal(report.ranges, 3);
	assert_int_equal(report.bad_line, 0);
}

static void merges_what_is_double_overlaps_or_touches(void **state)
{
	static const struct {
		const char *text;
		int64_t entries, ranges;
	} rows[] = {
	    {"192.0.2.1\n192.0.2.1\n", 2, 1},
	    {"192.0.2.0/24\n192.0.2.77\n192.0.2.128/25\n", 3, 1},
	    {"192.0.2.77\n192.0.2.0/24\n", 2, 1},
	    {"192.0.3.0/24\n192.0.2.0/24\n", 2, 1},
	    {"192.0.2.1\n192.0.2.2\n192.0.2.3\n", 3, 1},
	    {"192.0.2.1\n192.0.2.3\n", 2, 2},
	    {"2001:db8::/33\n2001:db8:8000::/33\n", 2, 1},
	    {"::/0\n192.0.2.1\nffff::\n", 3, 1},
	    {"10.0.0.0/8\n10.0.0.0/16\n10.1.0.0/16\n11.0.0.0\n", 4, 1},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct blocklist_report report;
		assert_int_equal(build(rows[i].text, &report), FAULT_NONE);
		assert_int_equal(report.entries, rows[i].entries);
		assert_int_equal(report.ranges, rows[i].ranges);
	}
}

static void keeps_the_wider_end_when_a_narrow_block_comes_behind(void **state)
{
	(void)state;
	struct blocklist *list = list_of("10.0.0.0/8\n10.0.0.0/30\n");
	assert_true(lists(list, "10.255.255.255"));
	assert_false(lists(list, "11.0.0.0"));
	blocklist_close(list);
}

static void takes_the_block_around_set_host_bits(void **state)
{
	(void)state;
	struct blocklist *list = list_of("192.0.2.77/24\n2001:db8::1/32\n");
	assert_true(lists(list, "192.0.2.0"));
	assert_true(lists(list, "192.0.2.255"));
	assert_true(lists(list, "2001:db8:ffff::"));
	blocklist_close(list);
}

static void names_the_line_that_is_no_address(void **state)
{
	static const struct {
		const char *text;
		int64_t line;
	} rows[] = {
	    {"example.org\n", 1},
	    {"192.0.2.1\n\n# fine\n192.0.2.256\n", 4},
	    {"192.0.2.1 192.0.2.2\n", 1},
	    {"192.0.2.0/33\n", 1},
	    {"192.0.2.0/24/24\n", 1},
	    {"192.0.2.1-192.0.2.9\n", 1},
	    {"192.0.2.1,US\n", 1},
	};
	struct blocklist_report report;
	struct blocklist *list = list_of("192.0.2.1\n");
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(build(rows[i].text, &report),
		                 FAULT_VALIDATION);
		assert_int_equal(report.bad_line, rows[i].line);
	}
	/* The list of before is untouched. */
	assert_true(blocklist_is_current(list, folder_path("list")));
	blocklist_close(list);
}

static void refuses_a_nul_in_a_line(void **state)
{
	static const char line[] = "192.0.2.1\0junk";
	struct ip_block block;
	bool has_block;
	(void)state;
	assert_int_equal(
	    blocklist_read_line((struct span){line, sizeof(line) - 1}, &block,
	                        &has_block),
	    FAULT_VALIDATION);
	assert_false(has_block);
}

static void refuses_a_text_without_any_address(void **state)
{
	struct blocklist_report report;
	(void)state;
	assert_int_equal(build("", &report), FAULT_VALIDATION);
	assert_int_equal(report.bad_line, 0);
	assert_int_equal(build("# nothing here\n", &report), FAULT_VALIDATION);
	assert_int_equal(blocklist_build(folder_path("no_feed"),
	                                 folder_path("list"), NULL, NULL,
	                                 &report),
	                 FAULT_NOT_FOUND);
	assert_int_equal(blocklist_build(folder_write("feed", 0644, "::1\n"),
	                                 folder_path("no/list"), NULL, NULL,
	                                 &report),
	                 FAULT_UNAVAILABLE);
}

static void refuses_a_file_that_is_no_list(void **state)
{
	struct blocklist *list;
	(void)state;
	assert_int_equal(blocklist_open(folder_path("nowhere"), &list),
	                 FAULT_NOT_FOUND);
	assert_int_equal(blocklist_open(folder_write("empty", 0644, ""), &list),
	                 FAULT_VALIDATION);
	assert_int_equal(
	    blocklist_open(
		folder_write("text", 0644,
	                     "192.0.2.1 and more text than a header has\n"),
		&list),
	    FAULT_VALIDATION);
	blocklist_close(list_of("192.0.2.1\n192.0.2.3\n"));
	assert_int_equal(truncate(folder_path("list"), 64), 0);
	assert_int_equal(blocklist_open(folder_path("list"), &list),
	                 FAULT_VALIDATION);
	assert_int_equal(truncate(folder_path("list"), 70), 0);
	assert_int_equal(blocklist_open(folder_path("list"), &list),
	                 FAULT_VALIDATION);
}

static void sees_that_another_file_took_the_place(void **state)
{
	struct blocklist_report report;
	struct blocklist *list = list_of("192.0.2.1\n");
	(void)state;
	assert_true(blocklist_is_current(list, folder_path("list")));
	assert_int_equal(build("192.0.2.3\n", &report), FAULT_NONE);
	assert_false(blocklist_is_current(list, folder_path("list")));
	assert_false(blocklist_is_current(list, folder_path("nowhere")));
	/* What was mapped is whole until it is closed. */
	assert_true(lists(list, "192.0.2.1"));
	assert_false(lists(list, "192.0.2.3"));
	blocklist_close(list);
}

static void leaves_a_list_that_others_can_read(void **state)
{
	struct stat about;
	mode_t mask = umask(077);
	(void)state;
	blocklist_close(list_of("192.0.2.1\n"));
	(void)umask(mask);
	assert_int_equal(stat(folder_path("list"), &about), 0);
	assert_int_equal(about.st_mode & 0777, 0644);
}

/* The same numbers each time (Marsaglia's xorshift), never twice the same. */
#define FIRST_RANDOM 2463534242
static uint32_t random_word = FIRST_RANDOM;

static void append_entry(struct text *text, size_t i)
{
	uint32_t bits = random_word;
	random_word ^= random_word << 13;
	random_word ^= random_word >> 17;
	random_word ^= random_word << 5;
	if (i % 4 == 3)
		text_appendf(text, "2a%02x:%x:%x::/48\n", bits & 0xff,
		             bits >> 8 & 0xff, bits >> 16);
	else
		text_appendf(text, "%u.%u.%u.%u\n", bits >> 24,
		             bits >> 16 & 0xff, bits >> 8 & 0xff, bits & 0xff);
}

/* The same addresses again, then as many others. */
static void make_questions(struct ip questions[LOOKUPS])
{
	char memory[LINE_BYTES];
	random_word = FIRST_RANDOM;
	for (size_t i = 0; i < LOOKUPS; i++) {
		struct text line = text_over(memory, sizeof(memory));
		struct ip_block block;
		bool has_block;
		append_entry(&line, i);
		assert_int_equal(
		    blocklist_read_line(text_span(&line), &block, &has_block),
		    FAULT_NONE);
		questions[i] = block.address;
	}
}

/* How far a load says it is. */
struct told {
	int calls;
	int64_t done, all;
};

static void hear(void *argument, int64_t done, int64_t all)
{
	struct told *told = argument;
	assert_true(done >= told->done && done <= all);
	*told = (struct told){told->calls + 1, done, all};
}

static void finds_one_of_100000_entries_in_microseconds(void **state)
{
	static char memory[FILES_BYTES];
	static struct ip questions[LOOKUPS];
	struct text text = text_over(memory, sizeof(memory));
	struct blocklist_report report;
	struct blocklist *list;
	struct told told = {0};
	int64_t found = 0;
	(void)state;
	for (size_t i = 0; i < ENTRIES; i++)
		append_entry(&text, i);
	text_append_byte(&text, '\0');
	assert_false(text.overflowed);
	assert_int_equal(blocklist_build(folder_write("feed", 0644, memory),
	                                 folder_path("list"), hear, &told,
	                                 &report),
	                 FAULT_NONE);
	assert_int_equal(report.entries, ENTRIES);
	assert_true(told.calls > 10);
	assert_int_equal(told.done, told.all);
	assert_int_equal(blocklist_open(folder_path("list"), &list),
	                 FAULT_NONE);
	make_questions(questions);
	int64_t started_us = clock_monotonic_us();
	for (size_t i = 0; i < LOOKUPS; i++)
		found += blocklist_has(list, &questions[i]);
	int64_t spent_us = clock_monotonic_us() - started_us;
	print_message("%d entries: %.3f us a lookup, %d of %d listed\n",
	              ENTRIES, (double)spent_us / LOOKUPS, (int)found, LOOKUPS);
	assert_true(found >= ENTRIES && found < LOOKUPS);
	assert_true(spent_us < (int64_t)LOOKUPS * LOOKUP_US);
	blocklist_close(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_addresses_and_blocks_of_both_families),
	    cmocka_unit_test(finds_the_very_first_and_the_very_last_address),
	    cmocka_unit_test(passes_over_comments_and_empty_lines),
	    cmocka_unit_test(merges_what_is_double_overlaps_or_touches),
	    cmocka_unit_test(
		keeps_the_wider_end_when_a_narrow_block_comes_behind),
	    cmocka_unit_test(takes_the_block_around_set_host_bits),
	    cmocka_unit_test(names_the_line_that_is_no_address),
	    cmocka_unit_test(refuses_a_nul_in_a_line),
	    cmocka_unit_test(refuses_a_text_without_any_address),
	    cmocka_unit_test(refuses_a_file_that_is_no_list),
	    cmocka_unit_test(sees_that_another_file_took_the_place),
	    cmocka_unit_test(leaves_a_list_that_others_can_read),
	    cmocka_unit_test(finds_one_of_100000_entries_in_microseconds),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
