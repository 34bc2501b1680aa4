/* SPDX-License-Identifier: Apache-2.0 */
/* clavigerctl block: addresses that are not served. */
#include "domain/guard/block.h"
#include "base/clock.h"
#include "ctl/ctl.h"

#include <stdio.h>

#define LIST_PAGE 200

static enum ctl_exit usage(const char *words)
{
	fprintf(stderr, "usage: clavigerctl block %s\n", words);
	return CTL_USAGE;
}

static bool read_address(const char *word, struct ip_block *out)
{
	if (!ip_block_parse(span_of(word), out))
		return true;
	fprintf(stderr,
	        "clavigerctl: %s: use an address, or a CIDR block whose host "
	        "bits are zero\n",
	        word);
	return false;
}

static bool read_duration(const char *word, int64_t *out)
{
	if (!word)
		return true;
	if (!clock_parse_duration(span_of(word), out) && *out > 0)
		return true;
	fprintf(stderr, "clavigerctl: --for: use 30s, 15m, 1h or 7d\n");
	return false;
}

enum ctl_exit ctl_block_add(struct ctl *ctl, int count, char **words)
{
	struct block_record record;
	struct block_wish wish = {.force = BLOCK_FORCED};
	if (count < 1 || words[0][0] == '-')
		return usage("add ADDRESS|CIDR [--for 1h] [--reason TEXT]");
	const char *reason = ctl_option(count, words, "--reason");
	wish.reason = span_of(reason ? reason : "");
	if (!read_address(words[0], &wish.block) ||
	    !read_duration(ctl_option(count, words, "--for"),
	                   &wish.duration_ms))
		return CTL_USAGE;
	enum ctl_exit status = ctl_open(ctl, CTL_WITHOUT_KEYS);
	if (status)
		return status;
	enum fault fault = block_add(&ctl->ctx, &wish, &record);
	return fault ? ctl_fail(ctl, fault, words[0]) : CTL_OK;
}

enum ctl_exit ctl_block_remove(struct ctl *ctl, int count, char **words)
{
	struct ip_block block;
	if (count != 1)
		return usage("remove ADDRESS|CIDR");
	if (!read_address(words[0], &block))
		return CTL_USAGE;
	enum ctl_exit status = ctl_open(ctl, CTL_WITHOUT_KEYS);
	if (status)
		return status;
	enum fault fault = block_remove(&ctl->ctx, &block);
	return fault ? ctl_fail(ctl, fault, words[0]) : CTL_OK;
}

static void print_block(const struct block_record *record)
{
	char block[IP_BLOCK_TEXT_BYTES], until[CLOCK_RFC3339_BYTES];
	printf("%-43s  %-5s  %-20s  %.*s\n",
	       ip_block_format(&record->block, block),
	       record->is_automatic ? "auto" : "admin",
	       record->expires_at_ms
	           ? clock_format(record->expires_at_ms, until)
	           : "for ever",
	       (int)record->reason.length,
	       record->reason.at ? record->reason.at : "");
}

enum ctl_exit ctl_block_list(struct ctl *ctl, int count, char **words)
{
	(void)count;
	(void)words;
	const struct block_record *records;
	struct ip_block last;
	const struct ip_block *after = NULL;
	size_t found = LIST_PAGE;
	enum ctl_exit status = ctl_open(ctl, CTL_WITHOUT_KEYS);
	while (!status && found == LIST_PAGE) {
		enum fault fault =
		    block_list(&ctl->ctx, after, LIST_PAGE, &records, &found);
		if (fault)
			return ctl_fail(ctl, fault, "the list of blocks");
		for (size_t i = 0; i < found; i++)
			print_block(&records[i]);
		if (found) {
			last = records[found - 1].block;
			after = &last;
		}
		arena_reset(ctl->ctx.arena);
	}
	return status;
}
