/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and blocks: what is read is written so that it reads the same. */
#include "fuzz.h"

#include "base/ip.h"

#include <string.h>

static void try_address(struct span input)
{
	char text[IP_TEXT_BYTES];
	struct ip ip;
	struct ip again;

	if (ip_parse(input, &ip))
		return;
	fuzz_require(!ip_parse(span_of(ip_format(&ip, text)), &again));
	fuzz_require(ip_equal(&ip, &again));
	fuzz_require(strlen(ip_format_masked(&ip, text)) < sizeof(text));
	again = ip_network(&ip);
	fuzz_require(ip_is_v4(&again) == ip_is_v4(&ip));
}

static void try_block(struct span input)
{
	char text[IP_BLOCK_TEXT_BYTES];
	struct ip_block block;
	struct ip_block again;
	struct ip outside;

	if (ip_block_parse_around(input, &block))
		return;
	fuzz_require(
	    !ip_block_parse(span_of(ip_block_format(&block, text)), &again));
	fuzz_require(ip_equal(&again.address, &block.address));
	fuzz_require(again.prefix == block.prefix);
	fuzz_require(block.prefix <= 128);
	fuzz_require(ip_in_block(&block.address, &block));
	outside = ip_block_last(&block);
	fuzz_require(ip_in_block(&outside, &block));
	if (block.prefix == 0)
		return;
	outside = block.address;
	outside.bytes[(block.prefix - 1) / 8] ^=
	    (unsigned char)(0x80 >> (block.prefix - 1) % 8);
	fuzz_require(!ip_in_block(&outside, &block));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct span input = {(const char *)bytes, length};

	try_address(input);
	try_block(input);
	return 0;
}
