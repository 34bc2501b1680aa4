/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWS by HMAC-SHA-256; see jws.h. */
#include "crypto/jws.h"

#include "base/encode.h"

/* base64url without padding of a MAC. */
#define SIGNATURE_CHARACTERS 43

static const struct json_limits header_limits = {
    .depth = 4, .members = 16, .nodes = 32, .string_bytes = 4096};

static bool split(struct span token, struct jws *out, struct span *header)
{
	struct span rest = token;

	if (token.length > JWS_LIMIT_BYTES || !span_cut(&rest, '.', header) ||
	    !span_cut(&rest, '.', &out->payload) ||
	    rest.length != SIGNATURE_CHARACTERS)
		return false;
	out->signature = rest;
	out->covered = (struct span){token.at, token.length - rest.length - 1};
	return true;
}

static bool decode(struct arena *arena, struct span encoded, struct span *out)
{
	const size_t limit = encoded.length / 4 * 3 + 3;
	char *bytes = arena_alloc(arena, limit);
	size_t length;

	if (!bytes || base64url_decode(encoded, bytes, limit, &length))
		return false;
	*out = (struct span){bytes, length};
	return true;
}

static bool has_nul(const struct json_node *node)
{
	if (span_has_byte(node->name, '\0') || span_has_byte(node->text, '\0'))
		return true;
	for (const struct json_node *at = node->child; at; at = at->next)
		if (has_nul(at))
			return true;
	return false;
}

const struct json_node *jws_read_object(struct arena *arena, struct span source,
                                        const struct json_limits *limits)
{
	const struct json_node *root;

	if (json_parse(arena, source, limits, &root) ||
	    root->type != JSON_OBJECT || has_nul(root))
		return NULL;
	return root;
}

struct span jws_member_text(const struct json_node *object, const char *name)
{
	const struct json_node *member = json_member(object, name);

	if (!member || member->type != JSON_STRING)
		return (struct span){0};
	return member->text;
}

static bool is_allowed(const struct json_node *header)
{
	return header && !json_member(header, "crit") &&
	       !json_member(header, "b64") &&
	       span_equal(jws_member_text(header, "alg"), SPAN("HS256"));
}

enum fault jws_read(struct arena *arena, struct span token, struct jws *out)
{
	struct span encoded, header;
	struct jws jws;

	if (!split(token, &jws, &encoded) || !decode(arena, encoded, &header))
		return FAULT_TOKEN_INVALID;
	jws.header = jws_read_object(arena, header, &header_limits);
	if (!is_allowed(jws.header))
		return FAULT_TOKEN_INVALID;
	*out = jws;
	return FAULT_NONE;
}

static bool mac_is_right(struct mac *mac, const struct jws *jws)
{
	unsigned char given[DIGEST_SHA256_BYTES];
	unsigned char wanted[DIGEST_SHA256_BYTES];
	size_t length;
	bool is_right;

	is_right = base64url_decode(jws->signature, given, sizeof(given),
	                            &length) == FAULT_NONE &&
	           length == sizeof(given) &&
	           mac_sign(mac, &jws->covered, 1, wanted) == FAULT_NONE &&
	           digest_equal(given, wanted, sizeof(wanted));
	/* It is what a forger lacks. */
	digest_wipe(wanted, sizeof(wanted));
	return is_right;
}

enum fault jws_verify(struct arena *arena, struct mac *mac,
                      const struct jws *jws, struct span *payload)
{
	struct span decoded;

	if (!mac_is_right(mac, jws) || !decode(arena, jws->payload, &decoded))
		return FAULT_TOKEN_INVALID;
	*payload = decoded;
	return FAULT_NONE;
}
