/* SPDX-License-Identifier: Apache-2.0 */
/* UUID text, both ways; see uuid.h. */
#include "base/uuid.h"

#include "base/encode.h"

#include <string.h>

/* Bytes of the five groups: 8-4-4-4-12 digits. */
static const unsigned char groups[] = {4, 2, 2, 2, 6};

#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

void uuid_append(struct text *text, const struct uuid *uuid)
{
	char digits[UUID_TEXT_BYTES];

	text_append_cstr(text, uuid_format(uuid, digits));
}

const char *uuid_format(const struct uuid *uuid, char out[UUID_TEXT_BYTES])
{
	struct text text = text_over(out, UUID_TEXT_BYTES - 1);
	const unsigned char *bytes = uuid->bytes;

	for (size_t i = 0; i < GROUP_COUNT; i++) {
		if (i)
			text_append_byte(&text, '-');
		hex_append(&text, bytes, groups[i]);
		bytes += groups[i];
	}
	out[UUID_TEXT_BYTES - 1] = '\0';
	return out;
}

enum fault uuid_parse(struct span text, struct uuid *out)
{
	struct uuid uuid;
	unsigned char *bytes = uuid.bytes;
	struct span group;
	enum fault fault;

	for (size_t i = 0; i < GROUP_COUNT; i++) {
		if (!span_cut(&text, '-', &group))
			return FAULT_VALIDATION;
		fault = hex_decode(group, bytes, groups[i]);
		if (fault)
			return fault;
		bytes += groups[i];
	}
	if (text.at)
		return FAULT_VALIDATION;
	*out = uuid;
	return FAULT_NONE;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool uuid_is_nil(const struct uuid *uuid)
{
	static const struct uuid nil;

	return uuid_equal(uuid, &nil);
}
