/* SPDX-License-Identifier: Apache-2.0 */
/* /audit: the record, for oneself or for everything. */
#include "api/handlers.h"
#include "api/page.h"
#include "base/clock.h"
#include "domain/access/role.h"
#include "domain/audit/audit.h"

#define EVENT_BYTES  3000  /* a usual item of a list */
#define EVENTS_LEAST 16384 /* room for the largest item that there can be */
#define MEMBER_BYTES 700   /* of an item without its texts */
#define ESCAPED      6     /* bytes that one may take in JSON */

static enum fault wrong(struct exchange *exchange, const char *field,
                        const char *detail)
{
	return field_errors_add(&exchange->ctx.errors, field, "invalid",
	                        detail);
}

static enum fault read_type(struct exchange *exchange, struct span value,
                            struct audit_filter *filter)
{
	if (!audit_is_type(value))
		return wrong(exchange, "event_type",
		             "There is no such type of event.");
	filter->type = value;
	return FAULT_NONE;
}

static enum fault read_severity(struct exchange *exchange, struct span value,
                                struct audit_filter *filter)
{
	if (!audit_is_severity(value))
		return wrong(exchange, "severity",
		             "Use info, warning or critical.");
	filter->severity = value;
	return FAULT_NONE;
}

static enum fault read_success(struct exchange *exchange, struct span value,
                               struct audit_filter *filter)
{
	filter->success = span_equal(value, SPAN("true"));
	if (filter->success || span_equal(value, SPAN("false")))
		return FAULT_NONE;
	return wrong(exchange, "success", "Use true or false.");
}

static enum fault read_user(struct exchange *exchange, struct span value,
                            struct audit_filter *filter)
{
	if (uuid_parse(value, &filter->user_id))
		return wrong(exchange, "user_id", "Use the id of a user.");
	return FAULT_NONE;
}

static enum fault read_ip(struct exchange *exchange, struct span value,
                          struct audit_filter *filter)
{
	filter->has_ip = true;
	if (ip_parse(value, &filter->ip))
		return wrong(exchange, "ip", "Use an IP address.");
	return FAULT_NONE;
}

/* A moment, or how long ago it was. */
static enum fault read_moment(struct exchange *exchange, const char *field,
                              struct span value, int64_t *out)
{
	int64_t ago_ms;
	if (!clock_parse(value, out))
		return FAULT_NONE;
	if (clock_parse_duration(value, &ago_ms))
		return wrong(exchange, field,
		             "Use 2026-01-15T10:30:00Z, or 15m, 1h, 7d.");
	*out = exchange->ctx.now_ms - ago_ms;
	return FAULT_NONE;
}

static enum fault read_since(struct exchange *exchange, struct span value,
                             struct audit_filter *filter)
{
	return read_moment(exchange, "since", value, &filter->since_ms);
}

static enum fault read_until(struct exchange *exchange, struct span value,
                             struct audit_filter *filter)
{
	return read_moment(exchange, "until", value, &filter->until_ms);
}

static const struct {
	const char *name;
	enum fault (*read)(struct exchange *exchange, struct span value,
	                   struct audit_filter *filter);
} arguments[] = {
    {"event_type", read_type}, {"severity", read_severity},
    {"success", read_success}, {"user_id", read_user},
    {"ip", read_ip},           {"since", read_since},
    {"until", read_until},
};

/* Without the right to see everything, a list is of oneself. */
static enum fault narrow(struct exchange *exchange, struct audit_filter *filter)
{
	const struct actor *actor = &exchange->ctx.actor;
	if (role_allows(actor, PERM_PLATFORM_AUDIT_READ))
		return FAULT_NONE;
	if (!uuid_is_nil(&filter->user_id) &&
	    !uuid_equal(&filter->user_id, &actor->user_id))
		return FAULT_FORBIDDEN;
	filter->user_id = actor->user_id;
	return FAULT_NONE;
}

static enum fault read_filter(struct exchange *exchange,
                              struct audit_filter *filter)
{
	struct page page;
	enum fault fault = page_read(exchange, &page);
	*filter = (struct audit_filter){.success = -1};
	for (size_t i = 0;
	     !fault && i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		struct span value =
		    request_argument(&exchange->request, arguments[i].name);
		if (value.at)
			fault = arguments[i].read(exchange, value, filter);
	}
	filter->before = page.before;
	filter->limit = page.limit + 1;
	return fault ? fault : narrow(exchange, filter);
}

static void write_id(struct json_writer *json, const char *name,
                     const struct uuid *id)
{
	if (uuid_is_nil(id))
		json_null(json, name);
	else
		json_uuid(json, name, id);
}

static void write_event(struct json_writer *json,
                        const struct audit_record *record)
{
	char address[IP_TEXT_BYTES], at[CLOCK_RFC3339_BYTES];
	struct span ip = {0};
	if (record->has_ip)
		ip = span_of(ip_format(&record->ip, address));
	json_object_begin(json, NULL);
	json_uuid(json, "id", &record->id);
	json_string(json, "at", span_of(clock_format_ms(record->at_ms, at)));
	json_string(json, "event_type", record->type);
	json_string(json, "severity", record->severity);
	json_bool(json, "success", record->success);
	write_id(json, "user_id", &record->user_id);
	write_id(json, "actor_id", &record->actor_id);
	write_id(json, "tenant_id", &record->tenant_id);
	write_id(json, "session_id", &record->session_id);
	json_string(json, "ip", ip);
	json_string(json, "user_agent", record->user_agent);
	json_string(json, "request_id", record->request_id);
	json_string(json, "reason", record->reason);
	json_string(json, "detail", record->detail);
	json_object_end(json);
}

/* Whether an item fits into what is left of the body, however it is escaped. */
static bool has_room(const struct text *body, const struct audit_record *record)
{
	size_t texts = record->user_agent.length + record->request_id.length +
	               record->reason.length + record->detail.length;
	return body->limit - body->length >= MEMBER_BYTES + ESCAPED * texts;
}

/* Items as far as there is room for them: a page may be shorter than asked. */
static size_t write_events(struct exchange *exchange,
                           const struct audit_record *records, size_t count)
{
	size_t written = 0;
	json_array_begin(&exchange->reply.json, "items");
	while (written < count &&
	       has_room(&exchange->reply.body, &records[written]))
		write_event(&exchange->reply.json, &records[written++]);
	json_array_end(&exchange->reply.json);
	return written;
}

enum fault audit_events(struct exchange *exchange)
{
	const struct audit_record *records = NULL;
	struct audit_filter filter;
	size_t count = 0;
	enum fault fault = read_filter(exchange, &filter);
	if (!fault)
		fault = audit_list(&exchange->ctx, &filter, &records, &count);
	if (!fault)
		fault = reply_json(&exchange->reply, REPLY_OK,
		                   EVENTS_LEAST + count * EVENT_BYTES);
	if (fault)
		return fault;
	bool has_more = count > 0 && count == (size_t)filter.limit;
	json_object_begin(&exchange->reply.json, NULL);
	size_t written = write_events(exchange, records, count - has_more);
	fault = page_end(exchange, written ? &records[written - 1].id : NULL,
	                 written < count);
	json_object_end(&exchange->reply.json);
	return fault;
}
