/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed blobs. An even first byte is followed by a blob as it might come from
 * a row; an odd one by a value, which must come back as it was from its own
 * blob and not at all from one that was changed, cut or moved to another row.
 */
#include "fuzz.h"

#include "crypto/seal.h"

#include <string.h>

#define ARENA_BYTES ((size_t)256 * 1024)
#define VALUE_LIMIT ((size_t)16 * 1024)

/* The key 00 01 … 1f, which the blobs of the corpus were made with. */
static unsigned char key[SEAL_KEY_BYTES];
static struct arena arena;

static void set_up(void)
{
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	fuzz_require(!arena_init(&arena, ARENA_BYTES));
}

static enum fault open_blob(struct span bound_to, struct span blob,
                            struct span *out)
{
	*out = (struct span){0};
	return seal_open(key, bound_to, blob, &arena, out);
}

static void check_value(struct span value);

static void check_blob(struct span blob)
{
	struct span out;

	if (open_blob(SPAN("row:1"), blob, &out)) {
		fuzz_require(!out.at);
		return;
	}
	fuzz_require(out.length == blob.length - SEAL_OVERHEAD_BYTES);
	check_value(out);
}

static void require_refused(struct span bound_to, struct span blob)
{
	struct span out;

	fuzz_require(open_blob(bound_to, blob, &out) == FAULT_VALIDATION);
	fuzz_require(!out.at);
}

/* Places to change are taken from the blob itself, which is random. */
static void require_tamper_proof(char *blob, size_t length)
{
	size_t place =
	    (unsigned char)blob[1] + (size_t)256 * (unsigned char)blob[2];
	size_t bit = place % (length * 8);

	require_refused(SPAN("row:2"), (struct span){blob, length});
	require_refused(SPAN("row:1"), (struct span){blob, place % length});
	blob[bit / 8] = (char)(blob[bit / 8] ^ 1 << bit % 8);
	require_refused(SPAN("row:1"), (struct span){blob, length});
}

static void check_value(struct span value)
{
	static char memory[VALUE_LIMIT + SEAL_OVERHEAD_BYTES];
	struct text blob = text_over(memory, sizeof(memory));
	struct span out;

	if (value.length > VALUE_LIMIT)
		return;
	fuzz_require(!seal_value(key, SPAN("row:1"), value, &blob));
	fuzz_require(blob.length == value.length + SEAL_OVERHEAD_BYTES);
	fuzz_require(!open_blob(SPAN("row:1"), text_span(&blob), &out));
	fuzz_require(span_equal(out, value));
	require_tamper_proof(memory, blob.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (!length)
		return 0;
	set_up();
	if (bytes[0] % 2 == 0)
		check_blob((struct span){(const char *)bytes + 1, length - 1});
	else
		check_value((struct span){(const char *)bytes + 1, length - 1});
	arena_release(&arena);
	return 0;
}
