/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers of the route table and the fields they take. Each reads what
 * the life has prepared, calls the domain, and writes the reply.
 */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/exchange.h"

/* Shared by resending a confirmation and forgetting a password. */
struct email_input {
	struct span email;
};

extern const struct route_input input_register, input_login, input_token,
    input_email, input_refresh, input_reset, input_change, input_profile,
    input_reason, input_policies, input_block;

/* api_auth.c */
route_handler auth_register, auth_verify, auth_resend, auth_login, auth_captcha,
    auth_refresh, auth_logout, auth_session;
/* api_password.c */
route_handler password_forgot, password_reset, password_change;
/* api_me.c */
route_handler me_show, me_update, me_sessions, me_session_end, me_sessions_end;
/* api_users.c */
route_handler users_revoke_tokens, users_unlock;
/* api_audit.c */
route_handler audit_events;
/* api_admin.c */
route_handler admin_policies, admin_policies_change, admin_block_add,
    admin_block_list, admin_block_remove;
/* api_operations.c */
route_handler operations_health, operations_ready, operations_metrics,
    operations_openapi, operations_options;

#endif
