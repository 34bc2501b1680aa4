/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern and a path, segment by segment; see route.h. */
#include "http/route.h"

#include <assert.h>
#include <string.h>

static bool is_parameter(struct span segment)
{
	return segment.length > 2 && segment.at[0] == '{' &&
	       segment.at[segment.length - 1] == '}';
}

/* One segment; a parameter's value is added to parameters. */
static bool match_segment(struct span pattern, struct span segment,
                          struct route_parameters *parameters)
{
	if (!is_parameter(pattern))
		return span_equal(pattern, segment);
	if (!segment.length)
		return false;
	assert(parameters->count < ROUTE_PARAMETERS_LIMIT);
	parameters->at[parameters->count++] = segment;
	return true;
}

/* What stands before the first '{' stands for itself: most patterns end here.
 */
static bool has_head(const char *pattern, struct span path)
{
	struct span head = {pattern, strcspn(pattern, "{")};

	return span_starts_with(path, head);
}

bool route_match(const char *pattern, struct span path,
                 struct route_parameters *out)
{
	struct route_parameters parameters = {0};
	struct span rest = span_of(pattern);
	struct span wanted;
	struct span given;

	if (!has_head(pattern, path))
		return false;
	while (span_cut(&rest, '/', &wanted)) {
		if (!span_cut(&path, '/', &given) ||
		    !match_segment(wanted, given, &parameters))
			return false;
	}
	if (path.at)
		return false;
	*out = parameters;
	return true;
}
