/* SPDX-License-Identifier: Apache-2.0 */
/* The steps from the first byte to the handler. */
#include "api/gate.h"

#include "api/handlers.h"
#include "base/encode.h"

#include "base/json_read.h"
#include "base/metrics.h"
#include "domain/access/role.h"
#include "domain/audit/audit.h"
#include "domain/guard/block.h"
#include "domain/session/identity.h"
#include "http/cookie.h"

#include <assert.h>
#include <string.h>

#define ALLOW_BYTES 96
#define BEARER      "Bearer "
#define ASKS_MOST   4

enum fault gate_read(struct exchange *exchange)
{
	struct ctx *ctx = &exchange->ctx;
	struct request *request = &exchange->request;
	enum fault fault = request_read(ctx->arena, ctx->config,
	                                exchange->incoming->variables, request);
	ctx->ip = request->client;
	if (!fault)
		fault =
		    request_header(request, "HTTP_ORIGIN", &exchange->origin);
	if (!fault)
		fault = request_header(request, "HTTP_USER_AGENT",
		                       &ctx->user_agent);
	if (!fault && !utf8_is_valid(ctx->user_agent))
		ctx->user_agent = SPAN("");
	return fault;
}

static bool is_from_operations(const struct exchange *exchange)
{
	const struct config_blocks *blocks =
	    &exchange->ctx.config->server.operations_from;
	for (size_t i = 0; i < blocks->count; i++)
		if (ip_in_block(&exchange->ctx.ip, &blocks->at[i]))
			return true;
	return false;
}

/* What asks no store: those who watch us must not lose sight of us. */
static bool is_watching(const struct exchange *exchange)
{
	struct route_parameters parameters;
	if (!is_from_operations(exchange))
		return false;
	for (size_t i = 0; i < route_table_count; i++)
		if (route_table[i].limit == LIMIT_NOTHING &&
		    route_match(route_table[i].pattern, exchange->request.path,
		                &parameters))
			return true;
	return false;
}

static bool is_blocked(const struct exchange *exchange)
{
	return block_has(exchange->service->blocks, &exchange->ctx.ip,
	                 exchange->ctx.now_ms);
}

static enum fault judge_address(const struct exchange *exchange)
{
	if (!is_blocked(exchange) || is_watching(exchange))
		return FAULT_NONE;
	metrics_add(METRIC_GUARD_BLOCKED, 1);
	return FAULT_IP_BLOCKED;
}

/*
 * Who is blocked costs no store, but for a look once a second whether they
 * still are: this process may serve nobody else.
 */
enum fault gate_block(struct exchange *exchange)
{
	if (is_blocked(exchange))
		service_refresh_guard(exchange->service, &exchange->ctx, 0);
	return judge_address(exchange);
}

/* A HEAD is answered by the row of its GET. */
static bool serves(const struct route *route, enum http_method method)
{
	return route->method == method ||
	       (route->method == HTTP_GET && method == HTTP_HEAD);
}

static void allow_method(struct text *allow, const char *name)
{
	if (allow->length)
		text_append(allow, SPAN(", "));
	text_append_cstr(allow, name);
}

/* Preflights and OPTIONS are answered for every path that there is. */
static const struct route options_route = {
    .method = HTTP_OPTIONS,
    .who = WHO_ANYONE,
    .need = NEED_NOTHING,
    .permission = PERM_NOTHING,
    .limit = LIMIT_API,
    .audit = AUDIT_NOT_WANTED,
    .handle = operations_options,
};

enum fault gate_route(struct exchange *exchange)
{
	const struct request *request = &exchange->request;
	struct text allow = arena_text(exchange->ctx.arena, ALLOW_BYTES);
	for (size_t i = 0; i < route_table_count; i++) {
		const struct route *route = &route_table[i];
		struct route_parameters parameters;
		if (!route_match(route->pattern, request->path, &parameters))
			continue;
		allow_method(&allow, http_method_name(route->method));
		if (route->method == HTTP_GET)
			allow_method(&allow, "HEAD");
		if (!exchange->route && serves(route, request->method)) {
			exchange->route = route;
			exchange->parameters = parameters;
		}
	}
	if (!allow.length)
		return FAULT_NOT_FOUND;
	allow_method(&allow, "OPTIONS");
	exchange->allow = text_span(&allow);
	if (request->method == HTTP_OPTIONS)
		exchange->route = &options_route;
	return exchange->route ? FAULT_NONE : FAULT_METHOD_NOT_ALLOWED;
}

/* The credential as it was sent: a bearer token goes before a cookie. */
static enum fault find_token(struct exchange *exchange, struct span *token)
{
	struct span header;
	enum fault fault =
	    request_header(&exchange->request, "HTTP_AUTHORIZATION", &header);
	if (fault)
		return fault;
	if (header.at) {
		struct span scheme = {header.at, sizeof(BEARER) - 1};
		exchange->presented.source = CREDENTIAL_BEARER;
		if (header.length <= scheme.length ||
		    !span_equal_ascii_case(scheme, SPAN(BEARER)))
			return FAULT_NONE; /* another scheme: no good token */
		token->at = header.at + scheme.length;
		token->length = header.length - scheme.length;
		return FAULT_NONE;
	}
	fault = request_cookie(&exchange->request, cookie_name(COOKIE_ACCESS),
	                       token);
	if (!fault && token->at)
		exchange->presented.source = CREDENTIAL_COOKIE;
	return fault;
}

/* Another host may have rotated the key a moment ago. */
static enum fault check_token(struct exchange *exchange, struct span token)
{
	struct ctx *ctx = &exchange->ctx;
	struct access_claims *claims = &exchange->presented.claims;
	bool is_key_unknown;
	enum fault fault =
	    access_token_check(ctx, token, claims, &is_key_unknown);
	if (fault && is_key_unknown &&
	    !service_refresh_keys(exchange->service, ctx))
		fault = access_token_check(ctx, token, claims, &is_key_unknown);
	return fault;
}

enum fault gate_preload(struct exchange *exchange)
{
	struct span token = {0};
	/* What must answer while the stores are down does not ask them. */
	if (exchange->route->limit == LIMIT_NOTHING)
		return FAULT_NONE;
	enum fault fault = service_keep_keys(exchange->service, &exchange->ctx);
	if (!fault)
		fault = find_token(exchange, &token);
	if (fault || exchange->presented.source == CREDENTIAL_NONE)
		return fault;
	exchange->presented.verdict =
	    token.at ? check_token(exchange, token) : FAULT_TOKEN_INVALID;
	metrics_add(exchange->presented.verdict ? METRIC_TOKEN_REJECTIONS
	                                        : METRIC_TOKEN_VERIFICATIONS,
	            1);
	return FAULT_NONE;
}

static bool has_good_token(const struct exchange *exchange)
{
	return exchange->presented.source != CREDENTIAL_NONE &&
	       !exchange->presented.verdict;
}

/* Again when what it was asked by had changed; then nothing was counted. */
static enum fault admit(struct exchange *exchange)
{
	struct admission *admission = &exchange->admission;
	const struct access_claims *claims =
	    has_good_token(exchange) ? &exchange->presented.claims : NULL;
	for (int i = 0; i < ASKS_MOST; i++) {
		enum fault fault = guard_admit(
		    &exchange->ctx, exchange->route->limit, claims, admission);
		if (fault)
			return fault;
		service_refresh_guard(exchange->service, &exchange->ctx,
		                      admission->guard_version);
		if (!admission->is_stale)
			return FAULT_NONE;
	}
	return FAULT_UNAVAILABLE;
}

enum fault gate_limit(struct exchange *exchange)
{
	if (exchange->route->limit == LIMIT_NOTHING)
		return FAULT_NONE;
	enum fault fault = admit(exchange);
	/* What let the address pass may have been old, or nothing at all. */
	if (!fault)
		fault = judge_address(exchange);
	if (fault || !exchange->admission.is_limited)
		return fault;
	exchange->ctx.retry_after_ms = exchange->admission.reset_in_ms;
	return FAULT_RATE_LIMITED;
}

static void become(struct exchange *exchange)
{
	const struct access_claims *claims = &exchange->presented.claims;
	struct ctx *ctx = &exchange->ctx;
	ctx->actor = (struct actor){
	    .kind = ACTOR_USER,
	    .user_id = claims->user_id,
	    .tenant_id = claims->tenant_id,
	    .session_id = claims->session_id,
	    .token_id = claims->token_id,
	    .email = claims->email,
	    .role = claims->role,
	    .is_email_verified = claims->is_email_verified,
	    .is_in_system_tenant =
		uuid_equal(&claims->tenant_id, &ctx->system_tenant_id),
	    .auth_at_ms = claims->auth_at_s * 1000,
	    .expires_at_ms = claims->expires_at_s * 1000,
	};
}

static enum fault judge_token(const struct exchange *exchange)
{
	if (exchange->presented.source == CREDENTIAL_NONE)
		return FAULT_UNAUTHENTICATED;
	if (exchange->presented.verdict)
		return exchange->presented.verdict;
	return exchange->admission.is_revoked ? FAULT_TOKEN_REVOKED
	                                      : FAULT_NONE;
}

/* Where nobody must sign in, a bad token is as good as none. */
enum fault gate_actor(struct exchange *exchange)
{
	enum fault fault = judge_token(exchange);
	if (!fault)
		become(exchange);
	return exchange->route->who == WHO_USER ? fault : FAULT_NONE;
}

/* The token may be older than the confirmation: look once more. */
static enum fault want_verified(struct exchange *exchange)
{
	struct ctx *ctx = &exchange->ctx;
	struct identity identity;
	if (ctx->actor.is_email_verified)
		return FAULT_NONE;
	enum fault fault = identity_find(ctx, &ctx->actor.user_id,
	                                 &ctx->actor.tenant_id, &identity);
	if (fault)
		return fault == FAULT_NOT_FOUND ? FAULT_TOKEN_REVOKED : fault;
	return identity.is_email_verified ? FAULT_NONE
	                                  : FAULT_EMAIL_NOT_VERIFIED;
}

static enum fault note_refusal(struct exchange *exchange)
{
	enum permission permission = exchange->route->permission;
	return audit_refusal(
	    &exchange->ctx,
	    &(struct audit_event){
		.type = AUDIT_AUTHORIZATION_FAILED,
		.reason = span_of(role_permission_name(permission)),
		.detail = exchange->request.path,
	    },
	    FAULT_FORBIDDEN);
}

enum fault gate_permit(struct exchange *exchange)
{
	const struct route *route = exchange->route;
	assert(route->who != WHO_UNSET && route->need != NEED_UNSET);
	/* Who is not of the operators is not told that there is something. */
	if (route->who == WHO_OPERATIONS && !is_from_operations(exchange))
		return FAULT_NOT_FOUND;
	if (!role_allows(&exchange->ctx.actor, route->permission))
		return note_refusal(exchange);
	return route->need == NEED_VERIFIED ? want_verified(exchange)
	                                    : FAULT_NONE;
}

/* CONTENT_LENGTH, absent counts as none; over the limit is told at once. */
static enum fault body_length(const struct exchange *exchange, uint64_t *out)
{
	struct span digits =
	    request_variable(&exchange->request, "CONTENT_LENGTH");
	uint64_t limit = (uint64_t)exchange->ctx.config->server.body_limit;
	*out = 0;
	if (digits.length == 0)
		return FAULT_NONE;
	if (span_number(digits, UINT64_MAX, out))
		return FAULT_INVALID_REQUEST;
	return *out > limit ? FAULT_PAYLOAD_TOO_LARGE : FAULT_NONE;
}

static enum fault read_body(struct exchange *exchange, struct span *out)
{
	uint64_t length;
	enum fault fault = body_length(exchange, &length);
	*out = (struct span){0};
	if (fault || length == 0)
		return fault;
	fault = request_wants_json_body(&exchange->request);
	if (fault)
		return fault;
	char *bytes = arena_alloc(exchange->ctx.arena, (size_t)length);
	if (!bytes)
		return FAULT_EXHAUSTED;
	fault = exchange->incoming->read_body(exchange->incoming->argument,
	                                      bytes, (size_t)length);
	*out = (struct span){bytes, (size_t)length};
	return fault;
}

enum fault gate_input(struct exchange *exchange)
{
	const struct route_input *input = exchange->route->input;
	const struct json_node *root;
	struct span body;
	if (!input)
		return FAULT_NONE;
	void *bound = arena_alloc(exchange->ctx.arena, input->bytes);
	if (!bound)
		return FAULT_EXHAUSTED;
	exchange->input = bound;
	enum fault fault = read_body(exchange, &body);
	/* No body at all is an object without members. */
	if (!fault)
		fault =
		    json_parse(exchange->ctx.arena, body.at ? body : SPAN("{}"),
		               &json_limits_request, &root);
	if (!fault)
		fault = json_bind(root, input->fields, bound,
		                  &exchange->ctx.errors);
	return fault;
}

enum fault gate_handle(struct exchange *exchange)
{
	return exchange->route->handle(exchange);
}
