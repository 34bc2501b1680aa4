/* SPDX-License-Identifier: Apache-2.0 */
/* /users: what the platform's people do to others' accounts. */
#include "api/answer.h"
#include "api/handlers.h"
#include "domain/account/administration.h"

#include <stddef.h>

struct reason_input {
	struct span reason;
};

static const struct json_field reason_fields[] = {
    {"reason", JSON_FIELD_STRING, JSON_OPTIONAL, 0, 64,
     offsetof(struct reason_input, reason)},
    {0},
};
const struct route_input input_reason = {reason_fields,
                                         sizeof(struct reason_input)};

enum fault users_unlock(struct exchange *exchange)
{
	struct uuid user_id;
	if (uuid_parse(exchange->parameters.at[0], &user_id))
		return FAULT_NOT_FOUND;
	enum fault fault = administration_unlock(&exchange->ctx, &user_id);
	return fault ? fault : answer_no_content(exchange);
}

enum fault users_revoke_tokens(struct exchange *exchange)
{
	const struct reason_input *input = exchange->input;
	struct span reason =
	    input->reason.length ? input->reason : SPAN("revoked_by_admin");
	struct uuid user_id;
	if (uuid_parse(exchange->parameters.at[0], &user_id))
		return FAULT_NOT_FOUND;
	enum fault fault =
	    administration_revoke(&exchange->ctx, &user_id, reason);
	return fault ? fault : answer_no_content(exchange);
}
