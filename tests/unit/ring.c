/* SPDX-License-Identifier: Apache-2.0 */
/* A key ring without a database; see ring.h. */
#include "ring.h"

#include "unit.h"

#include "crypto/random.h"

static const unsigned char master[SEAL_KEY_BYTES] = "the master of every ring";

void ring_add(struct keyring *ring, struct arena *arena,
              enum key_purpose purpose, const char *id, enum key_state state,
              int64_t retires_at_ms)
{
	struct key header = {
	    .purpose = purpose,
	    .state = state,
	    .retires_at_ms = retires_at_ms,
	};
	unsigned char bytes[SEAL_KEY_BYTES];
	char bound_to[96], memory[256];
	struct text blob = text_over(memory, sizeof(memory));

	random_bytes(bytes, sizeof(bytes));
	(void)snprintf(header.id, sizeof(header.id), "%s", id);
	(void)snprintf(bound_to, sizeof(bound_to), "%s:%s",
	               keyring_purpose_name(purpose), header.id);
	assert_int_equal(
	    seal_value(master, span_of(bound_to),
	               (struct span){(const char *)bytes, sizeof(bytes)},
	               &blob),
	    FAULT_NONE);
	assert_int_equal(keyring_add(ring, &header, text_span(&blob), arena),
	                 FAULT_NONE);
}

struct keyring *ring_make(struct arena *arena)
{
	struct keyring *ring = NULL;

	assert_int_equal(keyring_new(master, &ring), FAULT_NONE);
	for (int i = KEY_PURPOSE_NONE + 1; i < KEY_PURPOSE_COUNT; i++) {
		enum key_purpose purpose = (enum key_purpose)i;

		ring_add(ring, arena, purpose, keyring_purpose_name(purpose),
		         KEY_CURRENT, 0);
	}
	return ring;
}
