/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter: a header and a bit array. The 20 probes of a key are made from
 * two 64-bit words of its SHA-1 (Kirsch and Mitzenmacher 2006); 29 bits a key
 * give a false answer in about a million.
 */
#include "domain/account/leaked.h"

#include "base/encode.h"
#include "crypto/digest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBES       20
#define BITS_A_KEY   29
#define FOLD_BYTES   1024
#define LINE_BYTES   4096
#define HEX_DIGITS   (2 * DIGEST_SHA1_BYTES)
#define REPORT_EVERY 65536

struct header {
	char magic[8];
	uint64_t bit_count;
	uint64_t entry_count;
	uint64_t reserved;
};
static const char magic[8] = {'C', 'L', 'V', 'L', 'E', 'A', 'K', '1'};

struct leaked {
	struct header *header;
	unsigned char *bits;
	size_t size;
};

static uint64_t word_at(const unsigned char *bytes)
{
	uint64_t word = 0;
	for (int i = 0; i < 8; i++)
		word = word << 8 | bytes[i];
	return word;
}

/* The bit of probe i. The second word is made odd, so that no probe stands. */
static uint64_t probe(const unsigned char sha1[DIGEST_SHA1_BYTES], unsigned i,
                      uint64_t bit_count)
{
	return (word_at(sha1) + i * (word_at(sha1 + 8) | 1)) % bit_count;
}

static bool has_key(const struct leaked *leaked,
                    const unsigned char sha1[DIGEST_SHA1_BYTES])
{
	for (unsigned i = 0; i < PROBES; i++) {
		uint64_t bit = probe(sha1, i, leaked->header->bit_count);
		if (!(leaked->bits[bit / 8] & (1u << bit % 8)))
			return false;
	}
	return true;
}

static void add_key(struct leaked *leaked,
                    const unsigned char sha1[DIGEST_SHA1_BYTES])
{
	for (unsigned i = 0; i < PROBES; i++) {
		uint64_t bit = probe(sha1, i, leaked->header->bit_count);
		leaked->bits[bit / 8] |= (unsigned char)(1u << bit % 8);
	}
	leaked->header->entry_count++;
}

/* ASCII letters in lower case; FAULT_VALIDATION when too long to fold. */
static enum fault fold(struct span password, char folded[FOLD_BYTES],
                       struct span *out)
{
	if (password.length > FOLD_BYTES)
		return FAULT_VALIDATION;
	for (size_t i = 0; i < password.length; i++) {
		char byte = password.at[i];
		if (byte >= 'A' && byte <= 'Z')
			byte = (char)(byte - 'A' + 'a');
		folded[i] = byte;
	}
	*out = (struct span){folded, password.length};
	return FAULT_NONE;
}

bool leaked_has(const struct leaked *leaked, struct span password)
{
	unsigned char sha1[DIGEST_SHA1_BYTES];
	char memory[FOLD_BYTES];
	struct span folded;
	bool found = !digest_sha1(password, sha1) && has_key(leaked, sha1);
	if (!found && !fold(password, memory, &folded))
		found = !digest_sha1(folded, sha1) && has_key(leaked, sha1);
	digest_wipe(memory, sizeof(memory));
	return found;
}

/* Map size bytes of an open file. */
static enum fault map_file(int file, size_t size, int protection,
                           struct leaked **out)
{
	struct leaked *leaked = calloc(1, sizeof(*leaked));
	if (!leaked)
		return FAULT_UNAVAILABLE;
	void *memory = mmap(NULL, size, protection, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED) {
		free(leaked);
		return FAULT_UNAVAILABLE;
	}
	leaked->header = memory;
	leaked->bits = (unsigned char *)memory + sizeof(struct header);
	leaked->size = size;
	*out = leaked;
	return FAULT_NONE;
}

static bool is_whole(const struct leaked *leaked)
{
	const struct header *header = leaked->header;
	return memcmp(header->magic, magic, sizeof(magic)) == 0 &&
	       header->bit_count >= 8 && header->bit_count % 8 == 0 &&
	       header->bit_count / 8 == leaked->size - sizeof(*header);
}

enum fault leaked_open(const char *path, struct leaked **out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return FAULT_NOT_FOUND;
	struct stat about;
	enum fault fault = FAULT_VALIDATION;
	struct leaked *leaked = NULL;
	if (fstat(file, &about) == 0 && S_ISREG(about.st_mode) &&
	    about.st_size > (off_t)sizeof(struct header))
		fault =
		    map_file(file, (size_t)about.st_size, PROT_READ, &leaked);
	close(file);
	if (!fault && !is_whole(leaked)) {
		leaked_close(leaked);
		return FAULT_VALIDATION;
	}
	if (!fault)
		*out = leaked;
	return fault;
}

void leaked_close(struct leaked *leaked)
{
	if (!leaked)
		return;
	munmap(leaked->header, leaked->size);
	free(leaked);
}

/* A list being read. */
struct reading {
	FILE *list;
	int64_t all_bytes;
	int64_t done_bytes;
	leaked_progress *progress;
	void *argument;
};

/* The next line without its end; false at the end of the list. */
static bool next_line(struct reading *reading, char memory[LINE_BYTES],
                      struct span *line)
{
	if (!fgets(memory, LINE_BYTES, reading->list))
		return false;
	size_t length = strlen(memory);
	reading->done_bytes += (int64_t)length;
	while (length > 0 &&
	       (memory[length - 1] == '\n' || memory[length - 1] == '\r'))
		length--;
	*line = (struct span){memory, length};
	return true;
}

/* "<40 hex>" or "<40 hex>:<count>". */
static bool is_hashed(struct span line, unsigned char sha1[DIGEST_SHA1_BYTES])
{
	struct span hex = line;
	if (line.length > HEX_DIGITS && line.at[HEX_DIGITS] == ':')
		hex.length = HEX_DIGITS;
	return hex.length == HEX_DIGITS &&
	       !hex_decode(hex, sha1, DIGEST_SHA1_BYTES);
}

static void add_line(struct leaked *leaked, struct span line)
{
	unsigned char sha1[DIGEST_SHA1_BYTES];
	char memory[FOLD_BYTES];
	struct span folded;
	if (line.length == 0)
		return;
	if (is_hashed(line, sha1)) {
		add_key(leaked, sha1);
		return;
	}
	if (!digest_sha1(line, sha1))
		add_key(leaked, sha1);
	if (!fold(line, memory, &folded) && !span_equal(folded, line) &&
	    !digest_sha1(folded, sha1))
		add_key(leaked, sha1);
}

static int64_t count_lines(struct reading *reading)
{
	char memory[LINE_BYTES];
	struct span line;
	int64_t count = 0;
	while (next_line(reading, memory, &line))
		count++;
	rewind(reading->list);
	reading->done_bytes = 0;
	return count;
}

static void add_lines(struct reading *reading, struct leaked *leaked)
{
	char memory[LINE_BYTES];
	struct span line;
	for (int64_t i = 1; next_line(reading, memory, &line); i++) {
		add_line(leaked, line);
		if (reading->progress && i % REPORT_EVERY == 0)
			reading->progress(reading->argument,
			                  reading->done_bytes,
			                  reading->all_bytes);
	}
	if (reading->progress)
		reading->progress(reading->argument, reading->done_bytes,
		                  reading->all_bytes);
}

/* A line may add two keys: itself and its lower case. */
static uint64_t bits_for(int64_t lines)
{
	uint64_t bits = (uint64_t)lines * 2 * BITS_A_KEY;
	return (bits + 4096) / 8 * 8;
}

static enum fault build(struct reading *reading, const char *draft,
                        int64_t lines, int64_t *entries)
{
	int file = open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file < 0)
		return FAULT_UNAVAILABLE;
	struct leaked *filter;
	uint64_t bits = bits_for(lines);
	size_t size = sizeof(struct header) + bits / 8;
	enum fault fault = FAULT_UNAVAILABLE;
	/* Blocks are reserved now: a full disk must not be a SIGBUS later. */
	if (posix_fallocate(file, 0, (off_t)size) == 0)
		fault = map_file(file, size, PROT_READ | PROT_WRITE, &filter);
	if (!fault) {
		memcpy(filter->header->magic, magic, sizeof(magic));
		filter->header->bit_count = bits;
		add_lines(reading, filter);
		*entries = (int64_t)filter->header->entry_count;
		leaked_close(filter);
		if (fsync(file) != 0)
			fault = FAULT_UNAVAILABLE;
	}
	close(file);
	return fault;
}

static enum fault build_and_rename(struct reading *reading, const char *path,
                                   int64_t *entries)
{
	char draft[LINE_BYTES];
	int64_t lines = count_lines(reading);
	if (lines == 0)
		return FAULT_VALIDATION;
	snprintf(draft, sizeof(draft), "%s.tmp", path);
	enum fault fault = build(reading, draft, lines, entries);
	if (!fault && rename(draft, path) != 0)
		fault = FAULT_UNAVAILABLE;
	if (fault)
		unlink(draft);
	return fault;
}

enum fault leaked_build(const char *list_path, const char *path,
                        leaked_progress *progress, void *argument,
                        int64_t *entries)
{
	struct stat about;
	struct reading reading = {
	    .list = fopen(list_path, "re"),
	    .progress = progress,
	    .argument = argument,
	};
	if (!reading.list)
		return FAULT_NOT_FOUND;
	if (fstat(fileno(reading.list), &about) == 0)
		reading.all_bytes = about.st_size;
	enum fault fault = build_and_rename(&reading, path, entries);
	fclose(reading.list);
	return fault;
}
