/* SPDX-License-Identifier: Apache-2.0 */
/* /me: the signed-in person's account and sessions. */
#include "api/answer.h"
#include "api/handlers.h"
#include "api/page.h"
#include "domain/access/role.h"
#include "domain/account/email_change.h"
#include "domain/account/profile.h"
#include "domain/account/user.h"
#include "domain/session/session.h"

#include <stddef.h>

#define USER_BYTES    4096
#define SESSION_BYTES 1600 /* one item of a list */

struct profile_input {
	struct span name;
	struct span email;
	struct span current_password;
};

#define AT(member) offsetof(struct profile_input, member)
static const struct json_field profile_fields[] = {
    {"name", JSON_FIELD_STRING, JSON_OPTIONAL, 0, 120, AT(name)},
    {"email", JSON_FIELD_STRING, JSON_OPTIONAL, 1, 600, AT(email)},
    {"current_password", JSON_FIELD_SECRET, JSON_OPTIONAL, 1, 65536,
     AT(current_password)},
    {0},
};
#undef AT
const struct route_input input_profile = {profile_fields,
                                          sizeof(struct profile_input)};

/* What the role allows beyond what everybody may, for pages to offer it. */
static void write_permissions(struct exchange *exchange)
{
	struct json_writer *json = &exchange->reply.json;
	json_array_begin(json, "permissions");
	for (unsigned i = PERM_NOTHING + 1; i < PERMISSION_COUNT; i++)
		if (role_allows(&exchange->ctx.actor, (enum permission)i))
			json_string(
			    json, NULL,
			    span_of(role_permission_name((enum permission)i)));
	json_array_end(json);
}

enum fault me_show(struct exchange *exchange)
{
	struct ctx *ctx = &exchange->ctx;
	struct json_writer *json = &exchange->reply.json;
	struct identity identity;
	enum fault fault = identity_find(ctx, &ctx->actor.user_id,
	                                 &ctx->actor.tenant_id, &identity);
	if (fault == FAULT_NOT_FOUND)
		return FAULT_TOKEN_REVOKED; /* deleted a moment ago */
	if (!fault)
		fault = reply_json(&exchange->reply, REPLY_OK, USER_BYTES);
	if (fault)
		return fault;
	json_object_begin(json, NULL);
	answer_user(json, NULL, &identity);
	json_string(json, "pending_email", identity.pending_email);
	json_uuid(json, "tenant_id", &identity.tenant_id);
	json_string(json, "role", identity.role);
	write_permissions(exchange);
	json_object_end(json);
	return FAULT_NONE;
}

static enum fault change_email(struct exchange *exchange,
                               const struct profile_input *input)
{
	if (!input->current_password.at)
		return field_errors_add(
		    &exchange->ctx.errors, "current_password", "required",
		    "Changing the address wants your password.");
	return email_change_request(&exchange->ctx, input->email,
	                            input->current_password);
}

enum fault me_update(struct exchange *exchange)
{
	const struct profile_input *input = exchange->input;
	enum fault fault = FAULT_NONE;
	if (input->email.at)
		fault = change_email(exchange, input);
	if (!fault && input->name.at)
		fault = profile_rename(&exchange->ctx, input->name);
	return fault ? fault : me_show(exchange);
}

static void write_session(struct exchange *exchange,
                          const struct session_record *record)
{
	struct json_writer *json = &exchange->reply.json;
	char address[IP_TEXT_BYTES];
	json_object_begin(json, NULL);
	json_uuid(json, "id", &record->id);
	json_bool(json, "current",
	          uuid_equal(&record->id, &exchange->ctx.actor.session_id));
	json_string(json, "device_name", record->device_name);
	json_string(json, "user_agent", record->user_agent);
	json_string(json, "ip",
	            span_of(ip_format_masked(&record->ip, address)));
	json_time(json, "created_at", record->created_at_ms);
	json_time(json, "last_used_at", record->last_used_at_ms);
	json_time(json, "expires_at", record->expires_at_ms);
	json_object_end(json);
}

enum fault me_sessions(struct exchange *exchange)
{
	struct ctx *ctx = &exchange->ctx;
	const struct session_record *records;
	struct page page;
	size_t count;
	enum fault fault = page_read(exchange, &page);
	if (!fault)
		fault = session_list(ctx, &ctx->actor.user_id, &page.before,
		                     page.limit + 1, &records, &count);
	if (!fault)
		fault = reply_json(&exchange->reply, REPLY_OK,
		                   256 + count * SESSION_BYTES);
	if (fault)
		return fault;
	bool has_more = count > (size_t)page.limit;
	count -= has_more;
	json_object_begin(&exchange->reply.json, NULL);
	json_array_begin(&exchange->reply.json, "items");
	for (size_t i = 0; i < count; i++)
		write_session(exchange, &records[i]);
	json_array_end(&exchange->reply.json);
	fault =
	    page_end(exchange, count ? &records[count - 1].id : NULL, has_more);
	json_object_end(&exchange->reply.json);
	return fault;
}

enum fault me_session_end(struct exchange *exchange)
{
	struct ctx *ctx = &exchange->ctx;
	struct uuid session_id;
	if (uuid_parse(exchange->parameters.at[0], &session_id))
		return FAULT_NOT_FOUND;
	enum fault fault =
	    session_end(ctx, &session_id, &ctx->actor.user_id,
	                SPAN("ended_by_owner"), AUDIT_SESSION_END);
	return fault ? fault : answer_no_content(exchange);
}

enum fault me_sessions_end(struct exchange *exchange)
{
	enum fault fault = session_end_others(&exchange->ctx);
	return fault ? fault : answer_no_content(exchange);
}
