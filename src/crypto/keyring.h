/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys in force, in locked memory that core files leave out. The ring
 * itself lives in MariaDB, sealed under the master key (domain/vault); this is
 * what a process holds of it. Each key has one purpose and cannot be fetched
 * for another.
 */
#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/seal.h"

#include <stdint.h>

#define KEYRING_ID_BYTES 33 /* 32 characters of [A-Za-z0-9_-] and the NUL */
#define KEYRING_LIMIT    64

enum key_purpose {
	KEY_PURPOSE_NONE = 0,
	KEY_ACCESS_TOKEN,    /* HS256 of access tokens */
	KEY_PASSWORD_PEPPER, /* HMAC of passwords before Argon2id */
	KEY_CSRF,            /* HMAC of session ids */
	KEY_OUTBOX,          /* seals mail that waits to be sent */
	KEY_CURSOR,          /* HMAC of list cursors */
	KEY_PURPOSE_COUNT
};

enum key_state {
	KEY_STATE_NONE = 0,
	KEY_NEXT,     /* known, not used yet */
	KEY_CURRENT,  /* makes and checks */
	KEY_RETIRING, /* checks only, until retires_at_ms */
	KEY_RETIRED,
};

struct key {
	char id[KEYRING_ID_BYTES];
	enum key_purpose purpose;
	enum key_state state;
	int64_t created_at_ms;
	int64_t retires_at_ms; /* 0: none */
	unsigned char bytes[SEAL_KEY_BYTES];
	struct mac *mac; /* ready HMAC-SHA-256 of bytes */
};

struct keyring;

/* The purpose's and state's stable names ("access_token", "current"). */
const char *keyring_purpose_name(enum key_purpose purpose);
const char *keyring_state_name(enum key_state state);
enum key_purpose keyring_purpose_parse(struct span name);
enum key_state keyring_state_parse(struct span name);

/*
 * Get the master key, 32 bytes written as 64 hex digits or base64/base64url:
 * the first that is there of the file (must be private to its owner), the
 * systemd credential "claviger-master-key", the output of the command (run by
 * /bin/sh), MASTER_ENCRYPTION_KEY, which is wiped from the environment.
 * FAULT_VALIDATION with a line for people in why when there is none, when it
 * is short, or when the file is not private.
 */
enum fault keyring_read_master(const char *file, const char *command,
                               unsigned char out[SEAL_KEY_BYTES],
                               char why[256]);

/* An empty ring under this master key (copied). Locked memory. */
enum fault keyring_new(const unsigned char master[SEAL_KEY_BYTES],
                       struct keyring **out);
void keyring_free(struct keyring *ring);

/* Forget every key but the master, before the rows are read anew. */
void keyring_clear(struct keyring *ring);

/*
 * Unseal one row into the ring; the blob is bound to "purpose:id".
 * FAULT_VALIDATION when it does not open under the master key.
 */
enum fault keyring_add(struct keyring *ring, const struct key *header,
                       struct span blob, struct arena *arena);

/* Make a new random key: header->id and bytes are filled in; blob for its row.
 */
enum fault keyring_make(struct keyring *ring, struct key *header,
                        struct text *blob);

/* The current key of a purpose; NULL when the ring has none. */
const struct key *keyring_current(const struct keyring *ring,
                                  enum key_purpose purpose);

/* A key that may still check (current or retiring at now), or NULL. */
const struct key *keyring_find(const struct keyring *ring,
                               enum key_purpose purpose, struct span id,
                               int64_t now_ms);

#endif
