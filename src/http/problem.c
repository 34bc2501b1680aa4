/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of problems; see problem.h. Nothing of a request and nothing of
 * the machine is ever in a text: a client learns what to do, not what we are.
 */
#include "http/problem.h"

#include <assert.h>

#define BODY_LIMIT_BYTES 8192 /* 16 field errors of 400 bytes, and the rest */
#define REALM            "Bearer realm=\"claviger\""

static const struct problem {
	int status;
	const char *code;
	const char *title;
	const char *detail;
	const char *challenge; /* WWW-Authenticate; every 401 has one */
} problems[] = {
    [FAULT_NONE] = {500, "internal_error", "Internal error",
                    "Something went wrong on our side.", NULL},
    [FAULT_INVALID_JSON] = {400, "invalid_json", "Invalid JSON",
                            "The body is not one well-formed JSON value "
                            "within the limits.",
                            NULL},
    [FAULT_INVALID_REQUEST] = {400, "invalid_request", "Invalid request",
                               "The request is malformed.", NULL},
    [FAULT_VALIDATION] = {422, "validation_failed", "Validation failed",
                          "One or more fields are not acceptable.", NULL},
    [FAULT_PAYLOAD_TOO_LARGE] = {413, "payload_too_large", "Payload too large",
                                 "The request is larger than allowed.", NULL},
    [FAULT_UNSUPPORTED_MEDIA_TYPE] = {415, "unsupported_media_type",
                                      "Unsupported media type",
                                      "Send the body as application/json.",
                                      NULL},
    [FAULT_NOT_FOUND] = {404, "not_found", "Not found",
                         "There is nothing here.", NULL},
    [FAULT_METHOD_NOT_ALLOWED] = {405, "method_not_allowed",
                                  "Method not allowed",
                                  "This resource does not have that method; "
                                  "the Allow header names those it has.",
                                  NULL},
    [FAULT_CONFLICT] = {409, "conflict", "Conflict",
                        "The request does not fit the present state.", NULL},
    [FAULT_REQUEST_TIMEOUT] = {408, "request_timeout", "Request timeout",
                               "The request did not arrive in time.", NULL},
    [FAULT_UNAUTHENTICATED] = {401, "unauthenticated", "Sign-in required",
                               "Sign in, and send the access token.", REALM},
    [FAULT_INVALID_CREDENTIALS] = {401, "invalid_credentials",
                                   "Invalid credentials",
                                   "The address or the password is not right.",
                                   REALM},
    [FAULT_TOKEN_INVALID] = {401, "token_invalid", "Token invalid",
                             "The token is not valid.",
                             REALM ", error=\"invalid_token\""},
    [FAULT_TOKEN_EXPIRED] = {401, "token_expired", "Token expired",
                             "The token has expired.",
                             REALM ", error=\"invalid_token\""},
    [FAULT_TOKEN_REVOKED] = {401, "token_revoked", "Token revoked",
                             "The token was revoked.",
                             REALM ", error=\"invalid_token\""},
    /* RFC 9470: the token is good, the sign-in behind it too old. */
    [FAULT_REAUTHENTICATION_REQUIRED] =
	{401, "reauthentication_required", "Recent sign-in required",
         "Confirm who you are and try again.",
         REALM ", error=\"insufficient_user_authentication\""},
    [FAULT_FORBIDDEN] = {403, "forbidden", "Forbidden", "You may not do this.",
                         NULL},
    [FAULT_EMAIL_NOT_VERIFIED] = {403, "email_not_verified",
                                  "E-mail address not confirmed",
                                  "Confirm your e-mail address first.", NULL},
    [FAULT_CSRF_FAILED] = {403, "csrf_failed", "Cross-site request refused",
                           "The request did not prove that it comes from "
                           "this site.",
                           NULL},
    [FAULT_CAPTCHA_REQUIRED] = {403, "captcha_required", "Captcha required",
                                "Solve the captcha and send it along.", NULL},
    [FAULT_IP_BLOCKED] = {403, "ip_blocked", "Address blocked",
                          "Requests from this address are not served.", NULL},
    [FAULT_ACCOUNT_LOCKED] = {429, "account_locked", "Account locked",
                              "Too many failed attempts. Wait, or sign in "
                              "from a device that you have used before.",
                              NULL},
    [FAULT_RATE_LIMITED] = {429, "rate_limited", "Too many requests",
                            "Wait for the time in Retry-After.", NULL},
    [FAULT_INTERNAL] = {500, "internal_error", "Internal error",
                        "Something went wrong on our side.", NULL},
    [FAULT_UNAVAILABLE] = {503, "service_unavailable", "Service unavailable",
                           "Try again in a moment.", NULL},
    [FAULT_BUSY] = {503, "service_unavailable", "Service unavailable",
                    "Too much to do just now; try again in a moment.", NULL},
    [FAULT_EXHAUSTED] = {413, "payload_too_large", "Payload too large",
                         "The request needs more memory than it may have.",
                         NULL},
};
static_assert(sizeof(problems) / sizeof(problems[0]) == FAULT_COUNT,
              "every fault has its problem");

static const struct problem *problem_of(enum fault fault)
{
	return &problems[fault < FAULT_COUNT ? fault : FAULT_INTERNAL];
}

int problem_status(enum fault fault)
{
	return problem_of(fault)->status;
}

const char *problem_code(enum fault fault)
{
	return problem_of(fault)->code;
}

/* A header that does not fit is left out: the status is what must arrive. */
static void add_header(struct reply *reply, const char *name, struct span value)
{
	if (value.length)
		(void)reply_header(reply, name, value);
}

static void add_headers(struct reply *reply, const struct problem *problem,
                        const struct problem_context *context)
{
	char digits[24];
	struct text seconds = text_over(digits, sizeof(digits));

	add_header(reply, "WWW-Authenticate", span_of(problem->challenge));
	if (problem->status == 405)
		add_header(reply, "Allow", context->allow);
	if (problem->status != 429 && problem->status != 503)
		return;
	text_append_number(
	    &seconds, context->retry_after_s > 0 ? context->retry_after_s : 1);
	add_header(reply, "Retry-After", text_span(&seconds));
}

static void write_errors(struct json_writer *json,
                         const struct field_errors *errors)
{
	json_array_begin(json, "errors");
	for (size_t i = 0; i < errors->count; i++) {
		json_object_begin(json, NULL);
		json_string(json, "field", span_of(errors->at[i].field));
		json_string(json, "code", span_of(errors->at[i].code));
		json_string(json, "detail", span_of(errors->at[i].detail));
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_type(struct reply *reply, const struct problem *problem,
                       struct span type_base)
{
	char memory[512];
	struct text type = text_over(memory, sizeof(memory));

	text_append(&type, type_base);
	text_append_cstr(&type, problem->code);
	json_string(&reply->json, "type", text_span(&type));
}

static void write_body(struct reply *reply, const struct problem *problem,
                       const struct problem_context *context)
{
	struct json_writer *json = &reply->json;

	json_object_begin(json, NULL);
	write_type(reply, problem, context->type_base);
	json_string(json, "title", span_of(problem->title));
	json_integer(json, "status", problem->status);
	json_string(json, "detail", span_of(problem->detail));
	json_string(json, "code", span_of(problem->code));
	json_string(json, "request_id", context->request_id);
	if (context->errors && context->errors->count)
		write_errors(json, context->errors);
	json_object_end(json);
}

void problem_reply(struct reply *reply, enum fault fault,
                   const struct problem_context *context)
{
	const struct problem *problem = problem_of(fault);

	reply_clear(reply);
	add_headers(reply, problem, context);
	if (!reply_json(reply, REPLY_OK, BODY_LIMIT_BYTES)) {
		write_body(reply, problem, context);
		reply->content_type = "application/problem+json; charset=utf-8";
	}
	if (text_check(&reply->body))
		reply_empty(reply, REPLY_OK);
	reply->status = problem->status;
}
