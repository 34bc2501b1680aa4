/* SPDX-License-Identifier: Apache-2.0 */
/* What one process holds for all its requests, and keeping its keys fresh. */
#include "api/service.h"

#include "api/exchange.h"
#include "base/clock.h"
#include "base/log.h"
#include "domain/guard/block.h"
#include "domain/guard/captcha.h"
#include "domain/guard/hash_gate.h"
#include "domain/guard/version.h"
#include "domain/session/identity.h"
#include "domain/upkeep.h"
#include "domain/vault/keys.h"

#include <stdlib.h>

#define REFRESH_PAUSE_MS  1000
#define GUARD_CHECK_MS    1000
#define UPKEEP_REQUEST_ID "upkeep"

static enum fault open_parts(struct service *service,
                             const unsigned char master[SEAL_KEY_BYTES])
{
	const struct config *config = service->config;
	enum fault fault =
	    arena_init(&service->arena, (size_t)config->server.arena);
	if (!fault)
		fault =
		    shared_open(config->server.runtime_dir, &service->shared);
	if (!fault)
		fault = keyring_new(master, &service->keys);
	if (!fault)
		fault = hash_gate_open(config, service->shared, &service->gate);
	if (!fault)
		fault = db_new(config, &service->db);
	if (!fault)
		fault = kv_new(config, service->shared, &service->kv);
	if (!fault)
		fault = block_open(config, &service->blocks);
	if (!fault)
		fault = captcha_prepare(config);
	return fault;
}

enum fault service_open(const struct config *config,
                        const unsigned char master[SEAL_KEY_BYTES],
                        struct service **out)
{
	struct service *service = calloc(1, sizeof(*service));
	if (!service)
		return FAULT_EXHAUSTED;
	service->config = config;
	policy_configured(config, &service->policies);
	enum fault fault = open_parts(service, master);
	if (fault) {
		service_close(service);
		return fault;
	}
	*out = service;
	return FAULT_NONE;
}

void service_close(struct service *service)
{
	if (!service)
		return;
	block_close(service->blocks);
	kv_free(service->kv);
	db_free(service->db);
	hash_gate_close(service->gate);
	keyring_free(service->keys);
	arena_release(&service->arena);
	free(service);
}

void service_fill_in(struct service *service, struct ctx *ctx)
{
	ctx->arena = &service->arena;
	ctx->config = service->config;
	ctx->db = service->db;
	ctx->kv = service->kv;
	ctx->keys = service->keys;
	ctx->shared = service->shared;
	ctx->gate = service->gate;
	ctx->policies = &service->policies;
	ctx->system_tenant_id = service->system_tenant_id;
	ctx->now_ms = clock_now_ms();
}

/* The version first: what changes while we read raises it once more. */
static enum fault load_guard(struct service *service, struct ctx *ctx)
{
	int64_t version;
	enum fault fault = version_read(ctx, &version);
	if (fault || (service->has_guard && version == service->guard_version))
		return fault;
	fault = policy_load(ctx, &service->policies);
	if (!fault)
		fault = block_load(ctx, service->blocks);
	if (fault)
		return fault;
	service->has_guard = true;
	service->guard_version = version;
	return FAULT_NONE;
}

void service_refresh_guard(struct service *service, struct ctx *ctx,
                           int64_t told)
{
	bool is_news = told && told != service->policies.version;
	int64_t age_ms = ctx->now_ms - service->guard_checked_at_ms;
	/* Where MariaDB is behind what Redis says, it is asked again later. */
	bool is_right = told && !is_news && service->has_guard &&
	                service->guard_version >= told;
	if (!is_right && !is_news && age_ms >= 0 && age_ms < GUARD_CHECK_MS)
		return;
	service->guard_checked_at_ms = ctx->now_ms;
	if (is_right)
		return;
	enum fault fault = load_guard(service, ctx);
	if (fault)
		log_note(LOG_WARNING, "guard_not_loaded", fault_name(fault));
	service->policies.version = told ? told : service->guard_version;
}

static enum fault load_keys(struct service *service, struct ctx *ctx)
{
	enum fault fault = keys_load(ctx);
	service->keys_loaded_at_ms = ctx->now_ms;
	if (!fault)
		fault = identity_system_tenant(ctx, &service->system_tenant_id);
	if (!fault)
		service->has_keys = true;
	ctx->system_tenant_id = service->system_tenant_id;
	if (!fault && !service->has_guard)
		service_refresh_guard(service, ctx, 0);
	return fault;
}

enum fault service_keep_keys(struct service *service, struct ctx *ctx)
{
	int64_t age_ms = ctx->now_ms - service->keys_loaded_at_ms;
	if (service->has_keys && age_ms >= 0 &&
	    age_ms < service->config->keys.reload_interval)
		return FAULT_NONE;
	enum fault fault = load_keys(service, ctx);
	if (!fault || service->has_keys)
		return FAULT_NONE;
	log_note(LOG_ERROR, "keys_not_loaded",
	         fault == FAULT_NOT_FOUND
	             ? "the key ring is empty: run clavigerctl key generate"
	             : fault_name(fault));
	return FAULT_UNAVAILABLE;
}

enum fault service_refresh_keys(struct service *service, struct ctx *ctx)
{
	if (ctx->now_ms - service->keys_loaded_at_ms < REFRESH_PAUSE_MS)
		return FAULT_NONE;
	return load_keys(service, ctx);
}

/* A ctx for what no request asks for. */
static struct ctx own_ctx(struct service *service)
{
	struct ctx ctx = {
	    .request_id = SPAN(UPKEEP_REQUEST_ID),
	    .actor = {.kind = ACTOR_HOST},
	};
	service_fill_in(service, &ctx);
	return ctx;
}

enum fault service_check_keys(struct service *service)
{
	struct ctx ctx = own_ctx(service);
	enum fault fault = load_keys(service, &ctx);
	arena_reset(&service->arena);
	return fault;
}

enum fault service_maintain(struct service *service, int64_t *next_in_ms)
{
	struct ctx ctx = own_ctx(service);
	*next_in_ms = service->config->server.maintenance_interval;
	enum fault fault = service_keep_keys(service, &ctx);
	if (!fault)
		fault = upkeep_run(&ctx);
	arena_reset(&service->arena);
	return fault;
}
