/* SPDX-License-Identifier: Apache-2.0 */
/* /auth: registering, confirming, signing in, renewing, signing out. */
#include "api/answer.h"
#include "api/gate.h"
#include "api/handlers.h"
#include "domain/account/login.h"
#include "domain/account/registration.h"
#include "domain/guard/captcha.h"
#include "domain/guard/device.h"
#include "domain/session/session.h"
#include "http/cookie.h"

#include <stddef.h>

#define EMAIL_MOST    600 /* longer ones are no address; EN-05 wants a 4xx */
#define PASSWORD_MOST 65536
#define TOKEN_MOST    8192 /* of any kind: a wrong one is a 401, not a 422 */
#define NAME_MOST     120
#define MS_PER_S      1000
#define SESSION_BYTES 2048
#define CAPTCHA_MOST  8192
#define CAPTCHA_BYTES 1024

#define AT(type, member) offsetof(struct type, member)

/* clang-format off */
static const struct json_field register_fields[] = {
	{"email",         JSON_FIELD_STRING, JSON_REQUIRED, 1, EMAIL_MOST,    AT(registration, email)},
	{"password",      JSON_FIELD_SECRET, JSON_REQUIRED, 1, PASSWORD_MOST, AT(registration, password)},
	{"name",          JSON_FIELD_STRING, JSON_OPTIONAL, 0, NAME_MOST,     AT(registration, name)},
	{"tenant_name",   JSON_FIELD_STRING, JSON_OPTIONAL, 0, NAME_MOST,     AT(registration, tenant_name)},
	{0},
};
const struct route_input input_register = {register_fields,
                                           sizeof(struct registration)};

struct login_input {
	struct login login;
	struct span session;
};
static const struct json_field login_fields[] = {
	{"email",         JSON_FIELD_STRING, JSON_REQUIRED, 1, 65536,         AT(login_input, login.email)},
	{"password",      JSON_FIELD_SECRET, JSON_REQUIRED, 1, PASSWORD_MOST, AT(login_input, login.password)},
	{"tenant_id",     JSON_FIELD_UUID,   JSON_OPTIONAL, 0, 0,             AT(login_input, login.tenant_id)},
	{"device_name",   JSON_FIELD_STRING, JSON_OPTIONAL, 0, NAME_MOST,     AT(login_input, login.device_name)},
	{"session",       JSON_FIELD_STRING, JSON_OPTIONAL, 1, 16,            AT(login_input, session)},
	{"captcha",       JSON_FIELD_STRING, JSON_OPTIONAL, 1, CAPTCHA_MOST,  AT(login_input, login.captcha)},
	{0},
};
const struct route_input input_login = {login_fields,
                                        sizeof(struct login_input)};

struct token_input {
	struct span token;
};
static const struct json_field token_fields[] = {
	{"token",         JSON_FIELD_STRING, JSON_REQUIRED, 1, TOKEN_MOST,    AT(token_input, token)},
	{0},
};
const struct route_input input_token = {token_fields,
                                        sizeof(struct token_input)};

static const struct json_field refresh_fields[] = {
	{"refresh_token", JSON_FIELD_STRING, JSON_OPTIONAL, 1, TOKEN_MOST,    AT(token_input, token)},
	{0},
};
const struct route_input input_refresh = {refresh_fields,
                                          sizeof(struct token_input)};

static const struct json_field email_fields[] = {
	{"email",         JSON_FIELD_STRING, JSON_REQUIRED, 1, EMAIL_MOST,    AT(email_input, email)},
	{0},
};
const struct route_input input_email = {email_fields,
                                        sizeof(struct email_input)};
/* clang-format on */

enum fault auth_register(struct exchange *exchange)
{
	enum fault fault =
	    registration_register(&exchange->ctx, exchange->input);
	return fault ? fault : answer_accepted(exchange);
}

enum fault auth_verify(struct exchange *exchange)
{
	const struct token_input *input = exchange->input;
	enum fault fault = registration_verify(&exchange->ctx, input->token);
	return fault ? fault : answer_no_content(exchange);
}

enum fault auth_resend(struct exchange *exchange)
{
	const struct email_input *input = exchange->input;
	enum fault fault = registration_resend(&exchange->ctx, input->email);
	return fault ? fault : answer_accepted(exchange);
}

static enum fault session_kind_of(struct exchange *exchange, struct span word,
                                  enum session_kind *out)
{
	*out = SESSION_TOKEN;
	if (!word.at || span_equal(word, SPAN("token")))
		return FAULT_NONE;
	*out = SESSION_COOKIE;
	if (span_equal(word, SPAN("cookie")))
		return FAULT_NONE;
	return field_errors_add(&exchange->ctx.errors, "session", "invalid",
	                        "Use \"token\" or \"cookie\".");
}

/* Whoever got in may come back past the lock that strangers bring about. */
static enum fault remember_device(struct exchange *exchange,
                                  const struct uuid *user_id)
{
	struct ctx *ctx = &exchange->ctx;
	struct span value;
	enum fault fault = device_make(ctx, user_id, &value);
	return fault ? fault
	             : cookie_set(&exchange->reply, COOKIE_DEVICE, value,
	                          ctx->config->guard.device_life / MS_PER_S,
	                          span_of(ctx->config->server.base_path));
}

enum fault auth_login(struct exchange *exchange)
{
	const struct login_input *input = exchange->input;
	struct login login = input->login;
	struct session_tokens tokens = {0};
	enum fault fault =
	    session_kind_of(exchange, input->session, &login.kind);
	if (!fault)
		fault =
		    request_cookie(&exchange->request,
		                   cookie_name(COOKIE_DEVICE), &login.device);
	if (!fault)
		fault = login_with_password(&exchange->ctx, &login, &tokens);
	if (fault)
		return fault;
	guard_refund(&exchange->ctx, exchange->route->limit,
	             &exchange->admission);
	fault = answer_tokens(exchange, &tokens);
	return fault ? fault
	             : remember_device(exchange, &tokens.identity.user_id);
}

enum fault auth_captcha(struct exchange *exchange)
{
	struct json_writer *json = &exchange->reply.json;
	enum fault fault =
	    reply_json(&exchange->reply, REPLY_OK, CAPTCHA_BYTES);
	if (fault)
		return fault;
	json_object_begin(json, NULL);
	fault = captcha_write_challenge(&exchange->ctx, json);
	json_object_end(json);
	return fault;
}

/* The refresh token of the body, or the one of the browser's cookie. */
static enum fault find_refresh_token(struct exchange *exchange,
                                     struct span *token,
                                     enum session_kind *kind)
{
	const struct token_input *input = exchange->input;
	*token = input->token;
	*kind = SESSION_TOKEN;
	if (token->at)
		return FAULT_NONE;
	*kind = SESSION_COOKIE;
	return request_cookie(&exchange->request, cookie_name(COOKIE_REFRESH),
	                      token);
}

/* Renewing or ending by cookie is done in somebody's name: no forging it. */
static enum fault check_cookie_csrf(struct exchange *exchange,
                                    struct span token)
{
	struct uuid session_id, user_id;
	enum fault fault =
	    session_of_token(&exchange->ctx, token, &session_id, &user_id);
	return fault ? fault : gate_check_csrf(exchange, &session_id);
}

enum fault auth_refresh(struct exchange *exchange)
{
	struct session_tokens tokens = {0};
	struct span token;
	enum session_kind kind;
	enum fault fault = find_refresh_token(exchange, &token, &kind);
	if (!fault && !token.at)
		return FAULT_UNAUTHENTICATED;
	if (!fault && kind == SESSION_COOKIE)
		fault = check_cookie_csrf(exchange, token);
	if (!fault)
		fault = session_refresh(&exchange->ctx, token, kind, &tokens);
	return fault ? fault : answer_tokens(exchange, &tokens);
}

/* Whose session ends: the presented token's, else the caller's own. */
static enum fault find_session(struct exchange *exchange, struct uuid *session,
                               struct uuid *user, enum session_kind *kind)
{
	const struct actor *actor = &exchange->ctx.actor;
	struct span token;
	enum fault fault = find_refresh_token(exchange, &token, kind);
	if (fault)
		return fault;
	bool has_bearer = exchange->presented.source == CREDENTIAL_BEARER;
	if (token.at && !(has_bearer && *kind == SESSION_COOKIE)) {
		fault = session_of_token(&exchange->ctx, token, session, user);
		if (!fault && *kind == SESSION_COOKIE)
			fault = gate_check_csrf(exchange, session);
		return fault;
	}
	if (actor->kind != ACTOR_USER)
		return exchange->presented.source == CREDENTIAL_NONE
		           ? FAULT_UNAUTHENTICATED
		           : FAULT_TOKEN_INVALID;
	*kind = has_bearer ? SESSION_TOKEN : SESSION_COOKIE;
	*session = actor->session_id;
	*user = actor->user_id;
	return *kind == SESSION_COOKIE ? gate_check_csrf(exchange, session)
	                               : FAULT_NONE;
}

/*
 * Our cookies are taken back one by one: "cookies" would take the known device
 * with them, and all that others have set for this host.
 */
static enum fault forget(struct exchange *exchange)
{
	enum fault fault = answer_no_content(exchange);
	if (!fault)
		fault = reply_header(&exchange->reply, "Clear-Site-Data",
		                     SPAN("\"cache\", \"storage\""));
	return fault ? fault : answer_forget_cookies(exchange);
}

enum fault auth_logout(struct exchange *exchange)
{
	struct uuid session, user;
	enum session_kind kind;
	enum fault fault = find_session(exchange, &session, &user, &kind);
	if (!fault)
		fault = session_end(&exchange->ctx, &session, &user,
		                    SPAN("logout"), AUDIT_LOGOUT);
	/* A browser whose session is over already is rid of it all the same. */
	bool is_over = fault == FAULT_NOT_FOUND ||
	               (fault == FAULT_TOKEN_INVALID && kind == SESSION_COOKIE);
	return fault && !is_over ? fault : forget(exchange);
}

enum fault auth_session(struct exchange *exchange)
{
	const struct access_claims *claims = &exchange->presented.claims;
	struct json_writer *json = &exchange->reply.json;
	enum fault fault =
	    reply_json(&exchange->reply, REPLY_OK, SESSION_BYTES);
	if (fault)
		return fault;
	json_object_begin(json, NULL);
	access_token_write(json, claims);
	json_integer(json, "expires_in",
	             claims->expires_at_s - exchange->ctx.now_ms / MS_PER_S);
	json_object_end(json);
	return FAULT_NONE;
}
