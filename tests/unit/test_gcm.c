/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cipher below seal.c. Its values are also those of vectors/aes_gcm.json;
 * here is what a file of vectors cannot ask: limits, parts, and what is left
 * behind after a refusal.
 */
#include "unit.h"

#include "base/encode.h"
#include "crypto/gcm.h"

#define TEXT_BYTES 40

static const unsigned char key[GCM_KEY_BYTES] = "one key for all of this file";
static const unsigned char zero_key[GCM_KEY_BYTES];
static const char iv[GCM_IV_LIMIT + 1] = "an IV, as long as it is wanted";
static const struct span plain = {"forty bytes of text that nobody may read",
                                  TEXT_BYTES};

static struct span hex_of(const void *bytes, size_t length)
{
	static char memory[256];
	struct text text = text_over(memory, sizeof(memory));

	hex_append(&text, bytes, length);
	return text_span(&text);
}

/* The test cases 13 and 14 of the paper that proposed GCM. */
static void gives_the_known_values(void **state)
{
	static const char zeroes[16];
	const struct gcm gcm = {zero_key, {zeroes, 12}, NULL, 0};
	unsigned char sealed[16], tag[GCM_TAG_BYTES];

	(void)state;
	assert_int_equal(gcm_seal(&gcm, SPAN(""), sealed, tag), FAULT_NONE);
	assert_span_equal(hex_of(tag, sizeof(tag)),
	                  "530f8afbc74536b9a963b4f1c4cb738b");
	assert_int_equal(gcm_seal(&gcm, (struct span){zeroes, 16}, sealed, tag),
	                 FAULT_NONE);
	assert_span_equal(hex_of(sealed, sizeof(sealed)),
	                  "cea7403d4d606b6e074ec5d3baf39d18");
	assert_span_equal(hex_of(tag, sizeof(tag)),
	                  "d0d1c8a799996bf0265b98b5d48ab919");
}

static void takes_ivs_of_every_length_to_the_limit(void **state)
{
	unsigned char sealed[TEXT_BYTES], opened[TEXT_BYTES];
	unsigned char tag[GCM_TAG_BYTES];

	(void)state;
	for (size_t i = 1; i <= GCM_IV_LIMIT; i++) {
		const struct gcm gcm = {key, {iv, i}, NULL, 0};

		assert_int_equal(gcm_seal(&gcm, plain, sealed, tag),
		                 FAULT_NONE);
		assert_int_equal(
		    gcm_open(&gcm,
		             (struct span){(char *)sealed, sizeof(sealed)}, tag,
		             opened),
		    FAULT_NONE);
		assert_memory_equal(opened, plain.at, sizeof(opened));
	}
}

static void refuses_no_iv_and_one_too_long(void **state)
{
	const size_t lengths[] = {0, GCM_IV_LIMIT + 1};
	unsigned char out[TEXT_BYTES];
	unsigned char tag[GCM_TAG_BYTES] = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		const struct gcm gcm = {key, {iv, lengths[i]}, NULL, 0};

		assert_int_equal(gcm_seal(&gcm, plain, out, tag),
		                 FAULT_INTERNAL);
		memset(out, 'x', sizeof(out));
		assert_int_equal(gcm_open(&gcm, plain, tag, out),
		                 FAULT_INTERNAL);
		for (size_t j = 0; j < sizeof(out); j++)
			assert_int_equal(out[j], 0);
	}
}

static void binds_to_the_parts_as_to_one(void **state)
{
	const struct span parts[] = {SPAN(""), SPAN("one "), SPAN("part"),
	                             SPAN("")};
	const struct span whole = SPAN("one part");
	const struct gcm by_parts = {key, {iv, 16}, parts, COUNT_OF(parts)};
	const struct gcm by_whole = {key, {iv, 16}, &whole, 1};
	unsigned char sealed[TEXT_BYTES], tags[2][GCM_TAG_BYTES];

	(void)state;
	assert_int_equal(gcm_seal(&by_parts, plain, sealed, tags[0]),
	                 FAULT_NONE);
	assert_int_equal(gcm_seal(&by_whole, plain, sealed, tags[1]),
	                 FAULT_NONE);
	assert_memory_equal(tags[0], tags[1], GCM_TAG_BYTES);
}

/* What is opened: every bit of it matters. */
struct sealed {
	unsigned char key[GCM_KEY_BYTES];
	char iv[16];
	char bound[8];
	unsigned char bytes[TEXT_BYTES];
	unsigned char tag[GCM_TAG_BYTES];
};

static enum fault open_sealed(const struct sealed *sealed,
                              unsigned char out[TEXT_BYTES])
{
	const struct span bound = {sealed->bound, sizeof(sealed->bound)};
	const struct gcm gcm = {
	    sealed->key, {sealed->iv, sizeof(sealed->iv)}, &bound, 1};

	return gcm_open(&gcm,
	                (struct span){(const char *)sealed->bytes, TEXT_BYTES},
	                sealed->tag, out);
}

static void opens_nothing_with_a_bit_changed(void **state)
{
	struct sealed sealed = {.iv = "sixteen bytes iv", .bound = "row: 17"};
	const struct span bound = {sealed.bound, sizeof(sealed.bound)};
	const struct gcm gcm = {
	    sealed.key, {sealed.iv, sizeof(sealed.iv)}, &bound, 1};
	unsigned char *bytes = (unsigned char *)&sealed;
	unsigned char opened[TEXT_BYTES];

	(void)state;
	memcpy(sealed.key, key, sizeof(key));
	assert_int_equal(gcm_seal(&gcm, plain, sealed.bytes, sealed.tag),
	                 FAULT_NONE);
	assert_int_equal(open_sealed(&sealed, opened), FAULT_NONE);
	assert_memory_equal(opened, plain.at, TEXT_BYTES);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		memset(opened, 'x', sizeof(opened));
		assert_int_equal(open_sealed(&sealed, opened),
		                 FAULT_VALIDATION);
		/* Not one byte of what would have come out. */
		for (size_t i = 0; i < sizeof(opened); i++)
			assert_int_equal(opened[i], 0);
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_int_equal(open_sealed(&sealed, opened), FAULT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_the_known_values),
	    cmocka_unit_test(takes_ivs_of_every_length_to_the_limit),
	    cmocka_unit_test(refuses_no_iv_and_one_too_long),
	    cmocka_unit_test(binds_to_the_parts_as_to_one),
	    cmocka_unit_test(opens_nothing_with_a_bit_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
