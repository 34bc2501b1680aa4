/* SPDX-License-Identifier: Apache-2.0 */
/* CSRF tokens: an HMAC of the session's id, checked without any store. */
#include "base/encode.h"
#include "domain/session/session.h"

#define CSRF_TOKEN_BYTES 43

static enum fault csrf_mac(const struct key *key, const struct uuid *session_id,
                           unsigned char out[DIGEST_SHA256_BYTES])
{
	const struct span parts[] = {
	    SPAN("csrf:"),
	    {(const char *)session_id->bytes, sizeof(session_id->bytes)},
	};
	return mac_sign(key->mac, parts, 2, out);
}

enum fault session_csrf_token(struct ctx *ctx, const struct uuid *session_id,
                              struct span *out)
{
	const struct key *key = keyring_current(ctx->keys, KEY_CSRF);
	unsigned char mac[DIGEST_SHA256_BYTES];
	if (!key)
		return FAULT_INTERNAL;
	enum fault fault = csrf_mac(key, session_id, mac);
	if (fault)
		return fault;
	/* "<key id>.<mac>": a rotated key still checks its old tokens. */
	struct text text =
	    arena_text(ctx->arena, KEYRING_ID_BYTES + 1 + CSRF_TOKEN_BYTES);
	text_append_cstr(&text, key->id);
	text_append_byte(&text, '.');
	base64url_append(&text, mac, sizeof(mac));
	*out = text_span(&text);
	return text_check(&text);
}

enum fault session_csrf_check(struct ctx *ctx, const struct uuid *session_id,
                              struct span token)
{
	struct span id, rest = token;
	unsigned char sent[DIGEST_SHA256_BYTES], mac[DIGEST_SHA256_BYTES];
	size_t length;
	if (!span_cut(&rest, '.', &id) || !rest.at)
		return FAULT_CSRF_FAILED;
	const struct key *key =
	    keyring_find(ctx->keys, KEY_CSRF, id, ctx->now_ms);
	if (!key || base64url_decode(rest, sent, sizeof(sent), &length) ||
	    length != sizeof(sent))
		return FAULT_CSRF_FAILED;
	enum fault fault = csrf_mac(key, session_id, mac);
	if (fault)
		return fault;
	return digest_equal(mac, sent, sizeof(mac)) ? FAULT_NONE
	                                            : FAULT_CSRF_FAILED;
}
