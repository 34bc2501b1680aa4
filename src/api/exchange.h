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
	struct policies policies;
	struct blocks *blocks;
	struct uuid system_tenant_id;
	bool has_keys;
	bool has_guard; /* policies and blocks were read once */
	int64_t keys_loaded_at_ms;
	int64_t guard_version;       /* of MariaDB, when they were read */
	int64_t guard_checked_at_ms; /* when they were known to be right */
	struct exchange *exchange;   /* the one being served */
};

/* Fill in what a ctx has from the service; the rest is the caller's. */
void service_fill_in(struct service *service, struct ctx *ctx);

/*
 * See to it that the key ring is there and not too old. A ring that cannot be
 * read anew goes on being used. FAULT_UNAVAILABLE when there is none.
 */
enum fault service_keep_keys(struct service *service, struct ctx *ctx);

/*
 * See to it that policies and blocks are not older than this version, which an
 * admission told of; with 0, which nobody did, MariaDB is asked once a second.
 * Those that cannot be read go on being used.
 */
void service_refresh_guard(struct service *service, struct ctx *ctx,
                           int64_t told);

/* Read the ring at once, for a key that it lacks; not more than once a second.
 */
enum fault service_refresh_keys(struct service *service, struct ctx *ctx);

#endif
