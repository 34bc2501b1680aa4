/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole installation for a test of the domain: private servers (stack.h), the
 * schema, a key ring, people. Time is what the test writes into ctx->now_ms.
 */
#ifndef UNIT_SITE_H
#define UNIT_SITE_H

#include "domain/ctx.h"
#include "domain/session/identity.h"

#define SITE_NOW INT64_C(1768473000000)

/* Whether this host has the servers that it wants. */
bool site_can_run(void);

/* Start everything and fill in the ctx. The test fails when it cannot. */
void site_start(struct ctx *ctx);
void site_end(struct ctx *ctx);

/*
 * Forget everything but the schema, the system tenant and the key ring; the
 * time is SITE_NOW again, the settings are the defaults again.
 */
void site_reset(struct ctx *ctx);

/* The settings of ctx->config, to be changed. */
struct config *site_config(void);

/* Connections of its own for a process that was forked. */
void site_reconnect(struct ctx *ctx);

/* A user with a tenant of their own, of which they are the owner. */
struct identity site_person(struct ctx *ctx, const char *email);

/* The first column of the one row that a statement gives, as a number. */
int64_t site_ask(struct ctx *ctx, const struct db_statement *statement,
                 const struct db_value *parameters);

/* Run a statement; it must succeed. */
void site_run(struct ctx *ctx, const struct db_statement *statement,
              const struct db_value *parameters);

/* Run one Redis command; it must succeed. */
void site_redis(struct ctx *ctx, const char *first, const char *second,
                const char *third);

#endif
