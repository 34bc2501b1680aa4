/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to captchas, as they come from anybody. An even first byte is
 * followed by an answer as it is sent; an odd one by its JSON, which is put
 * into base64 first, so that the fuzzer need not find that out. What passes is
 * signed: with a key that nobody has, that is nothing.
 */
#include "fuzz.h"

#include "base/encode.h"
#include "domain/guard/captcha.h"

#define ARENA_BYTES ((size_t)256 * 1024)
#define JSON_LIMIT  ((size_t)2048)
#define NOON_MS     INT64_C(1768478400000)

static struct config config;
static struct arena arena;
static struct ctx ctx;

static void set_up(void)
{
	static const unsigned char master[SEAL_KEY_BYTES] = {1};
	struct key header = {.purpose = KEY_CAPTCHA, .state = KEY_CURRENT};
	config_defaults(&config);
	fuzz_require(!arena_init(&arena, ARENA_BYTES));
	ctx = (struct ctx){
	    .arena = &arena,
	    .config = &config,
	    .now_ms = NOON_MS,
	};
	struct text blob =
	    arena_text(&arena, SEAL_KEY_BYTES + SEAL_OVERHEAD_BYTES);
	fuzz_require(!keyring_new(master, &ctx.keys));
	fuzz_require(!keyring_make(ctx.keys, &header, &blob));
	fuzz_require(!keyring_add(ctx.keys, &header, text_span(&blob), &arena));
}

static void check(struct span answer)
{
	struct captcha_solution solution;
	enum fault fault = captcha_read(&ctx, answer, &solution);
	fuzz_require(fault == FAULT_CAPTCHA_REQUIRED);
	fuzz_require(ctx.errors.count == 0);
}

static void check_json(struct span json)
{
	static char memory[2 * JSON_LIMIT];
	struct text answer = text_over(memory, sizeof(memory));
	if (json.length > JSON_LIMIT)
		return;
	base64_append(&answer, json.at, json.length);
	check(text_span(&answer));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (!length)
		return 0;
	struct span rest = {(const char *)bytes + 1, length - 1};
	set_up();
	if (bytes[0] % 2 == 0)
		check(rest);
	else
		check_json(rest);
	keyring_free(ctx.keys);
	arena_release(&arena);
	return 0;
}
