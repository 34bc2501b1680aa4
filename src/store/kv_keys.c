/* SPDX-License-Identifier: Apache-2.0 */
/* The table of Redis keys; see kv_keys.h. */
#include "store/kv_keys.h"

#include <assert.h>
#include <stdbool.h>

#define MINUTE_MS     INT64_C(60000)
#define DAY_MS        (24 * 60 * MINUTE_MS)
#define SUBJECT_BYTES 96

/*
 * A revocation is looked for as long as an access token of before it may live:
 * 15 minutes and a clock that is a minute off; some are added for good measure.
 */
#define REVOKED_MS (20 * MINUTE_MS)

/* The widest window that a policy may have. */
#define LIMIT_MS (30 * DAY_MS)

static const struct {
	const char *name;
	int64_t life_ms;
} kinds[] = {
    [KV_READY] = {"ready", DAY_MS},
    [KV_REVOKED_TOKEN] = {"revoked:token", REVOKED_MS},
    [KV_REVOKED_SESSION] = {"revoked:session", REVOKED_MS},
    [KV_REVOKED_USER] = {"revoked:user", REVOKED_MS},
    [KV_REVOKED_TENANT] = {"revoked:tenant", REVOKED_MS},
    [KV_REVOKED_ALL] = {"revoked:all", REVOKED_MS},
    [KV_GUARD_VERSION] = {"guard", DAY_MS},
    [KV_LIMIT] = {"limit", LIMIT_MS},
    [KV_BUCKET] = {"bucket", LIMIT_MS},
    [KV_PING] = {"ping", 1000},
};

static_assert(sizeof(kinds) / sizeof(kinds[0]) == KV_KEY_KIND_COUNT,
              "a row for every kind");

/* Not the locale's idea of a letter. */
static bool is_plain_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' || byte == '.' ||
	       byte == ':' || byte == '-';
}

static bool is_plain(struct span subject)
{
	if (subject.length > SUBJECT_BYTES)
		return false;
	for (size_t i = 0; i < subject.length; i++) {
		if (!is_plain_byte(subject.at[i]))
			return false;
	}
	return true;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(struct span bytes)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes.length; i++) {
		hash ^= (unsigned char)bytes.at[i];
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

void kv_key_append(struct text *out, struct span prefix, enum kv_key_kind kind,
                   struct span subject)
{
	assert(kind > KV_KEY_NONE && kind < KV_KEY_KIND_COUNT);
	text_append(out, prefix);
	text_append_cstr(out, kinds[kind].name);
	if (!subject.at)
		return;
	text_append_byte(out, ':');
	if (is_plain(subject))
		text_append(out, subject);
	else
		text_appendf(out, "#%016llx:%zu",
		             (unsigned long long)hash_of(subject),
		             subject.length);
}

int64_t kv_key_life_ms(enum kv_key_kind kind)
{
	assert(kind > KV_KEY_NONE && kind < KV_KEY_KIND_COUNT);
	return kinds[kind].life_ms;
}
