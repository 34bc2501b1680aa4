/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of every mail. Each message is taken apart again by a reader that
 * knows no mercy (RFC 5322, RFC 2046), with harmless and with hostile values:
 * those may change words, and nothing else.
 */
#include "unit.h"

#include "base/encode.h"
#include "domain/outbox/mail_text.h"

#include <ctype.h>

#define MESSAGE_BYTES 16384
#define LINE_LIMIT    998
#define HEADERS_MOST  12
#define LINK          "https://localhost:8443/verify.html#token=abc-DEF_123"
/* Thursday, 15 January 2026, 10:30. */
#define NOW INT64_C(1768473000000)

static struct config config;
static const struct ctx ctx = {.config = &config, .now_ms = NOW};
static const struct uuid id = {
    {0x01, 0x9b, 0xc0, 0xde, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x2a}};

static int set_up(void **state)
{
	(void)state;
	config_defaults(&config);
	config.mail.from = "no-reply@mail.example";
	config.mail.from_name = "Claviger";
	config.mail.product = "Claviger";
	return 0;
}

struct field {
	struct span name, value;
};

struct part {
	struct field fields[HEADERS_MOST];
	size_t field_count;
	struct span body;
};

struct message {
	struct part head; /* its body is everything behind */
	struct part parts[2];
};

/* The line up to its CR LF, which must be one. */
static struct span next_line(struct span *rest)
{
	const char *end = memmem(rest->at, rest->length, "\r\n", 2);
	struct span line = {rest->at, 0};

	assert_non_null(end);
	line.length = (size_t)(end - rest->at);
	assert_true(line.length <= LINE_LIMIT);
	assert_false(span_has_byte(line, '\r'));
	assert_false(span_has_byte(line, '\n'));
	rest->at += line.length + 2;
	rest->length -= line.length + 2;
	return line;
}

/* RFC 5322, 2.2: printable ASCII, in a header as in its name. */
static void check_header_line(struct span line)
{
	for (size_t i = 0; i < line.length; i++)
		assert_true(line.at[i] >= ' ' && line.at[i] <= '~');
}

static struct span value_of(const struct part *part, const char *name)
{
	for (size_t i = 0; i < part->field_count; i++)
		if (span_equal_ascii_case(part->fields[i].name, span_of(name)))
			return part->fields[i].value;
	return (struct span){0};
}

static void add_field(struct part *part, struct span line)
{
	struct field *field = &part->fields[part->field_count];
	struct span rest = line;

	assert_true(part->field_count < HEADERS_MOST);
	assert_true(span_cut(&rest, ':', &field->name) && rest.length > 1);
	assert_int_equal(rest.at[0], ' ');
	for (size_t i = 0; i < field->name.length; i++)
		assert_true(isalnum((unsigned char)field->name.at[i]) ||
		            field->name.at[i] == '-');
	field->value = span_trim(rest);
	assert_null(value_of(part, "Bcc").at);
	part->field_count++;
}

/* The fields up to the empty line; a folded line belongs to its field. */
static void read_part(struct span bytes, struct part *out)
{
	struct span rest = bytes, line;

	*out = (struct part){0};
	for (line = next_line(&rest); line.length; line = next_line(&rest)) {
		check_header_line(line);
		if (line.at[0] == ' ') {
			struct span *value =
			    &out->fields[out->field_count - 1].value;

			value->length =
			    (size_t)(line.at + line.length - value->at);
			continue;
		}
		add_field(out, line);
	}
	out->body = rest;
}

/* The boundary of the head's Content-Type. */
static struct span boundary_of(const struct part *head)
{
	static const char before[] = "multipart/alternative;\r\n boundary=\"";
	struct span type = value_of(head, "Content-Type");

	assert_true(span_starts_with(type, SPAN(before)));
	assert_int_equal(type.at[type.length - 1], '"');
	type.at += sizeof(before) - 1;
	type.length -= sizeof(before);
	assert_true(type.length > 0 && type.length <= 70);
	return type;
}

static bool is_delimiter(struct span line, struct span boundary,
                         const char *behind)
{
	char memory[128];
	struct text text = text_over(memory, sizeof(memory));

	text_append_cstr(&text, "--");
	text_append(&text, boundary);
	text_append_cstr(&text, behind);
	return span_equal(line, text_span(&text));
}

/* Exactly two parts, nothing before, between and behind. */
static void read_parts(struct message *out)
{
	struct span boundary = boundary_of(&out->head);
	struct span rest = out->head.body, line;

	assert_true(is_delimiter(next_line(&rest), boundary, ""));
	for (int i = 0; i < 2; i++) {
		const char *from = rest.at;

		do {
			line = next_line(&rest);
		} while (!is_delimiter(line, boundary, i ? "--" : ""));
		read_part((struct span){from, (size_t)(line.at - from)},
		          &out->parts[i]);
		assert_true(utf8_is_valid(out->parts[i].body));
		assert_false(span_has_byte(out->parts[i].body, '\0'));
	}
	assert_int_equal(rest.length, 0);
}

static struct span render(const struct mail *mail)
{
	static char memory[MESSAGE_BYTES];
	struct text text = text_over(memory, sizeof(memory));

	mail_text_render(&ctx, mail, &id, &text);
	assert_int_equal(text_check(&text), FAULT_NONE);
	return text_span(&text);
}

/* Render and take apart. */
static struct message read_mail(const struct mail *mail)
{
	struct message message;

	read_part(render(mail), &message.head);
	read_parts(&message);
	return message;
}

static struct mail mail_of(int template)
{
	return (struct mail){
	    .template = (enum mail_template) template,
	    .to = SPAN("alice@example.com"),
	    .name = SPAN("Alice"),
	    .link = SPAN(LINK),
	    .detail = SPAN("new@example.com"),
	};
}

static bool has(struct span whole, const char *part)
{
	return memmem(whole.at, whole.length, part, strlen(part)) != NULL;
}

static void makes_every_mail_of_two_parts(void **state)
{
	(void)state;
	for (int i = MAIL_NONE + 1; i < MAIL_TEMPLATE_COUNT; i++) {
		struct mail mail = mail_of(i);
		struct message message = read_mail(&mail);

		for (int part = 0; part < 2; part++) {
			const struct part *at = &message.parts[part];

			assert_int_equal(at->field_count, 2);
			assert_span_equal(value_of(at, "Content-Type"),
			                  part ? "text/html; charset=utf-8"
			                       : "text/plain; charset=utf-8");
			assert_span_equal(
			    value_of(at, "Content-Transfer-Encoding"), "8bit");
			assert_true(has(at->body, "Hello Alice,"));
			assert_true(has(at->body, LINK));
			assert_true(has(at->body, "Claviger"));
			/* Every placeholder was filled in. */
			assert_false(has(at->body, "{"));
			assert_false(has(at->body, "}"));
		}
	}
}

static void says_from_whom_to_whom_and_when(void **state)
{
	(void)state;
	for (int i = MAIL_NONE + 1; i < MAIL_TEMPLATE_COUNT; i++) {
		struct mail mail = mail_of(i);
		struct part head = read_mail(&mail).head;

		assert_int_equal(head.field_count, 8);
		assert_span_equal(value_of(&head, "From"),
		                  "\"Claviger\" <no-reply@mail.example>");
		assert_span_equal(value_of(&head, "To"), "<alice@example.com>");
		assert_span_equal(value_of(&head, "Date"),
		                  "Thu, 15 Jan 2026 10:30:00 +0000");
		assert_span_equal(
		    value_of(&head, "Message-ID"),
		    "<019bc0de-0000-7000-8000-00000000002a@mail.example>");
		assert_span_equal(value_of(&head, "MIME-Version"), "1.0");
		assert_span_equal(value_of(&head, "Auto-Submitted"),
		                  "auto-generated");
		assert_true(value_of(&head, "Subject").length > 5);
	}
}

/* A mail that is sent twice is seen to be the same. */
static void renders_the_same_bytes_again(void **state)
{
	static char before[MESSAGE_BYTES];
	struct mail mail = mail_of(MAIL_VERIFY);
	struct span first = render(&mail);
	size_t length = first.length;

	(void)state;
	memcpy(before, first.at, length);
	first = render(&mail);
	assert_int_equal(first.length, length);
	assert_memory_equal(first.at, before, length);
}

static void has_a_subject_and_name_for_each(void **state)
{
	(void)state;
	for (int i = MAIL_NONE + 1; i < MAIL_TEMPLATE_COUNT; i++) {
		struct span name =
		    span_of(mail_text_name((enum mail_template)i));

		assert_int_equal(mail_text_template(name), i);
		for (int j = MAIL_NONE + 1; j < i; j++)
			assert_string_not_equal(
			    name.at, mail_text_name((enum mail_template)j));
	}
	assert_int_equal(mail_text_template(SPAN("")), MAIL_NONE);
	assert_int_equal(mail_text_template(SPAN("Verify")), MAIL_NONE);
	assert_int_equal(mail_text_template(SPAN("verify\0")), MAIL_NONE);
	assert_int_equal(mail_text_template((struct span){0}), MAIL_NONE);
}

static void tells_how_long_a_link_lives(void **state)
{
	static const struct {
		int template;
		int64_t ms;
		const char *words;
	} rows[] = {
	    {MAIL_VERIFY, 24 * 3600000, "for 24 hours."},
	    {MAIL_VERIFY, 3600000, "for 1 hour."},
	    {MAIL_VERIFY, 90 * 60000, "for 90 minutes."},
	    {MAIL_VERIFY, 60000, "for 1 minute."},
	    {MAIL_VERIFY, 61000, "for 61 seconds."},
	    {MAIL_VERIFY, 2 * 86400000, "for 2 days."},
	    {MAIL_VERIFY, 49 * 3600000, "for 49 hours."},
	};
	struct mail mail;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct message message;

		config.account.verify_ttl = rows[i].ms;
		mail = mail_of(rows[i].template);
		message = read_mail(&mail);
		assert_true(has(message.parts[0].body, rows[i].words));
		assert_true(has(message.parts[1].body, rows[i].words));
	}
	mail = mail_of(MAIL_RESET);
	assert_true(has(read_mail(&mail).parts[0].body, "for 1 hour."));
	mail = mail_of(MAIL_EMAIL_CHANGED);
	assert_true(has(read_mail(&mail).parts[0].body, "for 7 days,"));
}

static void calls_who_has_no_name_by_address(void **state)
{
	struct mail mail = mail_of(MAIL_VERIFY);
	struct message message;

	(void)state;
	mail.name = SPAN("");
	message = read_mail(&mail);
	assert_true(has(message.parts[0].body, "Hello alice@example.com,"));
	assert_true(has(message.parts[1].body, "Hello alice@example.com,"));
}

static void leaves_the_link_out_where_there_is_none(void **state)
{
	struct mail mail = mail_of(MAIL_VERIFY);
	struct message message;

	(void)state;
	mail.link = SPAN("");
	message = read_mail(&mail);
	assert_false(has(message.parts[1].body, "href"));
	assert_false(has(message.parts[0].body, "Confirm this address"));
}

static size_t count_byte(struct span bytes, char byte)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes.length; i++)
		count += bytes.at[i] == byte;
	return count;
}

/* What people can put into a name, and would do harm in another place. */
static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "</p></body></html><img src=x onerror=alert(1)>",
    "\"><a href='https://evil.example'>click</a>",
    "' onmouseover='alert(1)",
    "&lt;b&gt; &#60;script&#62;",
    "<!-- ",
    "]]><![CDATA[",
    "{name}",
    "{detail}{product}{unknown}",
    "{",
    "}",
    "{{name}}",
    "%s%n%x",
    "Bcc: everybody@example.com",
    "--claviger-019bc0de-0000-7000-8000-00000000002a--",
    "--claviger-019bc0de-0000-7000-8000-00000000002a",
    "=?utf-8?B?PHNjcmlwdD4=?=",
    "=0D=0ABcc: x@example.com",
    "\xe2\x80\xae right to left",
    "\xe2\x80\xa8 a line separator",
    "alice@example.com>, <bob@example.com",
    ".",
    "..",
};

/* The head, the tags and the parts are those of a harmless mail. */
static void expect_only_words(const struct mail *mail)
{
	static char harmless[MESSAGE_BYTES];
	struct mail plain = mail_of((int)mail->template);
	struct message message, wanted;
	struct span bytes = render(&plain);

	memcpy(harmless, bytes.at, bytes.length);
	read_part((struct span){harmless, bytes.length}, &wanted.head);
	read_parts(&wanted);
	message = read_mail(mail);
	for (size_t i = 0; i < wanted.head.field_count; i++)
		assert_true(span_equal(message.head.fields[i].value,
		                       wanted.head.fields[i].value));
	assert_int_equal(message.head.field_count, wanted.head.field_count);
	assert_int_equal(count_byte(message.parts[1].body, '<'),
	                 count_byte(wanted.parts[1].body, '<'));
	assert_int_equal(count_byte(message.parts[1].body, '>'),
	                 count_byte(wanted.parts[1].body, '>'));
	assert_int_equal(count_byte(message.parts[1].body, '"'),
	                 count_byte(wanted.parts[1].body, '"'));
	assert_int_equal(count_byte(message.parts[1].body, '\n'),
	                 count_byte(wanted.parts[1].body, '\n'));
	assert_int_equal(count_byte(message.parts[0].body, '\n'),
	                 count_byte(wanted.parts[0].body, '\n'));
}

static void lets_hostile_values_change_words_alone(void **state)
{
	(void)state;
	for (int i = MAIL_NONE + 1; i < MAIL_TEMPLATE_COUNT; i++)
		for (size_t j = 0; j < COUNT_OF(hostile); j++) {
			struct mail mail = mail_of(i);

			mail.name = span_of(hostile[j]);
			expect_only_words(&mail);
			mail = mail_of(i);
			mail.detail = span_of(hostile[j]);
			expect_only_words(&mail);
		}
}

static void shows_hostile_values_as_they_are(void **state)
{
	struct mail mail = mail_of(MAIL_VERIFY);
	struct message message;

	(void)state;
	mail.name = SPAN("<b>&\"'{name}</b>");
	message = read_mail(&mail);
	assert_true(has(message.parts[0].body, "Hello <b>&\"'{name}</b>,"));
	assert_true(has(message.parts[1].body,
	                "<p>Hello &lt;b&gt;&amp;&quot;&#39;{name}&lt;/b&gt;,"));
}

static void quotes_a_link_for_its_attribute(void **state)
{
	struct mail mail = mail_of(MAIL_VERIFY);
	struct message message;

	(void)state;
	mail.link = SPAN("https://a.example/?a=1&b=\"><script>");
	message = read_mail(&mail);
	assert_true(has(message.parts[1].body,
	                "href=\"https://a.example/?a=1&amp;b=&quot;&gt;"
	                "&lt;script&gt;\">"));
}

/*
 * No name gets here with a line end in it. Should one, then the head stays, and
 * the boundary, which is made after the name, is one that it cannot know.
 */
static void keeps_head_and_parts_even_with_line_ends(void **state)
{
	static const char *const values[] = {
	    "x\r\nBcc: bob@example.com",
	    "x\r\n\r\n--claviger-00000000-0000-0000-0000-000000000000--\r\n",
	    "x\r\n.\r\nMAIL FROM:<a@example.com>",
	};

	(void)state;
	for (int i = MAIL_NONE + 1; i < MAIL_TEMPLATE_COUNT; i++)
		for (size_t j = 0; j < COUNT_OF(values); j++) {
			struct mail mail = mail_of(i);

			mail.name = span_of(values[j]);
			assert_int_equal(read_mail(&mail).head.field_count, 8);
		}
}

static void keeps_lines_in_bounds_with_the_longest_values(void **state)
{
	char name[480], address[254], link[600];

	(void)state;
	for (size_t i = 0; i < sizeof(name); i += 4)
		memcpy(name + i, "\xf0\x9f\x90\xb4", 4);
	memset(address, 'a', sizeof(address));
	address[64] = '@';
	memset(link, 'l', sizeof(link));
	for (int i = MAIL_NONE + 1; i < MAIL_TEMPLATE_COUNT; i++) {
		struct mail mail = mail_of(i);

		mail.name = (struct span){name, sizeof(name)};
		mail.to = (struct span){address, sizeof(address)};
		mail.detail = mail.to;
		mail.link = (struct span){link, sizeof(link)};
		read_mail(&mail);
	}
}

static void says_when_there_is_no_room(void **state)
{
	struct mail mail = mail_of(MAIL_VERIFY);
	size_t whole = render(&mail).length;
	char memory[MESSAGE_BYTES];

	(void)state;
	for (size_t limit = 0; limit <= whole; limit += 101) {
		struct text text = text_over(memory, limit);

		mail_text_render(&ctx, &mail, &id, &text);
		assert_int_equal(text_check(&text), FAULT_EXHAUSTED);
	}
}

static void names_its_host_where_the_sender_has_none(void **state)
{
	struct mail mail = mail_of(MAIL_VERIFY);
	struct part head;

	(void)state;
	config.mail.from = "postmaster";
	head = read_mail(&mail).head;
	assert_true(has(value_of(&head, "Message-ID"), "@localhost>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(makes_every_mail_of_two_parts, set_up),
	    cmocka_unit_test_setup(says_from_whom_to_whom_and_when, set_up),
	    cmocka_unit_test_setup(renders_the_same_bytes_again, set_up),
	    cmocka_unit_test_setup(has_a_subject_and_name_for_each, set_up),
	    cmocka_unit_test_setup(tells_how_long_a_link_lives, set_up),
	    cmocka_unit_test_setup(calls_who_has_no_name_by_address, set_up),
	    cmocka_unit_test_setup(leaves_the_link_out_where_there_is_none,
	                           set_up),
	    cmocka_unit_test_setup(lets_hostile_values_change_words_alone,
	                           set_up),
	    cmocka_unit_test_setup(shows_hostile_values_as_they_are, set_up),
	    cmocka_unit_test_setup(quotes_a_link_for_its_attribute, set_up),
	    cmocka_unit_test_setup(keeps_head_and_parts_even_with_line_ends,
	                           set_up),
	    cmocka_unit_test_setup(
		keeps_lines_in_bounds_with_the_longest_values, set_up),
	    cmocka_unit_test_setup(says_when_there_is_no_room, set_up),
	    cmocka_unit_test_setup(names_its_host_where_the_sender_has_none,
	                           set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
