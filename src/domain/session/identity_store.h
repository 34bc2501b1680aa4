/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an identity is selected: shared by the statements that read more of a
 * user beside it. For *_store.c alone.
 */
#ifndef DOMAIN_SESSION_IDENTITY_STORE_H
#define DOMAIN_SESSION_IDENTITY_STORE_H

#include "domain/session/identity.h"

/* First parameter: the tenant, NULL for the user's home. */
#define IDENTITY_COLUMNS                                               \
	"u.id, m.tenant_id, u.email, u.pending_email, u.name, m.role," \
	" u.status = 'active' AND t.status = 'active',"                \
	" u.email_verified_at, u.created_at,"                          \
	" u.generation, t.generation, i.generation"
#define IDENTITY_COLUMN_COUNT 12
#define IDENTITY_FROM                                        \
	" FROM user u JOIN membership m ON m.user_id = u.id" \
	" AND m.tenant_id = COALESCE(?, u.home_tenant_id)"   \
	" JOIN tenant t ON t.id = m.tenant_id"               \
	" JOIN installation i ON i.id = 1"

/* Read the columns above, of which row is the first. */
struct identity identity_store_read(const struct db_value *row);

#endif
