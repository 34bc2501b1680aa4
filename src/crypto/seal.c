/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-256-GCM in two layers; see seal.h. A blob is
 *
 *	version 1 | IV 16, data key 32, tag 16 | IV 16, value n, tag 16
 *
 * and both layers carry version and bound_to as additional data.
 */
#include "crypto/seal.h"

#include "crypto/digest.h"
#include "crypto/random.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define VERSION       1
#define VERSION_BYTES 1
#define IV_BYTES      16
#define TAG_BYTES     16
#define FRAME_BYTES   (IV_BYTES + TAG_BYTES)
#define WRAPPED_BYTES (FRAME_BYTES + SEAL_KEY_BYTES)

static_assert(VERSION_BYTES + WRAPPED_BYTES + FRAME_BYTES ==
                  SEAL_OVERHEAD_BYTES,
              "the layout is the header's");

enum direction { OPENING, SEALING };

/* Fetched once a process, as in digest.c. */
static EVP_CIPHER *cipher;
static EVP_CIPHER_CTX *context;

static int int_of(size_t length)
{
	assert(length <= INT_MAX);
	return (int)length;
}

/*
 * The IV's length must be set before the IV. There is no length for the tag
 * here: take_tag and check_tag say it, always 16 (OpenSSL would take 1).
 */
static bool begin(enum direction direction, const unsigned char *key,
                  const unsigned char *iv)
{
	const int encrypts = direction == SEALING;

	if (!cipher)
		cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (!context)
		context = EVP_CIPHER_CTX_new();
	return cipher && context &&
	       EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypts,
	                          NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, IV_BYTES,
	                           NULL) == 1 &&
	       EVP_CipherInit_ex2(context, NULL, key, iv, encrypts, NULL) == 1;
}

/* Authenticate the version and what the blob is bound to. */
static bool bind_to(struct span bound_to)
{
	const unsigned char version = VERSION;
	int length;

	return EVP_CipherUpdate(context, NULL, &length, &version, 1) == 1 &&
	       (bound_to.length == 0 ||
	        EVP_CipherUpdate(context, NULL, &length,
	                         (const unsigned char *)bound_to.at,
	                         int_of(bound_to.length)) == 1);
}

static bool transform(const void *from, size_t length, unsigned char *to)
{
	int done = 0;

	if (!length)
		return true;
	return EVP_CipherUpdate(context, to, &done, from, int_of(length)) ==
	           1 &&
	       done == int_of(length);
}

static bool take_tag(unsigned char tag[TAG_BYTES])
{
	unsigned char none[TAG_BYTES];
	int length = 0;

	return EVP_CipherFinal_ex(context, none, &length) == 1 && length == 0 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES,
	                           tag) == 1;
}

static bool check_tag(const unsigned char tag[TAG_BYTES])
{
	unsigned char copy[TAG_BYTES];
	int length = 0;

	memcpy(copy, tag, TAG_BYTES);
	return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES,
	                           copy) == 1 &&
	       EVP_CipherFinal_ex(context, copy, &length) == 1 && length == 0;
}

/* The key schedule is a key: it does not stay in the context. */
static void forget(void)
{
	EVP_CIPHER_CTX_reset(context);
	ERR_clear_error();
}

/* One layer, written as IV, cipher text, tag. */
static enum fault encrypt(const unsigned char *key, struct span bound_to,
                          struct span plain, unsigned char *out)
{
	bool is_good;

	random_bytes(out, IV_BYTES);
	is_good = begin(SEALING, key, out) && bind_to(bound_to) &&
	          transform(plain.at, plain.length, out + IV_BYTES) &&
	          take_tag(out + IV_BYTES + plain.length);
	forget();
	return is_good ? FAULT_NONE : FAULT_INTERNAL;
}

/* One layer back; frame is IV, cipher text, tag. Nothing is left in out else.
 */
static enum fault decrypt(const unsigned char *key, struct span bound_to,
                          const unsigned char *frame, size_t frame_bytes,
                          unsigned char *out)
{
	size_t length = frame_bytes - FRAME_BYTES;
	enum fault fault = FAULT_INTERNAL;

	if (begin(OPENING, key, frame) && bind_to(bound_to) &&
	    transform(frame + IV_BYTES, length, out))
		fault = check_tag(frame + IV_BYTES + length) ? FAULT_NONE
		                                             : FAULT_VALIDATION;
	forget();
	if (fault)
		digest_wipe(out, length);
	return fault;
}

enum fault seal_value(const unsigned char key[SEAL_KEY_BYTES],
                      struct span bound_to, struct span plain, struct text *out)
{
	unsigned char data_key[SEAL_KEY_BYTES];
	const struct span wrapped = {(const char *)data_key, sizeof(data_key)};
	unsigned char *to;
	enum fault fault;

	if (out->overflowed || plain.length > INT_MAX ||
	    out->limit - out->length < SEAL_OVERHEAD_BYTES ||
	    out->limit - out->length - SEAL_OVERHEAD_BYTES < plain.length) {
		out->overflowed = true;
		return FAULT_EXHAUSTED;
	}
	to = (unsigned char *)out->at + out->length;
	to[0] = VERSION;
	random_bytes(data_key, sizeof(data_key));
	fault = encrypt(key, bound_to, wrapped, to + VERSION_BYTES);
	if (!fault)
		fault = encrypt(data_key, bound_to, plain,
		                to + VERSION_BYTES + WRAPPED_BYTES);
	if (!fault)
		out->length += SEAL_OVERHEAD_BYTES + plain.length;
	digest_wipe(data_key, sizeof(data_key));
	return fault;
}

enum fault seal_open(const unsigned char key[SEAL_KEY_BYTES],
                     struct span bound_to, struct span blob,
                     struct arena *arena, struct span *out)
{
	const unsigned char *from = (const unsigned char *)blob.at;
	unsigned char data_key[SEAL_KEY_BYTES];
	unsigned char *plain;
	enum fault fault;

	if (blob.length < SEAL_OVERHEAD_BYTES || blob.length > INT_MAX ||
	    from[0] != VERSION)
		return FAULT_VALIDATION;
	plain = arena_alloc(arena, blob.length - SEAL_OVERHEAD_BYTES);
	if (!plain)
		return FAULT_EXHAUSTED;
	fault = decrypt(key, bound_to, from + VERSION_BYTES, WRAPPED_BYTES,
	                data_key);
	if (!fault)
		fault = decrypt(
		    data_key, bound_to, from + VERSION_BYTES + WRAPPED_BYTES,
		    blob.length - VERSION_BYTES - WRAPPED_BYTES, plain);
	digest_wipe(data_key, sizeof(data_key));
	if (!fault)
		*out = (struct span){(const char *)plain,
		                     blob.length - SEAL_OVERHEAD_BYTES};
	return fault;
}
