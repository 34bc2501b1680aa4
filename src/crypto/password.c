/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Argon2id over an HMAC of the password; see password.h. PHC strings are read
 * and written here and not by libargon2, because their cost must be known
 * before it is paid and because the memory is ours to choose. Strength is
 * password_strength.c's.
 */
#include "crypto/password.h"

#include "base/encode.h"
#include "crypto/random.h"

#include <argon2.h>
#include <string.h>
#include <sys/mman.h>

#define SALT_BYTES       16 /* of a new hash, and the least of a stored one */
#define SALT_LIMIT       48
#define HASH_BYTES       32
#define PASSES_MOST      16
#define MEMORY_LEAST_KIB ARGON2_MIN_MEMORY

/* What a PHC string says. */
struct phc {
	uint32_t memory_kib;
	uint32_t passes;
	uint32_t salt_length;
	unsigned char salt[SALT_LIMIT];
	unsigned char hash[HASH_BYTES];
};

/*
 * Memory for one hash. malloc would keep 19 MiB in each worker from the second
 * hash on (glibc stops mapping blocks of a size that was freed once), against
 * the 2 MB that a worker may weigh, so it is mapped and unmapped. Measured for
 * m=19456, t=2, ms of CPU: malloc and keep 17.0, map page by page 22.1, map
 * and populate 19.6, huge pages 18.1, huge pages and populate 17.9: within 5 %
 * of keeping it. Where huge pages are off, populating still helps. libargon2
 * wipes before it gives back.
 */
static int map_memory(uint8_t **memory, size_t bytes)
{
	void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mapped == MAP_FAILED)
		return ARGON2_MEMORY_ALLOCATION_ERROR;
	madvise(mapped, bytes, MADV_HUGEPAGE);
	madvise(mapped, bytes, MADV_POPULATE_WRITE);
	*memory = mapped;
	return ARGON2_OK;
}

static void unmap_memory(uint8_t *memory, size_t bytes)
{
	munmap(memory, bytes);
}

/* Argon2id of the peppered password with the cost and salt of phc. */
static enum fault compute(const struct phc *phc, struct span password,
                          struct mac *pepper, unsigned char out[HASH_BYTES])
{
	unsigned char peppered[DIGEST_SHA256_BYTES];
	unsigned char salt[SALT_LIMIT];
	argon2_context context = {
	    .out = out,
	    .outlen = HASH_BYTES,
	    .pwd = peppered,
	    .pwdlen = sizeof(peppered),
	    .salt = salt,
	    .saltlen = phc->salt_length,
	    .t_cost = phc->passes,
	    .m_cost = phc->memory_kib,
	    .lanes = 1,
	    .threads = 1,
	    .version = ARGON2_VERSION_13,
	    .allocate_cbk = map_memory,
	    .free_cbk = unmap_memory,
	};
	enum fault fault = mac_sign(pepper, &password, 1, peppered);
	int result;

	if (fault)
		return fault;
	memcpy(salt, phc->salt, sizeof(salt));
	result = argon2id_ctx(&context);
	digest_wipe(peppered, sizeof(peppered));
	if (result == ARGON2_MEMORY_ALLOCATION_ERROR)
		return FAULT_UNAVAILABLE;
	return result == ARGON2_OK ? FAULT_NONE : FAULT_INTERNAL;
}

/* PHC's base64 is RFC 4648 section 4 without padding. */
static void append_unpadded(struct text *text, const void *bytes, size_t length)
{
	char memory[2 * SALT_LIMIT];
	struct text encoded = text_over(memory, sizeof(memory));
	struct span span;

	base64_append(&encoded, bytes, length);
	span = text_span(&encoded);
	while (span.length && span.at[span.length - 1] == '=')
		span.length--;
	text_append(text, span);
}

static bool decode_unpadded(struct span encoded, void *out, size_t limit,
                            size_t *length)
{
	char url[2 * SALT_LIMIT];

	if (encoded.length > sizeof(url))
		return false;
	for (size_t i = 0; i < encoded.length; i++) {
		char byte = encoded.at[i];
		if (byte == '-' || byte == '_')
			return false;
		url[i] = (char)(byte == '+' ? '-' : byte == '/' ? '_' : byte);
	}
	return base64url_decode((struct span){url, encoded.length}, out, limit,
	                        length) == FAULT_NONE;
}

/* Move over a literal. */
static bool take(struct span *rest, struct span literal)
{
	if (!span_starts_with(*rest, literal))
		return false;
	rest->at += literal.length;
	rest->length -= literal.length;
	return true;
}

/* Move over a number without leading zeros and the byte that ends it. */
static bool take_number(struct span *rest, char end, uint32_t *out)
{
	struct span digits;
	uint64_t number = 0;

	if (!span_cut(rest, end, &digits) || !rest->at)
		return false;
	if (digits.length == 0 || digits.at[0] == '0' ||
	    span_number(digits, UINT32_MAX, &number))
		return false;
	*out = (uint32_t)number;
	return true;
}

/* "$argon2id$v=19$m=…,t=…,p=1$salt$hash", in that spelling alone. */
static bool parse(struct span text, struct phc *phc)
{
	struct span salt;
	size_t salt_length = 0;
	size_t hash_length = 0;

	if (!take(&text, SPAN("$argon2id$v=19$m=")) ||
	    !take_number(&text, ',', &phc->memory_kib) ||
	    !take(&text, SPAN("t=")) ||
	    !take_number(&text, ',', &phc->passes) ||
	    !take(&text, SPAN("p=1$")) || !span_cut(&text, '$', &salt) ||
	    !decode_unpadded(salt, phc->salt, SALT_LIMIT, &salt_length) ||
	    !decode_unpadded(text, phc->hash, HASH_BYTES, &hash_length))
		return false;
	phc->salt_length = (uint32_t)salt_length;
	return salt_length >= SALT_BYTES && hash_length == HASH_BYTES;
}

static bool is_affordable(uint32_t memory_kib, uint32_t passes, uint32_t cap)
{
	return memory_kib >= MEMORY_LEAST_KIB && memory_kib <= cap &&
	       passes >= 1 && passes <= PASSES_MOST;
}

static enum fault write_phc(const struct phc *phc, char out[PASSWORD_PHC_BYTES])
{
	struct text text = text_over(out, PASSWORD_PHC_BYTES - 1);

	text_append_cstr(&text, "$argon2id$v=19$m=");
	text_append_number(&text, phc->memory_kib);
	text_append_cstr(&text, ",t=");
	text_append_number(&text, phc->passes);
	text_append_cstr(&text, ",p=1$");
	append_unpadded(&text, phc->salt, phc->salt_length);
	text_append_byte(&text, '$');
	append_unpadded(&text, phc->hash, HASH_BYTES);
	out[text.length] = '\0';
	return text_check(&text);
}

enum fault password_hash(struct span password, struct mac *pepper,
                         const struct password_cost *cost,
                         char out[PASSWORD_PHC_BYTES])
{
	struct phc phc = {
	    .memory_kib = cost->memory_kib,
	    .passes = cost->passes,
	    .salt_length = SALT_BYTES,
	};
	enum fault fault = FAULT_INTERNAL;

	random_bytes(phc.salt, SALT_BYTES);
	if (is_affordable(cost->memory_kib, cost->passes, cost->memory_cap_kib))
		fault = compute(&phc, password, pepper, phc.hash);
	if (!fault)
		fault = write_phc(&phc, out);
	digest_wipe(&phc, sizeof(phc));
	return fault;
}

enum fault password_verify(struct span password, struct mac *pepper,
                           struct span phc, const struct password_cost *cost)
{
	struct phc stored = {0};
	unsigned char hash[HASH_BYTES];
	enum fault fault;

	if (!parse(phc, &stored) ||
	    !is_affordable(stored.memory_kib, stored.passes,
	                   cost->memory_cap_kib))
		return FAULT_INTERNAL;
	fault = compute(&stored, password, pepper, hash);
	if (!fault && !digest_equal(hash, stored.hash, HASH_BYTES))
		fault = FAULT_INVALID_CREDENTIALS;
	digest_wipe(hash, sizeof(hash));
	return fault;
}

bool password_is_outdated(struct span phc, const struct password_cost *cost)
{
	struct phc stored = {0};

	return !parse(phc, &stored) || stored.memory_kib != cost->memory_kib ||
	       stored.passes != cost->passes;
}
