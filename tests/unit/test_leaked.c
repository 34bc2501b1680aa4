/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter of leaked passwords (requirement PW-04): it never misses what was
 * on the list, in either form of list, hardly ever names what was not, and is
 * never taken from a file that is not whole.
 */
#include "unit.h"

#include "base/encode.h"
#include "crypto/digest.h"
#include "domain/account/leaked.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534
#define MANY   100000

static int set_up(void **state)
{
	(void)state;
	folder_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove();
	return 0;
}

/* Build from this text and open; entries gets the count. */
static struct leaked *build(const char *list, int64_t *entries)
{
	struct leaked *leaked = NULL;

	assert_int_equal(leaked_build(folder_write("list", 0600, list),
	                              folder_path("filter"), NULL, NULL,
	                              entries),
	                 FAULT_NONE);
	assert_int_equal(leaked_open(folder_path("filter"), &leaked),
	                 FAULT_NONE);
	return leaked;
}

static bool has(const struct leaked *leaked, const char *password)
{
	return leaked_has(leaked, span_of(password));
}

static void names_every_password_of_a_plain_list(void **state)
{
	static const char *const passwords[] = {
	    "password",
	    "correct horse battery staple",
	    " leading and trailing ",
	    "p\xc3\xa4ssw\xc3\xb6rt",
	    "\xff\xfe no utf-8",
	    "a:b",
	    "no line end",
	};
	char list[512] = "";
	int64_t entries = 0;
	struct leaked *leaked;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(passwords); i++)
		(void)snprintf(list + strlen(list), sizeof(list) - strlen(list),
		               "%s%s", i ? i % 2 ? "\n" : "\r\n" : "",
		               passwords[i]);
	leaked = build(list, &entries);
	assert_int_equal(entries, COUNT_OF(passwords));
	for (size_t i = 0; i < COUNT_OF(passwords); i++)
		if (!has(leaked, passwords[i]))
			fail_msg("\"%s\" was missed", passwords[i]);
	assert_false(has(leaked, ""));
	assert_false(has(leaked, "password\n"));
	assert_false(has(leaked, "password\r"));
	assert_false(has(leaked, "leading and trailing"));
	leaked_close(leaked);
}

static void takes_letters_of_either_case_as_one(void **state)
{
	int64_t entries = 0;
	struct leaked *leaked =
	    build("summer in the city\nMixed Case Words\n", &entries);

	(void)state;
	assert_true(has(leaked, "summer in the city"));
	assert_true(has(leaked, "Summer In The City"));
	assert_true(has(leaked, "SUMMER IN THE CITY"));
	assert_true(has(leaked, "Mixed Case Words"));
	assert_true(has(leaked, "mixed case words"));
	assert_true(has(leaked, "MIXED CASE WORDS"));
	assert_false(has(leaked, "winter in the city"));
	leaked_close(leaked);
}

/* Append the SHA-1 of a password as the lists of Have I Been Pwned have it. */
static void append_hash(struct text *list, const char *password,
                        const char *behind, bool is_upper)
{
	unsigned char sha1[DIGEST_SHA1_BYTES];
	size_t start = list->length;

	assert_int_equal(digest_sha1(span_of(password), sha1), FAULT_NONE);
	hex_append(list, sha1, sizeof(sha1));
	for (size_t i = start; is_upper && i < list->length; i++)
		if (list->at[i] >= 'a')
			list->at[i] = (char)(list->at[i] - 'a' + 'A');
	text_append_cstr(list, behind);
}

static void names_every_password_of_a_list_of_hashes(void **state)
{
	char memory[512];
	struct text list = text_over(memory, sizeof(memory) - 1);
	int64_t entries = 0;
	struct leaked *leaked;

	(void)state;
	append_hash(&list, "password", ":9659365\r\n", true);
	append_hash(&list, "letmein", ":3\n", true);
	append_hash(&list, "only the hash", "\n", false);
	append_hash(&list, "Mixed Case", ":1\n", true);
	append_hash(&list, "the last", "", true);
	memory[list.length] = '\0';
	leaked = build(memory, &entries);
	assert_int_equal(entries, 5);
	assert_true(has(leaked, "password"));
	assert_true(has(leaked, "PassWord"));
	assert_true(has(leaked, "letmein"));
	assert_true(has(leaked, "only the hash"));
	assert_true(has(leaked, "the last"));
	/* Of a hash nobody can know what it would be in lower case. */
	assert_true(has(leaked, "Mixed Case"));
	assert_false(has(leaked, "mixed case"));
	leaked_close(leaked);
}

/* Forty hex digits and more are a password, not a hash. */
static void takes_what_only_looks_like_a_hash_as_a_password(void **state)
{
	static const char *const passwords[] = {
	    "0123456789abcdef0123456789abcdef0123456",
	    "0123456789abcdef0123456789abcdef012345678",
	    "0123456789abcdef0123456789abcdef0123456x",
	    "0123456789abcdef0123456789abcdef01234567 :3",
	};
	int64_t entries = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(passwords); i++) {
		struct leaked *leaked = build(passwords[i], &entries);

		assert_int_equal(entries, 1);
		assert_true(has(leaked, passwords[i]));
		leaked_close(leaked);
	}
}

/* A long list of numbers, and as many passwords that are none of them. */
static void names_fewer_than_one_in_ten_thousand_others(void **state)
{
	FILE *list;
	char password[32];
	int64_t entries = 0;
	int wrong = 0;
	struct leaked *leaked = NULL;

	(void)state;
	list = fopen(folder_write("long", 0600, ""), "we");
	assert_non_null(list);
	for (int i = 0; i < MANY; i++)
		(void)fprintf(list, "listed %d\n", i);
	assert_int_equal(fclose(list), 0);
	assert_int_equal(leaked_build(folder_path("long"),
	                              folder_path("filter"), NULL, NULL,
	                              &entries),
	                 FAULT_NONE);
	assert_int_equal(entries, MANY);
	assert_int_equal(leaked_open(folder_path("filter"), &leaked),
	                 FAULT_NONE);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(password, sizeof(password), "listed %d", i);
		assert_true(has(leaked, password));
		(void)snprintf(password, sizeof(password), "free %08x",
		               (unsigned)i * 2654435761u);
		wrong += has(leaked, password);
	}
	assert_true(wrong < MANY / 10000);
	leaked_close(leaked);
}

/* How often and with what progress was told. */
struct told {
	int count;
	int64_t done;
	int64_t all;
};

static void tell(void *argument, int64_t done_bytes, int64_t all_bytes)
{
	struct told *told = argument;

	assert_true(done_bytes > told->done || told->count == 0);
	told->count++;
	told->done = done_bytes;
	told->all = all_bytes;
}

static void tells_how_far_it_is_up_to_the_end(void **state)
{
	const char *list = folder_path("long");
	struct told told = {0};
	struct stat status;
	int64_t entries = 0;

	(void)state;
	assert_int_equal(stat(list, &status), 0);
	assert_int_equal(
	    leaked_build(list, folder_path("filter"), tell, &told, &entries),
	    FAULT_NONE);
	assert_true(told.count >= 2);
	assert_int_equal(told.done, status.st_size);
	assert_int_equal(told.all, status.st_size);
}

static void counts_a_list_of_empty_lines_as_none(void **state)
{
	int64_t entries = 5;
	struct leaked *leaked = build("\n\n\r\n", &entries);

	(void)state;
	assert_int_equal(entries, 0);
	assert_false(has(leaked, ""));
	assert_false(has(leaked, "password"));
	leaked_close(leaked);
}

static void refuses_a_list_that_is_empty_or_missing(void **state)
{
	int64_t entries = 0;

	(void)state;
	assert_int_equal(leaked_build(folder_write("list", 0600, ""),
	                              folder_path("none"), NULL, NULL,
	                              &entries),
	                 FAULT_VALIDATION);
	assert_int_equal(leaked_build(folder_path("missing"),
	                              folder_path("none"), NULL, NULL,
	                              &entries),
	                 FAULT_NOT_FOUND);
	assert_int_equal(access(folder_path("none"), F_OK), -1);
	assert_int_equal(access(folder_path("none.tmp"), F_OK), -1);
}

static void gives_a_fault_where_it_cannot_write(void **state)
{
	const char *list = folder_write("list", 0644, "password\n");
	int64_t entries = 0;

	(void)state;
	assert_int_equal(leaked_build(list, folder_path("no/such/folder"), NULL,
	                              NULL, &entries),
	                 FAULT_UNAVAILABLE);
	assert_int_equal(
	    leaked_build(list, "/proc/filter", NULL, NULL, &entries),
	    FAULT_UNAVAILABLE);
	/* A draft that cannot be renamed does not stay. */
	assert_int_equal(mkdir(folder_path("taken"), 0700), 0);
	assert_int_equal(
	    leaked_build(list, folder_path("taken"), NULL, NULL, &entries),
	    FAULT_UNAVAILABLE);
	assert_int_equal(access(folder_path("taken.tmp"), F_OK), -1);
}

/* A folder that may be read and not written to; root must step aside. */
static void keeps_the_old_filter_where_it_may_not_write(void **state)
{
	int64_t entries = 0;
	struct leaked *leaked = build("password\n", &entries);
	const char *list = folder_write("list", 0644, "letmein\n");
	bool is_root = geteuid() == 0;
	enum fault fault;

	(void)state;
	leaked_close(leaked);
	assert_int_equal(chmod(folder_path("."), 0555), 0);
	assert_true(!is_root || seteuid(NOBODY) == 0);
	fault = leaked_build(list, folder_path("filter"), NULL, NULL, &entries);
	assert_true(!is_root || seteuid(0) == 0);
	assert_int_equal(chmod(folder_path("."), 0700), 0);
	assert_int_equal(fault, FAULT_UNAVAILABLE);
	assert_int_equal(leaked_open(folder_path("filter"), &leaked),
	                 FAULT_NONE);
	assert_true(has(leaked, "password"));
	assert_false(has(leaked, "letmein"));
	leaked_close(leaked);
}

/* Who has the old one mapped goes on with it. */
static void replaces_a_filter_under_its_readers(void **state)
{
	int64_t entries = 0;
	struct leaked *old = build("password\n", &entries);
	struct leaked *new = build("letmein\n", &entries);

	(void)state;
	assert_true(has(old, "password"));
	assert_false(has(old, "letmein"));
	assert_true(has(new, "letmein"));
	assert_false(has(new, "password"));
	leaked_close(old);
	leaked_close(new);
}

static void refuse(const char *path)
{
	struct leaked *leaked = NULL;

	assert_int_equal(leaked_open(path, &leaked), FAULT_VALIDATION);
	assert_null(leaked);
}

static void refuses_a_filter_of_any_other_length(void **state)
{
	int64_t entries = 0;
	const char *path;
	struct stat status;

	(void)state;
	leaked_close(build("password\nletmein\n", &entries));
	path = folder_path("filter");
	assert_int_equal(stat(path, &status), 0);
	for (off_t length = status.st_size - 1; length >= 0; length--) {
		assert_int_equal(truncate(path, length), 0);
		refuse(path);
	}
	leaked_close(build("password\nletmein\n", &entries));
	assert_int_equal(truncate(path, status.st_size + 1), 0);
	refuse(path);
}

/* The header: eight bytes of magic, then the number of bits. */
static void write_at(const char *path, off_t at, uint64_t word)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(pwrite(file, &word, sizeof(word), at), sizeof(word));
	(void)close(file);
}

static void refuses_a_foreign_file(void **state)
{
	const uint64_t bit_counts[] = {0, 1, 7, 8, UINT64_MAX, UINT64_MAX - 7};
	int64_t entries = 0;
	const char *path;
	struct leaked *leaked;

	(void)state;
	refuse(folder_write("foreign", 0600, ""));
	refuse(folder_write("foreign", 0600, "password\n"));
	refuse(folder_write("foreign", 0600,
	                    "a text that is longer than a header would be, "
	                    "and of which nothing is a filter"));
	refuse("/dev/null");
	refuse(folder_path("."));
	leaked_close(build("password\n", &entries));
	path = folder_path("filter");
	for (size_t i = 0; i < COUNT_OF(bit_counts); i++) {
		write_at(path, 8, bit_counts[i]);
		refuse(path);
	}
	leaked_close(build("password\n", &entries));
	write_at(path, 0, 0);
	refuse(path);
	assert_int_equal(leaked_open(folder_path("missing"), &leaked),
	                 FAULT_NOT_FOUND);
}

/* A byte would be read that is not in the file. */
static void refuses_bits_beyond_the_last_byte(void **state)
{
	int64_t entries = 0;
	struct stat status;
	const char *path;

	(void)state;
	leaked_close(build("password\n", &entries));
	path = folder_path("filter");
	assert_int_equal(stat(path, &status), 0);
	for (uint64_t more = 1; more < 8; more++) {
		write_at(path, 8, ((uint64_t)status.st_size - 32) * 8 + more);
		refuse(path);
	}
}

static void closes_nothing(void **state)
{
	(void)state;
	leaked_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_every_password_of_a_plain_list),
	    cmocka_unit_test(takes_letters_of_either_case_as_one),
	    cmocka_unit_test(names_every_password_of_a_list_of_hashes),
	    cmocka_unit_test(takes_what_only_looks_like_a_hash_as_a_password),
	    cmocka_unit_test(names_fewer_than_one_in_ten_thousand_others),
	    cmocka_unit_test(tells_how_far_it_is_up_to_the_end),
	    cmocka_unit_test(counts_a_list_of_empty_lines_as_none),
	    cmocka_unit_test(refuses_a_list_that_is_empty_or_missing),
	    cmocka_unit_test(gives_a_fault_where_it_cannot_write),
	    cmocka_unit_test(keeps_the_old_filter_where_it_may_not_write),
	    cmocka_unit_test(replaces_a_filter_under_its_readers),
	    cmocka_unit_test(refuses_a_filter_of_any_other_length),
	    cmocka_unit_test(refuses_a_foreign_file),
	    cmocka_unit_test(refuses_bits_beyond_the_last_byte),
	    cmocka_unit_test(closes_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
