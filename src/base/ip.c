/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as 16 bytes; the C library reads and writes their text. */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const unsigned char mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

enum fault ip_parse(struct span text, struct ip *out)
{
	char string[IP_TEXT_BYTES];
	struct ip ip;

	if (!text.length || text.length >= sizeof(string) ||
	    span_has_byte(text, '\0'))
		return FAULT_VALIDATION;
	memcpy(string, text.at, text.length);
	string[text.length] = '\0';
	if (span_has_byte(text, ':')) {
		if (inet_pton(AF_INET6, string, ip.bytes) != 1)
			return FAULT_VALIDATION;
	} else {
		memcpy(ip.bytes, mapped_prefix, sizeof(mapped_prefix));
		if (inet_pton(AF_INET, string, ip.bytes + 12) != 1)
			return FAULT_VALIDATION;
	}
	*out = ip;
	return FAULT_NONE;
}

/* The byte at this index of a mask with so many leading ones. */
static unsigned char mask_byte(unsigned prefix, unsigned index)
{
	if (prefix >= 8 * (index + 1))
		return 0xff;
	if (prefix <= 8 * index)
		return 0;
	return (unsigned char)(0xff00U >> (prefix - 8 * index));
}

static struct ip without_host(const struct ip *ip, unsigned prefix)
{
	struct ip network;

	for (unsigned i = 0; i < sizeof(network.bytes); i++)
		network.bytes[i] = ip->bytes[i] & mask_byte(prefix, i);
	return network;
}

enum fault ip_block_parse_around(struct span text, struct ip_block *out)
{
	struct span address;
	struct ip_block block;
	uint64_t bits = 128;
	unsigned base;
	enum fault fault;

	if (!span_cut(&text, '/', &address))
		return FAULT_VALIDATION;
	fault = ip_parse(address, &block.address);
	if (fault)
		return fault;
	base = span_has_byte(address, ':') ? 0 : 96;
	if (text.at) {
		fault = span_number(text, 128 - base, &bits);
		if (fault)
			return fault;
		bits += base;
	}
	block.prefix = (unsigned char)bits;
	block.address = without_host(&block.address, block.prefix);
	*out = block;
	return FAULT_NONE;
}

enum fault ip_block_parse(struct span text, struct ip_block *out)
{
	struct span rest = text;
	struct span address;
	struct ip_block block;
	struct ip ip;
	enum fault fault;

	fault = ip_block_parse_around(text, &block);
	if (fault)
		return fault;
	if (!span_cut(&rest, '/', &address) || ip_parse(address, &ip) ||
	    !ip_equal(&ip, &block.address))
		return FAULT_VALIDATION;
	*out = block;
	return FAULT_NONE;
}

const char *ip_format(const struct ip *ip, char out[IP_TEXT_BYTES])
{
	if (ip_is_v4(ip))
		(void)inet_ntop(AF_INET, ip->bytes + 12, out, IP_TEXT_BYTES);
	else
		(void)inet_ntop(AF_INET6, ip->bytes, out, IP_TEXT_BYTES);
	return out;
}

static bool is_v4_block(const struct ip_block *block)
{
	return ip_is_v4(&block->address) && block->prefix >= 96;
}

unsigned ip_block_prefix(const struct ip_block *block)
{
	return block->prefix - (is_v4_block(block) ? 96U : 0U);
}

const char *ip_block_format(const struct ip_block *block,
                            char out[IP_BLOCK_TEXT_BYTES])
{
	size_t length;

	(void)ip_format(&block->address, out);
	if (block->prefix == 128)
		return out;
	length = strlen(out);
	(void)snprintf(out + length, IP_BLOCK_TEXT_BYTES - length, "/%u",
	               ip_block_prefix(block));
	return out;
}

const char *ip_format_masked(const struct ip *ip, char out[IP_TEXT_BYTES])
{
	const unsigned char *v4 = ip->bytes + 12;
	struct ip network;

	if (ip_is_v4(ip)) {
		(void)snprintf(out, IP_TEXT_BYTES, "%d.%d.%d.x", v4[0], v4[1],
		               v4[2]);
		return out;
	}
	network = without_host(ip, 48);
	(void)ip_format(&network, out);
	/* 80 zero bits at the end: the text ends in "::" and is short. */
	(void)strncat(out, "/48", IP_TEXT_BYTES - strlen(out) - 1);
	return out;
}

bool ip_is_v4(const struct ip *ip)
{
	return memcmp(ip->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ip_in_block(const struct ip *ip, const struct ip_block *block)
{
	struct ip network = without_host(ip, block->prefix);

	return ip_equal(&network, &block->address);
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool ip_block_covers(const struct ip_block *outer, const struct ip_block *inner)
{
	return outer->prefix <= inner->prefix &&
	       ip_in_block(&inner->address, outer);
}

struct ip ip_block_last(const struct ip_block *block)
{
	struct ip last = block->address;

	for (unsigned i = 0; i < sizeof(last.bytes); i++)
		last.bytes[i] |= (unsigned char)~mask_byte(block->prefix, i);
	return last;
}

struct ip ip_network(const struct ip *ip)
{
	return without_host(ip, ip_is_v4(ip) ? 128 : 64);
}

struct ip ip_site(const struct ip *ip)
{
	return without_host(ip, ip_is_v4(ip) ? 128 : 48);
}
