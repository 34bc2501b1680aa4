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
#include "crypto/gcm.h"
#include "crypto/random.h"

#include <assert.h>
#include <limits.h>

#define VERSION       1
#define VERSION_BYTES 1
#define IV_BYTES      16
#define FRAME_BYTES   (IV_BYTES + GCM_TAG_BYTES)
#define WRAPPED_BYTES (FRAME_BYTES + SEAL_KEY_BYTES)

static_assert(SEAL_KEY_BYTES == GCM_KEY_BYTES, "the keys are the cipher's");
static_assert(VERSION_BYTES + WRAPPED_BYTES + FRAME_BYTES ==
                  SEAL_OVERHEAD_BYTES,
              "the layout is the header's");

/* What both layers are bound to. */
static const char version[VERSION_BYTES] = {VERSION};

/* One layer, written as IV, cipher text, tag. */
static enum fault encrypt(const unsigned char *key, struct span bound_to,
                          struct span plain, unsigned char *out)
{
	const struct span bound[] = {{version, VERSION_BYTES}, bound_to};
	const struct gcm gcm = {key, {(const char *)out, IV_BYTES}, bound, 2};

	random_bytes(out, IV_BYTES);
	return gcm_seal(&gcm, plain, out + IV_BYTES,
	                out + IV_BYTES + plain.length);
}

/* One layer back; frame is IV, cipher text, tag. Nothing is left in out else.
 */
static enum fault decrypt(const unsigned char *key, struct span bound_to,
                          struct span frame, unsigned char *out)
{
	const struct span bound[] = {{version, VERSION_BYTES}, bound_to};
	const struct gcm gcm = {key, {frame.at, IV_BYTES}, bound, 2};
	const struct span sealed = {frame.at + IV_BYTES,
	                            frame.length - FRAME_BYTES};

	return gcm_open(&gcm, sealed,
	                (const unsigned char *)sealed.at + sealed.length, out);
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
	unsigned char data_key[SEAL_KEY_BYTES];
	unsigned char *plain;
	struct span wrapped, sealed;
	enum fault fault;

	if (blob.length < SEAL_OVERHEAD_BYTES || blob.length > INT_MAX ||
	    blob.at[0] != VERSION)
		return FAULT_VALIDATION;
	plain = arena_alloc(arena, blob.length - SEAL_OVERHEAD_BYTES);
	if (!plain)
		return FAULT_EXHAUSTED;
	wrapped = (struct span){blob.at + VERSION_BYTES, WRAPPED_BYTES};
	sealed.at = wrapped.at + wrapped.length;
	sealed.length = blob.length - VERSION_BYTES - WRAPPED_BYTES;
	fault = decrypt(key, bound_to, wrapped, data_key);
	if (!fault)
		fault = decrypt(data_key, bound_to, sealed, plain);
	digest_wipe(data_key, sizeof(data_key));
	if (!fault)
		*out = (struct span){(const char *)plain,
		                     blob.length - SEAL_OVERHEAD_BYTES};
	return fault;
}
