/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request on its way through the life's steps: what came in, what was
 * found out, what goes out. Shared by the files of this layer; the layers
 * below never see it.
 */
#ifndef API_EXCHANGE_H
#define API_EXCHANGE_H

#include "api/life.h"
#include "api/route_table.h"
#include "domain/ctx.h"
#include "domain/guard/guard.h"
#include "domain/session/access_token.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/route.h"

#include <stdbool.h>
#include <stdint.h>

enum credential_source {
	CREDENTIAL_NONE = 0,
	CREDENTIAL_BEARER,
	CREDENTIAL_COOKIE,
};

/* What the caller presented, and what its spelling and signature say. */
struct presented {
	enum credential_source source;
	enum fault verdict;
	struct access_claims claims; /* with verdict FAULT_NONE */
};

struct exchange {
	struct service *service;
	const struct life_request *incoming;
	struct ctx ctx;
	struct request request;
	struct reply reply;
	struct text head; /* of the reply, as CGI wants it */
	const struct route *route;
	struct route_parameters parameters;
	struct span allow; /* methods of the path, for 405 and OPTIONS */
	struct span origin;
	struct presented presented;
	struct admission admission;
	const void *input; /* of the route's type */
	enum fault fault;
	int64_t started_us;
	char request_id[UUID_TEXT_BYTES];
};

/* What one process holds (service.h). */
struct service {
	const struct config *config;
	struct arena arena;
	struct db *db;
	struct kv *kv;
	struct keyring *keys;
	struct shared *shared;
	struct hash_gate *gate;
	struct uuid system_tenant_id;
	bool has_keys;
	int64_t keys_loaded_at_ms;
	struct exchange *exchange; /* the one being served */
};

/* Fill in what a ctx has from the service; the rest is the caller's. */
void service_fill_in(struct service *service, struct ctx *ctx);

/*
 * See to it that the key ring is there and not too old. A ring that cannot be
 * read anew goes on being used. FAULT_UNAVAILABLE when there is none.
 */
enum fault service_keep_keys(struct service *service, struct ctx *ctx);

/* Read the ring at once, for a key that it lacks; not more than once a second.
 */
enum fault service_refresh_keys(struct service *service, struct ctx *ctx);

#endif
