/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE route table: every endpoint is one row that says who may call it, with
 * which permission, under which limit, what it records, and what it takes.
 * Zero is invalid in every column of policy, so a forgotten one denies.
 */
#ifndef API_ROUTE_TABLE_H
#define API_ROUTE_TABLE_H

#include "base/json_read.h"
#include "domain/access/role.h"
#include "domain/audit/audit.h"
#include "domain/guard/guard.h"
#include "http/request.h"

#include <stddef.h>

struct exchange;

enum route_who {
	WHO_UNSET = 0,
	WHO_ANYONE,
	WHO_USER,       /* signed in */
	WHO_OPERATIONS, /* from an address of server.operations_from */
	WHO_COUNT
};

enum route_need {
	NEED_UNSET = 0,
	NEED_NOTHING,
	NEED_VERIFIED, /* a confirmed e-mail address */
	NEED_COUNT
};

/* What a body holds, and how large a struct the fields fill in. */
struct route_input {
	const struct json_field *fields;
	size_t bytes;
};

typedef enum fault route_handler(struct exchange *exchange);

struct route {
	enum http_method method;
	const char *pattern;
	enum route_who who;
	enum route_need need;
	enum permission permission;
	enum limit_policy limit;
	enum audit_type audit;
	const struct route_input *input; /* NULL: a body is not read */
	route_handler *handle;
};

extern const struct route route_table[];
extern const size_t route_table_count;

const char *route_who_name(enum route_who who);
const char *route_need_name(enum route_need need);

#endif
