/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two CIDR blocks are one inside the other or apart. So rows in the order of
 * their addresses (the wider first) form trees: each knows the row that it lies
 * in, and all rows around an address are the last one that begins at or below
 * it and those that this one lies in.
 */
#include "domain/guard/block.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "domain/audit/audit.h"
#include "domain/guard/block_store.h"
#include "domain/guard/blocklist.h"
#include "domain/guard/version.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE_ROWS        500
#define PAGE_ARENA_BYTES ((size_t)512 * 1024)
#define FIRST_ROOM       64
#define DETAIL_BYTES     512
#define NOWHERE          UINT32_MAX

struct held {
	struct block_row row;
	uint32_t inside; /* index of the narrowest row around it, or NOWHERE */
};

struct held_rows {
	struct held *at;
	size_t count;
	size_t room;
};

struct blocks {
	const struct config_blocks *allow;
	const char *list_path;
	struct blocklist *list; /* NULL: none */
	struct held_rows rows;
	struct arena arena; /* for the rows of one page */
};

/* Whoever removed the file wants no list; one that cannot be read is a fault.
 */
static void drop_missing_list(struct blocks *blocks)
{
	if (access(blocks->list_path, F_OK) == 0 || errno != ENOENT) {
		log_note(LOG_ERROR, "blocklist_not_loaded",
		         "guard.blocklist_file cannot be read");
		return;
	}
	blocklist_close(blocks->list);
	blocks->list = NULL;
}

static void load_list(struct blocks *blocks)
{
	struct blocklist *list;
	if (!blocks->list_path[0] ||
	    (blocks->list &&
	     blocklist_is_current(blocks->list, blocks->list_path)))
		return;
	enum fault fault = blocklist_open(blocks->list_path, &list);
	if (fault == FAULT_NOT_FOUND) {
		drop_missing_list(blocks);
		return;
	}
	if (fault) {
		log_note(LOG_ERROR, "blocklist_not_loaded", fault_name(fault));
		return;
	}
	blocklist_close(blocks->list);
	blocks->list = list;
}

enum fault block_open(const struct config *config, struct blocks **out)
{
	struct blocks *blocks = calloc(1, sizeof(*blocks));
	if (!blocks)
		return FAULT_EXHAUSTED;
	blocks->allow = &config->guard.allow;
	blocks->list_path = config->guard.blocklist_file;
	enum fault fault = arena_init(&blocks->arena, PAGE_ARENA_BYTES);
	if (fault) {
		free(blocks);
		return fault;
	}
	load_list(blocks);
	*out = blocks;
	return FAULT_NONE;
}

void block_close(struct blocks *blocks)
{
	if (!blocks)
		return;
	blocklist_close(blocks->list);
	free(blocks->rows.at);
	arena_release(&blocks->arena);
	free(blocks);
}

static enum fault make_room(struct held_rows *rows)
{
	if (rows->count < rows->room)
		return FAULT_NONE;
	size_t room = rows->room ? 2 * rows->room : FIRST_ROOM;
	struct held *at = reallocarray(rows->at, room, sizeof(*at));
	if (!at || room >= NOWHERE) {
		rows->at = at ? at : rows->at;
		return FAULT_EXHAUSTED;
	}
	rows->at = at;
	rows->room = room;
	return FAULT_NONE;
}

static enum fault hold(struct held_rows *rows, const struct block_row *row)
{
	enum fault fault = make_room(rows);
	if (fault)
		return fault;
	uint32_t inside = rows->count ? (uint32_t)(rows->count - 1) : NOWHERE;
	while (inside != NOWHERE &&
	       !ip_block_covers(&rows->at[inside].row.block, &row->block))
		inside = rows->at[inside].inside;
	rows->at[rows->count++] = (struct held){*row, inside};
	return FAULT_NONE;
}

/* The rows behind those that are held already. */
static enum fault load_page(struct ctx *ctx, struct held_rows *rows,
                            size_t *count)
{
	const struct block_row *page;
	const struct ip_block *after =
	    rows->count ? &rows->at[rows->count - 1].row.block : NULL;
	enum fault fault =
	    block_store_page(ctx, after, PAGE_ROWS, &page, count);
	for (size_t i = 0; !fault && i < *count; i++)
		fault = hold(rows, &page[i]);
	return fault;
}

/* In memory of our own: a request's arena may be too small for all of them. */
static enum fault load_rows(const struct ctx *ctx, struct arena *arena,
                            struct held_rows *rows)
{
	struct ctx own = *ctx;
	size_t count = PAGE_ROWS;
	enum fault fault = FAULT_NONE;
	own.arena = arena;
	while (!fault && count == PAGE_ROWS) {
		fault = load_page(&own, rows, &count);
		arena_reset(arena);
	}
	return fault;
}

enum fault block_load(struct ctx *ctx, struct blocks *blocks)
{
	struct held_rows rows = {0};
	load_list(blocks);
	enum fault fault = load_rows(ctx, &blocks->arena, &rows);
	if (fault) {
		free(rows.at);
		return fault;
	}
	free(blocks->rows.at);
	blocks->rows = rows;
	return FAULT_NONE;
}

static bool is_allowed(const struct config_blocks *allow, const struct ip *ip)
{
	for (size_t i = 0; i < allow->count; i++)
		if (ip_in_block(ip, &allow->at[i]))
			return true;
	return false;
}

/* The last row that begins at or below an address, or NOWHERE. */
static uint32_t last_up_to(const struct held_rows *rows, const struct ip *ip)
{
	size_t low = 0, high = rows->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ip_compare(&rows->at[middle].row.block.address, ip) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? (uint32_t)(low - 1) : NOWHERE;
}

static bool is_live(const struct block_row *row, int64_t now_ms)
{
	return row->expires_at_ms == 0 || row->expires_at_ms > now_ms;
}

static bool is_in_rows(const struct held_rows *rows, const struct ip *ip,
                       int64_t now_ms)
{
	uint32_t i = last_up_to(rows, ip);
	while (i != NOWHERE) {
		const struct held *held = &rows->at[i];
		if (is_live(&held->row, now_ms) &&
		    ip_in_block(ip, &held->row.block))
			return true;
		i = held->inside;
	}
	return false;
}

/* Those who are not blocked at all are the many: allow is asked last. */
bool block_has(const struct blocks *blocks, const struct ip *ip, int64_t now_ms)
{
	bool is_blocked = is_in_rows(&blocks->rows, ip, now_ms) ||
	                  (blocks->list && blocklist_has(blocks->list, ip));
	return is_blocked && !is_allowed(blocks->allow, ip);
}

/* One change and what goes with it, in one transaction. */
struct change {
	struct ctx *ctx;
	struct ip_block block;
	const struct block_record *record; /* NULL: it is removed */
	int64_t version;
};

static struct span describe(struct ctx *ctx, const struct change *change)
{
	char block[IP_BLOCK_TEXT_BYTES], moment[CLOCK_RFC3339_BYTES];
	const struct block_record *record = change->record;
	struct text text = arena_text(ctx->arena, DETAIL_BYTES);
	text_append_cstr(&text, ip_block_format(&change->block, block));
	if (record && record->expires_at_ms) {
		text_append(&text, SPAN(" until "));
		text_append_cstr(&text,
		                 clock_format(record->expires_at_ms, moment));
	}
	if (record && record->reason.length) {
		text_append(&text, SPAN(": "));
		text_append(&text, record->reason);
	}
	return text_span(&text);
}

static enum fault note(struct change *change)
{
	bool is_automatic = change->record && change->record->is_automatic;
	return audit_append(
	    change->ctx,
	    &(struct audit_event){
		.type = change->record ? AUDIT_IP_BLOCK : AUDIT_IP_UNBLOCK,
		.outcome = AUDIT_SUCCESS,
		.reason = is_automatic ? SPAN("automatic") : SPAN("by_hand"),
		.detail = describe(change->ctx, change),
	    });
}

static enum fault raise_and_note(struct change *change)
{
	enum fault fault = version_raise(change->ctx, &change->version);
	return fault ? fault : note(change);
}

static enum fault add_work(void *argument)
{
	struct change *change = argument;
	enum fault fault = block_store_put(change->ctx, change->record);
	return fault ? fault : raise_and_note(change);
}

static enum fault remove_work(void *argument)
{
	struct change *change = argument;
	enum fault fault = block_store_remove(change->ctx, &change->block);
	return fault ? fault : raise_and_note(change);
}

static enum fault carry_out(struct change *change, db_work *work)
{
	struct ctx *ctx = change->ctx;
	enum fault fault = db_transact(ctx->db, work, change);
	if (!fault)
		version_publish(ctx, change->version);
	return fault;
}

static bool is_always_allowed(const struct ctx *ctx,
                              const struct ip_block *block)
{
	const struct config_blocks *allow = &ctx->config->guard.allow;
	for (size_t i = 0; i < allow->count; i++)
		if (ip_block_covers(&allow->at[i], block))
			return true;
	return false;
}

static enum fault refuse(struct ctx *ctx, const char *code, const char *detail)
{
	(void)field_errors_add(&ctx->errors, "ip", code, detail);
	return FAULT_CONFLICT;
}

static enum fault check_wish(struct ctx *ctx, const struct block_wish *wish)
{
	if (wish->reason.length > BLOCK_REASON_BYTES ||
	    !utf8_is_valid(wish->reason) || utf8_has_control(wish->reason))
		return field_errors_add(&ctx->errors, "reason", "invalid",
		                        "Use at most 200 bytes of UTF-8 "
		                        "without control characters.");
	if (is_always_allowed(ctx, &wish->block))
		return refuse(ctx, "always_allowed",
		              "guard.allow keeps this from being blocked.");
	if (wish->force == BLOCK_CAREFUL && ctx->actor.kind != ACTOR_HOST &&
	    ip_in_block(&ctx->ip, &wish->block))
		return refuse(ctx, "own_address",
		              "This would block the address that you call "
		              "from. Send force if that is meant.");
	return FAULT_NONE;
}

enum fault block_add(struct ctx *ctx, const struct block_wish *wish,
                     struct block_record *out)
{
	struct block_record record = {
	    .block = wish->block,
	    .reason = wish->reason,
	    .created_by = ctx->actor.user_id,
	    .created_at_ms = ctx->now_ms,
	    .expires_at_ms =
		wish->duration_ms ? ctx->now_ms + wish->duration_ms : 0,
	};
	struct change change = {ctx, wish->block, &record, 0};
	enum fault fault = check_wish(ctx, wish);
	if (!fault)
		fault = carry_out(&change, add_work);
	if (!fault)
		*out = record;
	return fault;
}

enum fault block_add_automatically(struct ctx *ctx, const struct ip *network,
                                   struct span reason, int64_t *version)
{
	struct block_record record = {
	    .block = {ip_network(network), ip_is_v4(network) ? 128 : 64},
	    .reason = reason,
	    .is_automatic = true,
	    .created_at_ms = ctx->now_ms,
	    .expires_at_ms = ctx->now_ms + ctx->config->guard.auto_block_for,
	};
	struct change change = {ctx, record.block, &record, 0};
	*version = 0;
	if (is_always_allowed(ctx, &record.block))
		return FAULT_NONE;
	enum fault fault = block_store_extend(ctx, &record);
	if (!fault)
		fault = raise_and_note(&change);
	if (!fault)
		*version = change.version;
	return fault;
}

enum fault block_remove(struct ctx *ctx, const struct ip_block *block)
{
	struct change change = {ctx, *block, NULL, 0};
	return carry_out(&change, remove_work);
}

static enum fault announce_work(void *argument)
{
	struct change *change = argument;
	return version_raise(change->ctx, &change->version);
}

enum fault block_announce_list(struct ctx *ctx)
{
	struct change change = {.ctx = ctx};
	return carry_out(&change, announce_work);
}

enum fault block_list(struct ctx *ctx, const struct ip_block *after,
                      int64_t limit, const struct block_record **out,
                      size_t *count)
{
	return block_store_list(ctx, after, limit, out, count);
}

enum fault block_expire(struct ctx *ctx)
{
	return block_store_expire(ctx);
}
