/* SPDX-License-Identifier: Apache-2.0 */
/* A whole installation for a test; see site.h. */
#include "site.h"

#include "stack.h"
#include "unit.h"

#include "base/encode.h"
#include "crypto/random.h"
#include "domain/account/user.h"
#include "domain/guard/policy.h"
#include "domain/vault/keys.h"
#include "store/schema.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)8 * 1024 * 1024)

static const unsigned char master[SEAL_KEY_BYTES] = "the master of this site";
static struct arena arena;
static struct config config;
static struct policies policies;

bool site_can_run(void)
{
	return stack_has(STACK_MARIADB) && stack_has(STACK_REDIS);
}

struct config *site_config(void)
{
	return &config;
}

static void configure(void)
{
	stack_configure(&config);
	config.server.runtime_dir = stack_folder();
	config.server.public_url = "https://site.example";
	config.token.issuer = "https://site.example";
	config.token.audience = "https://site.example";
	config.database.name = "claviger";
}

static enum fault checksum(struct span bytes, char hex[65])
{
	unsigned char hash[DIGEST_SHA256_BYTES];
	enum fault fault = digest_sha256(&bytes, 1, hash);
	struct text text = text_over(hex, 64);

	hex_append(&text, hash, sizeof(hash));
	hex[64] = '\0';
	return fault;
}

static void report(void *argument, const char *name, bool applied_now)
{
	(void)argument;
	(void)name;
	(void)applied_now;
}

static void migrate(struct ctx *ctx)
{
	const char *source = getenv("srcdir");
	char path[4096], why[512] = "";

	(void)snprintf(path, sizeof(path), "%s/sql/migrations",
	               source ? source : ".");
	if (schema_migrate(ctx->db, ctx->arena, path, checksum, report, NULL,
	                   why))
		fail_msg("%s", why);
}

void site_reconnect(struct ctx *ctx)
{
	assert_int_equal(db_new(&config, &ctx->db), FAULT_NONE);
	assert_int_equal(kv_new(&config, ctx->shared, &ctx->kv), FAULT_NONE);
}

void site_start(struct ctx *ctx)
{
	size_t made = 0;

	configure();
	stack_start(STACK_MARIADB, NULL);
	stack_start(STACK_REDIS, NULL);
	*ctx = (struct ctx){
	    .arena = &arena,
	    .config = &config,
	    .now_ms = SITE_NOW,
	    .user_agent = SPAN("a test"),
	    .request_id = SPAN("a request"),
	};
	assert_int_equal(arena_init(&arena, ARENA_BYTES), FAULT_NONE);
	assert_int_equal(shared_open(stack_folder(), &ctx->shared), FAULT_NONE);
	assert_int_equal(keyring_new(master, &ctx->keys), FAULT_NONE);
	policy_configured(&config, &policies);
	ctx->policies = &policies;
	site_reconnect(ctx);
	migrate(ctx);
	assert_int_equal(keys_generate(ctx, &made), FAULT_NONE);
	assert_int_equal(identity_system_tenant(ctx, &ctx->system_tenant_id),
	                 FAULT_NONE);
}

void site_end(struct ctx *ctx)
{
	kv_free(ctx->kv);
	db_free(ctx->db);
	keyring_free(ctx->keys);
	arena_release(&arena);
	stack_end();
}

int64_t site_ask(struct ctx *ctx, const struct db_statement *statement,
                 const struct db_value *parameters)
{
	const struct db_value *row = NULL;

	assert_int_equal(
	    db_select_one(ctx->db, statement, parameters, ctx->arena, &row),
	    FAULT_NONE);
	return db_to_integer(&row[0]);
}

void site_run(struct ctx *ctx, const struct db_statement *statement,
              const struct db_value *parameters)
{
	assert_int_equal(db_run(ctx->db, statement, parameters, NULL),
	                 FAULT_NONE);
}

void site_redis(struct ctx *ctx, const char *first, const char *second,
                const char *third)
{
	const struct span words[] = {span_of(first), span_of(second),
	                             span_of(third)};
	const struct kv_command command = {words, 1 + (size_t)(second != NULL) +
	                                              (size_t)(third != NULL)};

	assert_int_equal(kv_pipeline(ctx->kv, &command, 1), FAULT_NONE);
}

/* In an order that no foreign key minds. */
static const struct db_statement emptying[] = {
    {"DELETE FROM audit_event", 0, 0},
    {"DELETE FROM outbox", 0, 0},
    {"DELETE FROM revocation", 0, 0},
    {"DELETE FROM session", 0, 0},
    {"DELETE FROM user", 0, 0},
    {"DELETE FROM tenant WHERE id <>"
     " (SELECT system_tenant_id FROM installation)",
     0, 0},
    {"UPDATE tenant SET generation = 0", 0, 0},
    {"UPDATE installation SET generation = 0", 0, 0},
};

void site_reset(struct ctx *ctx)
{
	configure();
	arena_reset(&arena);
	ctx->now_ms = SITE_NOW;
	ctx->actor = (struct actor){0};
	for (size_t i = 0; i < COUNT_OF(emptying); i++)
		site_run(ctx, &emptying[i], NULL);
	site_redis(ctx, "FLUSHALL", NULL, NULL);
	atomic_store(&ctx->shared->kv_distrusted_since_ms, 0);
	atomic_store(&ctx->shared->kv_next_refill_ms, 0);
}

struct addition {
	struct ctx *ctx;
	struct user_draft draft;
};

static enum fault add_person(void *argument)
{
	const struct addition *addition = argument;
	enum fault fault = user_insert_tenant(
	    addition->ctx, &addition->draft.tenant_id, SPAN("a tenant"));

	return fault ? fault : user_insert(addition->ctx, &addition->draft);
}

struct identity site_person(struct ctx *ctx, const char *email)
{
	struct addition addition = {
	    .ctx = ctx,
	    .draft =
		{
		    .email = span_of(email),
		    .name = SPAN("A Person"),
		    .role = SPAN("owner"),
		    .password_hash = SPAN("none"),
		    .pepper_id = SPAN("none"),
		    .is_email_verified = true,
		},
	};
	struct identity identity = {0};

	random_uuid(ctx->now_ms, &addition.draft.id);
	random_uuid(ctx->now_ms, &addition.draft.tenant_id);
	assert_int_equal(db_transact(ctx->db, add_person, &addition),
	                 FAULT_NONE);
	assert_int_equal(identity_find(ctx, &addition.draft.id,
	                               &addition.draft.tenant_id, &identity),
	                 FAULT_NONE);
	return identity;
}
