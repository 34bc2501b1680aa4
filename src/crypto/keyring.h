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

#include <stdbool.h>
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
	KEY_DEVICE,          /* HMAC of known-device cookies */
	KEY_CAPTCHA,         /* HMAC of captcha challenges */
	KEY_SUBJECT,         /* HMAC of the subjects of failure counters */
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

/* Whether this is 1 … 32 characters of [A-Za-z0-9_-]. */
bool keyring_id_is_valid(struct span id);

/*
 * Get the master key, 32 bytes written as 64 hex digits or base64/base64url on
 * one line: the first that is there of the file (must be private to its
 * owner), the systemd credential "claviger-master-key", the output of the
 * command (run by /bin/sh), MASTER_ENCRYPTION_KEY. The last is wiped from the
 * environment in any case. file and command may be NULL or "". A file that
 * does not exist is not there; one that cannot be read is refused.
 * FAULT_VALIDATION with a line for people in why when there is none, when it
 * is not such a key, when the file is not private or the command fails.
 */
enum fault keyring_read_master(const char *file, const char *command,
                               unsigned char out[SEAL_KEY_BYTES],
                               char why[256]);

/*
 * An empty ring under this master key (copied), in locked memory; where the
 * limit on locked memory forbids that, in memory that core files leave out,
 * with one warning in the log. Make it after fork: a lock is not inherited.
 */
enum fault keyring_new(const unsigned char master[SEAL_KEY_BYTES],
                       struct keyring **out);
void keyring_free(struct keyring *ring);

/* Forget every key but the master, before the rows are read anew. */
void keyring_clear(struct keyring *ring);

/*
 * Unseal one row into the ring; the blob is bound to "purpose:id". bytes and
 * mac of header are not looked at. FAULT_VALIDATION when it does not open
 * under the master key, is no 32-byte key, has a header that is not valid, or
 * is in the ring already; FAULT_EXHAUSTED over KEYRING_LIMIT. The opened key
 * stays in the arena until its reset.
 */
enum fault keyring_add(struct keyring *ring, const struct key *header,
                       struct span blob, struct arena *arena);

/*
 * Make a new random key of header->purpose: header->id (16 characters) and
 * bytes are filled in, and blob is what its row stores. The ring itself stays
 * as it was; wipe header after use.
 */
enum fault keyring_make(struct keyring *ring, struct key *header,
                        struct text *blob);

/* The newest current key of a purpose; NULL when the ring has none. */
const struct key *keyring_current(const struct keyring *ring,
                                  enum key_purpose purpose);

/* A key that may still check (current or retiring at now), or NULL. */
const struct key *keyring_find(const struct keyring *ring,
                               enum key_purpose purpose, struct span id,
                               int64_t now_ms);

#endif
