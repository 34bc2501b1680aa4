/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses in their one spelling (requirements EN-05, LO-05, EM-07): what is
 * the same person is the same bytes, and nothing in an address can end a
 * header, add a recipient or be mistaken for another.
 */
#include "unit.h"

#include "domain/account/email.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)64 * 1024)

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	return arena_init(&arena, ARENA_BYTES) != FAULT_NONE;
}

static int tear_down(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	arena_reset(&arena);
	return 0;
}

/* The canonical form as a string, or NULL when there is none. */
static const char *canonical(struct span address)
{
	struct span out = {0};
	enum fault fault = email_canonical(&arena, address, &out);

	assert_true(fault == FAULT_NONE || fault == FAULT_VALIDATION);
	assert_true((fault == FAULT_NONE) == (out.at != NULL));
	return out.at;
}

static void expect(const char *address, const char *wanted)
{
	const char *found = canonical(span_of(address));

	arena_reset(&arena);
	if (!found)
		fail_msg("\"%s\" was refused", address);
	found = canonical(span_of(address));
	if (strcmp(found, wanted) != 0)
		fail_msg("\"%s\" became \"%s\"", address, found);
}

static void refuse(struct span address)
{
	const char *found = canonical(address);

	if (found)
		fail_msg("\"%.*s\" became \"%s\"", (int)address.length,
		         address.at ? address.at : "", found);
}

static void gives_every_variant_of_an_address_one_spelling(void **state)
{
	static const char *const variants[] = {
	    "alice@example.com",
	    "Alice@example.com",
	    "ALICE@EXAMPLE.COM",
	    "aLiCe@ExAmPlE.cOm",
	    " alice@example.com",
	    "alice@example.com ",
	    "\t alice@example.com \t",
	    "alice@example.com\r\n",
	    "\r\nalice@example.com",
	    /* full-width letters, and the full stops of other scripts */
	    "alice@\xef\xbd\x85\xef\xbd\x98\xef\xbd\x81mple.com",
	    "alice@example\xe3\x80\x82"
	    "com",
	    "alice@example\xef\xbc\x8e"
	    "com",
	    /* a soft hyphen and a zero-width space are nothing */
	    "alice@exam\xc2\xadple.com",
	    "alice@exam\xe2\x80\x8bple.com",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(variants); i++)
		expect(variants[i], "alice@example.com");
}

static void keeps_what_makes_another_mailbox(void **state)
{
	(void)state;
	expect("alice+tag@example.com", "alice+tag@example.com");
	expect("a.l.i.c.e@example.com", "a.l.i.c.e@example.com");
	expect("o'brien@example.com", "o'brien@example.com");
	expect("!#$%&'*+-/=?^_`{|}~@example.com",
	       "!#$%&'*+-/=?^_`{|}~@example.com");
	expect("1@2.example", "1@2.example");
	expect("alice@localhost", "alice@localhost");
	expect("a@b-c.example", "a@b-c.example");
}

static void writes_domains_of_every_script_as_a_labels(void **state)
{
	static const struct {
		const char *address;
		const char *wanted;
	} rows[] = {
	    {"alice@b\xc3\xbc"
	     "cher.example",
	     "alice@xn--bcher-kva.example"},
	    {"alice@B\xc3\x9c"
	     "CHER.example",
	     "alice@xn--bcher-kva.example"},
	    /* u and a combining diaeresis */
	    {"alice@bu\xcc\x88"
	     "cher.example",
	     "alice@xn--bcher-kva.example"},
	    {"alice@xn--bcher-kva.example", "alice@xn--bcher-kva.example"},
	    {"alice@XN--BCHER-KVA.example", "alice@xn--bcher-kva.example"},
	    {"alice@fa\xc3\x9f.example", "alice@xn--fa-hia.example"},
	    {"alice@\xe4\xbe\x8b\xe5\xad\x90.example",
	     "alice@xn--fsqu00a.example"},
	    {"alice@\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.example",
	     "alice@xn--e1afmkfd.example"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect(rows[i].address, rows[i].wanted);
}

/* Letters that look alike make another domain, and are seen to. */
static void keeps_homographs_apart(void **state)
{
	const char *cyrillic = canonical(SPAN("alice@ex\xd0\xb0mple.com"));
	const char *greek = canonical(SPAN("alice@\xce\xb5xample.com"));

	(void)state;
	assert_non_null(cyrillic);
	assert_non_null(greek);
	assert_memory_equal(cyrillic, "alice@xn--", 10);
	assert_memory_equal(greek, "alice@xn--", 10);
	assert_string_not_equal(cyrillic, greek);
	/* In the mailbox name there are none at all. */
	refuse(SPAN("\xd0\xb0lice@example.com"));
	refuse(SPAN("alic\xc3\xa9@example.com"));
	refuse(SPAN("\xef\xbd\x81lice@example.com"));
}

static void is_its_own_canonical_form(void **state)
{
	static const char *const addresses[] = {
	    "Alice@Example.COM",
	    "alice@f\xc3\xbcr.example",
	    "alice@ex\xd0\xb0mple.com",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		const char *once = canonical(span_of(addresses[i]));

		assert_non_null(once);
		assert_string_equal(canonical(span_of(once)), once);
	}
}

/* Each would do harm in a header, an envelope or a list of recipients. */
static void refuses_what_could_leave_its_place(void **state)
{
	static const char *const bad[] = {
	    "alice@example.com\r\nBcc: bob@example.com",
	    "alice@example.com\nBcc: bob@example.com",
	    "alice\r\nBcc: x@example.com",
	    "al\rice@example.com",
	    "alice@exam\nple.com",
	    "alice@example.com, bob@example.com",
	    "alice@example.com,bob@example.com",
	    "alice,bob@example.com",
	    "alice@example.com;bob@example.com",
	    "alice;bob@example.com",
	    "Alice <alice@example.com>",
	    "<alice@example.com>",
	    "alice@<example.com>",
	    "alice<b@example.com",
	    "\"alice\"@example.com",
	    "\"alice bob\"@example.com",
	    "\"a@b\"@example.com",
	    "alice\\@example.com",
	    "alice(comment)@example.com",
	    "alice@(comment)example.com",
	    "alice@[127.0.0.1]",
	    "alice@[IPv6:::1]",
	    "alice bob@example.com",
	    "alice @example.com",
	    "alice@ example.com",
	    "alice@exam ple.com",
	    "alice@example.com bob@example.com",
	    "group:alice@example.com;",
	    "@relay.example:alice@example.com",
	    "alice@b@example.com",
	    "alice@example.com@",
	    "alice@exam\xef\xbc\xa0ple.com", /* full-width @ */
	    "alice@exam_ple.com",
	    "alice@exam/ple.com",
	    "alice@example.com:25",
	    "alice@exam%ple.com",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(span_of(bad[i]));
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    "@",
	    "alice",
	    "alice@",
	    "@example.com",
	    ".alice@example.com",
	    "alice.@example.com",
	    "al..ice@example.com",
	    ".@example.com",
	    "alice@.example.com",
	    "alice@example.com.",
	    "alice@example..com",
	    "alice@.",
	    "alice@-example.com",
	    "alice@example-.com",
	    "alice@xn--",
	    "alice@xn--zzzzzzzz-",
	    "alice@\xcc\x88.example", /* begins with a combining mark */
	    "alice@\xff.example",     /* no UTF-8 */
	    "alice@\xc3.example",
	    "alice@\xed\xa0\x80.example", /* a surrogate */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(span_of(bad[i]));
	refuse((struct span){0});
}

static void refuses_control_characters_and_nul(void **state)
{
	char address[] = "alice@example.com";

	(void)state;
	for (int byte = 0; byte < 0x20; byte++) {
		address[2] = (char)byte;
		refuse((struct span){address, sizeof(address) - 1});
		address[2] = 'i';
		address[8] = (char)byte;
		refuse((struct span){address, sizeof(address) - 1});
		address[8] = 'a';
	}
	refuse(SPAN("alice\x7f@example.com"));
	refuse(SPAN("alice@exam\x7fple.com"));
	refuse(SPAN("alice@example.com\0"));
	refuse(SPAN("alice@example.com\0.evil.example"));
	refuse(SPAN("\0alice@example.com"));
}

/* An address of a local part, and labels that fill up the domain. */
static struct span address_of(size_t local_bytes, size_t domain_bytes,
                              size_t label_bytes)
{
	static char memory[1024];
	size_t at = local_bytes + 1;

	memset(memory, 'a', sizeof(memory));
	memory[local_bytes] = '@';
	for (size_t i = label_bytes; i < domain_bytes - 1; i += label_bytes + 1)
		memory[at + i] = '.';
	return (struct span){memory, at + domain_bytes};
}

static void measures_part_label_and_whole(void **state)
{
	(void)state;
	assert_non_null(canonical(address_of(64, 63, 63)));
	refuse(address_of(65, 63, 63));
	refuse(address_of(1, 64, 64));
	assert_non_null(canonical(address_of(64, 64 + 63, 63)));
	/* 254 bytes in all, and one more */
	assert_non_null(canonical(address_of(64, 189, 62)));
	refuse(address_of(64, 190, 62));
	assert_non_null(canonical(address_of(1, 252, 62)));
	refuse(address_of(1, 253, 62));
	refuse(address_of(1, 400, 62));
}

/* A short spelling of a domain whose A-labels are too long. */
static void measures_what_comes_out_not_what_went_in(void **state)
{
	char memory[256];
	struct text text = text_over(memory, sizeof(memory));

	(void)state;
	text_append_cstr(&text, "alice@");
	for (int i = 0; i < 40; i++)
		text_append_cstr(&text,
		                 i % 2 ? "\xe4\xbe\x8b" : "\xd0\xbf\xc3\xa9");
	text_append_cstr(&text, ".example");
	refuse(text_span(&text));
}

static void refuses_ten_kilobytes_at_once(void **state)
{
	static char memory[10 * 1024];
	size_t before = arena.used;

	(void)state;
	memset(memory, 'a', sizeof(memory));
	memory[5] = '@';
	refuse((struct span){memory, sizeof(memory)});
	memset(memory, ' ', sizeof(memory));
	refuse((struct span){memory, sizeof(memory)});
	assert_int_equal(arena.used, before);
}

/* Never half an address. */
static void says_when_the_arena_is_full(void **state)
{
	struct arena small;
	struct span out = {0};

	(void)state;
	assert_int_equal(arena_init(&small, 4096), FAULT_NONE);
	while (arena_alloc(&small, 1))
		;
	assert_int_equal(
	    email_canonical(&small, SPAN("alice@example.com"), &out),
	    FAULT_EXHAUSTED);
	assert_null(out.at);
	arena_release(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		gives_every_variant_of_an_address_one_spelling, empty),
	    cmocka_unit_test_teardown(keeps_what_makes_another_mailbox, empty),
	    cmocka_unit_test_teardown(
		writes_domains_of_every_script_as_a_labels, empty),
	    cmocka_unit_test_teardown(keeps_homographs_apart, empty),
	    cmocka_unit_test_teardown(is_its_own_canonical_form, empty),
	    cmocka_unit_test_teardown(refuses_what_could_leave_its_place,
	                              empty),
	    cmocka_unit_test_teardown(refuses_what_is_no_address, empty),
	    cmocka_unit_test_teardown(refuses_control_characters_and_nul,
	                              empty),
	    cmocka_unit_test_teardown(measures_part_label_and_whole, empty),
	    cmocka_unit_test_teardown(measures_what_comes_out_not_what_went_in,
	                              empty),
	    cmocka_unit_test_teardown(refuses_ten_kilobytes_at_once, empty),
	    cmocka_unit_test_teardown(says_when_the_arena_is_full, empty),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
