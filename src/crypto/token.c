/* SPDX-License-Identifier: Apache-2.0 */
/* Opaque tokens; see token.h. The hash is that of the token's 43 characters. */
#include "crypto/token.h"

#include "base/encode.h"
#include "crypto/random.h"
#include "crypto/seal.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define TOKEN_BYTES 32

/* Names what the derived key is for; also what the blob is bound to. */
static char purpose[] = "token seal";

static EVP_KDF_CTX *derivation;

enum fault token_hash(struct span text, struct token_hash *out)
{
	unsigned char bytes[TOKEN_BYTES];
	size_t length;
	enum fault fault;

	if (text.length != TOKEN_TEXT_BYTES - 1)
		return FAULT_TOKEN_INVALID;
	fault = base64url_decode(text, bytes, sizeof(bytes), &length);
	digest_wipe(bytes, sizeof(bytes));
	if (fault)
		return FAULT_TOKEN_INVALID;
	return digest_sha256(&text, 1, out->bytes);
}

enum fault token_make(char text[TOKEN_TEXT_BYTES], struct token_hash *hash)
{
	struct text written = text_over(text, TOKEN_TEXT_BYTES - 1);
	unsigned char bytes[TOKEN_BYTES];

	random_bytes(bytes, sizeof(bytes));
	base64url_append(&written, bytes, sizeof(bytes));
	digest_wipe(bytes, sizeof(bytes));
	text[TOKEN_TEXT_BYTES - 1] = '\0';
	return token_hash(text_span(&written), hash);
}

/* Fetched once a process, as in digest.c. */
static bool derivation_is_ready(void)
{
	EVP_KDF *hkdf;

	if (derivation)
		return true;
	hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	if (hkdf)
		derivation = EVP_KDF_CTX_new(hkdf);
	EVP_KDF_free(hkdf); /* the context holds it */
	return derivation;
}

static bool expand(unsigned char bytes[TOKEN_BYTES],
                   unsigned char key[SEAL_KEY_BYTES])
{
	char name[] = "SHA256";
	const OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, bytes,
	                                      TOKEN_BYTES),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose,
	                                      sizeof(purpose) - 1),
	    OSSL_PARAM_construct_end(),
	};

	return EVP_KDF_derive(derivation, key, SEAL_KEY_BYTES, parameters) == 1;
}

/* No salt: a token is 256 random bits already (RFC 5869, 3.1). */
static enum fault derive(struct span token, unsigned char key[SEAL_KEY_BYTES])
{
	unsigned char bytes[TOKEN_BYTES];
	size_t length = 0;
	enum fault fault = FAULT_TOKEN_INVALID;

	if (base64url_decode(token, bytes, sizeof(bytes), &length) ==
	        FAULT_NONE &&
	    length == sizeof(bytes))
		fault = derivation_is_ready() && expand(bytes, key)
		            ? FAULT_NONE
		            : FAULT_INTERNAL;
	if (derivation)
		EVP_KDF_CTX_reset(derivation);
	ERR_clear_error();
	digest_wipe(bytes, sizeof(bytes));
	return fault;
}

enum fault token_seal(struct span token, struct span plain, struct text *out)
{
	unsigned char key[SEAL_KEY_BYTES];
	enum fault fault = derive(token, key);

	if (!fault)
		fault = seal_value(key, span_of(purpose), plain, out);
	digest_wipe(key, sizeof(key));
	return fault;
}

enum fault token_open(struct span token, struct span blob, struct arena *arena,
                      struct span *out)
{
	unsigned char key[SEAL_KEY_BYTES];
	enum fault fault = derive(token, key);

	if (!fault)
		fault = seal_open(key, span_of(purpose), blob, arena, out);
	digest_wipe(key, sizeof(key));
	return fault;
}
