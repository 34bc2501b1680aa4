/* SPDX-License-Identifier: Apache-2.0 */
/* Set-Cookie lines, one row of a table a cookie (RFC 6265bis). */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "base/fault.h"
#include "base/text.h"
#include "http/reply.h"

#include <stdint.h>

enum cookie {
	COOKIE_NONE = 0,
	COOKIE_ACCESS,  /* __Host-claviger_access: HttpOnly, Lax */
	COOKIE_REFRESH, /* __Secure-claviger_refresh: HttpOnly, Strict */
	COOKIE_CSRF,    /* __Host-claviger_csrf: readable by the page */
	COOKIE_DEVICE,  /* __Host-claviger_device: HttpOnly, Strict */
	COOKIE_COUNT
};

const char *cookie_name(enum cookie cookie);

/*
 * Set a cookie for max_age_s seconds; 0 removes it. base_path goes before the
 * row's path where the name allows a path.
 */
enum fault cookie_set(struct reply *reply, enum cookie cookie,
                      struct span value, int64_t max_age_s,
                      struct span base_path);

#endif
