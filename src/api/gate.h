/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a request's life, each one function; life.c has their order.
 * Each returns FAULT_NONE to go on, or what stops the request.
 */
#ifndef API_GATE_H
#define API_GATE_H

#include "api/exchange.h"

enum fault gate_read(struct exchange *exchange);
enum fault gate_block(struct exchange *exchange);
enum fault gate_route(struct exchange *exchange);
enum fault gate_preload(struct exchange *exchange);
enum fault gate_limit(struct exchange *exchange);
enum fault gate_actor(struct exchange *exchange);
enum fault gate_origin(struct exchange *exchange);
enum fault gate_permit(struct exchange *exchange);
enum fault gate_input(struct exchange *exchange);
enum fault gate_handle(struct exchange *exchange);

/*
 * The headers that every answer carries beside its own: request id, rate
 * limits, cross-origin sharing.
 */
enum fault gate_headers(struct exchange *exchange);

/*
 * A state-changing call that is authenticated by a cookie must come from a page
 * of ours: the Origin (or, without one, Sec-Fetch-Site), and the CSRF token of
 * the session. FAULT_CSRF_FAILED. For handlers that find the session
 * themselves (refresh, logout).
 */
enum fault gate_check_csrf(struct exchange *exchange,
                           const struct uuid *session_id);

#endif
