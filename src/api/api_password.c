/* SPDX-License-Identifier: Apache-2.0 */
/* /auth/password: forgotten, reset, changed. */
#include "api/answer.h"
#include "api/handlers.h"
#include "domain/account/recovery.h"

#include <stddef.h>

#define PASSWORD_MOST 65536
#define TOKEN_MOST    8192 /* of any kind: a wrong one is a 401, not a 422 */

struct reset_input {
	struct span token;
	struct span new_password;
};

struct change_input {
	struct span current_password;
	struct span new_password;
};

#define AT(type, member) offsetof(struct type, member)
/* clang-format off */
static const struct json_field reset_fields[] = {
	{"token",            JSON_FIELD_STRING, JSON_REQUIRED, 1, TOKEN_MOST,    AT(reset_input, token)},
	{"new_password",     JSON_FIELD_SECRET, JSON_REQUIRED, 1, PASSWORD_MOST, AT(reset_input, new_password)},
	{0},
};
const struct route_input input_reset = {reset_fields,
                                        sizeof(struct reset_input)};

static const struct json_field change_fields[] = {
	{"current_password", JSON_FIELD_SECRET, JSON_REQUIRED, 1, PASSWORD_MOST, AT(change_input, current_password)},
	{"new_password",     JSON_FIELD_SECRET, JSON_REQUIRED, 1, PASSWORD_MOST, AT(change_input, new_password)},
	{0},
};
const struct route_input input_change = {change_fields,
                                         sizeof(struct change_input)};
/* clang-format on */

enum fault password_forgot(struct exchange *exchange)
{
	const struct email_input *input = exchange->input;
	enum fault fault = recovery_forgot(&exchange->ctx, input->email);
	return fault ? fault : answer_accepted(exchange);
}

enum fault password_reset(struct exchange *exchange)
{
	const struct reset_input *input = exchange->input;
	enum fault fault =
	    recovery_reset(&exchange->ctx, input->token, input->new_password);
	return fault ? fault : answer_no_content(exchange);
}

enum fault password_change(struct exchange *exchange)
{
	const struct change_input *input = exchange->input;
	enum fault fault = recovery_change(
	    &exchange->ctx, input->current_password, input->new_password);
	return fault ? fault : answer_no_content(exchange);
}
