/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs as 16 bytes and as text (RFC 9562). Making one is crypto/random.h. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/fault.h"
#include "base/text.h"

#include <stdbool.h>

#define UUID_TEXT_BYTES 37 /* 36 and the NUL */

struct uuid {
	unsigned char bytes[16];
};

/* Lower-case 8-4-4-4-12 text, ended by a NUL. Gives out back. */
const char *uuid_format(const struct uuid *uuid, char out[UUID_TEXT_BYTES]);
void uuid_append(struct text *text, const struct uuid *uuid);

/* Strict 8-4-4-4-12, hex digits of either case; else FAULT_VALIDATION. */
enum fault uuid_parse(struct span text, struct uuid *out);

bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *uuid);

#endif
