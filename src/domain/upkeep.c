/* SPDX-License-Identifier: Apache-2.0 */
/* The table of maintenance tasks. */
#include "domain/upkeep.h"

#include "base/log.h"
#include "domain/account/proof.h"
#include "domain/audit/audit.h"
#include "domain/guard/block.h"
#include "domain/guard/captcha.h"
#include "domain/guard/failure.h"
#include "domain/guard/guard.h"
#include "domain/guard/version.h"
#include "domain/outbox/outbox.h"
#include "domain/session/revocation.h"
#include "domain/session/session.h"
#include "domain/vault/keys.h"

#include <assert.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define DAY_MS    (24 * 60 * MINUTE_MS)
#define KEPT_MS   (7 * DAY_MS) /* what is over, for those who look back */

static enum fault send_mail(struct ctx *ctx)
{
	size_t sent;
	return outbox_send_due(ctx, &sent);
}

static enum fault expire_mail(struct ctx *ctx)
{
	return outbox_expire(ctx, ctx->now_ms - KEPT_MS);
}

static enum fault expire_proofs(struct ctx *ctx)
{
	return proof_expire(ctx, ctx->now_ms - KEPT_MS);
}

static enum fault expire_sessions(struct ctx *ctx)
{
	return session_expire(ctx, ctx->now_ms - KEPT_MS);
}

static enum fault expire_audit(struct ctx *ctx)
{
	int64_t retention = ctx->config->audit.retention;
	return retention ? audit_expire(ctx, ctx->now_ms - retention)
	                 : FAULT_NONE;
}

/* The mark that says that Redis was filled must not run out. */
static enum fault refresh_ready(struct ctx *ctx)
{
	struct span run_id;
	enum fault fault = kv_run_id(ctx->kv, &run_id);
	return fault ? fault : guard_refill(ctx, run_id);
}

/* Redis may have been away when it was raised. */
static enum fault publish_guard(struct ctx *ctx)
{
	int64_t version;
	enum fault fault = version_read(ctx, &version);
	return fault ? fault : version_copy(ctx, version);
}

static const struct task {
	const char *name;
	enum fault (*run)(struct ctx *ctx);
	int64_t every_ms;
} tasks[] = {
    {"publish_revocations", revocation_publish_pending, 0},
    {"publish_guard", publish_guard, SECOND_MS},
    {"send_mail", send_mail, 0},
    {"expire_revocations", revocation_expire, MINUTE_MS},
    {"retire_keys", keys_retire, MINUTE_MS},
    {"expire_proofs", expire_proofs, MINUTE_MS},
    {"expire_sessions", expire_sessions, 5 * SECOND_MS},
    {"expire_mail", expire_mail, MINUTE_MS},
    {"expire_audit", expire_audit, MINUTE_MS},
    {"expire_blocks", block_expire, MINUTE_MS},
    {"expire_failures", failure_expire, MINUTE_MS},
    {"expire_captchas", captcha_expire, MINUTE_MS},
    {"refresh_ready", refresh_ready, 60 * MINUTE_MS},
};
#define TASK_COUNT (sizeof(tasks) / sizeof(tasks[0]))

static void note(const struct task *task, enum fault fault)
{
	struct log_line line;
	log_begin(&line, LOG_WARNING, "upkeep_failed");
	json_string(&line.json, "task", span_of(task->name));
	json_string(&line.json, "fault", span_of(fault_name(fault)));
	log_end(&line);
}

/*
 * A lock for each task: where one host hangs at a mail server, another goes on
 * with the rest.
 */
static enum fault run_locked(struct ctx *ctx, const struct task *task)
{
	enum fault fault = db_lock(ctx->db, task->name, 0);
	if (fault)
		return fault;
	fault = task->run(ctx);
	db_unlock(ctx->db, task->name);
	return fault;
}

enum fault upkeep_run(struct ctx *ctx)
{
	static int64_t due_ms[TASK_COUNT];
	enum fault first = FAULT_NONE;
	bool has_run = false;
	for (size_t i = 0; i < TASK_COUNT; i++) {
		if (due_ms[i] > ctx->now_ms)
			continue;
		enum fault fault = run_locked(ctx, &tasks[i]);
		if (fault == FAULT_CONFLICT)
			continue;
		has_run = true;
		due_ms[i] = ctx->now_ms + tasks[i].every_ms;
		if (!fault)
			continue;
		note(&tasks[i], fault);
		first = first ? first : fault;
	}
	return has_run ? first : FAULT_CONFLICT;
}
