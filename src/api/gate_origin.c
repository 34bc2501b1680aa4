/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which site a request comes from: protection against forged requests from
 * other sites' pages, cross-origin sharing, and the headers of every answer.
 */
#include "api/gate.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "domain/session/session.h"
#include "http/cookie.h"

#define HEADER_BYTES 128

/* A listed origin may read answers; scheme, host and port must be equal. */
static bool is_listed(const struct exchange *exchange)
{
	const struct config_words *origins =
	    &exchange->ctx.config->server.allowed_origins;
	for (size_t i = 0; i < origins->count; i++)
		if (span_equal(span_of(origins->at[i]), exchange->origin))
			return true;
	return false;
}

static bool is_own(const struct exchange *exchange)
{
	return span_equal(exchange->origin,
	                  span_of(exchange->ctx.config->server.public_url));
}

static bool is_safe(enum http_method method)
{
	return method == HTTP_GET || method == HTTP_HEAD ||
	       method == HTTP_OPTIONS;
}

static enum fault refuse(void)
{
	metrics_add(METRIC_CSRF_REFUSALS, 1);
	return FAULT_CSRF_FAILED;
}

/*
 * Browsers say where a state-changing request comes from, in Origin and in
 * Sec-Fetch-Site; both must say that it is from here. Whoever says neither is
 * no page.
 */
enum origin_verdict { ORIGIN_OURS, ORIGIN_FOREIGN, ORIGIN_UNKNOWN };

static enum fault judge_origin(const struct exchange *exchange,
                               enum origin_verdict *out)
{
	bool has_origin = exchange->origin.at;
	struct span site;
	enum fault fault =
	    request_header(&exchange->request, "HTTP_SEC_FETCH_SITE", &site);
	if (fault)
		return fault;
	bool is_site_foreign = site.at &&
	                       !span_equal(site, SPAN("same-origin")) &&
	                       !span_equal(site, SPAN("none"));
	*out = site.at || has_origin ? ORIGIN_OURS : ORIGIN_UNKNOWN;
	if (is_site_foreign || (has_origin && !is_own(exchange)))
		*out = ORIGIN_FOREIGN;
	if (has_origin && is_listed(exchange))
		*out = ORIGIN_OURS;
	return FAULT_NONE;
}

enum fault gate_check_csrf(struct exchange *exchange,
                           const struct uuid *session_id)
{
	struct span cookie, header;
	enum origin_verdict verdict;
	enum fault fault = judge_origin(exchange, &verdict);
	if (!fault)
		fault = request_header(&exchange->request, "HTTP_X_CSRF_TOKEN",
		                       &header);
	if (!fault)
		fault = request_cookie(&exchange->request,
		                       cookie_name(COOKIE_CSRF), &cookie);
	if (fault)
		return fault;
	if (verdict != ORIGIN_OURS || !header.at || !span_equal(header, cookie))
		return refuse();
	fault = session_csrf_check(&exchange->ctx, session_id, header);
	return fault == FAULT_CSRF_FAILED ? refuse() : fault;
}

enum fault gate_origin(struct exchange *exchange)
{
	enum origin_verdict verdict;
	if (is_safe(exchange->request.method) ||
	    exchange->presented.source == CREDENTIAL_BEARER)
		return FAULT_NONE;
	enum fault fault = judge_origin(exchange, &verdict);
	if (fault)
		return fault;
	if (verdict == ORIGIN_FOREIGN)
		return refuse();
	/* Signed in by cookie, and the call will be made in their name. */
	if (exchange->route->who == WHO_USER &&
	    exchange->presented.source == CREDENTIAL_COOKIE)
		return gate_check_csrf(exchange,
		                       &exchange->ctx.actor.session_id);
	return FAULT_NONE;
}

static enum fault limit_headers(struct exchange *exchange)
{
	const struct admission *admission = &exchange->admission;
	struct reply *reply = &exchange->reply;
	if (!admission->has_limit)
		return FAULT_NONE;
	char moment[CLOCK_RFC3339_BYTES], memory[HEADER_BYTES];
	const char *policy = policy_name(admission->policy);
	int64_t reset_s = (admission->reset_in_ms + 999) / 1000;
	struct text text = text_over(memory, sizeof(memory));
	text_append_number(&text, admission->limit);
	enum fault fault =
	    reply_header(reply, "X-RateLimit-Limit", text_span(&text));
	text = text_over(memory, sizeof(memory));
	text_append_number(&text, admission->remaining);
	if (!fault)
		fault = reply_header(reply, "X-RateLimit-Remaining",
		                     text_span(&text));
	clock_format(exchange->ctx.now_ms + reset_s * 1000, moment);
	if (!fault)
		fault =
		    reply_header(reply, "X-RateLimit-Reset", span_of(moment));
	text = text_over(memory, sizeof(memory));
	text_appendf(&text, "\"%s\";q=%lld;w=%lld", policy,
	             (long long)admission->limit,
	             (long long)admission->window_s);
	if (admission->burst)
		text_appendf(&text, ";burst=%lld", (long long)admission->burst);
	if (!fault)
		fault =
		    reply_header(reply, "RateLimit-Policy", text_span(&text));
	text = text_over(memory, sizeof(memory));
	text_appendf(&text, "\"%s\";r=%lld;t=%lld", policy,
	             (long long)admission->remaining, (long long)reset_s);
	return fault ? fault
	             : reply_header(reply, "RateLimit", text_span(&text));
}

static const struct {
	const char *name;
	const char *value;
} preflight_headers[] = {
    {"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"},
    {"Access-Control-Allow-Headers",
     "Authorization, Content-Type, X-CSRF-Token, X-Nonce"},
    {"Access-Control-Max-Age", "600"},
};

/* RFC 6454 origins, the fetch standard's headers; never a star, never null. */
static enum fault sharing_headers(struct exchange *exchange)
{
	struct reply *reply = &exchange->reply;
	if (exchange->ctx.config->server.allowed_origins.count == 0)
		return FAULT_NONE;
	enum fault fault = reply_header(reply, "Vary", SPAN("Origin"));
	if (fault || !exchange->origin.at || !is_listed(exchange))
		return fault;
	fault = reply_header(reply, "Access-Control-Allow-Origin",
	                     exchange->origin);
	if (!fault)
		fault = reply_header(reply, "Access-Control-Allow-Credentials",
		                     SPAN("true"));
	if (exchange->request.method != HTTP_OPTIONS)
		return fault;
	for (size_t i = 0; !fault && i < sizeof(preflight_headers) /
	                                     sizeof(preflight_headers[0]);
	     i++)
		fault = reply_header(reply, preflight_headers[i].name,
		                     span_of(preflight_headers[i].value));
	return fault;
}

enum fault gate_headers(struct exchange *exchange)
{
	enum fault fault = reply_header(&exchange->reply, "X-Request-Id",
	                                span_of(exchange->request_id));
	if (!fault)
		fault = limit_headers(exchange);
	return fault ? fault : sharing_headers(exchange);
}
