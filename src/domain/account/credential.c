/* SPDX-License-Identifier: Apache-2.0 */
/* Password hashing behind the gate, and what becomes of old hashes. */
#include "domain/account/credential.h"

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/password.h"
#include "domain/account/credential_store.h"
#include "domain/guard/hash_gate.h"

#include <assert.h>
#include <string.h>

#define RETRY_AFTER_MS 1000

static struct password_cost cost_of(const struct config *config)
{
	return (struct password_cost){
	    .memory_kib = (uint32_t)config->password.argon2_memory_kib,
	    .passes = (uint32_t)config->password.argon2_passes,
	    .memory_cap_kib = (uint32_t)config->password.argon2_memory_cap_kib,
	};
}

static enum fault enter(struct ctx *ctx)
{
	enum fault fault = hash_gate_enter(ctx->gate);
	if (fault)
		ctx->retry_after_ms = RETRY_AFTER_MS;
	else
		metrics_add(METRIC_PASSWORD_HASHES, 1);
	return fault;
}

enum fault credential_make(struct ctx *ctx, struct span password,
                           struct credential *out)
{
	const struct key *pepper =
	    keyring_current(ctx->keys, KEY_PASSWORD_PEPPER);
	struct password_cost cost = cost_of(ctx->config);
	char phc[PASSWORD_PHC_BYTES];
	if (!pepper)
		return FAULT_INTERNAL;
	enum fault fault = enter(ctx);
	if (fault)
		return fault;
	fault = password_hash(password, pepper->mac, &cost, phc);
	hash_gate_leave(ctx->gate);
	if (fault)
		return fault;
	out->hash = arena_copy(ctx->arena, span_of(phc));
	out->pepper_id = arena_copy(ctx->arena, span_of(pepper->id));
	return out->hash.at && out->pepper_id.at ? FAULT_NONE : FAULT_EXHAUSTED;
}

/* Check against one stored hash; a pepper that is gone opens nothing. */
static enum fault verify(struct ctx *ctx, struct span password,
                         struct span hash, struct span pepper_id)
{
	const struct key *pepper = keyring_find(ctx->keys, KEY_PASSWORD_PEPPER,
	                                        pepper_id, ctx->now_ms);
	struct password_cost cost = cost_of(ctx->config);
	if (!pepper) {
		log_note(LOG_ERROR, "pepper_unknown", NULL);
		pepper = keyring_current(ctx->keys, KEY_PASSWORD_PEPPER);
		hash = SPAN("");
	}
	if (!pepper)
		return FAULT_INTERNAL;
	enum fault fault = enter(ctx);
	if (fault)
		return fault;
	fault = password_verify(password, pepper->mac, hash, &cost);
	hash_gate_leave(ctx->gate);
	return fault;
}

/*
 * What a user that does not exist is checked against: a hash of the cost that
 * real ones have, made once per process of bytes that nobody knows.
 */
static enum fault dummy_hash(struct ctx *ctx, struct credential *out)
{
	static char phc[PASSWORD_PHC_BYTES];
	const struct key *pepper =
	    keyring_current(ctx->keys, KEY_PASSWORD_PEPPER);
	struct password_cost cost = cost_of(ctx->config);
	if (!pepper)
		return FAULT_INTERNAL;
	if (!phc[0]) {
		struct span secret = {(const char *)pepper->bytes,
		                      sizeof(pepper->bytes)};
		enum fault fault =
		    password_hash(secret, pepper->mac, &cost, phc);
		if (fault)
			return fault;
	}
	out->hash = span_of(phc);
	out->pepper_id = span_of(pepper->id);
	return FAULT_NONE;
}

static bool wants_renewal(struct ctx *ctx, const struct user *user)
{
	const struct key *pepper =
	    keyring_current(ctx->keys, KEY_PASSWORD_PEPPER);
	struct password_cost cost = cost_of(ctx->config);
	return password_is_outdated(user->password_hash, &cost) ||
	       (pepper && !span_equal(span_of(pepper->id), user->pepper_id));
}

enum fault credential_check(struct ctx *ctx, const struct user *user,
                            struct span password, struct credential *renewed)
{
	struct credential stored;
	*renewed = (struct credential){0};
	enum fault fault = dummy_hash(ctx, &stored);
	if (fault)
		return fault;
	if (user) {
		stored.hash = user->password_hash;
		stored.pepper_id = user->pepper_id;
	}
	fault = verify(ctx, password, stored.hash, stored.pepper_id);
	if (fault == FAULT_INTERNAL && user)
		return FAULT_INVALID_CREDENTIALS; /* a broken row, logged */
	if (fault)
		return fault;
	if (!user)
		return FAULT_INVALID_CREDENTIALS;
	/* A renewal that the gate has no room for waits until next time. */
	if (wants_renewal(ctx, user) && credential_make(ctx, password, renewed))
		*renewed = (struct credential){0};
	return FAULT_NONE;
}

enum fault credential_check_history(struct ctx *ctx, const char *field,
                                    const struct user *user,
                                    struct span password)
{
	const struct credential *history;
	size_t count;
	int64_t wanted = ctx->config->password.history;
	if (wanted == 0)
		return FAULT_NONE;
	enum fault fault = credential_store_history(
	    ctx, &user->identity.user_id, wanted - 1, &history, &count);
	if (fault)
		return fault;
	fault = verify(ctx, password, user->password_hash, user->pepper_id);
	for (size_t i = 0; fault == FAULT_INVALID_CREDENTIALS && i < count; i++)
		fault = verify(ctx, password, history[i].hash,
		               history[i].pepper_id);
	if (fault == FAULT_INVALID_CREDENTIALS || fault == FAULT_INTERNAL)
		return FAULT_NONE;
	if (fault)
		return fault;
	return field_errors_add(&ctx->errors, field, "reused",
	                        "You used this password before. Choose a new "
	                        "one.");
}

enum fault credential_renew(struct ctx *ctx, const struct uuid *user_id,
                            const struct credential *credential)
{
	assert(db_in_transaction(ctx->db));
	return credential_store_renew(ctx, user_id, credential);
}

enum fault credential_replace(struct ctx *ctx, const struct user *user,
                              const struct credential *credential)
{
	assert(db_in_transaction(ctx->db));
	const struct uuid *user_id = &user->identity.user_id;
	const struct credential old = {user->password_hash, user->pepper_id};
	int64_t keep = ctx->config->password.history;
	enum fault fault = FAULT_NONE;
	if (keep > 1)
		fault = credential_store_remember(ctx, user_id, &old);
	if (!fault && keep > 1)
		fault = credential_store_forget(ctx, user_id, keep - 1);
	return fault ? fault
	             : credential_store_replace(ctx, user_id, credential);
}
