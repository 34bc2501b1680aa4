/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses. What is taken must be ASCII without anything that ends a header or
 * adds a recipient, within the lengths of RFC 5321, and its own canonical form;
 * a space around it and the case of its letters make no other address of it.
 */
#include "fuzz.h"

#include "domain/account/email.h"

#include <string.h>

#define ARENA_BYTES ((size_t)64 * 1024)
#define LOCAL_LIMIT 64
#define INPUT_LIMIT 4096

static struct arena arena;

/* Letters, digits and what an atom may hold; nothing else anywhere. */
static bool is_harmless(char byte)
{
	return byte && strchr("abcdefghijklmnopqrstuvwxyz0123456789"
	                      "!#$%&'*+-/=?^_`{|}~.@",
	                      byte);
}

static void require_canonical(struct span address)
{
	struct span rest = address, local;
	size_t at_signs = 0;

	fuzz_require(address.length <= EMAIL_BYTES);
	for (size_t i = 0; i < address.length; i++) {
		fuzz_require(is_harmless(address.at[i]));
		at_signs += address.at[i] == '@';
	}
	fuzz_require(at_signs == 1);
	fuzz_require(address.at[address.length] == '\0');
	fuzz_require(span_cut(&rest, '@', &local));
	fuzz_require(local.length > 0 && local.length <= LOCAL_LIMIT);
	fuzz_require(rest.length > 0);
}

/* Another spelling that must come to the same. */
static void require_same(struct span spelling, struct span wanted)
{
	struct span found;

	fuzz_require(!email_canonical(&arena, spelling, &found));
	fuzz_require(span_equal(found, wanted));
}

static void check_spellings(struct span address, struct span canonical)
{
	static char memory[INPUT_LIMIT + 4];
	struct text text = text_over(memory, sizeof(memory));

	require_same(canonical, canonical);
	if (address.length <= EMAIL_BYTES) {
		text_append_cstr(&text, " \t");
		text_append(&text, address);
		text_append_cstr(&text, "\r\n");
		require_same(text_span(&text), canonical);
	}
	text = text_over(memory, sizeof(memory));
	for (size_t i = 0; i < canonical.length; i++) {
		char byte = canonical.at[i];

		text_append_byte(&text, byte >= 'a' && byte <= 'z'
		                            ? (char)(byte - 'a' + 'A')
		                            : byte);
	}
	require_same(text_span(&text), canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct span address = {(const char *)bytes, length};
	struct span canonical = {0};
	enum fault fault;

	if (length > INPUT_LIMIT)
		return 0;
	fuzz_require(!arena_init(&arena, ARENA_BYTES));
	fault = email_canonical(&arena, address, &canonical);
	fuzz_require(fault == FAULT_NONE || fault == FAULT_VALIDATION);
	if (fault) {
		fuzz_require(!canonical.at);
	} else {
		require_canonical(canonical);
		check_spellings(address, canonical);
	}
	arena_release(&arena);
	return 0;
}
