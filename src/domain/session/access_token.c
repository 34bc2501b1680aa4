/* SPDX-License-Identifier: Apache-2.0 */
/* Making and reading the claims of an access token. */
#include "domain/session/access_token.h"

#include "crypto/random.h"

#include <stddef.h>

#define MS_PER_S         1000
#define LIFE_LIMIT_S     900 /* whatever the configuration says */
#define NUMBER_LIMIT     INT64_C(253402300799) /* the year 9999 */
#define GENERATION_LIMIT UINT32_MAX

/* The claims that are read; amr is read apart, for it is an array. */
struct raw_claims {
	struct span iss, aud, email, role;
	struct uuid sub, jti, user_id, tenant_id, sid;
	int64_t iat, nbf, exp, auth_time;
	int64_t user_generation, tenant_generation, all_generation;
	bool email_verified;
	const struct json_node *amr;
};

#define AT(member) offsetof(struct raw_claims, member)
/* clang-format off */
static const struct json_field fields[] = {
	{"iss",            JSON_FIELD_STRING,  JSON_REQUIRED, 1, 500,              AT(iss)},
	{"aud",            JSON_FIELD_STRING,  JSON_REQUIRED, 1, 500,              AT(aud)},
	{"sub",            JSON_FIELD_UUID,    JSON_REQUIRED, 0, 0,                AT(sub)},
	{"jti",            JSON_FIELD_UUID,    JSON_REQUIRED, 0, 0,                AT(jti)},
	{"iat",            JSON_FIELD_INTEGER, JSON_REQUIRED, 0, NUMBER_LIMIT,     AT(iat)},
	{"nbf",            JSON_FIELD_INTEGER, JSON_REQUIRED, 0, NUMBER_LIMIT,     AT(nbf)},
	{"exp",            JSON_FIELD_INTEGER, JSON_REQUIRED, 0, NUMBER_LIMIT,     AT(exp)},
	{"userId",         JSON_FIELD_UUID,    JSON_REQUIRED, 0, 0,                AT(user_id)},
	{"email",          JSON_FIELD_STRING,  JSON_REQUIRED, 1, 254,              AT(email)},
	{"email_verified", JSON_FIELD_BOOL,    JSON_REQUIRED, 0, 0,                AT(email_verified)},
	{"role",           JSON_FIELD_STRING,  JSON_REQUIRED, 1, 32,               AT(role)},
	{"tenantId",       JSON_FIELD_UUID,    JSON_REQUIRED, 0, 0,                AT(tenant_id)},
	{"sid",            JSON_FIELD_UUID,    JSON_REQUIRED, 0, 0,                AT(sid)},
	{"auth_time",      JSON_FIELD_INTEGER, JSON_REQUIRED, 0, NUMBER_LIMIT,     AT(auth_time)},
	{"amr",            JSON_FIELD_TREE,    JSON_REQUIRED, 0, 0,                AT(amr)},
	{"gen_user",       JSON_FIELD_INTEGER, JSON_REQUIRED, 0, GENERATION_LIMIT, AT(user_generation)},
	{"gen_tenant",     JSON_FIELD_INTEGER, JSON_REQUIRED, 0, GENERATION_LIMIT, AT(tenant_generation)},
	{"gen_all",        JSON_FIELD_INTEGER, JSON_REQUIRED, 0, GENERATION_LIMIT, AT(all_generation)},
	{0},
};
/* clang-format on */
#undef AT

void access_token_write(struct json_writer *json,
                        const struct access_claims *claims)
{
	json_string(json, "iss", claims->issuer);
	json_string(json, "aud", claims->audience);
	json_uuid(json, "sub", &claims->user_id);
	json_uuid(json, "jti", &claims->token_id);
	json_integer(json, "iat", claims->issued_at_s);
	json_integer(json, "nbf", claims->not_before_s);
	json_integer(json, "exp", claims->expires_at_s);
	json_uuid(json, "userId", &claims->user_id);
	json_string(json, "email", claims->email);
	json_bool(json, "email_verified", claims->is_email_verified);
	json_string(json, "role", claims->role);
	json_uuid(json, "tenantId", &claims->tenant_id);
	json_uuid(json, "sid", &claims->session_id);
	json_integer(json, "auth_time", claims->auth_at_s);
	json_array_begin(json, "amr");
	struct span rest = claims->amr, word;
	while (span_cut(&rest, ' ', &word))
		json_string(json, NULL, word);
	json_array_end(json);
	json_integer(json, "gen_user", claims->generations.user);
	json_integer(json, "gen_tenant", claims->generations.tenant);
	json_integer(json, "gen_all", claims->generations.all);
}

enum fault access_token_make(struct ctx *ctx, const struct identity *identity,
                             const struct uuid *session_id, struct span amr,
                             int64_t auth_at_ms, struct span *out)
{
	const struct key *key = keyring_current(ctx->keys, KEY_ACCESS_TOKEN);
	if (!key)
		return FAULT_INTERNAL;
	int64_t now_s = ctx->now_ms / MS_PER_S;
	struct access_claims claims = {
	    .user_id = identity->user_id,
	    .tenant_id = identity->tenant_id,
	    .session_id = *session_id,
	    .issuer = span_of(ctx->config->token.issuer),
	    .audience = span_of(ctx->config->token.audience),
	    .email = identity->email,
	    .role = identity->role,
	    .amr = amr,
	    .is_email_verified = identity->is_email_verified,
	    .issued_at_s = now_s,
	    .not_before_s = now_s,
	    .expires_at_s = now_s + ctx->config->session.access_ttl / MS_PER_S,
	    .auth_at_s = auth_at_ms / MS_PER_S,
	    .generations = identity->generations,
	};
	random_uuid(ctx->now_ms, &claims.token_id);

	struct text text = arena_text(ctx->arena, ACCESS_TOKEN_LIMIT_BYTES);
	struct json_writer json = json_writer_over(&text);
	json_object_begin(&json, NULL);
	access_token_write(&json, &claims);
	json_object_end(&json);
	struct text token = arena_text(ctx->arena, ACCESS_TOKEN_LIMIT_BYTES);
	enum fault fault = text_check(&text);
	if (!fault)
		fault = jwt_sign(key, text_span(&text), &token);
	if (!fault)
		fault = text_check(&token);
	if (!fault)
		*out = text_span(&token);
	return fault;
}

/* ["pwd","otp"] as "pwd otp". */
static enum fault read_amr(struct ctx *ctx, const struct json_node *amr,
                           struct span *out)
{
	struct text text = arena_text(ctx->arena, 64);
	if (amr->type != JSON_ARRAY)
		return FAULT_TOKEN_INVALID;
	for (const struct json_node *word = amr->child; word;
	     word = word->next) {
		if (word->type != JSON_STRING)
			return FAULT_TOKEN_INVALID;
		if (word != amr->child)
			text_append_byte(&text, ' ');
		text_append(&text, word->text);
	}
	*out = text_span(&text);
	return text_check(&text) ? FAULT_TOKEN_INVALID : FAULT_NONE;
}

/* Whom the token is from and for, and when it counts. */
static enum fault judge(const struct ctx *ctx, const struct raw_claims *raw)
{
	int64_t now_s = ctx->now_ms / MS_PER_S;
	int64_t skew_s = ctx->config->token.clock_skew / MS_PER_S;
	if (!span_equal(raw->iss, span_of(ctx->config->token.issuer)) ||
	    !span_equal(raw->aud, span_of(ctx->config->token.audience)) ||
	    !uuid_equal(&raw->sub, &raw->user_id))
		return FAULT_TOKEN_INVALID;
	if (raw->iat > now_s + skew_s || raw->nbf > now_s + skew_s)
		return FAULT_TOKEN_INVALID;
	if (raw->exp <= raw->iat || raw->exp - raw->iat > LIFE_LIMIT_S)
		return FAULT_TOKEN_INVALID;
	return raw->exp <= now_s ? FAULT_TOKEN_EXPIRED : FAULT_NONE;
}

static enum fault bind_claims(struct ctx *ctx, const struct json_node *root,
                              struct raw_claims *raw)
{
	struct field_errors ignored = {0};
	if (json_bind(root, fields, raw, &ignored))
		return FAULT_TOKEN_INVALID;
	return judge(ctx, raw);
}

enum fault access_token_check(struct ctx *ctx, struct span token,
                              struct access_claims *out, bool *is_key_unknown)
{
	const struct json_node *root;
	enum jwt_verdict verdict =
	    jwt_open(ctx->arena, ctx->keys, token, ctx->now_ms, &root);
	*is_key_unknown = verdict == JWT_UNKNOWN_KEY;
	if (verdict != JWT_GOOD)
		return FAULT_TOKEN_INVALID;
	struct raw_claims raw = {0};
	struct span amr = {0};
	enum fault fault = bind_claims(ctx, root, &raw);
	if (!fault)
		fault = read_amr(ctx, raw.amr, &amr);
	if (fault)
		return fault;
	*out = (struct access_claims){
	    .token_id = raw.jti,
	    .user_id = raw.user_id,
	    .tenant_id = raw.tenant_id,
	    .session_id = raw.sid,
	    .issuer = raw.iss,
	    .audience = raw.aud,
	    .email = raw.email,
	    .role = raw.role,
	    .amr = amr,
	    .is_email_verified = raw.email_verified,
	    .issued_at_s = raw.iat,
	    .not_before_s = raw.nbf,
	    .expires_at_s = raw.exp,
	    .auth_at_s = raw.auth_time,
	    .generations = {raw.user_generation, raw.tenant_generation,
	                    raw.all_generation},
	};
	return FAULT_NONE;
}
