/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes and MACs against the vectors of FIPS 180-4, RFC 4231 and RFC 7515. */
#include "unit.h"

#include "base/encode.h"
#include "crypto/digest.h"

#include <stdlib.h>

#define TWO_BLOCKS "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define MILLION    1000000

static void check_hex(const unsigned char *bytes, size_t length,
                      const char *wanted)
{
	char memory[2 * DIGEST_SHA256_BYTES + 1];
	struct text text = text_over(memory, sizeof(memory) - 1);

	hex_append(&text, bytes, length);
	memory[text.length] = '\0';
	assert_string_equal(memory, wanted);
}

static void check_sha256(struct span message, const char *wanted)
{
	unsigned char out[DIGEST_SHA256_BYTES];

	assert_int_equal(digest_sha256(&message, 1, out), FAULT_NONE);
	check_hex(out, sizeof(out), wanted);
}

static void check_sha1(struct span message, const char *wanted)
{
	unsigned char out[DIGEST_SHA1_BYTES];

	assert_int_equal(digest_sha1(message, out), FAULT_NONE);
	check_hex(out, sizeof(out), wanted);
}

static void hashes_the_vectors_of_fips_180(void **state)
{
	char *many = malloc(MILLION);

	(void)state;
	assert_non_null(many);
	memset(many, 'a', MILLION);
	check_sha256(SPAN(""), "e3b0c44298fc1c149afbf4c8996fb924"
	                       "27ae41e4649b934ca495991b7852b855");
	check_sha256(SPAN("abc"), "ba7816bf8f01cfea414140de5dae2223"
	                          "b00361a396177a9cb410ff61f20015ad");
	check_sha256(SPAN(TWO_BLOCKS), "248d6a61d20638b8e5c026930c3e6039"
	                               "a33ce45964ff2167f6ecedd419db06c1");
	check_sha256((struct span){many, MILLION},
	             "cdc76e5c9914fb9281a1c7e284d73e67"
	             "f1809a48a497200e046d39ccc7112cd0");
	check_sha1(SPAN(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	check_sha1(SPAN("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
	check_sha1(SPAN(TWO_BLOCKS),
	           "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	check_sha1((struct span){many, MILLION},
	           "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	free(many);
}

static void hashes_parts_as_one_message(void **state)
{
	const struct span parts[] = {SPAN("ab"), {0}, SPAN(""), SPAN("c")};
	unsigned char out[DIGEST_SHA256_BYTES];

	(void)state;
	assert_int_equal(digest_sha256(parts, 4, out), FAULT_NONE);
	check_hex(out, sizeof(out),
	          "ba7816bf8f01cfea414140de5dae2223"
	          "b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(digest_sha256(NULL, 0, out), FAULT_NONE);
	check_hex(out, sizeof(out),
	          "e3b0c44298fc1c149afbf4c8996fb924"
	          "27ae41e4649b934ca495991b7852b855");
}

static void changes_from_one_hash_to_the_other(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		check_sha256(SPAN("abc"), "ba7816bf8f01cfea414140de5dae2223"
		                          "b00361a396177a9cb410ff61f20015ad");
		check_sha1(SPAN("abc"),
		           "a9993e364706816aba3e25717850c26c9cd0d89d");
	}
}

/* RFC 4231; of test case 5 only the first 128 bits are given. */
static const struct {
	const char *key;
	const char *message;
	const char *wanted;
} hmac_vectors[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddddddddddddddddddddddddddddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
     "546573742057697468205472756e636174696f6e",
     "a3b6167473100ee06e0c796c2955552b"},
};

static void check_hmac(struct span key, struct span message, const char *wanted)
{
	unsigned char out[DIGEST_SHA256_BYTES];
	struct mac *mac = NULL;

	assert_int_equal(mac_new(key.at, key.length, &mac), FAULT_NONE);
	/* The second time starts from the key's kept state. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mac_sign(mac, &message, 1, out), FAULT_NONE);
		check_hex(out, strlen(wanted) / 2, wanted);
	}
	mac_free(mac);
}

static struct span unhex(const char *digits, char *memory)
{
	size_t length = strlen(digits) / 2;

	assert_int_equal(hex_decode(span_of(digits), memory, length),
	                 FAULT_NONE);
	return (struct span){memory, length};
}

static void signs_the_vectors_of_rfc_4231(void **state)
{
	char key[64];
	char message[64];
	char long_key[131];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hmac_vectors); i++)
		check_hmac(unhex(hmac_vectors[i].key, key),
		           unhex(hmac_vectors[i].message, message),
		           hmac_vectors[i].wanted);
	memset(long_key, 0xaa, sizeof(long_key));
	check_hmac((struct span){long_key, sizeof(long_key)},
	           SPAN("Test Using Larger Than Block-Size Key - "
	                "Hash Key First"),
	           "60e431591ee0b67f0d8a26aacbf5b77f"
	           "8e0bc6213728c5140546040f0ee37f54");
	check_hmac((struct span){long_key, sizeof(long_key)},
	           SPAN("This is a test using a larger than block-size key and "
	                "a larger than block-size data. The key needs to be "
	                "hashed before being used by the HMAC algorithm."),
	           "9b09ffa71b942fcb27635fbcd5b0e944"
	           "bfdc63644f0713938a7f51535c3a35e2");
}

static void signs_the_example_of_rfc_7515(void **state)
{
	const struct span key =
	    SPAN("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
	         "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
	const struct span covered =
	    SPAN("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
	         "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly"
	         "9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
	char bytes[64];
	size_t length = 0;

	(void)state;
	assert_int_equal(base64url_decode(key, bytes, sizeof(bytes), &length),
	                 FAULT_NONE);
	assert_int_equal(length, 64);
	check_hmac((struct span){bytes, length}, covered,
	           "7418dfb49799e0254ffa607dd8adbbba"
	           "16d4254d69d6bff05b58055853848d79");
}

static void signs_parts_as_one_message(void **state)
{
	const struct span parts[] = {
	    SPAN("what do ya want "), {0}, SPAN("for nothing?")};
	unsigned char out[DIGEST_SHA256_BYTES];
	struct mac *mac = NULL;

	(void)state;
	assert_int_equal(mac_new("Jefe", 4, &mac), FAULT_NONE);
	assert_int_equal(mac_sign(mac, parts, 3, out), FAULT_NONE);
	check_hex(out, sizeof(out), hmac_vectors[1].wanted);
	mac_free(mac);
}

static void keeps_the_keys_of_two_macs_apart(void **state)
{
	const struct span message = SPAN("message");
	unsigned char first[DIGEST_SHA256_BYTES];
	unsigned char again[DIGEST_SHA256_BYTES];
	unsigned char other[DIGEST_SHA256_BYTES];
	struct mac *a = NULL;
	struct mac *b = NULL;

	(void)state;
	assert_int_equal(mac_new("key a", 5, &a), FAULT_NONE);
	assert_int_equal(mac_new("key b", 5, &b), FAULT_NONE);
	assert_int_equal(mac_sign(a, &message, 1, first), FAULT_NONE);
	assert_int_equal(mac_sign(b, &message, 1, other), FAULT_NONE);
	assert_int_equal(mac_sign(a, &message, 1, again), FAULT_NONE);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
	mac_free(a);
	mac_free(b);
	mac_free(NULL);
}

static void refuses_an_empty_key(void **state)
{
	struct mac *mac = NULL;

	(void)state;
	assert_int_equal(mac_new("", 0, &mac), FAULT_INTERNAL);
	assert_null(mac);
}

static void compares_every_byte(void **state)
{
	unsigned char a[32] = {0};
	unsigned char b[32] = {0};

	(void)state;
	assert_true(digest_equal(a, b, sizeof(a)));
	assert_true(digest_equal(a, b, 0));
	for (size_t i = 0; i < sizeof(b); i++) {
		b[i] = 1;
		assert_false(digest_equal(a, b, sizeof(a)));
		b[i] = 0;
	}
}

static void wipes_every_byte(void **state)
{
	unsigned char bytes[33];
	unsigned char wanted[33] = {0};

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	wanted[32] = 0x5a;
	digest_wipe(bytes, 32);
	assert_memory_equal(bytes, wanted, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hashes_the_vectors_of_fips_180),
	    cmocka_unit_test(hashes_parts_as_one_message),
	    cmocka_unit_test(changes_from_one_hash_to_the_other),
	    cmocka_unit_test(signs_the_vectors_of_rfc_4231),
	    cmocka_unit_test(signs_the_example_of_rfc_7515),
	    cmocka_unit_test(signs_parts_as_one_message),
	    cmocka_unit_test(keeps_the_keys_of_two_macs_apart),
	    cmocka_unit_test(refuses_an_empty_key),
	    cmocka_unit_test(compares_every_byte),
	    cmocka_unit_test(wipes_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
