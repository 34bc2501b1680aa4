/* SPDX-License-Identifier: Apache-2.0 */
/* The names of faults. What a fault means to a client is http/problem.c's. */
#include "base/fault.h"

#include <assert.h>
#include <stddef.h>

static const char *const names[] = {
    [FAULT_NONE] = "none",
    [FAULT_INVALID_JSON] = "invalid_json",
    [FAULT_INVALID_REQUEST] = "invalid_request",
    [FAULT_VALIDATION] = "validation",
    [FAULT_PAYLOAD_TOO_LARGE] = "payload_too_large",
    [FAULT_UNSUPPORTED_MEDIA_TYPE] = "unsupported_media_type",
    [FAULT_NOT_FOUND] = "not_found",
    [FAULT_METHOD_NOT_ALLOWED] = "method_not_allowed",
    [FAULT_CONFLICT] = "conflict",
    [FAULT_REQUEST_TIMEOUT] = "request_timeout",
    [FAULT_UNAUTHENTICATED] = "unauthenticated",
    [FAULT_INVALID_CREDENTIALS] = "invalid_credentials",
    [FAULT_TOKEN_INVALID] = "token_invalid",
    [FAULT_TOKEN_EXPIRED] = "token_expired",
    [FAULT_TOKEN_REVOKED] = "token_revoked",
    [FAULT_REAUTHENTICATION_REQUIRED] = "reauthentication_required",
    [FAULT_FORBIDDEN] = "forbidden",
    [FAULT_EMAIL_NOT_VERIFIED] = "email_not_verified",
    [FAULT_CSRF_FAILED] = "csrf_failed",
    [FAULT_CAPTCHA_REQUIRED] = "captcha_required",
    [FAULT_IP_BLOCKED] = "ip_blocked",
    [FAULT_ACCOUNT_LOCKED] = "account_locked",
    [FAULT_RATE_LIMITED] = "rate_limited",
    [FAULT_INTERNAL] = "internal",
    [FAULT_UNAVAILABLE] = "unavailable",
    [FAULT_BUSY] = "busy",
    [FAULT_EXHAUSTED] = "exhausted",
};

static_assert(sizeof(names) / sizeof(names[0]) == FAULT_COUNT,
              "every fault has a name");

const char *fault_name(enum fault fault)
{
	if ((unsigned)fault >= FAULT_COUNT)
		return "unknown";
	return names[fault];
}
