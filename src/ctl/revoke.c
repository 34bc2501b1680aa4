/* SPDX-License-Identifier: Apache-2.0 */
/* clavigerctl revoke: ending tokens and sessions before their time. */
#include "ctl/ctl.h"
#include "domain/account/administration.h"
#include "domain/account/email.h"

#include <stdio.h>
#include <string.h>

#define REASON_DEFAULT "revoked_by_host"

/* What a subject names, and how it is revoked. */
typedef enum fault revoke_subject(struct ctx *ctx, struct span subject,
                                  struct span reason);

static enum fault revoke_token(struct ctx *ctx, struct span subject,
                               struct span reason)
{
	struct uuid id;
	enum fault fault = uuid_parse(subject, &id);
	return fault ? fault : administration_revoke_token(ctx, &id, reason);
}

static enum fault revoke_user(struct ctx *ctx, struct span subject,
                              struct span reason)
{
	struct span email;
	struct user user;
	enum fault fault = email_canonical(ctx->arena, subject, &email);
	if (!fault)
		fault = user_find_by_email(ctx, email, NULL, &user);
	return fault
	           ? fault
	           : administration_revoke(ctx, &user.identity.user_id, reason);
}

static enum fault revoke_tenant(struct ctx *ctx, struct span subject,
                                struct span reason)
{
	struct uuid id;
	enum fault fault = uuid_parse(subject, &id);
	return fault ? fault : administration_revoke_tenant(ctx, &id, reason);
}

static enum fault revoke_all(struct ctx *ctx, struct span subject,
                             struct span reason)
{
	(void)subject;
	return administration_revoke_all(ctx, reason);
}

static const struct kind {
	const char *name;
	bool wants_subject;
	revoke_subject *revoke;
} kinds[] = {
    {"token", true, revoke_token},
    {"user", true, revoke_user},
    {"tenant", true, revoke_tenant},
    {"all", false, revoke_all},
};

static const struct kind *find_kind(int count, char **words)
{
	for (size_t i = 0; count > 0 && i < sizeof(kinds) / sizeof(kinds[0]);
	     i++)
		if (strcmp(kinds[i].name, words[0]) == 0 &&
		    (!kinds[i].wants_subject ||
		     (count > 1 && words[1][0] != '-')))
			return &kinds[i];
	return NULL;
}

enum ctl_exit ctl_revoke(struct ctl *ctl, int count, char **words)
{
	const struct kind *kind = find_kind(count, words);
	const char *reason = ctl_option(count, words, "--reason");
	if (!kind) {
		fputs("usage: clavigerctl revoke token JTI | user EMAIL | "
		      "tenant ID | all [--reason WORD]\n",
		      stderr);
		return CTL_USAGE;
	}
	enum ctl_exit status = ctl_open(ctl, CTL_WITH_KEYS);
	if (status)
		return status;
	const char *subject = kind->wants_subject ? words[1] : "everything";
	enum fault fault =
	    kind->revoke(&ctl->ctx, span_of(subject),
	                 span_of(reason ? reason : REASON_DEFAULT));
	return fault ? ctl_fail(ctl, fault, subject) : CTL_OK;
}
