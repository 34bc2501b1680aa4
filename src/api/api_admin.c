/* SPDX-License-Identifier: Apache-2.0 */
/* /admin: limit policies, and addresses that are not served. */
#include "api/answer.h"
#include "api/handlers.h"
#include "api/page.h"
#include "base/clock.h"
#include "domain/guard/block.h"

#include <stddef.h>

#define MS_PER_S       1000
#define POLICIES_BYTES 8192
#define BLOCK_BYTES    500  /* a usual item of a list */
#define BLOCK_MOST     2048 /* the largest that there can be, escaped */

struct policies_input {
	const struct json_node *policies;
};

static const struct json_field policies_fields[] = {
    {"policies", JSON_FIELD_TREE, JSON_REQUIRED, 0, 0,
     offsetof(struct policies_input, policies)},
    {0},
};
const struct route_input input_policies = {policies_fields,
                                           sizeof(struct policies_input)};

struct block_input {
	struct span ip;
	struct span duration;
	struct span reason;
	bool force;
};

#define AT(member) offsetof(struct block_input, member)
static const struct json_field block_fields[] = {
    {"ip", JSON_FIELD_STRING, JSON_REQUIRED, 1, 64, AT(ip)},
    {"duration", JSON_FIELD_STRING, JSON_OPTIONAL, 1, 32, AT(duration)},
    {"reason", JSON_FIELD_STRING, JSON_OPTIONAL, 0, BLOCK_REASON_BYTES,
     AT(reason)},
    {"force", JSON_FIELD_BOOL, JSON_OPTIONAL, 0, 0, AT(force)},
    {0},
};
#undef AT
const struct route_input input_block = {block_fields,
                                        sizeof(struct block_input)};

static void write_rate(struct json_writer *json, const struct config_rate *rate)
{
	json_integer(json, "limit", rate->count);
	json_integer(json, "window_s", rate->window_ms / MS_PER_S);
	if (rate->burst)
		json_integer(json, "burst", rate->burst);
	else
		json_null(json, "burst");
}

static void write_policy(struct json_writer *json, enum limit_policy policy,
                         const struct policies *now,
                         const struct policies *configured)
{
	const struct config_rate *rate = &now->rate[policy];
	json_object_begin(json, NULL);
	json_string(json, "name", span_of(policy_name(policy)));
	json_string(json, "algorithm",
	            rate->burst ? SPAN("token_bucket")
	                        : SPAN("sliding_window"));
	write_rate(json, rate);
	json_bool(json, "is_changed", now->is_changed[policy]);
	json_object_begin(json, "configured");
	write_rate(json, &configured->rate[policy]);
	json_object_end(json);
	json_object_end(json);
}

/* From MariaDB: what a moment ago was changed is not yet everywhere. */
static enum fault answer_policies(struct exchange *exchange)
{
	struct json_writer *json = &exchange->reply.json;
	struct policies now = {0}, configured;
	enum fault fault = policy_load(&exchange->ctx, &now);
	if (!fault)
		fault = reply_json(&exchange->reply, REPLY_OK, POLICIES_BYTES);
	if (fault)
		return fault;
	policy_configured(exchange->ctx.config, &configured);
	json_object_begin(json, NULL);
	json_array_begin(json, "items");
	for (unsigned i = LIMIT_POLICY_FIRST; i < LIMIT_POLICY_COUNT; i++)
		write_policy(json, (enum limit_policy)i, &now, &configured);
	json_array_end(json);
	json_null(json, "next_cursor");
	json_object_end(json);
	return FAULT_NONE;
}

enum fault admin_policies(struct exchange *exchange)
{
	return answer_policies(exchange);
}

static enum fault wrong_policy(struct exchange *exchange, const char *code,
                               const char *detail)
{
	return field_errors_add(&exchange->ctx.errors, "policies", code,
	                        detail);
}

/* The members of one policy; the value that null stands for, or none. */
static const struct rate_member {
	const char *name;
	int64_t least, most;
	int64_t unit;
	size_t offset;
	bool may_be_null; /* is 0 then */
	const char *detail;
} rate_members[] = {
    {"limit", 1, 1000000, 1, offsetof(struct config_rate, count), false,
     "limit: use a whole number from 1 to 1000000."},
    {"window_s", 1, 30 * 24 * 3600, MS_PER_S,
     offsetof(struct config_rate, window_ms), false,
     "window_s: use a whole number of seconds from 1 to 2592000."},
    {"burst", 1, 1000000, 1, offsetof(struct config_rate, burst), true,
     "burst: use a whole number from 1 to 1000000, or null for a sliding "
     "window."},
};

static enum fault read_member(struct exchange *exchange,
                              const struct rate_member *member,
                              const struct json_node *value,
                              struct config_rate *rate)
{
	int64_t *out = (int64_t *)(void *)((char *)rate + member->offset);
	if (value->type == JSON_NULL && member->may_be_null) {
		*out = 0;
		return FAULT_NONE;
	}
	if (value->type != JSON_INTEGER && value->type != JSON_NUMBER)
		return wrong_policy(exchange, "wrong_type", member->detail);
	if (value->type == JSON_NUMBER || value->integer < member->least ||
	    value->integer > member->most)
		return wrong_policy(exchange, "out_of_range", member->detail);
	*out = value->integer * member->unit;
	return FAULT_NONE;
}

/* rate holds what is in force: what is not named stays as it is. */
static enum fault read_rate(struct exchange *exchange,
                            const struct json_node *node,
                            struct config_rate *rate)
{
	size_t count = sizeof(rate_members) / sizeof(rate_members[0]);
	enum fault fault = FAULT_NONE;
	if (node->type != JSON_OBJECT)
		return wrong_policy(exchange, "wrong_type",
		                    "Give each policy an object, or null to "
		                    "take its change back.");
	for (size_t i = 0; !fault && i < count; i++) {
		const struct json_node *value =
		    json_member(node, rate_members[i].name);
		if (value)
			fault = read_member(exchange, &rate_members[i], value,
			                    rate);
	}
	return fault;
}

static enum fault read_wish(struct exchange *exchange,
                            const struct json_node *node, struct policies *now,
                            struct policy_wish *out)
{
	out->policy = policy_find(node->name);
	if (out->policy == LIMIT_UNSET)
		return wrong_policy(exchange, "unknown",
		                    "There is no policy of that name.");
	out->rate = NULL;
	if (node->type == JSON_NULL)
		return FAULT_NONE;
	out->rate = &now->rate[out->policy];
	return read_rate(exchange, node, &now->rate[out->policy]);
}

/* Everything is read before anything is changed. */
static enum fault read_wishes(struct exchange *exchange, struct policies *now,
                              const struct policy_wish **out, size_t *count)
{
	const struct policies_input *input = exchange->input;
	const struct json_node *policies = input->policies;
	if (policies->type != JSON_OBJECT)
		return wrong_policy(exchange, "wrong_type",
		                    "Use an object of policies by name.");
	struct policy_wish *wishes =
	    arena_array(exchange->ctx.arena, policies->count, sizeof(*wishes));
	if (!wishes)
		return FAULT_EXHAUSTED;
	enum fault fault = policy_load(&exchange->ctx, now);
	const struct json_node *node = policies->child;
	for (size_t i = 0; !fault && node; i++, node = node->next)
		fault = read_wish(exchange, node, now, &wishes[i]);
	*out = wishes;
	*count = policies->count;
	return fault;
}

enum fault admin_policies_change(struct exchange *exchange)
{
	const struct policy_wish *wishes = NULL;
	struct policies now = {0};
	size_t count = 0;
	enum fault fault = read_wishes(exchange, &now, &wishes, &count);
	if (!fault)
		fault = policy_change_many(&exchange->ctx, wishes, count);
	return fault ? fault : answer_policies(exchange);
}

static void write_block(struct json_writer *json,
                        const struct block_record *record)
{
	char address[IP_TEXT_BYTES];
	json_object_begin(json, NULL);
	json_string(json, "ip",
	            span_of(ip_format(&record->block.address, address)));
	if (record->block.prefix == 128)
		json_null(json, "prefix");
	else
		json_integer(json, "prefix", ip_block_prefix(&record->block));
	json_string(json, "reason",
	            record->reason.at ? record->reason : SPAN(""));
	json_time(json, "created_at", record->created_at_ms);
	json_time(json, "expires_at", record->expires_at_ms);
	json_string(json, "source",
	            record->is_automatic ? SPAN("auto") : SPAN("admin"));
	if (uuid_is_nil(&record->created_by))
		json_null(json, "created_by");
	else
		json_uuid(json, "created_by", &record->created_by);
	json_object_end(json);
}

static enum fault read_block(struct exchange *exchange, struct block_wish *wish)
{
	const struct block_input *input = exchange->input;
	struct field_errors *errors = &exchange->ctx.errors;
	enum fault fault = FAULT_NONE;
	*wish = (struct block_wish){
	    .reason = input->reason,
	    .force = input->force ? BLOCK_FORCED : BLOCK_CAREFUL,
	};
	if (ip_block_parse(input->ip, &wish->block))
		fault = field_errors_add(
		    errors, "ip", "invalid",
		    "Use an address such as 192.0.2.7 or 2001:db8::7, or a "
		    "block such as 192.0.2.0/24 whose host bits are zero.");
	if (input->duration.at &&
	    (clock_parse_duration(input->duration, &wish->duration_ms) ||
	     wish->duration_ms < MS_PER_S))
		fault = field_errors_add(
		    errors, "duration", "invalid",
		    "Use 30s, 15m, 1h, 7d, or leave it out for a block that "
		    "does not end.");
	return fault;
}

enum fault admin_block_add(struct exchange *exchange)
{
	struct block_record record;
	struct block_wish wish;
	enum fault fault = read_block(exchange, &wish);
	if (!fault)
		fault = block_add(&exchange->ctx, &wish, &record);
	if (!fault)
		fault = reply_json(&exchange->reply, REPLY_CREATED, BLOCK_MOST);
	if (!fault)
		write_block(&exchange->reply.json, &record);
	return fault;
}

/* Items as far as there is room: a page may be shorter than asked. */
static size_t write_blocks(struct exchange *exchange,
                           const struct block_record *records, size_t count)
{
	const struct text *body = &exchange->reply.body;
	size_t written = 0;
	json_array_begin(&exchange->reply.json, "items");
	while (written < count && body->limit - body->length >= BLOCK_MOST)
		write_block(&exchange->reply.json, &records[written++]);
	json_array_end(&exchange->reply.json);
	return written;
}

enum fault admin_block_list(struct exchange *exchange)
{
	struct ip_block last;
	struct page_behind page = {.key = &last, .key_bytes = sizeof(last)};
	const struct block_record *records;
	size_t count;
	enum fault fault = page_read_behind(exchange, &page);
	if (!fault)
		fault = block_list(&exchange->ctx, page.has_key ? &last : NULL,
		                   page.limit + 1, &records, &count);
	if (!fault)
		fault = reply_json(&exchange->reply, REPLY_OK,
		                   2 * BLOCK_MOST + count * BLOCK_BYTES);
	if (fault)
		return fault;
	size_t wanted = count > (size_t)page.limit ? count - 1 : count;
	json_object_begin(&exchange->reply.json, NULL);
	size_t written = write_blocks(exchange, records, wanted);
	if (written)
		last = records[written - 1].block;
	fault = page_end_behind(exchange, &last, sizeof(last), written < count);
	json_object_end(&exchange->reply.json);
	return fault;
}

/* A slash cannot be part of a segment: the prefix is an argument. */
static enum fault read_named_block(struct exchange *exchange,
                                   struct ip_block *out)
{
	struct span prefix = request_argument(&exchange->request, "prefix");
	struct text text =
	    arena_text(exchange->ctx.arena,
	               exchange->parameters.at[0].length + prefix.length + 1);
	struct ip ip;
	if (ip_parse(exchange->parameters.at[0], &ip))
		return FAULT_NOT_FOUND;
	text_append(&text, exchange->parameters.at[0]);
	if (prefix.at) {
		text_append_byte(&text, '/');
		text_append(&text, prefix);
	}
	if (!ip_block_parse(text_span(&text), out))
		return FAULT_NONE;
	return field_errors_add(&exchange->ctx.errors, "prefix", "invalid",
	                        "Use the number behind the slash of the "
	                        "block.");
}

enum fault admin_block_remove(struct exchange *exchange)
{
	struct ip_block block;
	enum fault fault = read_named_block(exchange, &block);
	if (!fault)
		fault = block_remove(&exchange->ctx, &block);
	return fault ? fault : answer_no_content(exchange);
}
