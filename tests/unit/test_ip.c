/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and blocks. */
#include "unit.h"

#include "base/ip.h"

static struct ip address(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(span_of(text), &ip), FAULT_NONE);
	return ip;
}

static struct ip_block block(const char *text)
{
	struct ip_block out;

	assert_int_equal(ip_block_parse(span_of(text), &out), FAULT_NONE);
	return out;
}

static void takes_a_mapped_address_for_ipv4(void **state)
{
	struct ip plain = address("192.0.2.1");
	struct ip mapped = address("::ffff:192.0.2.1");
	struct ip hex = address("0:0:0:0:0:FFFF:C000:0201");
	char text[IP_TEXT_BYTES];

	(void)state;
	assert_true(ip_equal(&plain, &mapped));
	assert_true(ip_equal(&plain, &hex));
	assert_true(ip_is_v4(&mapped));
	assert_string_equal(ip_format(&mapped, text), "192.0.2.1");
}

static void writes_the_shortest_form(void **state)
{
	static const char *const pairs[][2] = {
	    {"2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
	    {"::", "::"},
	    {"::1", "::1"},
	    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
	    {"0.0.0.0", "0.0.0.0"},
	};
	char text[IP_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct ip ip = address(pairs[i][0]);
		assert_string_equal(ip_format(&ip, text), pairs[i][1]);
	}
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "1.2.3",
	    "1.2.3.4.5",
	    "256.1.1.1",
	    "01.2.3.4",
	    " 1.2.3.4",
	    "1.2.3.4 ",
	    "1.2.3.4:80",
	    "0x7f.1",
	    "127.1",
	    "[::1]",
	    "fe80::1%eth0",
	    "::1::",
	    "12345::",
	    "::ffff:1.2.3",
	    "1.2.3.4/32",
	    "localhost",
	    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct ip ip = {{42}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(ip_parse(span_of(wrong[i]), &ip),
		                 FAULT_VALIDATION);
	assert_int_equal(ip_parse(SPAN("1.2.3.4\0"), &ip), FAULT_VALIDATION);
	assert_int_equal(ip.bytes[0], 42);
}

static void finds_addresses_in_their_block(void **state)
{
	static const struct {
		const char *block;
		const char *inside;
		const char *outside;
	} cases[] = {
	    {"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
	    {"10.0.0.0/8", "10.255.1.2", "11.0.0.0"},
	    {"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
	    {"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"},
	    {"0.0.0.0/0", "255.1.2.3", "::1"},
	    {"::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9"},
	    {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
	    {"::1", "::1", "::2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ip_block where = block(cases[i].block);
		struct ip inside = address(cases[i].inside);
		struct ip outside = address(cases[i].outside);
		assert_true(ip_in_block(&inside, &where));
		assert_false(ip_in_block(&outside, &where));
	}
}

static void refuses_what_is_no_block(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "/",
	    "/8",
	    "192.0.2.0/",
	    "192.0.2.1/24",
	    "192.0.2.0/33",
	    "192.0.2.0/-1",
	    "192.0.2.0/24/1",
	    "192.0.2.0/ 24",
	    "2001:db8::1/64",
	    "::/129",
	    "example.org/8",
	};
	struct ip_block out = {.prefix = 42};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(ip_block_parse(span_of(wrong[i]), &out),
		                 FAULT_VALIDATION);
	assert_int_equal(out.prefix, 42);
}

static struct ip_block block_of(const char *text)
{
	struct ip_block block = {0};

	assert_int_equal(ip_block_parse_around(span_of(text), &block),
	                 FAULT_NONE);
	return block;
}

static void finds_the_block_around_an_address(void **state)
{
	static const char *const pairs[][2] = {
	    {"192.0.2.77/24", "192.0.2.0/24"},
	    {"192.0.2.77", "192.0.2.77"},
	    {"192.0.2.77/32", "192.0.2.77"},
	    {"255.255.255.255/0", "0.0.0.0/0"},
	    {"::ffff:192.0.2.77/120", "192.0.2.0/24"},
	    {"2001:db8:1:2:3::4/48", "2001:db8:1::/48"},
	    {"2001:db8::1", "2001:db8::1"},
	    {"ffff::/0", "::/0"},
	};
	char text[IP_BLOCK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct ip_block block = block_of(pairs[i][0]);

		assert_string_equal(ip_block_format(&block, text), pairs[i][1]);
	}
}

static void knows_the_last_address_of_a_block(void **state)
{
	static const char *const pairs[][2] = {
	    {"192.0.2.0/24", "192.0.2.255"},
	    {"192.0.2.8/29", "192.0.2.15"},
	    {"192.0.2.7", "192.0.2.7"},
	    {"2001:db8::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"},
	};
	char text[IP_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct ip_block block = block_of(pairs[i][0]);
		struct ip last = ip_block_last(&block);

		assert_string_equal(ip_format(&last, text), pairs[i][1]);
		assert_true(ip_compare(&block.address, &last) <= 0);
	}
}

static void covers_what_lies_inside_whole(void **state)
{
	struct ip_block wide = block_of("192.0.2.0/24");
	struct ip_block narrow = block_of("192.0.2.128/25");
	struct ip_block beside = block_of("192.0.3.0/25");

	(void)state;
	assert_true(ip_block_covers(&wide, &wide));
	assert_true(ip_block_covers(&wide, &narrow));
	assert_false(ip_block_covers(&narrow, &wide));
	assert_false(ip_block_covers(&wide, &beside));
}

static void hides_the_host_from_people(void **state)
{
	struct ip v4 = address("192.0.2.77");
	struct ip v6 = address("2001:db8:1:2:3:4:5:6");
	char text[IP_TEXT_BYTES];

	(void)state;
	assert_string_equal(ip_format_masked(&v4, text), "192.0.2.x");
	assert_string_equal(ip_format_masked(&v6, text), "2001:db8:1::/48");
}

static void counts_clients_by_their_network(void **state)
{
	struct ip v4 = address("192.0.2.77");
	struct ip v6 = address("2001:db8:1:2:3:4:5:6");
	struct ip wanted = address("2001:db8:1:2::");
	struct ip network = ip_network(&v4);

	(void)state;
	assert_true(ip_equal(&network, &v4));
	network = ip_network(&v6);
	assert_true(ip_equal(&network, &wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_a_mapped_address_for_ipv4),
	    cmocka_unit_test(writes_the_shortest_form),
	    cmocka_unit_test(refuses_what_is_no_address),
	    cmocka_unit_test(finds_addresses_in_their_block),
	    cmocka_unit_test(refuses_what_is_no_block),
	    cmocka_unit_test(finds_the_block_around_an_address),
	    cmocka_unit_test(knows_the_last_address_of_a_block),
	    cmocka_unit_test(covers_what_lies_inside_whole),
	    cmocka_unit_test(hides_the_host_from_people),
	    cmocka_unit_test(counts_clients_by_their_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
