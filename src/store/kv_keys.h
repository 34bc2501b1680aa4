/* SPDX-License-Identifier: Apache-2.0 */
/* The names and life times of everything in Redis, and nowhere else. */
#ifndef STORE_KV_KEYS_H
#define STORE_KV_KEYS_H

#include "base/text.h"

#include <stdint.h>

#define KV_KEY_BYTES 192

enum kv_key_kind {
	KV_KEY_NONE = 0,
	KV_READY,           /* the run id of the Redis that was filled */
	KV_REVOKED_TOKEN,   /* by jti */
	KV_REVOKED_SESSION, /* by session id */
	KV_REVOKED_USER,    /* generation, by user id */
	KV_REVOKED_TENANT,  /* generation, by tenant id */
	KV_REVOKED_ALL,     /* generation */
	KV_GUARD_VERSION,   /* of policies and blocks, as MariaDB has it */
	KV_LIMIT,           /* sliding window, by "policy:subject" */
	KV_BUCKET,          /* token bucket, by "policy:subject" */
	KV_PING,            /* what kv_ping writes */
	KV_KEY_KIND_COUNT
};

/*
 * Append "<prefix><name>:<subject>". A subject of over 96 bytes, or with
 * anything but [A-Za-z0-9_.:-] in it, is written as the 64-bit FNV-1a hex of
 * its bytes and its length, so that input cannot shape a key. Subject may be
 * absent.
 */
void kv_key_append(struct text *out, struct span prefix, enum kv_key_kind kind,
                   struct span subject);

/* How long a key of this kind lives at most, in ms; never 0. */
int64_t kv_key_life_ms(enum kv_key_kind kind);

#endif
