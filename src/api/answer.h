/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of answers that several handlers give. */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include "api/exchange.h"
#include "domain/session/session.h"

/* 202 with an empty object: what was asked for will be done, or not. */
enum fault answer_accepted(struct exchange *exchange);

/* 204. */
enum fault answer_no_content(struct exchange *exchange);

/*
 * 200 with the tokens of a session: in the body, or for a cookie session in
 * cookies with the CSRF token beside them (RFC 6749, 5.1).
 */
enum fault answer_tokens(struct exchange *exchange,
                         const struct session_tokens *tokens);

/* Take the cookies of a session away from the browser. */
enum fault answer_forget_cookies(struct exchange *exchange);

/* The user object, as a member of this name or (NULL) the members alone. */
void answer_user(struct json_writer *json, const char *name,
                 const struct identity *identity);

#endif
