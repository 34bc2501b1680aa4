/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one request: a table of steps, run in order; the first fault
 * stops it. Read the table: limits come before hashing, rights before input.
 */
#include "api/life.h"

#include "api/exchange.h"
#include "api/gate.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "crypto/random.h"
#include "http/problem.h"

#include <stdlib.h>
#include <string.h>

#define MS_PER_S         1000
#define PROBLEMS_PATH    "/problems/"
#define FIRST_RETRY_S    1
#define LAST_WORD_HEADER "Status: 500 Internal Server Error\r\n\r\n"

static const struct step {
	const char *name;
	enum fault (*run)(struct exchange *exchange);
} steps[] = {
    {"read", gate_read},       /* variables, address, names */
    {"block", gate_block},     /* whether the address is served at all */
    {"route", gate_route},     /* which row of the table */
    {"preload", gate_preload}, /* the token's signature and claims */
    {"limit", gate_limit},     /* rate limits and revocation, one question */
    {"actor", gate_actor},     /* who it is */
    {"origin", gate_origin},   /* which site's page it comes from */
    {"permit", gate_permit},   /* whether they may */
    {"input", gate_input},     /* the body, checked against its fields */
    {"handle", gate_handle},   /* what was asked for */
};

static enum fault run_steps(struct exchange *exchange)
{
	enum fault fault = FAULT_NONE;
	for (size_t i = 0; !fault && i < sizeof(steps) / sizeof(steps[0]); i++)
		fault = steps[i].run(exchange);
	return fault;
}

static int64_t retry_after_s(const struct exchange *exchange)
{
	int64_t wait_ms = exchange->ctx.retry_after_ms;
	return wait_ms > 0 ? (wait_ms + MS_PER_S - 1) / MS_PER_S
	                   : FIRST_RETRY_S;
}

static void reply_with_problem(struct exchange *exchange)
{
	struct text type_base = arena_text(&exchange->service->arena, 512);
	text_append_cstr(&type_base,
	                 exchange->service->config->server.public_url);
	text_append_cstr(&type_base,
	                 exchange->service->config->server.base_path);
	text_append_cstr(&type_base, PROBLEMS_PATH);
	const struct problem_context context = {
	    .request_id = span_of(exchange->request_id),
	    .type_base = text_span(&type_base),
	    .errors = exchange->ctx.errors.count ? &exchange->ctx.errors : NULL,
	    .retry_after_s = retry_after_s(exchange),
	    .allow = exchange->allow,
	};
	problem_reply(&exchange->reply, exchange->fault, &context);
}

static enum fault compose(struct exchange *exchange, struct life_reply *reply)
{
	enum fault fault = gate_headers(exchange);
	exchange->head.length = 0;
	exchange->head.overflowed = false;
	if (!fault)
		fault = reply_head(&exchange->reply, &exchange->head);
	if (fault)
		return fault;
	reply->head = text_span(&exchange->head);
	reply->body = text_span(&exchange->reply.body);
	reply->status = exchange->reply.status;
	if (exchange->request.method == HTTP_HEAD)
		reply->body.length = 0;
	return FAULT_NONE;
}

/* A reply that did not fit becomes a problem; that one always fits. */
static void finish(struct exchange *exchange, struct life_reply *reply)
{
	if (exchange->fault)
		reply_with_problem(exchange);
	enum fault fault = compose(exchange, reply);
	if (!fault)
		return;
	exchange->fault = fault;
	reply_with_problem(exchange);
	if (!compose(exchange, reply))
		return;
	reply->head = SPAN(LAST_WORD_HEADER);
	reply->body = (struct span){0};
	reply->status = 500;
}

static struct exchange *begin(struct service *service,
                              const struct life_request *request)
{
	struct exchange *exchange =
	    arena_alloc(&service->arena, sizeof(*exchange));
	if (!exchange || reply_init(&exchange->reply, &service->arena))
		return NULL;
	struct uuid id;
	/* Taken first, so that there is always room to say what is wrong. */
	exchange->head = arena_text(&service->arena, REPLY_HEAD_BYTES);
	exchange->service = service;
	exchange->incoming = request;
	exchange->started_us = clock_monotonic_us();
	service_fill_in(service, &exchange->ctx);
	random_uuid(exchange->ctx.now_ms, &id);
	uuid_format(&id, exchange->request_id);
	exchange->ctx.request_id = span_of(exchange->request_id);
	service->exchange = exchange;
	return exchange;
}

/*
 * Where somebody who is signed in says the password once more, only what may
 * have been a guess counts: not a success, and not a field to be mended.
 */
static void forgive(struct exchange *exchange)
{
	const struct route *route = exchange->route;
	bool is_guess = exchange->fault != FAULT_NONE &&
	                exchange->fault != FAULT_VALIDATION;
	if (!is_guess && route && route->who == WHO_USER &&
	    route->limit == LIMIT_LOGIN)
		guard_refund(&exchange->ctx, route->limit,
		             &exchange->admission);
}

void life_run(struct service *service, const struct life_request *request,
              struct life_reply *reply)
{
	struct exchange *exchange = begin(service, request);
	if (!exchange) /* the arena is too small for any request at all */
		abort();
	exchange->fault = run_steps(exchange);
	forgive(exchange);
	finish(exchange, reply);
}

static void write_log(const struct exchange *exchange, int64_t duration_us)
{
	char client[IP_TEXT_BYTES];
	struct log_line line;
	log_begin(&line, LOG_INFO, "request");
	json_string(&line.json, "request_id", span_of(exchange->request_id));
	json_string(&line.json, "method",
	            span_of(http_method_name(exchange->request.method)));
	json_string(&line.json, "path", exchange->request.path);
	json_integer(&line.json, "status", exchange->reply.status);
	if (exchange->fault)
		json_string(&line.json, "fault",
		            span_of(fault_name(exchange->fault)));
	json_string(&line.json, "client",
	            span_of(ip_format(&exchange->ctx.ip, client)));
	if (exchange->ctx.actor.kind == ACTOR_USER)
		json_uuid(&line.json, "user_id", &exchange->ctx.actor.user_id);
	json_integer(&line.json, "duration_us", duration_us);
	log_end(&line);
}

void life_end(struct service *service)
{
	const struct exchange *exchange = service->exchange;
	int64_t duration_us = clock_monotonic_us() - exchange->started_us;
	metrics_request(exchange->reply.status, duration_us);
	write_log(exchange, duration_us);
	service->exchange = NULL;
	arena_reset(&service->arena);
}
