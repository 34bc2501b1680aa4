/* SPDX-License-Identifier: Apache-2.0 */
/* See world.h. */
#include "world.h"

#include "unit.h"

#include "domain/guard/hash_gate.h"
#include "domain/guard/policy.h"
#include "domain/session/identity.h"
#include "domain/vault/keys.h"
#include "stack.h"
#include "store/schema.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)8 * 1024 * 1024)
#define PATH_BYTES  4096
#define SQL_LIMIT   64

static const unsigned char master[SEAL_KEY_BYTES] = {7};
static struct policies policies;

/* A statement is known by its address: each SQL text gets one of its own. */
static const struct db_statement *statement_of(const char *sql,
                                               unsigned columns)
{
	static struct db_statement statements[SQL_LIMIT];
	static size_t count;
	for (size_t i = 0; i < count; i++)
		if (strcmp(statements[i].sql, sql) == 0)
			return &statements[i];
	assert_true(count < SQL_LIMIT);
	statements[count] = (struct db_statement){sql, 0, columns};
	return &statements[count++];
}

static enum fault sum(struct span bytes, char hex[65])
{
	(void)snprintf(hex, 65, "%064zu", bytes.length);
	return FAULT_NONE;
}

static void migrate(struct world *world)
{
	char path[PATH_BYTES], why[512] = "";
	const char *sources = getenv("srcdir");
	(void)snprintf(path, sizeof(path), "%s/sql/migrations",
	               sources ? sources : ".");
	if (schema_migrate(world->ctx.db, &world->arena, path, sum, NULL, NULL,
	                   why))
		fail_msg("%s", why);
}

static void make_keys(struct ctx *ctx)
{
	size_t made;
	assert_int_equal(keyring_new(master, &ctx->keys), FAULT_NONE);
	assert_int_equal(keys_generate(ctx, &made), FAULT_NONE);
	assert_int_equal(keys_load(ctx), FAULT_NONE);
}

void world_fork(struct world *world)
{
	assert_int_equal(db_new(&world->config, &world->ctx.db), FAULT_NONE);
	assert_int_equal(
	    kv_new(&world->config, world->ctx.shared, &world->ctx.kv),
	    FAULT_NONE);
}

void world_open(struct world *world)
{
	struct ctx *ctx = &world->ctx;
	stack_start(STACK_MARIADB, NULL);
	stack_start(STACK_REDIS, NULL);
	*world = (struct world){0};
	stack_configure(&world->config);
	world->config.server.runtime_dir = stack_folder();
	assert_int_equal(arena_init(&world->arena, ARENA_BYTES), FAULT_NONE);
	ctx->arena = &world->arena;
	ctx->config = &world->config;
	ctx->policies = &policies;
	world_set(world, "server.public_url=https://id.example.com");
	assert_int_equal(shared_open(stack_folder(), &ctx->shared), FAULT_NONE);
	assert_int_equal(
	    hash_gate_open(&world->config, ctx->shared, &ctx->gate),
	    FAULT_NONE);
	world_fork(world);
	migrate(world);
	world_turn(world, "192.0.2.1", 0);
	ctx->now_ms = WORLD_NOON_MS;
	make_keys(ctx);
	assert_int_equal(identity_system_tenant(ctx, &ctx->system_tenant_id),
	                 FAULT_NONE);
}

void world_close(struct world *world)
{
	db_free(world->ctx.db);
	kv_free(world->ctx.kv);
	keyring_free(world->ctx.keys);
	hash_gate_close(world->ctx.gate);
	arena_release(&world->arena);
	stack_end();
}

void world_set(struct world *world, const char *assignment)
{
	struct config_error error = {0};
	if (config_set(&world->config, assignment, &error))
		fail_msg("%s", error.message);
	policy_configured(&world->config, &policies);
}

void world_turn(struct world *world, const char *address, int64_t later_ms)
{
	struct ctx *ctx = &world->ctx;
	arena_reset(&world->arena);
	assert_int_equal(ip_parse(span_of(address), &ctx->ip), FAULT_NONE);
	ctx->request_id = SPAN("test");
	ctx->user_agent = SPAN("test");
	ctx->errors.count = 0;
	ctx->retry_after_ms = 0;
	ctx->now_ms += later_ms;
}

void world_run(struct world *world, const char *sql)
{
	if (db_run(world->ctx.db, statement_of(sql, 0), NULL, NULL))
		fail_msg("failed: %s", sql);
}

int64_t world_number(struct world *world, const char *sql)
{
	const struct db_value *row;
	if (db_select_one(world->ctx.db, statement_of(sql, 1), NULL,
	                  &world->arena, &row))
		fail_msg("failed: %s", sql);
	return db_to_integer(row);
}

void world_empty_redis(void)
{
	stack_stop(STACK_REDIS);
	stack_start(STACK_REDIS, NULL);
}
