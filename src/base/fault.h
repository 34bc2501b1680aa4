/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that can go wrong, as one enumeration. Whatever can fail returns
 * an enum fault; what it means to an HTTP client is said once, in
 * http/problem.c. Faults that a client must not tell apart share one value;
 * the audit event keeps the difference.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/* Version 14 of clang-format does not know attributes of an enum. */
/* clang-format off */
enum [[nodiscard]] fault {
	FAULT_NONE = 0,

	/* The request is not well formed. */
	FAULT_INVALID_JSON,
	FAULT_INVALID_REQUEST,
	FAULT_VALIDATION,
	FAULT_PAYLOAD_TOO_LARGE,
	FAULT_UNSUPPORTED_MEDIA_TYPE,
	FAULT_NOT_FOUND,
	FAULT_METHOD_NOT_ALLOWED,
	FAULT_CONFLICT,
	FAULT_REQUEST_TIMEOUT,

	/* The caller is not who they must be. */
	FAULT_UNAUTHENTICATED,
	FAULT_INVALID_CREDENTIALS,
	FAULT_TOKEN_INVALID,
	FAULT_TOKEN_EXPIRED,
	FAULT_TOKEN_REVOKED,
	FAULT_REAUTHENTICATION_REQUIRED,

	/* The caller may not. */
	FAULT_FORBIDDEN,
	FAULT_EMAIL_NOT_VERIFIED,
	FAULT_CSRF_FAILED,
	FAULT_CAPTCHA_REQUIRED,
	FAULT_IP_BLOCKED,
	FAULT_RATE_LIMITED,
	FAULT_ACCOUNT_LOCKED,

	/* We cannot. */
	FAULT_INTERNAL,
	FAULT_UNAVAILABLE,
	FAULT_BUSY,      /* a bounded queue is full: try again in a second */
	FAULT_EXHAUSTED, /* the request's arena is full */

	FAULT_COUNT
};
/* clang-format on */

/*
 * The fault's own name in lower case ("token_expired"), for logs and tests.
 * Static text; "unknown" for a value outside the enumeration.
 */
const char *fault_name(enum fault fault);

#endif
