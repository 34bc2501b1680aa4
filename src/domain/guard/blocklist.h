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
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct blocklist;

/*
 * Map a list. FAULT_NOT_FOUND when it is not there, FAULT_VALIDATION when it
 * is no list of ours.
 */
enum fault blocklist_open(const char *path, struct blocklist **out);
void blocklist_close(struct blocklist *list);
bool blocklist_has(const struct blocklist *list, const struct ip *ip);

/* Whether path is still the file that was mapped. */
bool blocklist_is_current(const struct blocklist *list, const char *path);

/* Called now and then while a text is read. */
typedef void blocklist_progress(void *argument, int64_t done_bytes,
                                int64_t all_bytes);

/* What became of a text: lines with an address, ranges when merged. */
struct blocklist_report {
	int64_t entries;
	int64_t ranges;
	int64_t bad_line; /* with FAULT_VALIDATION; else 0 */
};

/*
 * Build a list at path from a text of one address or CIDR block a line; empty
 * lines and what follows '#' or ';' are passed over; host bits that are set
 * are taken as the block they lie in. Written beside its place and renamed.
 * FAULT_NOT_FOUND when the text cannot be read, FAULT_UNAVAILABLE when the list
 * cannot be written, FAULT_EXHAUSTED without memory, FAULT_VALIDATION for a
 * line that is neither, and (bad_line 0) for a text without any address, which
 * is a download that failed rather than a wish. Nothing has changed then.
 */
enum fault blocklist_build(const char *text_path, const char *path,
                           blocklist_progress *progress, void *argument,
                           struct blocklist_report *report);

/*
 * One line of such a text, without its end. has_block says whether there was
 * an address on it; FAULT_VALIDATION when there was something else.
 */
enum fault blocklist_read_line(struct span line, struct ip_block *out,
                               bool *has_block);

#endif
