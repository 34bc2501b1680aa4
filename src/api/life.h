/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one request: read, route, limit, actor, origin, permit, input,
 * handle, reply. The server layer hands over what the front server sent and
 * sends what comes back; everything between is a table of steps.
 */
#ifndef API_LIFE_H
#define API_LIFE_H

#include "api/service.h"
#include "base/fault.h"
#include "base/text.h"

/*
 * Read exactly bytes of the body. FAULT_REQUEST_TIMEOUT when they do not come
 * in time, FAULT_INVALID_REQUEST when there are fewer.
 */
typedef enum fault life_read_body(void *argument, char *into, size_t bytes);

struct life_request {
	const char *const *variables; /* "NAME=value", NULL ended */
	life_read_body *read_body;
	void *argument;
};

struct life_reply {
	struct span head; /* CGI head with the empty line */
	struct span body;
	int status;
};

/*
 * Answer one request; always gives a reply. It lives in the service's arena
 * until life_end, which writes the log line, counts, and wipes the arena.
 */
void life_run(struct service *service, const struct life_request *request,
              struct life_reply *reply);
void life_end(struct service *service);

#endif
