/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL of the record; for audit.c alone. */
#ifndef DOMAIN_AUDIT_AUDIT_STORE_H
#define DOMAIN_AUDIT_AUDIT_STORE_H

#include "domain/audit/audit.h"

/* One event with everything filled in that its row holds. */
struct audit_entry {
	struct uuid id;
	int64_t at_ms;
	struct span type;
	struct span severity;
	const struct audit_event *event;
	const struct uuid *actor_id;
	struct uuid user_id, tenant_id, session_id;
};

enum fault audit_store_insert(struct ctx *ctx, const struct audit_entry *entry);
enum fault audit_store_list(struct ctx *ctx, const struct audit_filter *filter,
                            const struct audit_record **out, size_t *count);
enum fault audit_store_expire(struct ctx *ctx, int64_t before_ms);

#endif
