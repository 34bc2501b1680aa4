/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "<key id>.<seconds>.<mac>": when it was made, and that we made it for one
 * account. It says nothing of whose it is to somebody who finds it.
 */
#include "domain/guard/device.h"

#include "base/encode.h"

#define VALUE_BYTES  128
#define NUMBER_BYTES 20
#define MS_PER_S     1000

/* Of account and moment. */
static enum fault device_mac(const struct key *key, const struct uuid *user_id,
                             struct span made_at_s,
                             unsigned char out[DIGEST_SHA256_BYTES])
{
	const struct span parts[] = {
	    SPAN("device:"),
	    {(const char *)user_id->bytes, sizeof(user_id->bytes)},
	    made_at_s,
	};
	return mac_sign(key->mac, parts, 3, out);
}

enum fault device_make(struct ctx *ctx, const struct uuid *user_id,
                       struct span *out)
{
	const struct key *key = keyring_current(ctx->keys, KEY_DEVICE);
	unsigned char mac[DIGEST_SHA256_BYTES];
	char digits[NUMBER_BYTES];
	struct text made_at_s = text_over(digits, sizeof(digits));
	if (!key)
		return FAULT_INTERNAL;
	text_append_number(&made_at_s, ctx->now_ms / MS_PER_S);
	enum fault fault = device_mac(key, user_id, text_span(&made_at_s), mac);
	if (fault)
		return fault;
	struct text text = arena_text(ctx->arena, VALUE_BYTES);
	text_append_cstr(&text, key->id);
	text_append_byte(&text, '.');
	text_append(&text, text_span(&made_at_s));
	text_append_byte(&text, '.');
	base64url_append(&text, mac, sizeof(mac));
	*out = text_span(&text);
	return text_check(&text);
}

/* Another host's clock may be ahead of ours. */
static bool is_of_our_time(const struct ctx *ctx, uint64_t made_at_s)
{
	int64_t age_ms = ctx->now_ms - (int64_t)made_at_s * MS_PER_S;
	return age_ms >= -ctx->config->token.clock_skew &&
	       age_ms < ctx->config->guard.device_life;
}

/* For nobody the work is done all the same. */
bool device_check(struct ctx *ctx, const struct uuid *user_id,
                  struct span value)
{
	unsigned char sent[DIGEST_SHA256_BYTES], mac[DIGEST_SHA256_BYTES];
	struct span rest = value, id, digits;
	uint64_t made_at_s;
	size_t length;
	if (value.length > VALUE_BYTES || !span_cut(&rest, '.', &id) ||
	    !span_cut(&rest, '.', &digits) || !rest.at)
		return false;
	const struct key *key =
	    keyring_find(ctx->keys, KEY_DEVICE, id, ctx->now_ms);
	if (!key || span_number(digits, INT64_MAX / MS_PER_S, &made_at_s) ||
	    base64url_decode(rest, sent, sizeof(sent), &length) ||
	    length != sizeof(sent) || device_mac(key, user_id, digits, mac))
		return false;
	return digest_equal(mac, sent, sizeof(mac)) &&
	       is_of_our_time(ctx, made_at_s) && !uuid_is_nil(user_id);
}
