/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules of the domain may use while they serve one request: memory,
 * stores, keys, the moment, who asks and from where. Filled in by the layer
 * above (a request, the command line, or maintenance).
 */
#ifndef DOMAIN_CTX_H
#define DOMAIN_CTX_H

#include "base/arena.h"
#include "base/config.h"
#include "base/field_errors.h"
#include "base/ip.h"
#include "base/shared.h"
#include "base/text.h"
#include "base/uuid.h"
#include "crypto/keyring.h"
#include "store/db.h"
#include "store/kv.h"

#include <stdbool.h>
#include <stdint.h>

struct hash_gate;
struct policies;

enum actor_kind {
	ACTOR_NOBODY = 0,
	ACTOR_USER,
	ACTOR_HOST, /* somebody with a shell on the host */
};

/* Who asks, as their access token says. */
struct actor {
	enum actor_kind kind;
	struct uuid user_id;
	struct uuid tenant_id;
	struct uuid session_id;
	struct uuid token_id;
	struct span email;
	struct span role;
	bool is_email_verified;
	bool is_in_system_tenant;
	int64_t auth_at_ms;
	int64_t expires_at_ms; /* of the access token */
};

struct ctx {
	struct arena *arena;
	const struct config *config;
	struct db *db;
	struct kv *kv; /* NULL where Redis is not wanted */
	struct keyring *keys;
	struct shared *shared;
	struct hash_gate *gate;          /* guard/hash_gate.h */
	const struct policies *policies; /* guard/policy.h */
	struct uuid system_tenant_id;
	int64_t now_ms;
	struct ip ip;
	struct span user_agent;
	struct span request_id;
	struct actor actor;
	struct field_errors errors;
	int64_t retry_after_ms; /* with FAULT_RATE_LIMITED and FAULT_BUSY */
};

#endif
