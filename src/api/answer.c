/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of answers that several handlers give. */
#include "api/answer.h"

#include "http/cookie.h"

#define TOKENS_BYTES 8192

enum fault answer_accepted(struct exchange *exchange)
{
	enum fault fault = reply_json(&exchange->reply, REPLY_ACCEPTED, 16);
	if (fault)
		return fault;
	json_object_begin(&exchange->reply.json, NULL);
	json_object_end(&exchange->reply.json);
	return FAULT_NONE;
}

enum fault answer_no_content(struct exchange *exchange)
{
	reply_empty(&exchange->reply, REPLY_NO_CONTENT);
	return FAULT_NONE;
}

static void user_members(struct json_writer *json,
                         const struct identity *identity)
{
	json_uuid(json, "id", &identity->user_id);
	json_string(json, "email", identity->email);
	json_string(json, "name", identity->name);
	json_bool(json, "email_verified", identity->is_email_verified);
	json_string(json, "status",
	            identity->is_active ? SPAN("active") : SPAN("disabled"));
	json_time(json, "created_at", identity->created_at_ms);
}

void answer_user(struct json_writer *json, const char *name,
                 const struct identity *identity)
{
	if (name)
		json_object_begin(json, name);
	user_members(json, identity);
	if (name)
		json_object_end(json);
}

struct cookie_value {
	enum cookie cookie;
	struct span value;
	int64_t life_s;
};

static enum fault set_cookies(struct exchange *exchange,
                              const struct cookie_value *values, size_t count)
{
	struct span base_path = span_of(exchange->ctx.config->server.base_path);
	enum fault fault = FAULT_NONE;
	for (size_t i = 0; !fault && i < count; i++)
		fault =
		    cookie_set(&exchange->reply, values[i].cookie,
		               values[i].value, values[i].life_s, base_path);
	return fault;
}

static enum fault set_session_cookies(struct exchange *exchange,
                                      const struct session_tokens *tokens)
{
	struct span csrf;
	enum fault fault =
	    session_csrf_token(&exchange->ctx, &tokens->session_id, &csrf);
	const struct cookie_value values[] = {
	    {COOKIE_ACCESS, tokens->access_token, tokens->access_life_s},
	    {COOKIE_REFRESH, tokens->refresh_token, tokens->refresh_life_s},
	    {COOKIE_CSRF, csrf, tokens->refresh_life_s},
	};
	return fault ? fault : set_cookies(exchange, values, 3);
}

enum fault answer_forget_cookies(struct exchange *exchange)
{
	static const struct cookie_value values[] = {
	    {COOKIE_ACCESS, {"", 0}, 0},
	    {COOKIE_REFRESH, {"", 0}, 0},
	    {COOKIE_CSRF, {"", 0}, 0},
	};
	return set_cookies(exchange, values, 3);
}

enum fault answer_tokens(struct exchange *exchange,
                         const struct session_tokens *tokens)
{
	bool in_cookies = tokens->kind == SESSION_COOKIE;
	struct json_writer *json = &exchange->reply.json;
	enum fault fault = reply_json(&exchange->reply, REPLY_OK, TOKENS_BYTES);
	if (!fault && in_cookies)
		fault = set_session_cookies(exchange, tokens);
	if (fault)
		return fault;
	json_object_begin(json, NULL);
	if (!in_cookies)
		json_string(json, "access_token", tokens->access_token);
	json_string(json, "token_type",
	            in_cookies ? SPAN("Cookie") : SPAN("Bearer"));
	json_integer(json, "expires_in", tokens->access_life_s);
	if (!in_cookies)
		json_string(json, "refresh_token", tokens->refresh_token);
	json_integer(json, "refresh_expires_in", tokens->refresh_life_s);
	answer_user(json, "user", &tokens->identity);
	json_object_end(json);
	return FAULT_NONE;
}
