/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks against a real MariaDB and Redis: what is blocked, for how long, who
 * never is, and what a process knows when the stores are away.
 */
#include "domain/guard/block.h"

#include "unit.h"

#include "base/clock.h"
#include "domain/audit/audit.h"
#include "domain/guard/block_store.h"
#include "domain/guard/blocklist.h"
#include "domain/guard/version.h"
#include "folder.h"
#include "stack.h"
#include "store/schema.h"

#include <stdlib.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)8 * 1024 * 1024)
#define NOON_MS     INT64_C(1768478400000) /* 2026-01-15T12:00:00Z */
#define HOUR_MS     INT64_C(3600000)
#define MANY_ROWS   1234
#define LOOKUPS     100000
#define LOOKUP_US   5
#define PATH_BYTES  4096

static struct config config;
static struct arena arena;
static struct blocks *blocks;
static struct ctx ctx;

static const struct uuid admin_id = {.bytes = {1, 2, 3}};

static struct ip address(const char *text)
{
	struct ip ip = {0};
	assert_int_equal(ip_parse(span_of(text), &ip), FAULT_NONE);
	return ip;
}

static struct ip_block block_of(const char *text)
{
	struct ip_block block = {0};
	assert_int_equal(ip_block_parse(span_of(text), &block), FAULT_NONE);
	return block;
}

static enum fault try_block(const char *text, int64_t duration_ms,
                            enum block_force force)
{
	struct block_record record;
	const struct block_wish wish = {
	    .block = block_of(text),
	    .duration_ms = duration_ms,
	    .reason = SPAN("made trouble"),
	    .force = force,
	};
	return block_add(&ctx, &wish, &record);
}

static void add(const char *text, int64_t duration_ms)
{
	assert_int_equal(try_block(text, duration_ms, BLOCK_CAREFUL),
	                 FAULT_NONE);
}

static bool has(const char *text)
{
	struct ip ip = address(text);
	return block_has(blocks, &ip, ctx.now_ms);
}

static bool has_after_load(const char *text)
{
	assert_int_equal(block_load(&ctx, blocks), FAULT_NONE);
	return has(text);
}

static int64_t version(void)
{
	int64_t number;
	assert_int_equal(version_read(&ctx, &number), FAULT_NONE);
	return number;
}

static enum fault sum(struct span bytes, char hex[65])
{
	(void)snprintf(hex, 65, "%064zu", bytes.length);
	return FAULT_NONE;
}

static void migrate(void)
{
	char path[PATH_BYTES], why[512] = "";
	const char *sources = getenv("srcdir");
	(void)snprintf(path, sizeof(path), "%s/sql/migrations",
	               sources ? sources : ".");
	if (schema_migrate(ctx.db, &arena, path, sum, NULL, NULL, why))
		fail_msg("%s", why);
}

static void set(const char *assignment)
{
	struct config_error error = {0};
	if (config_set(&config, assignment, &error))
		fail_msg("%s", error.message);
}

static void configure(void)
{
	char list[PATH_BYTES];
	stack_configure(&config);
	(void)snprintf(list, sizeof(list), "guard.blocklist_file=%s",
	               folder_path("list"));
	set(list);
	set("guard.allow=203.0.113.0/24 2001:db8:a::/48");
}

static int start(void **state)
{
	(void)state;
	folder_make();
	stack_start(STACK_MARIADB, NULL);
	stack_start(STACK_REDIS, NULL);
	configure();
	assert_int_equal(arena_init(&arena, ARENA_BYTES), FAULT_NONE);
	assert_int_equal(shared_open(folder_path(""), &ctx.shared), FAULT_NONE);
	assert_int_equal(db_new(&config, &ctx.db), FAULT_NONE);
	assert_int_equal(kv_new(&config, ctx.shared, &ctx.kv), FAULT_NONE);
	ctx.arena = &arena;
	ctx.config = &config;
	ctx.request_id = SPAN("test");
	migrate();
	return 0;
}

static int end(void **state)
{
	(void)state;
	db_free(ctx.db);
	kv_free(ctx.kv);
	arena_release(&arena);
	folder_remove();
	stack_end();
	return 0;
}

static void empty_tables(void)
{
	static const struct db_statement statements[] = {
	    {"DELETE FROM address_block", 0, 0},
	    {"DELETE FROM audit_event", 0, 0},
	};
	for (size_t i = 0; i < COUNT_OF(statements); i++)
		assert_int_equal(db_run(ctx.db, &statements[i], NULL, NULL),
		                 FAULT_NONE);
}

/* No row, no file, noon, and an administrator who calls from afar. */
static int begin(void **state)
{
	(void)state;
	arena_reset(&arena);
	(void)unlink(folder_path("list"));
	ctx.now_ms = NOON_MS;
	ctx.ip = address("198.18.0.1");
	ctx.errors.count = 0;
	ctx.actor = (struct actor){.kind = ACTOR_USER, .user_id = admin_id};
	empty_tables();
	assert_int_equal(block_open(&config, &blocks), FAULT_NONE);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	block_close(blocks);
	return 0;
}

static void blocks_an_address_and_no_other(void **state)
{
	(void)state;
	add("192.0.2.7", 0);
	add("2001:db8::7", 0);
	assert_false(has("192.0.2.7")); /* not told yet */
	assert_true(has_after_load("192.0.2.7"));
	assert_false(has("192.0.2.6"));
	assert_false(has("192.0.2.8"));
	assert_true(has("2001:db8::7"));
	assert_false(has("2001:db8::8"));
}

static void takes_a_mapped_address_for_ipv4(void **state)
{
	(void)state;
	add("::ffff:192.0.2.7", 0);
	add("198.51.100.0/24", 0);
	assert_true(has_after_load("192.0.2.7"));
	assert_true(has("::ffff:192.0.2.7"));
	assert_true(has("::ffff:198.51.100.9"));
	assert_false(has("::192.0.2.7"));
}

static void blocks_a_network_of_either_family(void **state)
{
	(void)state;
	add("198.51.100.0/25", 0);
	add("2001:db8:5::/48", 0);
	assert_true(has_after_load("198.51.100.0"));
	assert_true(has("198.51.100.127"));
	assert_false(has("198.51.100.128"));
	assert_true(has("2001:db8:5:ffff::1"));
	assert_false(has("2001:db8:6::"));
}

static void finds_the_wide_block_around_narrow_ones(void **state)
{
	(void)state;
	add("10.0.0.0/8", 0);
	add("10.1.0.0/16", HOUR_MS);
	add("10.1.2.0/24", HOUR_MS);
	add("10.1.2.3", HOUR_MS);
	add("10.3.0.0/16", HOUR_MS);
	add("11.0.0.0/16", HOUR_MS);
	assert_int_equal(block_load(&ctx, blocks), FAULT_NONE);
	ctx.now_ms += HOUR_MS; /* the narrow ones are over */
	assert_true(has("10.1.2.3"));
	assert_true(has("10.1.2.4"));
	assert_true(has("10.2.0.1"));
	assert_true(has("10.4.0.1"));
	assert_true(has("10.255.255.255"));
	assert_false(has("11.0.0.1"));
	assert_false(has("9.255.255.255"));
}

static void ends_a_block_by_the_time_alone(void **state)
{
	(void)state;
	add("192.0.2.7", HOUR_MS);
	assert_true(has_after_load("192.0.2.7"));
	ctx.now_ms = NOON_MS + HOUR_MS - 1;
	assert_true(has("192.0.2.7"));
	ctx.now_ms = NOON_MS + HOUR_MS;
	assert_false(has("192.0.2.7"));
}

static void never_ends_a_block_without_a_duration(void **state)
{
	(void)state;
	add("192.0.2.7", 0);
	assert_true(has_after_load("192.0.2.7"));
	ctx.now_ms += 100 * 365 * 24 * HOUR_MS;
	assert_true(has_after_load("192.0.2.7"));
}

static void lets_the_allowed_in_whatever_blocks_them(void **state)
{
	struct blocklist_report report;
	(void)state;
	assert_int_equal(
	    blocklist_build(folder_write("feed", 0644, "2001:db8::/32\n"),
	                    folder_path("list"), NULL, NULL, &report),
	    FAULT_NONE);
	add("203.0.0.0/16", 0);
	assert_true(has_after_load("203.0.112.1"));
	assert_false(has("203.0.113.1"));
	assert_true(has("2001:db8:b::1"));
	assert_false(has("2001:db8:a::1"));
}

static void refuses_to_block_what_is_always_allowed(void **state)
{
	int64_t before = version();
	(void)state;
	assert_int_equal(try_block("203.0.113.7", 0, BLOCK_FORCED),
	                 FAULT_CONFLICT);
	assert_int_equal(ctx.errors.count, 1);
	assert_string_equal(ctx.errors.at[0].code, "always_allowed");
	assert_int_equal(try_block("203.0.113.0/24", 0, BLOCK_FORCED),
	                 FAULT_CONFLICT);
	assert_int_equal(version(), before);
	assert_false(has_after_load("203.0.113.7"));
}

static void refuses_the_callers_own_address_unless_it_is_meant(void **state)
{
	static const char *const own[] = {"198.18.0.1", "198.18.0.0/15",
	                                  "0.0.0.0/0", "::/0"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(own); i++) {
		ctx.errors.count = 0;
		assert_int_equal(try_block(own[i], 0, BLOCK_CAREFUL),
		                 FAULT_CONFLICT);
		assert_int_equal(ctx.errors.count, 1);
		assert_string_equal(ctx.errors.at[0].code, "own_address");
	}
	assert_false(has_after_load("198.18.0.1"));
	assert_int_equal(try_block("198.18.0.0/15", 0, BLOCK_FORCED),
	                 FAULT_NONE);
	assert_true(has_after_load("198.18.0.1"));
}

static void lets_the_host_block_everything(void **state)
{
	(void)state;
	ctx.actor = (struct actor){.kind = ACTOR_HOST};
	ctx.ip = (struct ip){0};
	add("::/0", HOUR_MS);
	assert_true(has_after_load("192.0.2.1"));
	assert_true(has("2001:db8::1"));
	assert_false(has("203.0.113.1"));
}

static void refuses_a_reason_that_cannot_be_kept(void **state)
{
	static const char long_reason[BLOCK_REASON_BYTES + 1] = {'x'};
	const struct span wrong[] = {
	    SPAN("\xff"),
	    SPAN("two\nlines"),
	    SPAN("\x1b[2J"),
	    {long_reason, sizeof(long_reason)},
	};
	struct block_record record;
	struct block_wish wish = {.block = block_of("192.0.2.1")};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		wish.reason = wrong[i];
		assert_int_equal(block_add(&ctx, &wish, &record),
		                 FAULT_VALIDATION);
	}
	assert_false(has_after_load("192.0.2.1"));
}

static void puts_a_new_block_in_the_place_of_the_old(void **state)
{
	const struct block_record *records;
	size_t count;
	(void)state;
	add("192.0.2.7", 0);
	add("192.0.2.7", HOUR_MS);
	assert_int_equal(block_list(&ctx, NULL, 10, &records, &count),
	                 FAULT_NONE);
	assert_int_equal(count, 1);
	assert_int_equal(records[0].expires_at_ms, NOON_MS + HOUR_MS);
}

static void removes_a_block_once(void **state)
{
	struct ip_block block = block_of("192.0.2.0/24");
	struct ip_block inside = block_of("192.0.2.0");
	(void)state;
	add("192.0.2.0/24", 0);
	assert_int_equal(block_remove(&ctx, &inside), FAULT_NOT_FOUND);
	assert_true(has_after_load("192.0.2.1"));
	assert_int_equal(block_remove(&ctx, &block), FAULT_NONE);
	assert_false(has_after_load("192.0.2.1"));
	assert_int_equal(block_remove(&ctx, &block), FAULT_NOT_FOUND);
}

static void does_not_find_what_is_over_to_remove_it(void **state)
{
	struct ip_block block = block_of("192.0.2.7");
	(void)state;
	add("192.0.2.7", HOUR_MS);
	ctx.now_ms += HOUR_MS;
	assert_int_equal(block_remove(&ctx, &block), FAULT_NOT_FOUND);
}

static void raises_the_version_with_every_change(void **state)
{
	struct ip_block block = block_of("192.0.2.7");
	int64_t before = version();
	(void)state;
	add("192.0.2.7", 0);
	assert_int_equal(version(), before + 1);
	assert_int_equal(block_remove(&ctx, &block), FAULT_NONE);
	assert_int_equal(version(), before + 2);
	assert_int_equal(block_remove(&ctx, &block), FAULT_NOT_FOUND);
	assert_int_equal(version(), before + 2);
	assert_int_equal(block_announce_list(&ctx), FAULT_NONE);
	assert_int_equal(version(), before + 3);
}

static const struct audit_record *last_event(const char *type)
{
	const struct audit_filter filter = {
	    .type = span_of(type),
	    .success = -1,
	    .limit = 1,
	};
	const struct audit_record *records;
	size_t count;
	assert_int_equal(audit_list(&ctx, &filter, &records, &count),
	                 FAULT_NONE);
	assert_int_equal(count, 1);
	return records;
}

static void records_who_blocked_what_and_why(void **state)
{
	struct ip_block block = block_of("192.0.2.0/24");
	(void)state;
	add("192.0.2.0/24", HOUR_MS);
	const struct audit_record *event = last_event("ip_block");
	assert_true(uuid_equal(&event->actor_id, &admin_id));
	assert_span_equal(event->reason, "by_hand");
	assert_span_equal(event->detail,
	                  "192.0.2.0/24 until 2026-01-15T13:00:00Z: "
	                  "made trouble");
	assert_int_equal(block_remove(&ctx, &block), FAULT_NONE);
	assert_span_equal(last_event("ip_unblock")->detail, "192.0.2.0/24");
}

/* The guard's own block, as failure_claim makes it. */
struct automatic {
	struct ip network;
	int64_t version;
};

static enum fault automatic_work(void *argument)
{
	struct automatic *automatic = argument;
	return block_add_automatically(&ctx, &automatic->network,
	                               SPAN("failed sign-ins"),
	                               &automatic->version);
}

static int64_t block_automatically(const char *text)
{
	struct automatic automatic = {address(text), -1};
	assert_int_equal(db_transact(ctx.db, automatic_work, &automatic),
	                 FAULT_NONE);
	return automatic.version;
}

static void blocks_a_network_by_itself(void **state)
{
	int64_t before = version();
	(void)state;
	assert_int_equal(block_automatically("192.0.2.7"), before + 1);
	assert_int_equal(block_automatically("2001:db8:1:2:3::4"), before + 2);
	assert_true(has_after_load("192.0.2.7"));
	assert_false(has("192.0.2.8"));
	assert_true(has("2001:db8:1:2::"));
	assert_false(has("2001:db8:1:3::"));
	assert_span_equal(last_event("ip_block")->reason, "automatic");
	ctx.now_ms += config.guard.auto_block_for;
	assert_false(has("192.0.2.7"));
}

static void blocks_no_allowed_network_by_itself(void **state)
{
	(void)state;
	assert_int_equal(block_automatically("203.0.113.7"), 0);
	assert_false(has_after_load("203.0.113.7"));
}

static const struct block_record *only_row(void)
{
	const struct block_record *records;
	size_t count;
	assert_int_equal(block_list(&ctx, NULL, 10, &records, &count),
	                 FAULT_NONE);
	assert_int_equal(count, 1);
	return records;
}

static void leaves_a_longer_block_as_it_is(void **state)
{
	(void)state;
	add("192.0.2.7", 0);
	(void)block_automatically("192.0.2.7");
	assert_int_equal(only_row()->expires_at_ms, 0);
	assert_false(only_row()->is_automatic);
	assert_true(uuid_equal(&only_row()->created_by, &admin_id));
	assert_span_equal(only_row()->reason, "made trouble");
}

static void makes_a_shorter_block_longer(void **state)
{
	(void)state;
	add("192.0.2.7", 1000);
	(void)block_automatically("192.0.2.7");
	assert_int_equal(only_row()->expires_at_ms,
	                 NOON_MS + config.guard.auto_block_for);
	assert_true(only_row()->is_automatic);
	assert_true(uuid_is_nil(&only_row()->created_by));
	assert_span_equal(only_row()->reason, "failed sign-ins");
}

static void lists_live_blocks_in_order_of_address(void **state)
{
	static const char *const expected[] = {"10.0.0.0/8", "10.0.0.0/16",
	                                       "192.0.2.7", "2001:db8::/48"};
	const struct block_record *records;
	struct ip_block last = {0};
	char text[IP_BLOCK_TEXT_BYTES];
	size_t count;
	(void)state;
	for (size_t i = COUNT_OF(expected); i-- > 0;)
		add(expected[i], 2 * HOUR_MS);
	add("10.0.0.0/12", HOUR_MS);
	ctx.now_ms += HOUR_MS;
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(
		    block_list(&ctx, i ? &last : NULL, 1, &records, &count),
		    FAULT_NONE);
		assert_int_equal(count, 1);
		last = records[0].block;
		assert_string_equal(ip_block_format(&last, text), expected[i]);
	}
	assert_int_equal(block_list(&ctx, &last, 1, &records, &count),
	                 FAULT_NONE);
	assert_int_equal(count, 0);
}

static void removes_rows_that_are_over(void **state)
{
	static const struct db_statement all = {
	    "SELECT COUNT(*) FROM address_block", 0, 1};
	const struct db_value *row;
	(void)state;
	add("192.0.2.1", HOUR_MS);
	add("192.0.2.2", HOUR_MS + 1);
	add("192.0.2.3", 0);
	ctx.now_ms += HOUR_MS;
	assert_int_equal(block_expire(&ctx), FAULT_NONE);
	assert_int_equal(db_select_one(ctx.db, &all, NULL, &arena, &row),
	                 FAULT_NONE);
	assert_int_equal(db_to_integer(&row[0]), 2);
}

static enum fault many_work(void *argument)
{
	enum fault fault = FAULT_NONE;
	(void)argument;
	for (unsigned i = 0; !fault && i < MANY_ROWS; i++) {
		struct block_record record = {
		    .block = block_of("10.0.0.0"),
		    .created_at_ms = NOON_MS,
		};
		record.block.address.bytes[14] = (unsigned char)(i >> 7);
		record.block.address.bytes[15] = (unsigned char)(i << 1);
		fault = block_store_put(&ctx, &record);
	}
	return fault;
}

static void holds_more_rows_than_a_request_has_memory_for(void **state)
{
	static unsigned char little[64 * 1024];
	struct arena narrow = {.memory = little, .limit = sizeof(little)};
	struct ip ip = address("10.0.0.0");
	size_t found = 0;
	(void)state;
	assert_int_equal(db_transact(ctx.db, many_work, NULL), FAULT_NONE);
	ctx.arena = &narrow;
	assert_int_equal(block_load(&ctx, blocks), FAULT_NONE);
	ctx.arena = &arena;
	int64_t started_us = clock_monotonic_us();
	for (unsigned i = 0; i < LOOKUPS; i++) {
		unsigned last = i % (2 * MANY_ROWS);
		ip.bytes[14] = (unsigned char)(last >> 8);
		ip.bytes[15] = (unsigned char)last;
		found += block_has(blocks, &ip, NOON_MS) == (last % 2 == 0);
	}
	int64_t spent_us = clock_monotonic_us() - started_us;
	assert_int_equal(found, LOOKUPS);
	print_message("%d rows: %.3f us a lookup\n", MANY_ROWS,
	              (double)spent_us / LOOKUPS);
	assert_true(spent_us < (int64_t)LOOKUPS * LOOKUP_US);
}

static void build_list(const char *text)
{
	struct blocklist_report report;
	assert_int_equal(blocklist_build(folder_write("feed", 0644, text),
	                                 folder_path("list"), NULL, NULL,
	                                 &report),
	                 FAULT_NONE);
}

static void maps_the_file_anew_when_it_is_another(void **state)
{
	(void)state;
	build_list("192.0.2.1\n");
	assert_false(has("192.0.2.1"));
	assert_true(has_after_load("192.0.2.1"));
	build_list("192.0.2.3\n");
	assert_true(has_after_load("192.0.2.3"));
	assert_false(has("192.0.2.1"));
	(void)folder_write("list", 0644, "this is not what was made by a load");
	assert_true(has_after_load("192.0.2.3"));
	assert_int_equal(unlink(folder_path("list")), 0);
	assert_false(has_after_load("192.0.2.3"));
}

static void maps_the_file_before_any_store_was_asked(void **state)
{
	(void)state;
	build_list("192.0.2.1\n");
	block_close(blocks);
	assert_int_equal(block_open(&config, &blocks), FAULT_NONE);
	assert_true(has("192.0.2.1"));
}

static void changes_though_redis_is_gone(void **state)
{
	int64_t before = version();
	(void)state;
	stack_stop(STACK_REDIS);
	add("192.0.2.7", 0);
	stack_start(STACK_REDIS, NULL);
	assert_int_equal(version(), before + 1);
	assert_true(has_after_load("192.0.2.7"));
}

static void knows_what_it_knew_when_mariadb_is_gone(void **state)
{
	(void)state;
	add("192.0.2.7", 0);
	assert_true(has_after_load("192.0.2.7"));
	build_list("192.0.2.9\n");
	stack_stop(STACK_MARIADB);
	assert_int_equal(block_load(&ctx, blocks), FAULT_UNAVAILABLE);
	stack_start(STACK_MARIADB, NULL);
	assert_true(has("192.0.2.7"));
	assert_true(has("192.0.2.9"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(blocks_an_address_and_no_other),
	    TEST(takes_a_mapped_address_for_ipv4),
	    TEST(blocks_a_network_of_either_family),
	    TEST(finds_the_wide_block_around_narrow_ones),
	    TEST(ends_a_block_by_the_time_alone),
	    TEST(never_ends_a_block_without_a_duration),
	    TEST(lets_the_allowed_in_whatever_blocks_them),
	    TEST(refuses_to_block_what_is_always_allowed),
	    TEST(refuses_the_callers_own_address_unless_it_is_meant),
	    TEST(lets_the_host_block_everything),
	    TEST(refuses_a_reason_that_cannot_be_kept),
	    TEST(puts_a_new_block_in_the_place_of_the_old),
	    TEST(removes_a_block_once),
	    TEST(does_not_find_what_is_over_to_remove_it),
	    TEST(raises_the_version_with_every_change),
	    TEST(records_who_blocked_what_and_why),
	    TEST(blocks_a_network_by_itself),
	    TEST(blocks_no_allowed_network_by_itself),
	    TEST(leaves_a_longer_block_as_it_is),
	    TEST(makes_a_shorter_block_longer),
	    TEST(lists_live_blocks_in_order_of_address),
	    TEST(removes_rows_that_are_over),
	    TEST(holds_more_rows_than_a_request_has_memory_for),
	    TEST(maps_the_file_anew_when_it_is_another),
	    TEST(maps_the_file_before_any_store_was_asked),
	    TEST(changes_though_redis_is_gone),
	    TEST(knows_what_it_knew_when_mariadb_is_gone),
	};

	if (!stack_has(STACK_MARIADB) || !stack_has(STACK_REDIS))
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, start, end);
}
