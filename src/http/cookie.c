/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our cookies; see cookie.h. Browsers refuse a __Host- cookie that has a Path
 * other than "/", so those two cannot follow a base path.
 */
#include "http/cookie.h"

#include <assert.h>

#define LINE_LIMIT_BYTES 4096 /* what browsers keep of one cookie */

static const struct {
	const char *name;
	enum { PATH_ROOT, PATH_BELOW_BASE } path_rule;
	const char *path;
	const char *attributes;
} cookies[COOKIE_COUNT] = {
    [COOKIE_ACCESS] = {"__Host-claviger_access", PATH_ROOT, "/",
                       "; Secure; HttpOnly; SameSite=Lax"},
    [COOKIE_REFRESH] = {"__Secure-claviger_refresh", PATH_BELOW_BASE,
                        "/api/v1/auth", "; Secure; HttpOnly; SameSite=Strict"},
    [COOKIE_CSRF] = {"__Host-claviger_csrf", PATH_ROOT, "/",
                     "; Secure; SameSite=Strict"},
    [COOKIE_DEVICE] = {"__Host-claviger_device", PATH_ROOT, "/",
                       "; Secure; HttpOnly; SameSite=Strict"},
};

const char *cookie_name(enum cookie cookie)
{
	assert(cookie > COOKIE_NONE && cookie < COOKIE_COUNT);
	return cookies[cookie].name;
}

/* RFC 6265, 4.1.1: cookie-octet. */
static bool is_cookie_value(struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char byte = (unsigned char)value.at[i];
		if (byte <= 0x20 || byte >= 0x7f || byte == '"' ||
		    byte == ',' || byte == ';' || byte == '\\')
			return false;
	}
	return true;
}

enum fault cookie_set(struct reply *reply, enum cookie cookie,
                      struct span value, int64_t max_age_s,
                      struct span base_path)
{
	struct text line;

	assert(cookie > COOKIE_NONE && cookie < COOKIE_COUNT);
	if (!is_cookie_value(value))
		return FAULT_INTERNAL;
	line = arena_text(reply->arena, LINE_LIMIT_BYTES);
	text_append_cstr(&line, cookies[cookie].name);
	text_append_byte(&line, '=');
	if (max_age_s > 0)
		text_append(&line, value);
	text_append_cstr(&line, "; Max-Age=");
	text_append_number(&line, max_age_s > 0 ? max_age_s : 0);
	text_append_cstr(&line, "; Path=");
	if (cookies[cookie].path_rule == PATH_BELOW_BASE)
		text_append(&line, base_path);
	text_append_cstr(&line, cookies[cookie].path);
	text_append_cstr(&line, cookies[cookie].attributes);
	if (text_check(&line))
		return FAULT_EXHAUSTED;
	return reply_header(reply, "Set-Cookie", text_span(&line));
}
