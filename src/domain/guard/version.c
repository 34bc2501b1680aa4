/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard's version: MariaDB has it, Redis carries it. In Redis it only ever
 * rises, as a mark does, so that it may be copied by anybody at any time.
 */
#include "domain/guard/version.h"

#include "base/log.h"
#include "domain/guard/version_store.h"
#include "store/kv_keys.h"

#include <assert.h>
#include <stdatomic.h>

#define NUMBER_BYTES 24

enum fault version_raise(struct ctx *ctx, int64_t *out)
{
	assert(db_in_transaction(ctx->db));
	enum fault fault = version_store_raise(ctx);
	return fault ? fault : version_store_read(ctx, out);
}

enum fault version_read(struct ctx *ctx, int64_t *out)
{
	return version_store_read(ctx, out);
}

static struct span number(struct ctx *ctx, int64_t value)
{
	struct text text = arena_text(ctx->arena, NUMBER_BYTES);
	text_append_number(&text, value);
	return text_span(&text);
}

enum fault version_copy(struct ctx *ctx, int64_t version)
{
	struct text key = arena_text(ctx->arena, KV_KEY_BYTES);
	kv_key_append(&key, span_of(ctx->config->redis.prefix),
	              KV_GUARD_VERSION, (struct span){0});
	const struct span keys[] = {text_span(&key)};
	const struct span arguments[] = {
	    number(ctx, version), number(ctx, kv_key_life_ms(KV_GUARD_VERSION)),
	    SPAN(""), /* nobody is spared */
	};
	struct span run_id;
	int64_t done;
	size_t count;
	enum fault fault = kv_run_id(ctx->kv, &run_id);
	return fault ? fault
	             : kv_run(ctx->kv, KV_SCRIPT_MARK, keys, 1, arguments, 3,
	                      &done, 1, &count);
}

void version_publish(struct ctx *ctx, int64_t version)
{
	if (!version_copy(ctx, version))
		return;
	/* Redis may come back with the number of before. */
	int64_t nobody = 0;
	atomic_compare_exchange_strong(&ctx->shared->kv_distrusted_since_ms,
	                               &nobody, ctx->now_ms);
	log_note(LOG_WARNING, "guard_version_not_published",
	         "Redis did not take it: MariaDB is asked until it has it");
}
