/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The offline list of leaked passwords: a Bloom filter in a file, mapped and
 * shared by all processes (Bloom 1970). It never misses a listed password and
 * wrongly names about one in a million others. Keys are SHA-1, because public
 * lists come in that form.
 */
#ifndef DOMAIN_ACCOUNT_LEAKED_H
#define DOMAIN_ACCOUNT_LEAKED_H

#include "base/fault.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct leaked;

/*
 * Map a filter file. FAULT_NOT_FOUND when it is not there, FAULT_VALIDATION
 * when it is no filter of ours.
 */
enum fault leaked_open(const char *path, struct leaked **out);
void leaked_close(struct leaked *leaked);

/* Whether the password, as it is or in lower case, is on the list. */
bool leaked_has(const struct leaked *leaked, struct span password);

/* Called now and then while a list is read. */
typedef void leaked_progress(void *argument, int64_t done_bytes,
                             int64_t all_bytes);

/*
 * Build a filter at path from a list: one password a line, or 40 hex digits of
 * its SHA-1 and optionally ":count" (the form of Have I Been Pwned). Written
 * beside its place and renamed. FAULT_NOT_FOUND when the list cannot be read,
 * FAULT_UNAVAILABLE when the filter cannot be written, FAULT_VALIDATION for an
 * empty list.
 */
enum fault leaked_build(const char *list_path, const char *path,
                        leaked_progress *progress, void *argument,
                        int64_t *entries);

#endif
