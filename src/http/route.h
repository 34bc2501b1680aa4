/* SPDX-License-Identifier: Apache-2.0 */
/* Matching a path against a pattern like "/api/v1/users/{id}". */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define ROUTE_PARAMETERS_LIMIT 4

struct route_parameters {
	size_t count;
	struct span at[ROUTE_PARAMETERS_LIMIT]; /* in the pattern's order */
};

/*
 * Whether the path is of this pattern: equal but for {name} segments, which
 * match one non-empty segment. No trailing slash, case counts.
 */
bool route_match(const char *pattern, struct span path,
                 struct route_parameters *out);

#endif
