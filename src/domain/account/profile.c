/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a profile. */
#include "domain/account/profile.h"

#include "domain/account/user.h"
#include "domain/audit/audit.h"

struct renaming {
	struct ctx *ctx;
	struct span name;
};

static enum fault rename_work(void *argument)
{
	const struct renaming *renaming = argument;
	struct ctx *ctx = renaming->ctx;
	enum fault fault =
	    user_set_name(ctx, &ctx->actor.user_id, renaming->name);
	if (!fault)
		fault = audit_append(ctx, &(struct audit_event){
					      .type = AUDIT_PROFILE_UPDATE,
					      .outcome = AUDIT_SUCCESS,
					      .reason = SPAN("name"),
					  });
	return fault;
}

enum fault profile_rename(struct ctx *ctx, struct span name)
{
	struct renaming renaming = {ctx, name};
	return db_transact(ctx->db, rename_work, &renaming);
}
