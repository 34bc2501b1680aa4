/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM by OpenSSL; see gcm.h. */
#include "crypto/gcm.h"

#include "crypto/digest.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

enum direction { OPENING, SEALING };

/* Fetched once a process, as in digest.c. */
static EVP_CIPHER *cipher;
static EVP_CIPHER_CTX *context;

static int int_of(size_t length)
{
	assert(length <= INT_MAX);
	return (int)length;
}

static bool is_iv(struct span iv)
{
	return iv.length > 0 && iv.length <= GCM_IV_LIMIT;
}

/*
 * The IV's length must be set before the IV. There is no length for the tag
 * here: take_tag and check_tag say it, always 16 (OpenSSL would take 1).
 */
static bool begin(enum direction direction, const struct gcm *gcm)
{
	const unsigned char *iv = (const unsigned char *)gcm->iv.at;
	const int encrypts = direction == SEALING;

	if (!cipher)
		cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (!context)
		context = EVP_CIPHER_CTX_new();
	return cipher && context && is_iv(gcm->iv) &&
	       EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypts,
	                          NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN,
	                           int_of(gcm->iv.length), NULL) == 1 &&
	       EVP_CipherInit_ex2(context, NULL, gcm->key, iv, encrypts,
	                          NULL) == 1;
}

/* Authenticate what the text is bound to. */
static bool bind_to(const struct gcm *gcm)
{
	int length;

	for (size_t i = 0; i < gcm->bound_count; i++) {
		const struct span part = gcm->bound[i];

		if (part.length &&
		    EVP_CipherUpdate(context, NULL, &length,
		                     (const unsigned char *)part.at,
		                     int_of(part.length)) != 1)
			return false;
	}
	return true;
}

static bool transform(struct span from, unsigned char *to)
{
	int done = 0;

	if (!from.length)
		return true;
	return EVP_CipherUpdate(context, to, &done,
	                        (const unsigned char *)from.at,
	                        int_of(from.length)) == 1 &&
	       done == int_of(from.length);
}

static bool take_tag(unsigned char tag[GCM_TAG_BYTES])
{
	unsigned char none[GCM_TAG_BYTES];
	int length = 0;

	return EVP_CipherFinal_ex(context, none, &length) == 1 && length == 0 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG,
	                           GCM_TAG_BYTES, tag) == 1;
}

static bool check_tag(const unsigned char tag[GCM_TAG_BYTES])
{
	unsigned char copy[GCM_TAG_BYTES];
	int length = 0;

	memcpy(copy, tag, GCM_TAG_BYTES);
	return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG,
	                           GCM_TAG_BYTES, copy) == 1 &&
	       EVP_CipherFinal_ex(context, copy, &length) == 1 && length == 0;
}

/* The key schedule is a key: it does not stay in the context. */
static void forget(void)
{
	EVP_CIPHER_CTX_reset(context);
	ERR_clear_error();
}

enum fault gcm_seal(const struct gcm *gcm, struct span plain,
                    unsigned char *out, unsigned char tag[GCM_TAG_BYTES])
{
	bool is_good = begin(SEALING, gcm) && bind_to(gcm) &&
	               transform(plain, out) && take_tag(tag);

	forget();
	return is_good ? FAULT_NONE : FAULT_INTERNAL;
}

enum fault gcm_open(const struct gcm *gcm, struct span sealed,
                    const unsigned char tag[GCM_TAG_BYTES], unsigned char *out)
{
	enum fault fault = FAULT_INTERNAL;

	if (begin(OPENING, gcm) && bind_to(gcm) && transform(sealed, out))
		fault = check_tag(tag) ? FAULT_NONE : FAULT_VALIDATION;
	forget();
	if (fault)
		digest_wipe(out, sealed.length);
	return fault;
}
