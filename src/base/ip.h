/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and blocks of addresses. IPv4 is kept as IPv4-mapped IPv6, so that
 * ::ffff:192.0.2.1 and 192.0.2.1 are one address everywhere.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/fault.h"
#include "base/text.h"

#include <stdbool.h>

#define IP_TEXT_BYTES       46
#define IP_BLOCK_TEXT_BYTES 50

struct ip {
	unsigned char bytes[16];
};

struct ip_block {
	struct ip address;
	unsigned char prefix; /* bits of the 128: an IPv4 /24 is 120 */
};

/* Textual IPv4 or IPv6, no zone, no port; else FAULT_VALIDATION. */
enum fault ip_parse(struct span text, struct ip *out);

/* An address, or address/prefix with all host bits zero. */
enum fault ip_block_parse(struct span text, struct ip_block *out);

/* The same, but host bits may be set: it is the block that they lie in. */
enum fault ip_block_parse_around(struct span text, struct ip_block *out);

/* The shortest form (RFC 5952); mapped addresses as IPv4. Gives out back. */
const char *ip_format(const struct ip *ip, char out[IP_TEXT_BYTES]);

/* "192.0.2.0/24"; a block of one address as that address. Gives out back. */
const char *ip_block_format(const struct ip_block *block,
                            char out[IP_BLOCK_TEXT_BYTES]);

/* The prefix as it is written, of 32 for IPv4 and of 128 for IPv6. */
unsigned ip_block_prefix(const struct ip_block *block);

/* For people: 192.0.2.x, 2001:db8:1::/48 style, the host part hidden. */
const char *ip_format_masked(const struct ip *ip, char out[IP_TEXT_BYTES]);

bool ip_is_v4(const struct ip *ip);
bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_in_block(const struct ip *ip, const struct ip_block *block);

/* Below, at or above zero, as memcmp: the order of addresses. */
int ip_compare(const struct ip *a, const struct ip *b);

/* Whether all of the inner block lies in the outer one. */
bool ip_block_covers(const struct ip_block *outer,
                     const struct ip_block *inner);

/* The highest address of a block; its own address is the lowest. */
struct ip ip_block_last(const struct ip_block *block);

/* The client's network for counting: an IPv4 /32, an IPv6 /64. */
struct ip ip_network(const struct ip *ip);

/* What one customer may have many networks in: an IPv6 /48. */
struct ip ip_site(const struct ip *ip);

#endif
