/* SPDX-License-Identifier: Apache-2.0 */
/* Known-device cookies: whose they are, how long, and that none is made up. */
#include "domain/guard/device.h"

#include "unit.h"

#define ARENA_BYTES ((size_t)256 * 1024)
#define NOON_MS     INT64_C(1768478400000)
#define DAY_MS      INT64_C(86400000)

static const unsigned char master[SEAL_KEY_BYTES] = {3};
static const struct uuid alice = {.bytes = {1}}, bob = {.bytes = {2}};
static const struct uuid nobody = {0};

static struct config config;
static struct arena arena;
static struct ctx ctx;

static void add_key(enum key_purpose purpose)
{
	struct key header = {.purpose = purpose, .state = KEY_CURRENT};
	struct text blob =
	    arena_text(&arena, SEAL_KEY_BYTES + SEAL_OVERHEAD_BYTES);
	assert_int_equal(keyring_make(ctx.keys, &header, &blob), FAULT_NONE);
	assert_int_equal(
	    keyring_add(ctx.keys, &header, text_span(&blob), &arena),
	    FAULT_NONE);
}

static int start(void **state)
{
	(void)state;
	config_defaults(&config);
	assert_int_equal(arena_init(&arena, ARENA_BYTES), FAULT_NONE);
	ctx.arena = &arena;
	ctx.config = &config;
	assert_int_equal(keyring_new(master, &ctx.keys), FAULT_NONE);
	add_key(KEY_DEVICE);
	return 0;
}

static int end(void **state)
{
	(void)state;
	keyring_free(ctx.keys);
	arena_release(&arena);
	return 0;
}

static int at_noon(void **state)
{
	(void)state;
	ctx.now_ms = NOON_MS;
	return 0;
}

static struct span made_for(const struct uuid *user_id)
{
	struct span value = {0};
	assert_int_equal(device_make(&ctx, user_id, &value), FAULT_NONE);
	return value;
}

static void a_device_is_known_again(void **state)
{
	(void)state;
	struct span value = made_for(&alice);
	assert_true(device_check(&ctx, &alice, value));
	ctx.now_ms += 179 * DAY_MS;
	assert_true(device_check(&ctx, &alice, value));
}

static void a_device_is_known_of_one_account(void **state)
{
	(void)state;
	assert_false(device_check(&ctx, &bob, made_for(&alice)));
}

static void nobody_has_a_known_device(void **state)
{
	(void)state;
	assert_false(device_check(&ctx, &nobody, made_for(&nobody)));
	assert_false(device_check(&ctx, &nobody, made_for(&alice)));
}

static void a_device_is_forgotten_after_its_life(void **state)
{
	(void)state;
	struct span value = made_for(&alice);
	ctx.now_ms += 180 * DAY_MS;
	assert_false(device_check(&ctx, &alice, value));
}

static void a_device_of_the_future_is_unknown(void **state)
{
	(void)state;
	ctx.now_ms = NOON_MS + DAY_MS;
	struct span value = made_for(&alice);
	ctx.now_ms = NOON_MS;
	assert_false(device_check(&ctx, &alice, value));
}

static void no_changed_byte_passes(void **state)
{
	(void)state;
	char copy[128];
	struct span value = made_for(&alice);
	assert_true(value.length < sizeof(copy));
	for (size_t i = 0; i < value.length; i++) {
		memcpy(copy, value.at, value.length);
		copy[i] = copy[i] == '1' ? '2' : '1';
		assert_false(device_check(&ctx, &alice,
		                          (struct span){copy, value.length}));
		assert_false(
		    device_check(&ctx, &alice, (struct span){value.at, i}));
	}
}

static void refuses_what_was_never_made(void **state)
{
	(void)state;
	static char endless[100000];
	memset(endless, '.', sizeof(endless) - 1);
	const char *const values[] = {
	    "", ".", "..", "...", "key.1.AAAA", ".1768478400.", endless};
	for (size_t i = 0; i < COUNT_OF(values); i++)
		assert_false(device_check(&ctx, &alice, span_of(values[i])));
	assert_false(device_check(&ctx, &alice, (struct span){0}));
}

static void the_key_of_another_ring_makes_strangers(void **state)
{
	(void)state;
	struct span value = made_for(&alice);
	struct keyring *ours = ctx.keys;
	assert_int_equal(keyring_new(master, &ctx.keys), FAULT_NONE);
	add_key(KEY_DEVICE);
	bool is_known = device_check(&ctx, &alice, value);
	keyring_free(ctx.keys);
	ctx.keys = ours;
	assert_false(is_known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_device_is_known_again, at_noon),
	    cmocka_unit_test_setup(a_device_is_known_of_one_account, at_noon),
	    cmocka_unit_test_setup(nobody_has_a_known_device, at_noon),
	    cmocka_unit_test_setup(a_device_is_forgotten_after_its_life,
	                           at_noon),
	    cmocka_unit_test_setup(a_device_of_the_future_is_unknown, at_noon),
	    cmocka_unit_test_setup(no_changed_byte_passes, at_noon),
	    cmocka_unit_test_setup(refuses_what_was_never_made, at_noon),
	    cmocka_unit_test_setup(the_key_of_another_ring_makes_strangers,
	                           at_noon),
	};
	return cmocka_run_group_tests(tests, start, end);
}
