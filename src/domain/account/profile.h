/* SPDX-License-Identifier: Apache-2.0 */
/* What people change of their own account without a second thought. */
#ifndef DOMAIN_ACCOUNT_PROFILE_H
#define DOMAIN_ACCOUNT_PROFILE_H

#include "domain/ctx.h"

/* Give the signed-in user another name. Audits. */
enum fault profile_rename(struct ctx *ctx, struct span name);

#endif
