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

#define IP_TEXT_BYTES 46

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

/* The shortest form (RFC 5952); mapped addresses as IPv4. Gives out back. */
const char *ip_format(const struct ip *ip, char out[IP_TEXT_BYTES]);

/* For people: 192.0.2.x, 2001:db8:1::/48 style, the host part hidden. */
const char *ip_format_masked(const struct ip *ip, char out[IP_TEXT_BYTES]);

bool ip_is_v4(const struct ip *ip);
bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_in_block(const struct ip *ip, const struct ip_block *block);

/* The client's network for counting: an IPv4 /32, an IPv6 /64. */
struct ip ip_network(const struct ip *ip);

#endif
