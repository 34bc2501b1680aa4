/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema's version: numbered files sql/migrations/NNNN_name.sql, applied in
 * order, each once, recorded with its SHA-256.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "base/arena.h"
#include "store/db.h"

#include <stdbool.h>

/*
 * SHA-256 as 64 hex digits and a NUL: handed in, because this layer does not
 * see crypto.
 */
typedef enum fault schema_checksum(struct span bytes, char hex[65]);

/* Called for every migration in order: what it is, and whether it ran now. */
typedef void schema_report(void *argument, const char *name, bool applied_now);

/*
 * Apply what is missing from folder, one runner at a time (db_lock). Refuses
 * with FAULT_VALIDATION and a line in why: a file changed since it was applied,
 * a number missing or double, an applied migration without a file. Safe to
 * repeat; a migration that stopped half-way is named, and nothing runs on top
 * of it. Every other fault leaves its line in why too. Statements in a file end
 * with ';' (no DELIMITER); a file is at most 1 MiB and is read into the arena.
 */
enum fault schema_migrate(struct db *db, struct arena *arena,
                          const char *folder, schema_checksum *checksum,
                          schema_report *report, void *argument, char why[512]);

/*
 * The number of the newest applied migration; 0 for an empty database.
 */
enum fault schema_version(struct db *db, struct arena *arena, int64_t *out);

#endif
