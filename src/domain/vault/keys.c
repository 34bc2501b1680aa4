/* SPDX-License-Identifier: Apache-2.0 */
/* The key ring's rules: which purposes there are and how long old keys last. */
#include "domain/vault/keys.h"

#include "domain/audit/audit.h"
#include "domain/vault/keys_store.h"

#include <assert.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

/*
 * How long the predecessor of a rotated key must still check: as long as the
 * longest-lived thing made with it. Zero is for ever.
 */
static const int64_t retiring_ms[] = {
    [KEY_ACCESS_TOKEN] = HOUR_MS, /* tokens live 15 minutes */
    [KEY_PASSWORD_PEPPER] = 0,    /* until every hash was made anew */
    [KEY_CSRF] = 31 * DAY_MS,     /* sessions live 30 days */
    [KEY_OUTBOX] = 8 * DAY_MS,    /* mail is given up before */
    [KEY_CURSOR] = DAY_MS,
    [KEY_DEVICE] = 400 * DAY_MS, /* cookies live a year at most */
    [KEY_CAPTCHA] = DAY_MS,
    [KEY_SUBJECT] = DAY_MS, /* counters start anew, which is bearable */
};
static_assert(sizeof(retiring_ms) / sizeof(retiring_ms[0]) == KEY_PURPOSE_COUNT,
              "every purpose has its row");

static enum fault every_purpose_has_a_key(const struct keyring *keys)
{
	for (enum key_purpose p = KEY_PURPOSE_NONE + 1; p < KEY_PURPOSE_COUNT;
	     p++)
		if (!keyring_current(keys, p))
			return FAULT_NOT_FOUND;
	return FAULT_NONE;
}

enum fault keys_load(struct ctx *ctx)
{
	const struct key_row *rows;
	size_t count;
	enum fault fault = keys_store_list(ctx, &rows, &count);
	if (fault)
		return fault;
	keyring_clear(ctx->keys);
	/* A row that does not open must not take the others with it. */
	for (size_t i = 0; i < count; i++) {
		enum fault bad = keyring_add(ctx->keys, &rows[i].header,
		                             rows[i].sealed, ctx->arena);
		fault = fault ? fault : bad;
	}
	return fault ? fault : every_purpose_has_a_key(ctx->keys);
}

/* Make and store one current key. */
static enum fault make_key(struct ctx *ctx, enum key_purpose purpose)
{
	struct key header = {
	    .purpose = purpose,
	    .state = KEY_CURRENT,
	    .created_at_ms = ctx->now_ms,
	};
	struct text sealed =
	    arena_text(ctx->arena, SEAL_KEY_BYTES + SEAL_OVERHEAD_BYTES);
	enum fault fault = keyring_make(ctx->keys, &header, &sealed);
	if (!fault)
		fault = text_check(&sealed);
	if (!fault)
		fault = keys_store_insert(ctx, &header, text_span(&sealed));
	digest_wipe(&header, sizeof(header));
	return fault;
}

enum fault keys_generate(struct ctx *ctx, size_t *made)
{
	*made = 0;
	enum fault fault = keys_load(ctx);
	if (fault != FAULT_NOT_FOUND)
		return fault;
	for (enum key_purpose p = KEY_PURPOSE_NONE + 1; p < KEY_PURPOSE_COUNT;
	     p++) {
		if (keyring_current(ctx->keys, p))
			continue;
		fault = make_key(ctx, p);
		if (fault && fault != FAULT_CONFLICT)
			return fault;
		*made += !fault;
	}
	return keys_load(ctx);
}

struct rotation {
	struct ctx *ctx;
	enum key_purpose purpose;
};

static enum fault rotate_work(void *argument)
{
	const struct rotation *rotation = argument;
	struct ctx *ctx = rotation->ctx;
	int64_t lasts = retiring_ms[rotation->purpose];
	enum fault fault = keys_store_supersede(
	    ctx, rotation->purpose, lasts ? ctx->now_ms + lasts : 0);
	if (!fault)
		fault = make_key(ctx, rotation->purpose);
	if (!fault)
		fault = audit_append(
		    ctx, &(struct audit_event){
			     .type = AUDIT_KEY_ROTATE,
			     .outcome = AUDIT_SUCCESS,
			     .reason = span_of(
				 keyring_purpose_name(rotation->purpose))});
	return fault;
}

enum fault keys_rotate(struct ctx *ctx, enum key_purpose purpose)
{
	assert(purpose > KEY_PURPOSE_NONE && purpose < KEY_PURPOSE_COUNT);
	struct rotation rotation = {ctx, purpose};
	enum fault fault = db_transact(ctx->db, rotate_work, &rotation);
	return fault ? fault : keys_load(ctx);
}

enum fault keys_retire(struct ctx *ctx)
{
	return keys_store_retire(ctx);
}
