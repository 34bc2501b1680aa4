/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list: a header and ranges of addresses, first and last, both 16 bytes in
 * network order. They are sorted and neither overlap nor touch, so that an
 * address lies in the last range that begins at or below it, or in none.
 */
#include "domain/guard/blocklist.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES   4096
#define REPORT_EVERY 4096 /* lines */
#define FIRST_ROOM   1024 /* ranges */

struct header {
	char magic[8];
	uint64_t range_count;
	uint64_t entry_count;
	uint64_t reserved;
};
static const char magic[8] = {'C', 'L', 'V', 'B', 'L', 'C', 'K', '1'};

struct range {
	struct ip first;
	struct ip last;
};

struct blocklist {
	void *memory; /* the whole file */
	const struct header *header;
	const struct range *ranges;
	size_t size;
	struct stat about;
};

/* How many ranges begin at or below an address. */
static uint64_t count_up_to(const struct blocklist *list, const struct ip *ip)
{
	uint64_t low = 0, high = list->header->range_count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (ip_compare(&list->ranges[middle].first, ip) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool blocklist_has(const struct blocklist *list, const struct ip *ip)
{
	uint64_t count = count_up_to(list, ip);
	return count && ip_compare(ip, &list->ranges[count - 1].last) <= 0;
}

static bool is_whole(const struct blocklist *list)
{
	const struct header *header = list->header;
	size_t bytes = list->size - sizeof(*header);
	return memcmp(header->magic, magic, sizeof(magic)) == 0 &&
	       bytes % sizeof(struct range) == 0 &&
	       header->range_count == bytes / sizeof(struct range);
}

static enum fault map_file(int file, struct blocklist *list)
{
	if (fstat(file, &list->about) != 0)
		return FAULT_UNAVAILABLE;
	if (!S_ISREG(list->about.st_mode) ||
	    list->about.st_size < (off_t)sizeof(struct header))
		return FAULT_VALIDATION;
	list->size = (size_t)list->about.st_size;
	void *memory = mmap(NULL, list->size, PROT_READ, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		return FAULT_UNAVAILABLE;
	list->memory = memory;
	list->header = memory;
	list->ranges = (const struct range *)(list->header + 1);
	return is_whole(list) ? FAULT_NONE : FAULT_VALIDATION;
}

enum fault blocklist_open(const char *path, struct blocklist **out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return FAULT_NOT_FOUND;
	struct blocklist *list = calloc(1, sizeof(*list));
	enum fault fault = list ? map_file(file, list) : FAULT_EXHAUSTED;
	close(file);
	if (fault)
		blocklist_close(list);
	else
		*out = list;
	return fault;
}

void blocklist_close(struct blocklist *list)
{
	if (!list)
		return;
	if (list->memory)
		munmap(list->memory, list->size);
	free(list);
}

bool blocklist_is_current(const struct blocklist *list, const char *path)
{
	const struct stat *was = &list->about;
	struct stat is;
	return stat(path, &is) == 0 && is.st_dev == was->st_dev &&
	       is.st_ino == was->st_ino && is.st_size == was->st_size &&
	       is.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	       is.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

/* The ranges of a text that is being read. */
struct gathering {
	struct range *ranges;
	size_t count;
	size_t room;
};

static enum fault gather(struct gathering *gathering,
                         const struct ip_block *block)
{
	if (gathering->count == gathering->room) {
		size_t room =
		    gathering->room ? 2 * gathering->room : FIRST_ROOM;
		struct range *ranges =
		    reallocarray(gathering->ranges, room, sizeof(*ranges));
		if (!ranges)
			return FAULT_EXHAUSTED;
		gathering->ranges = ranges;
		gathering->room = room;
	}
	gathering->ranges[gathering->count++] = (struct range){
	    .first = block->address,
	    .last = ip_block_last(block),
	};
	return FAULT_NONE;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *left = a, *right = b;
	return ip_compare(&left->first, &right->first);
}

/* The address behind this one; behind the last of all is the first. */
static struct ip next_address(const struct ip *ip)
{
	struct ip next = *ip;
	for (size_t i = sizeof(next.bytes); i-- > 0;)
		if (++next.bytes[i])
			break;
	return next;
}

/* Whether a range that begins later belongs to the one before it. */
static bool touches(const struct range *before, const struct range *range)
{
	struct ip next = next_address(&before->last);
	return ip_compare(&range->first, &before->last) <= 0 ||
	       ip_equal(&range->first, &next);
}

static void merge(struct gathering *gathering)
{
	struct range *ranges = gathering->ranges;
	size_t kept = 0;
	if (gathering->count)
		qsort(ranges, gathering->count, sizeof(*ranges),
		      compare_ranges);
	for (size_t i = 0; i < gathering->count; i++) {
		if (!kept || !touches(&ranges[kept - 1], &ranges[i]))
			ranges[kept++] = ranges[i];
		else if (ip_compare(&ranges[i].last, &ranges[kept - 1].last) >
		         0)
			ranges[kept - 1].last = ranges[i].last;
	}
	gathering->count = kept;
}

enum fault blocklist_read_line(struct span line, struct ip_block *out,
                               bool *has_block)
{
	struct span head, text;
	*has_block = false;
	if (!span_cut(&line, '#', &head) || !span_cut(&head, ';', &text))
		return FAULT_NONE;
	text = span_trim(text);
	if (!text.length)
		return FAULT_NONE;
	enum fault fault = ip_block_parse_around(text, out);
	*has_block = !fault;
	return fault;
}

/* A text being read. */
struct reading {
	FILE *text;
	int64_t all_bytes;
	int64_t done_bytes;
	blocklist_progress *progress;
	void *argument;
	struct blocklist_report *report;
};

static void tell(const struct reading *reading)
{
	if (reading->progress)
		reading->progress(reading->argument, reading->done_bytes,
		                  reading->all_bytes);
}

static enum fault read_lines(struct reading *reading, char **memory,
                             size_t *room, struct gathering *gathering)
{
	struct ip_block block;
	bool has_block;
	ssize_t length;
	enum fault fault = FAULT_NONE;
	for (int64_t i = 1;
	     !fault && (length = getline(memory, room, reading->text)) > 0;
	     i++) {
		struct span line = {*memory, (size_t)length};
		reading->done_bytes += length;
		fault = blocklist_read_line(line, &block, &has_block);
		if (fault)
			reading->report->bad_line = i;
		else if (has_block)
			fault = gather(gathering, &block);
		if (!fault && i % REPORT_EVERY == 0)
			tell(reading);
	}
	return fault;
}

static enum fault read_text(struct reading *reading,
                            struct gathering *gathering)
{
	char *memory = NULL;
	size_t room = 0;
	enum fault fault = read_lines(reading, &memory, &room, gathering);
	free(memory);
	if (!fault && ferror(reading->text))
		fault = FAULT_NOT_FOUND;
	if (fault)
		return fault;
	tell(reading);
	if (!gathering->count)
		return FAULT_VALIDATION;
	reading->report->entries = (int64_t)gathering->count;
	merge(gathering);
	reading->report->ranges = (int64_t)gathering->count;
	return FAULT_NONE;
}

static bool write_list(FILE *file, const struct gathering *gathering,
                       int64_t entries)
{
	struct header header = {
	    .range_count = gathering->count,
	    .entry_count = (uint64_t)entries,
	};
	memcpy(header.magic, magic, sizeof(magic));
	return fwrite(&header, sizeof(header), 1, file) == 1 &&
	       fwrite(gathering->ranges, sizeof(struct range), gathering->count,
	              file) == gathering->count &&
	       fflush(file) == 0 && fsync(fileno(file)) == 0;
}

/* In a file of its own beside the place: two at once do not mix. */
static enum fault store(const struct gathering *gathering, const char *path,
                        int64_t entries)
{
	char draft[PATH_BYTES];
	int length = snprintf(draft, sizeof(draft), "%s.XXXXXX", path);
	int file =
	    length < (int)sizeof(draft) ? mkostemp(draft, O_CLOEXEC) : -1;
	if (file < 0)
		return FAULT_UNAVAILABLE;
	FILE *stream = fdopen(file, "w");
	bool is_written = stream && fchmod(file, 0644) == 0 &&
	                  write_list(stream, gathering, entries);
	if (stream)
		fclose(stream);
	else
		close(file);
	if (is_written && rename(draft, path) == 0)
		return FAULT_NONE;
	unlink(draft);
	return FAULT_UNAVAILABLE;
}

enum fault blocklist_build(const char *text_path, const char *path,
                           blocklist_progress *progress, void *argument,
                           struct blocklist_report *report)
{
	struct gathering gathering = {0};
	struct stat about;
	struct reading reading = {
	    .text = fopen(text_path, "re"),
	    .progress = progress,
	    .argument = argument,
	    .report = report,
	};
	*report = (struct blocklist_report){0};
	if (!reading.text)
		return FAULT_NOT_FOUND;
	if (fstat(fileno(reading.text), &about) == 0)
		reading.all_bytes = about.st_size;
	enum fault fault = read_text(&reading, &gathering);
	fclose(reading.text);
	if (!fault)
		fault = store(&gathering, path, report->entries);
	free(gathering.ranges);
	return fault;
}
