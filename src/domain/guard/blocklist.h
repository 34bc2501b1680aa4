/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A published list of addresses as a file of sorted, merged ranges that is
 * mapped and shared by all processes: 100,000 entries are found in about 17
 * steps.
 */
#ifndef DOMAIN_GUARD_BLOCKLIST_H
#define DOMAIN_GUARD_BLOCKLIST_H

#include "base/fault.h"
#include "base/ip.h"

#include <stdbool.h>
#include <stdint.h>

struct blocklist;

/* FAULT_NOT_FOUND, FAULT_VALIDATION when it is no list of ours. */
enum fault blocklist_open(const char *path, struct blocklist **out);
void blocklist_close(struct blocklist *list);
bool blocklist_has(const struct blocklist *list, const struct ip *ip);

typedef void blocklist_progress(void *argument, int64_t done_bytes,
                                int64_t all_bytes);

/*
 * Build a list at path from a text of one address or CIDR block a line; empty
 * lines and what follows '#' or ';' are passed over. A line that is neither
 * gives FAULT_VALIDATION with its number in bad_line; host bits that are set
 * are taken as the block they lie in. Written beside its place and renamed.
 */
enum fault blocklist_build(const char *text_path, const char *path,
                           blocklist_progress *progress, void *argument,
                           int64_t *entries, int64_t *bad_line);

#endif
