/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that a process holds: added, found, made, kept and forgotten. */
#include "unit.h"

#include "base/log.h"
#include "crypto/keyring.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)64 * 1024)
#define NOW         INT64_C(1768473000000)
#define NOBODY      65534

static const unsigned char master[SEAL_KEY_BYTES] =
    "the master key of this test";
static const unsigned char bytes[SEAL_KEY_BYTES] = "the bytes of one key";

static struct arena arena;
static struct keyring *ring;

static int set_up(void **state)
{
	(void)state;
	if (arena_init(&arena, ARENA_BYTES))
		return 1;
	return keyring_new(master, &ring) != FAULT_NONE;
}

static int tear_down(void **state)
{
	(void)state;
	keyring_free(ring);
	arena_release(&arena);
	return 0;
}

static struct key header_of(const char *id, enum key_purpose purpose,
                            enum key_state state)
{
	struct key header = {
	    .purpose = purpose, .state = state, .created_at_ms = NOW};

	snprintf(header.id, sizeof(header.id), "%s", id);
	return header;
}

/* Add a key whose blob is bound to this text and holds these bytes. */
static enum fault add_bound(const struct key *header, const char *bound_to,
                            struct span value)
{
	char memory[256];
	struct text blob = text_over(memory, sizeof(memory));

	assert_int_equal(seal_value(master, span_of(bound_to), value, &blob),
	                 FAULT_NONE);
	return keyring_add(ring, header, text_span(&blob), &arena);
}

static enum fault add(const struct key *header)
{
	char bound_to[64];

	snprintf(bound_to, sizeof(bound_to), "%s:%s",
	         keyring_purpose_name(header->purpose), header->id);
	return add_bound(header, bound_to,
	                 (struct span){(const char *)bytes, sizeof(bytes)});
}

static void add_key(const char *id, enum key_purpose purpose,
                    enum key_state state)
{
	struct key header = header_of(id, purpose, state);

	assert_int_equal(add(&header), FAULT_NONE);
}

static const struct key *find(enum key_purpose purpose, const char *id)
{
	return keyring_find(ring, purpose, span_of(id), NOW);
}

static void names_every_purpose_and_state(void **state)
{
	(void)state;
	for (int i = KEY_PURPOSE_NONE + 1; i < KEY_PURPOSE_COUNT; i++)
		assert_int_equal(
		    keyring_purpose_parse(
			span_of(keyring_purpose_name((enum key_purpose)i))),
		    i);
	for (int i = KEY_STATE_NONE + 1; i <= KEY_RETIRED; i++)
		assert_int_equal(keyring_state_parse(span_of(
				     keyring_state_name((enum key_state)i))),
		                 i);
	assert_string_equal(keyring_purpose_name(KEY_ACCESS_TOKEN),
	                    "access_token");
	assert_string_equal(keyring_state_name(KEY_CURRENT), "current");
}

static void knows_no_other_name(void **state)
{
	(void)state;
	assert_string_equal(keyring_purpose_name(KEY_PURPOSE_NONE), "unknown");
	assert_string_equal(keyring_purpose_name(KEY_PURPOSE_COUNT), "unknown");
	assert_string_equal(keyring_state_name(KEY_STATE_NONE), "unknown");
	assert_int_equal(keyring_purpose_parse(SPAN("")), KEY_PURPOSE_NONE);
	assert_int_equal(keyring_purpose_parse(SPAN("unknown")),
	                 KEY_PURPOSE_NONE);
	assert_int_equal(keyring_purpose_parse(SPAN("CSRF")), KEY_PURPOSE_NONE);
	assert_int_equal(keyring_purpose_parse((struct span){0}),
	                 KEY_PURPOSE_NONE);
	assert_int_equal(keyring_state_parse(SPAN("currently")),
	                 KEY_STATE_NONE);
	assert_int_equal(keyring_state_parse((struct span){0}), KEY_STATE_NONE);
}

static void knows_a_valid_id(void **state)
{
	(void)state;
	assert_true(keyring_id_is_valid(SPAN("a")));
	assert_true(keyring_id_is_valid(SPAN("azAZ09-_")));
	assert_true(
	    keyring_id_is_valid(SPAN("0123456789abcdef0123456789abcdef")));
	assert_false(
	    keyring_id_is_valid(SPAN("0123456789abcdef0123456789abcdef0")));
	assert_false(keyring_id_is_valid(SPAN("")));
	assert_false(keyring_id_is_valid((struct span){0}));
	assert_false(keyring_id_is_valid(SPAN("a b")));
	assert_false(keyring_id_is_valid(SPAN("a.b")));
	assert_false(keyring_id_is_valid(SPAN("a/b")));
	assert_false(keyring_id_is_valid(SPAN("a\0")));
	assert_false(keyring_id_is_valid(SPAN("\xc3\xa9")));
}

static void finds_the_key_it_was_given(void **state)
{
	const struct key *key;

	(void)state;
	add_key("key-1", KEY_CSRF, KEY_CURRENT);
	key = find(KEY_CSRF, "key-1");
	assert_non_null(key);
	assert_memory_equal(key->bytes, bytes, sizeof(bytes));
	assert_string_equal(key->id, "key-1");
	assert_non_null(key->mac);
	assert_ptr_equal(keyring_current(ring, KEY_CSRF), key);
}

static void gives_no_key_for_another_purpose(void **state)
{
	(void)state;
	add_key("key-1", KEY_CSRF, KEY_CURRENT);
	for (int i = KEY_PURPOSE_NONE; i <= KEY_PURPOSE_COUNT; i++) {
		if (i == KEY_CSRF)
			continue;
		assert_null(find((enum key_purpose)i, "key-1"));
		assert_null(keyring_current(ring, (enum key_purpose)i));
	}
}

static void finds_an_id_only_whole(void **state)
{
	(void)state;
	add_key("key-1", KEY_CSRF, KEY_CURRENT);
	assert_null(find(KEY_CSRF, "key-"));
	assert_null(find(KEY_CSRF, "key-11"));
	assert_null(find(KEY_CSRF, "KEY-1"));
	assert_null(find(KEY_CSRF, ""));
	assert_null(keyring_find(ring, KEY_CSRF, SPAN("key-1\0"), NOW));
	assert_null(keyring_find(ring, KEY_CSRF, (struct span){0}, NOW));
}

static void finds_current_and_retiring_keys_only(void **state)
{
	(void)state;
	add_key("next", KEY_CSRF, KEY_NEXT);
	add_key("current", KEY_CSRF, KEY_CURRENT);
	add_key("retiring", KEY_CSRF, KEY_RETIRING);
	add_key("retired", KEY_CSRF, KEY_RETIRED);
	assert_null(find(KEY_CSRF, "next"));
	assert_non_null(find(KEY_CSRF, "current"));
	assert_non_null(find(KEY_CSRF, "retiring"));
	assert_null(find(KEY_CSRF, "retired"));
	assert_string_equal(keyring_current(ring, KEY_CSRF)->id, "current");
}

static void retires_a_key_at_its_moment(void **state)
{
	struct key header = header_of("old", KEY_CSRF, KEY_RETIRING);

	(void)state;
	header.retires_at_ms = NOW;
	assert_int_equal(add(&header), FAULT_NONE);
	assert_non_null(keyring_find(ring, KEY_CSRF, SPAN("old"), NOW - 1));
	assert_null(keyring_find(ring, KEY_CSRF, SPAN("old"), NOW));
	assert_null(keyring_find(ring, KEY_CSRF, SPAN("old"), NOW + 1));
}

static void takes_the_newest_of_two_current_keys(void **state)
{
	struct key header = header_of("newer", KEY_CSRF, KEY_CURRENT);

	(void)state;
	add_key("older", KEY_CSRF, KEY_CURRENT);
	header.created_at_ms = NOW + 1;
	assert_int_equal(add(&header), FAULT_NONE);
	assert_string_equal(keyring_current(ring, KEY_CSRF)->id, "newer");
}

static void refuses_a_blob_of_another_row(void **state)
{
	const struct span value = {(const char *)bytes, sizeof(bytes)};
	const struct key header = header_of("key-1", KEY_CSRF, KEY_CURRENT);

	(void)state;
	assert_int_equal(add_bound(&header, "csrf:key-2", value),
	                 FAULT_VALIDATION);
	assert_int_equal(add_bound(&header, "outbox:key-1", value),
	                 FAULT_VALIDATION);
	assert_int_equal(add_bound(&header, "csrf:key-1 ", value),
	                 FAULT_VALIDATION);
	assert_int_equal(add_bound(&header, "", value), FAULT_VALIDATION);
	assert_null(find(KEY_CSRF, "key-1"));
	assert_int_equal(add_bound(&header, "csrf:key-1", value), FAULT_NONE);
}

static void refuses_a_blob_of_another_master(void **state)
{
	const unsigned char other[SEAL_KEY_BYTES] = "another master key";
	struct keyring *stranger = NULL;
	struct key header = {.purpose = KEY_CSRF, .state = KEY_CURRENT};
	char memory[256];
	struct text blob = text_over(memory, sizeof(memory));

	(void)state;
	assert_int_equal(keyring_new(other, &stranger), FAULT_NONE);
	assert_int_equal(keyring_make(stranger, &header, &blob), FAULT_NONE);
	assert_int_equal(keyring_add(ring, &header, text_span(&blob), &arena),
	                 FAULT_VALIDATION);
	assert_int_equal(
	    keyring_add(stranger, &header, text_span(&blob), &arena),
	    FAULT_NONE);
	keyring_free(stranger);
}

static void refuses_a_key_of_another_length(void **state)
{
	const struct key header = header_of("key-1", KEY_CSRF, KEY_CURRENT);
	char longer[SEAL_KEY_BYTES + 1] = {0};

	(void)state;
	for (size_t length = 0; length <= sizeof(longer); length++) {
		if (length == SEAL_KEY_BYTES)
			continue;
		assert_int_equal(add_bound(&header, "csrf:key-1",
		                           (struct span){longer, length}),
		                 FAULT_VALIDATION);
	}
	assert_null(find(KEY_CSRF, "key-1"));
}

static void refuses_a_header_that_is_not_valid(void **state)
{
	struct key headers[] = {
	    header_of("key-1", KEY_PURPOSE_NONE, KEY_CURRENT),
	    header_of("key-1", KEY_PURPOSE_COUNT, KEY_CURRENT),
	    header_of("key-1", KEY_CSRF, KEY_STATE_NONE),
	    header_of("key-1", KEY_CSRF, KEY_RETIRED + 1),
	    header_of("", KEY_CSRF, KEY_CURRENT),
	    header_of("key 1", KEY_CSRF, KEY_CURRENT),
	    header_of("x", KEY_CSRF, KEY_CURRENT),
	};

	(void)state;
	memset(headers[6].id, 'x', sizeof(headers[6].id)); /* no NUL */
	for (size_t i = 0; i < COUNT_OF(headers); i++)
		assert_int_equal(
		    keyring_add(ring, &headers[i], SPAN("blob"), &arena),
		    FAULT_VALIDATION);
}

static void refuses_a_key_that_it_holds(void **state)
{
	const struct key header = header_of("key-1", KEY_CSRF, KEY_RETIRING);

	(void)state;
	add_key("key-1", KEY_CSRF, KEY_CURRENT);
	assert_int_equal(add(&header), FAULT_VALIDATION);
	/* The same id for another purpose is another key. */
	add_key("key-1", KEY_OUTBOX, KEY_CURRENT);
}

static void holds_so_many_keys_and_no_more(void **state)
{
	const struct key last = header_of("last", KEY_CSRF, KEY_CURRENT);
	char id[16];

	(void)state;
	for (int i = 0; i < KEYRING_LIMIT; i++) {
		snprintf(id, sizeof(id), "key-%d", i);
		add_key(id, KEY_CSRF, KEY_RETIRING);
		arena_reset(&arena);
	}
	assert_int_equal(add(&last), FAULT_EXHAUSTED);
	keyring_clear(ring);
	assert_null(find(KEY_CSRF, "key-1"));
	assert_int_equal(add(&last), FAULT_NONE);
}

static void keeps_the_master_when_it_forgets_the_rest(void **state)
{
	(void)state;
	add_key("key-1", KEY_CSRF, KEY_CURRENT);
	keyring_clear(ring);
	assert_null(keyring_current(ring, KEY_CSRF));
	add_key("key-1", KEY_CSRF, KEY_CURRENT);
	assert_non_null(find(KEY_CSRF, "key-1"));
}

static void makes_a_key_that_it_can_add(void **state)
{
	struct key header = {.purpose = KEY_ACCESS_TOKEN, .state = KEY_CURRENT};
	char memory[256];
	struct text blob = text_over(memory, sizeof(memory));
	const struct key *key;

	(void)state;
	assert_int_equal(keyring_make(ring, &header, &blob), FAULT_NONE);
	assert_null(keyring_current(ring, KEY_ACCESS_TOKEN));
	assert_int_equal(strlen(header.id), 16);
	assert_true(keyring_id_is_valid(span_of(header.id)));
	assert_int_equal(keyring_add(ring, &header, text_span(&blob), &arena),
	                 FAULT_NONE);
	key = find(KEY_ACCESS_TOKEN, header.id);
	assert_non_null(key);
	assert_memory_equal(key->bytes, header.bytes, SEAL_KEY_BYTES);
}

static void makes_another_key_each_time(void **state)
{
	struct key first = {.purpose = KEY_CSRF};
	struct key second = {.purpose = KEY_CSRF};
	char memory[512];
	struct text blob = text_over(memory, sizeof(memory));

	(void)state;
	assert_int_equal(keyring_make(ring, &first, &blob), FAULT_NONE);
	assert_int_equal(keyring_make(ring, &second, &blob), FAULT_NONE);
	assert_string_not_equal(first.id, second.id);
	assert_memory_not_equal(first.bytes, second.bytes, SEAL_KEY_BYTES);
}

static void makes_no_key_without_a_purpose_or_room(void **state)
{
	struct key header = {0};
	char memory[64];
	struct text blob = text_over(memory, sizeof(memory));

	(void)state;
	assert_int_equal(keyring_make(ring, &header, &blob), FAULT_INTERNAL);
	header.purpose = KEY_CSRF;
	assert_int_equal(keyring_make(ring, &header, &blob), FAULT_EXHAUSTED);
}

/* The line of flags in smaps of the mapping that holds this address. */
static void read_flags(const void *address, char flags[256])
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[512];
	char *end;
	bool is_ours = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		uintptr_t from = strtoul(line, &end, 16);
		if (*end == '-')
			is_ours =
			    from <= (uintptr_t)address &&
			    (uintptr_t)address < strtoul(end + 1, NULL, 16);
		if (is_ours && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, 256, "%.250s", line);
	}
	fclose(maps);
}

static void leaves_its_pages_out_of_core_files(void **state)
{
	char flags[256] = "";

	(void)state;
	read_flags(ring, flags);
	assert_non_null(strstr(flags, " dd"));
}

static size_t count_lines(const char *path)
{
	FILE *log = fopen(path, "re");
	size_t count = 0;
	int byte;

	assert_non_null(log);
	while ((byte = fgetc(log)) != EOF)
		count += byte == '\n';
	fclose(log);
	return count;
}

/* AddressSanitizer's mlock does nothing and tells of success. */
static bool may_lock(const void *page)
{
	return mlock(page, 1) == 0;
}

/* Root may lock what it likes, so the test is somebody else for a moment. */
static void goes_on_without_locked_memory_and_says_so_once(void **state)
{
	struct rlimit before;
	struct rlimit none;
	char path[] = "keyring-XXXXXX";
	struct keyring *other = NULL;
	int descriptor = mkstemp(path);
	size_t wanted;

	(void)state;
	assert_true(descriptor >= 0);
	assert_int_equal(log_open(path, LOG_INFO), FAULT_NONE);
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	wanted = may_lock(&arena) ? 0 : 1;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(keyring_new(master, &other), FAULT_NONE);
		keyring_free(other);
	}
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
	assert_int_equal(log_open("", LOG_INFO), FAULT_NONE);
	assert_int_equal(count_lines(path), wanted);
	unlink(path);
	close(descriptor);
}

static void frees_nothing(void **state)
{
	(void)state;
	keyring_free(NULL);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(names_every_purpose_and_state),
	    TEST(knows_no_other_name),
	    TEST(knows_a_valid_id),
	    TEST(finds_the_key_it_was_given),
	    TEST(gives_no_key_for_another_purpose),
	    TEST(finds_an_id_only_whole),
	    TEST(finds_current_and_retiring_keys_only),
	    TEST(retires_a_key_at_its_moment),
	    TEST(takes_the_newest_of_two_current_keys),
	    TEST(refuses_a_blob_of_another_row),
	    TEST(refuses_a_blob_of_another_master),
	    TEST(refuses_a_key_of_another_length),
	    TEST(refuses_a_header_that_is_not_valid),
	    TEST(refuses_a_key_that_it_holds),
	    TEST(holds_so_many_keys_and_no_more),
	    TEST(keeps_the_master_when_it_forgets_the_rest),
	    TEST(makes_a_key_that_it_can_add),
	    TEST(makes_another_key_each_time),
	    TEST(makes_no_key_without_a_purpose_or_room),
	    TEST(leaves_its_pages_out_of_core_files),
	    TEST(goes_on_without_locked_memory_and_says_so_once),
	    TEST(frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
