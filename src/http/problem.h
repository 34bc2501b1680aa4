/* SPDX-License-Identifier: Apache-2.0 */
/* Every fault as an HTTP answer, one row each (RFC 9457). */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "base/fault.h"
#include "base/field_errors.h"
#include "base/text.h"
#include "http/reply.h"

#include <stdint.h>

struct problem_context {
	struct span request_id;
	struct span type_base;             /* "https://host/problems/" */
	const struct field_errors *errors; /* may be NULL */
	int64_t retry_after_s;             /* 429 and 503 */
	struct span allow;                 /* 405: "GET, POST" */
};

int problem_status(enum fault fault);
const char *problem_code(enum fault fault);

/*
 * Put the problem in the reply's place: status, application/problem+json body,
 * WWW-Authenticate (RFC 6750) on 401, Allow on 405, Retry-After on 429 and 503.
 * Never fails: a full arena gives the status with no body.
 */
void problem_reply(struct reply *reply, enum fault fault,
                   const struct problem_context *context);

#endif
