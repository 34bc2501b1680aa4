/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a blocklist, line by line: what is taken is a whole block. */
#include "fuzz.h"

#include "domain/guard/blocklist.h"

static void try_line(struct span line)
{
	char text[IP_BLOCK_TEXT_BYTES];
	struct ip_block block;
	struct ip_block again;
	struct ip last;
	bool has_block = true;

	if (blocklist_read_line(line, &block, &has_block)) {
		fuzz_require(!has_block);
		return;
	}
	if (!has_block)
		return;
	last = ip_block_last(&block);
	fuzz_require(ip_compare(&block.address, &last) <= 0);
	fuzz_require(ip_in_block(&last, &block));
	/* It is written without the comment, and then read the same. */
	fuzz_require(!blocklist_read_line(
	    span_of(ip_block_format(&block, text)), &again, &has_block));
	fuzz_require(has_block && ip_block_covers(&again, &block) &&
	             ip_block_covers(&block, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct span rest = {(const char *)bytes, length};
	struct span line;

	while (span_cut(&rest, '\n', &line))
		try_line(line);
	return 0;
}
