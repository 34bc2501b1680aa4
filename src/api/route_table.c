/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE route table. Read it top to bottom: it is the whole surface. A row:
 * method, pattern, who, need, permission, limit, records, input, handler.
 */
#include "api/route_table.h"
#include "api/handlers.h"

#include <assert.h>

#define V1 "/api/v1"

/* clang-format off */
const struct route route_table[] = {
	{HTTP_GET,    "/healthz",                     WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_NOTHING,      AUDIT_NOT_WANTED,             NULL,            operations_health},
	{HTTP_GET,    "/readyz",                      WHO_OPERATIONS, NEED_NOTHING,  PERM_NOTHING,               LIMIT_NOTHING,      AUDIT_NOT_WANTED,             NULL,            operations_ready},
	{HTTP_GET,    "/metrics",                     WHO_OPERATIONS, NEED_NOTHING,  PERM_NOTHING,               LIMIT_NOTHING,      AUDIT_NOT_WANTED,             NULL,            operations_metrics},
	{HTTP_GET,    V1 "/openapi.json",             WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_NOT_WANTED,             NULL,            operations_openapi},

	{HTTP_POST,   V1 "/auth/register",            WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_REGISTRATION, AUDIT_USER_REGISTER,          &input_register, auth_register},
	{HTTP_POST,   V1 "/auth/verify-email",        WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_VERIFICATION, AUDIT_EMAIL_VERIFY,           &input_token,    auth_verify},
	{HTTP_POST,   V1 "/auth/verify-email/resend", WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_VERIFICATION, AUDIT_VERIFICATION_REQUEST,   &input_email,    auth_resend},
	{HTTP_POST,   V1 "/auth/login",               WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_LOGIN,        AUDIT_LOGIN_ATTEMPT,          &input_login,    auth_login},
	{HTTP_GET,    V1 "/auth/captcha",             WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_NOT_WANTED,             NULL,            auth_captcha},
	{HTTP_POST,   V1 "/auth/refresh",             WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_TOKEN_REFRESH,          &input_refresh,  auth_refresh},
	{HTTP_POST,   V1 "/auth/logout",              WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_LOGOUT,                 &input_refresh,  auth_logout},
	{HTTP_GET,    V1 "/auth/session",             WHO_USER,       NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_NOT_WANTED,             NULL,            auth_session},
	{HTTP_POST,   V1 "/auth/password/forgot",     WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_RESET,        AUDIT_PASSWORD_RESET_REQUEST, &input_email,    password_forgot},
	{HTTP_POST,   V1 "/auth/password/reset",      WHO_ANYONE,     NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_PASSWORD_RESET,         &input_reset,    password_reset},
	{HTTP_POST,   V1 "/auth/password/change",     WHO_USER,       NEED_VERIFIED, PERM_NOTHING,               LIMIT_LOGIN,        AUDIT_PASSWORD_CHANGE,        &input_change,   password_change},

	{HTTP_GET,    V1 "/me",                       WHO_USER,       NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_NOT_WANTED,             NULL,            me_show},
	{HTTP_PATCH,  V1 "/me",                       WHO_USER,       NEED_NOTHING,  PERM_NOTHING,               LIMIT_LOGIN,        AUDIT_PROFILE_UPDATE,         &input_profile,  me_update},
	{HTTP_GET,    V1 "/me/sessions",              WHO_USER,       NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_NOT_WANTED,             NULL,            me_sessions},
	{HTTP_DELETE, V1 "/me/sessions",              WHO_USER,       NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_SESSION_END,            NULL,            me_sessions_end},
	{HTTP_DELETE, V1 "/me/sessions/{id}",         WHO_USER,       NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_SESSION_END,            NULL,            me_session_end},

	{HTTP_POST,   V1 "/users/{id}/revoke-tokens", WHO_USER,       NEED_VERIFIED, PERM_PLATFORM_USER_REVOKE,  LIMIT_API,          AUDIT_TOKEN_REVOKE,           &input_reason,   users_revoke_tokens},
	{HTTP_POST,   V1 "/users/{id}/unlock",        WHO_USER,       NEED_VERIFIED, PERM_PLATFORM_USER_UNLOCK,  LIMIT_API,          AUDIT_ACCOUNT_UNLOCK,         NULL,            users_unlock},
	{HTTP_GET,    V1 "/audit",                    WHO_USER,       NEED_NOTHING,  PERM_NOTHING,               LIMIT_API,          AUDIT_NOT_WANTED,             NULL,            audit_events},

	{HTTP_GET,    V1 "/admin/policies",           WHO_USER,       NEED_VERIFIED, PERM_PLATFORM_POLICY_READ,  LIMIT_API,          AUDIT_NOT_WANTED,             NULL,            admin_policies},
	{HTTP_PATCH,  V1 "/admin/policies",           WHO_USER,       NEED_VERIFIED, PERM_PLATFORM_POLICY_WRITE, LIMIT_API,          AUDIT_POLICY_CHANGE,          &input_policies, admin_policies_change},
	{HTTP_POST,   V1 "/admin/block-ip",           WHO_USER,       NEED_VERIFIED, PERM_PLATFORM_BLOCK_WRITE,  LIMIT_API,          AUDIT_IP_BLOCK,               &input_block,    admin_block_add},
	{HTTP_GET,    V1 "/admin/blocked-ips",        WHO_USER,       NEED_VERIFIED, PERM_PLATFORM_BLOCK_READ,   LIMIT_API,          AUDIT_NOT_WANTED,             NULL,            admin_block_list},
	{HTTP_DELETE, V1 "/admin/blocked-ips/{ip}",   WHO_USER,       NEED_VERIFIED, PERM_PLATFORM_BLOCK_WRITE,  LIMIT_API,          AUDIT_IP_UNBLOCK,             NULL,            admin_block_remove},
};
/* clang-format on */
const size_t route_table_count = sizeof(route_table) / sizeof(route_table[0]);

static const char *const who_names[] = {
    [WHO_UNSET] = "?",
    [WHO_ANYONE] = "anyone",
    [WHO_USER] = "user",
    [WHO_OPERATIONS] = "operations",
};
static_assert(sizeof(who_names) / sizeof(who_names[0]) == WHO_COUNT,
              "every caller has a name");

static const char *const need_names[] = {
    [NEED_UNSET] = "?",
    [NEED_NOTHING] = "-",
    [NEED_VERIFIED] = "verified",
};
static_assert(sizeof(need_names) / sizeof(need_names[0]) == NEED_COUNT,
              "every need has a name");

const char *route_who_name(enum route_who who)
{
	assert(who < WHO_COUNT);
	return who_names[who];
}

const char *route_need_name(enum route_need need)
{
	assert(need < NEED_COUNT);
	return need_names[need];
}
