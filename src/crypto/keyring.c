/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that a process holds; see keyring.h. Reading the master key is
 * keyring_master.c's.
 */
#include "crypto/keyring.h"

#include "base/encode.h"
#include "base/log.h"
#include "crypto/random.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define ID_RANDOM_BYTES 12 /* 16 characters of base64url */

/*
 * Locked and left out of core files. Not MADV_DONTFORK: a child that touched
 * its parent's ring would die, and one that execs leaves it behind anyway.
 * Not MADV_WIPEONFORK: a child would sign with zeros. A lock is not inherited;
 * workers make their ring after fork.
 */
struct keyring {
	unsigned char master[SEAL_KEY_BYTES];
	size_t count;
	struct key keys[KEYRING_LIMIT];
};

static const char *const purpose_names[] = {
    [KEY_ACCESS_TOKEN] = "access_token",
    [KEY_PASSWORD_PEPPER] = "password_pepper",
    [KEY_CSRF] = "csrf",
    [KEY_OUTBOX] = "outbox",
    [KEY_CURSOR] = "cursor",
    [KEY_DEVICE] = "device",
    [KEY_CAPTCHA] = "captcha",
    [KEY_SUBJECT] = "subject",
};
static_assert(sizeof(purpose_names) / sizeof(purpose_names[0]) ==
                  KEY_PURPOSE_COUNT,
              "every purpose has its name");

static const char *const state_names[] = {
    [KEY_NEXT] = "next",
    [KEY_CURRENT] = "current",
    [KEY_RETIRING] = "retiring",
    [KEY_RETIRED] = "retired",
};
#define STATE_COUNT (sizeof(state_names) / sizeof(state_names[0]))
static_assert(STATE_COUNT == KEY_RETIRED + 1, "every state has its name");

const char *keyring_purpose_name(enum key_purpose purpose)
{
	if (purpose <= KEY_PURPOSE_NONE || purpose >= KEY_PURPOSE_COUNT)
		return "unknown";
	return purpose_names[purpose];
}

const char *keyring_state_name(enum key_state state)
{
	if (state <= KEY_STATE_NONE || state >= STATE_COUNT)
		return "unknown";
	return state_names[state];
}

/* The index of a name behind the zero row, or 0. */
static size_t find_name(const char *const *names, size_t count,
                        struct span name)
{
	for (size_t i = 1; i < count; i++)
		if (span_equal(span_of(names[i]), name))
			return i;
	return 0;
}

enum key_purpose keyring_purpose_parse(struct span name)
{
	return (enum key_purpose)find_name(purpose_names, KEY_PURPOSE_COUNT,
	                                   name);
}

enum key_state keyring_state_parse(struct span name)
{
	return (enum key_state)find_name(state_names, STATE_COUNT, name);
}

/* Keep the pages out of swap and core files, as far as the kernel lets us. */
static void protect(struct keyring *ring)
{
	static bool is_told;

	madvise(ring, sizeof(*ring), MADV_DONTDUMP);
	if (mlock(ring, sizeof(*ring)) == 0 || is_told)
		return;
	is_told = true;
	log_note(LOG_WARNING, "keyring_not_locked", strerror(errno));
}

enum fault keyring_new(const unsigned char master[SEAL_KEY_BYTES],
                       struct keyring **out)
{
	struct keyring *ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE,
	                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ring == MAP_FAILED)
		return FAULT_UNAVAILABLE;
	protect(ring);
	memcpy(ring->master, master, SEAL_KEY_BYTES);
	*out = ring;
	return FAULT_NONE;
}

void keyring_clear(struct keyring *ring)
{
	for (size_t i = 0; i < ring->count; i++)
		mac_free(ring->keys[i].mac);
	digest_wipe(ring->keys, sizeof(ring->keys));
	ring->count = 0;
}

void keyring_free(struct keyring *ring)
{
	if (!ring)
		return;
	keyring_clear(ring);
	digest_wipe(ring, sizeof(*ring));
	munmap(ring, sizeof(*ring));
}

static bool is_id_character(char byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

bool keyring_id_is_valid(struct span id)
{
	if (!id.length || id.length >= KEYRING_ID_BYTES)
		return false;
	for (size_t i = 0; i < id.length; i++)
		if (!is_id_character(id.at[i]))
			return false;
	return true;
}

static bool header_is_valid(const struct key *header)
{
	return memchr(header->id, '\0', sizeof(header->id)) &&
	       keyring_id_is_valid(span_of(header->id)) &&
	       header->purpose > KEY_PURPOSE_NONE &&
	       header->purpose < KEY_PURPOSE_COUNT &&
	       header->state > KEY_STATE_NONE && header->state <= KEY_RETIRED;
}

#define BINDING_BYTES 64 /* the longest purpose, ':' and id with room left */

/* "purpose:id", which the row's blob is bound to. */
static struct span binding_of(const struct key *header,
                              char memory[BINDING_BYTES])
{
	struct text text = text_over(memory, BINDING_BYTES);

	text_append_cstr(&text, purpose_names[header->purpose]);
	text_append_byte(&text, ':');
	text_append_cstr(&text, header->id);
	assert(!text.overflowed);
	return text_span(&text);
}

static bool is_held(const struct keyring *ring, const struct key *header)
{
	for (size_t i = 0; i < ring->count; i++)
		if (ring->keys[i].purpose == header->purpose &&
		    strcmp(ring->keys[i].id, header->id) == 0)
			return true;
	return false;
}

/* Put the opened key behind the last one. */
static enum fault take(struct keyring *ring, const struct key *header,
                       struct span opened)
{
	struct key *key = &ring->keys[ring->count];
	struct mac *mac;
	enum fault fault;

	if (opened.length != SEAL_KEY_BYTES)
		return FAULT_VALIDATION;
	fault = mac_new(opened.at, opened.length, &mac);
	if (fault)
		return fault;
	*key = *header;
	memcpy(key->bytes, opened.at, SEAL_KEY_BYTES);
	key->mac = mac;
	ring->count++;
	return FAULT_NONE;
}

enum fault keyring_add(struct keyring *ring, const struct key *header,
                       struct span blob, struct arena *arena)
{
	char memory[BINDING_BYTES];
	struct span opened;
	enum fault fault;

	if (!header_is_valid(header) || is_held(ring, header))
		return FAULT_VALIDATION;
	if (ring->count == KEYRING_LIMIT)
		return FAULT_EXHAUSTED;
	fault = seal_open(ring->master, binding_of(header, memory), blob, arena,
	                  &opened);
	if (fault)
		return fault;
	return take(ring, header, opened);
}

enum fault keyring_make(struct keyring *ring, struct key *header,
                        struct text *blob)
{
	char memory[BINDING_BYTES];
	unsigned char drawn[ID_RANDOM_BYTES];
	struct text id = text_over(header->id, KEYRING_ID_BYTES - 1);

	if (header->purpose <= KEY_PURPOSE_NONE ||
	    header->purpose >= KEY_PURPOSE_COUNT)
		return FAULT_INTERNAL;
	random_bytes(drawn, sizeof(drawn));
	base64url_append(&id, drawn, sizeof(drawn));
	header->id[id.length] = '\0';
	random_bytes(header->bytes, sizeof(header->bytes));
	return seal_value(
	    ring->master, binding_of(header, memory),
	    (struct span){(const char *)header->bytes, sizeof(header->bytes)},
	    blob);
}

const struct key *keyring_current(const struct keyring *ring,
                                  enum key_purpose purpose)
{
	const struct key *newest = NULL;

	/* While two hosts rotate at once there may be two for a moment. */
	for (size_t i = 0; i < ring->count; i++) {
		const struct key *key = &ring->keys[i];
		if (key->purpose == purpose && key->state == KEY_CURRENT &&
		    (!newest || key->created_at_ms > newest->created_at_ms))
			newest = key;
	}
	return newest;
}

static bool may_check(const struct key *key, int64_t now_ms)
{
	if (key->state == KEY_RETIRING)
		return !key->retires_at_ms || now_ms < key->retires_at_ms;
	return key->state == KEY_CURRENT;
}

const struct key *keyring_find(const struct keyring *ring,
                               enum key_purpose purpose, struct span id,
                               int64_t now_ms)
{
	for (size_t i = 0; i < ring->count; i++) {
		const struct key *key = &ring->keys[i];
		if (key->purpose == purpose &&
		    span_equal(span_of(key->id), id) && may_check(key, now_ms))
			return key;
	}
	return NULL;
}
