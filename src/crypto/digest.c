/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA and HMAC by OpenSSL; see digest.h. What is fetched here stays for the
 * life of the process: it is plain memory, so a child of fork uses its own
 * copy. One thread, as everywhere in this program.
 */
#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

static EVP_MD *sha256;
static EVP_MD *sha1;
static EVP_MAC *hmac;
/* Finishing a hash wipes the block that it has buffered. */
static EVP_MD_CTX *context;

/* Start the context over for this algorithm, fetched on first use. */
static bool begin(EVP_MD **algorithm, const char *name)
{
	if (!*algorithm)
		*algorithm = EVP_MD_fetch(NULL, name, NULL);
	if (!context)
		context = EVP_MD_CTX_new();
	return *algorithm && context &&
	       EVP_DigestInit_ex2(context, *algorithm, NULL) == 1;
}

static bool absorb(const struct span *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (EVP_DigestUpdate(context, parts[i].at, parts[i].length) !=
		    1)
			return false;
	return true;
}

/* The one way out: a failure must not show up in somebody else's errors. */
static enum fault concluded(bool is_good)
{
	if (is_good)
		return FAULT_NONE;
	ERR_clear_error();
	return FAULT_INTERNAL;
}

enum fault digest_sha256(const struct span *parts, size_t count,
                         unsigned char out[DIGEST_SHA256_BYTES])
{
	return concluded(begin(&sha256, "SHA256") && absorb(parts, count) &&
	                 EVP_DigestFinal_ex(context, out, NULL) == 1);
}

enum fault digest_sha1(struct span bytes, unsigned char out[DIGEST_SHA1_BYTES])
{
	return concluded(begin(&sha1, "SHA1") && absorb(&bytes, 1) &&
	                 EVP_DigestFinal_ex(context, out, NULL) == 1);
}

/*
 * The context keeps the key's inner and outer state, so that a signature
 * starts from there. They are OpenSSL's memory, wiped by mac_free.
 */
struct mac {
	EVP_MAC_CTX *context;
};

static bool set_key(EVP_MAC_CTX *keyed, const void *key, size_t key_bytes)
{
	char name[] = "SHA256";
	const OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
	    OSSL_PARAM_construct_end(),
	};

	/* Without a key OpenSSL would keep the one before. */
	return keyed && key_bytes &&
	       EVP_MAC_init(keyed, key, key_bytes, parameters) == 1;
}

enum fault mac_new(const void *key, size_t key_bytes, struct mac **out)
{
	struct mac *mac = calloc(1, sizeof(*mac));

	if (!mac)
		return FAULT_UNAVAILABLE;
	if (!hmac)
		hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (hmac)
		mac->context = EVP_MAC_CTX_new(hmac);
	if (!set_key(mac->context, key, key_bytes)) {
		mac_free(mac);
		return concluded(false);
	}
	*out = mac;
	return FAULT_NONE;
}

void mac_free(struct mac *mac)
{
	if (mac)
		EVP_MAC_CTX_free(mac->context);
	free(mac);
}

/* The finished HMAC of the parts, under the key that the context has. */
static bool sign(EVP_MAC_CTX *keyed, const struct span *parts, size_t count,
                 unsigned char out[DIGEST_SHA256_BYTES])
{
	size_t length = 0;

	if (EVP_MAC_init(keyed, NULL, 0, NULL) != 1)
		return false;
	for (size_t i = 0; i < count; i++)
		if (EVP_MAC_update(keyed, (const unsigned char *)parts[i].at,
		                   parts[i].length) != 1)
			return false;
	return EVP_MAC_final(keyed, out, &length, DIGEST_SHA256_BYTES) == 1 &&
	       length == DIGEST_SHA256_BYTES;
}

enum fault mac_sign(struct mac *mac, const struct span *parts, size_t count,
                    unsigned char out[DIGEST_SHA256_BYTES])
{
	return concluded(sign(mac->context, parts, count, out));
}

bool digest_equal(const void *a, const void *b, size_t length)
{
	return CRYPTO_memcmp(a, b, length) == 0;
}

void digest_wipe(void *bytes, size_t length)
{
	/* OPENSSL_cleanse goes word by word, five times as slow: libfcgi's
	 * buffers alone are 16 KiB a request. */
	explicit_bzero(bytes, length);
}
