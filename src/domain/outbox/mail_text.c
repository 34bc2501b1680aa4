/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of every mail. Rows hold plain text with the placeholders
 * {product}, {name}, {detail}, {life}; both parts of a message come from the
 * same row, escaped for their kind, so no value can add a header, a part or
 * markup.
 */
#include "domain/outbox/mail_text.h"

#include "base/clock.h"
#include "base/encode.h"

#include <assert.h>
#include <stddef.h>

#define PARAGRAPHS 3
#define LIFE_BYTES 40

struct mail_row {
	const char *name;
	const char *subject;
	const char *paragraphs[PARAGRAPHS];
	const char *action; /* the link's label; NULL without a link */
	const char *closing;
	size_t life_offset; /* of the setting that {life} tells; 0: none */
};

static const struct mail_row rows[] = {
    [MAIL_VERIFY] =
	{"verify",
         "Confirm your e-mail address",
         {"Hello {name},",
          "please confirm that this address belongs to your {product} "
          "account. The link works once, for {life}."},
         "Confirm this address",
         "If you did not ask for an account, ignore this mail.",
         offsetof(struct config, account.verify_ttl)},
    [MAIL_ALREADY_REGISTERED] =
	{"already_registered",
         "You already have an account",
         {"Hello {name},",
          "somebody, probably you, tried to register this address with "
          "{product}. It has an account already, so nothing was changed."},
         "Sign in",
         "If you forgot your password, choose \"Forgot password\" there.",
         0},
    [MAIL_RESET] =
	{"reset",
         "Choose a new password",
         {"Hello {name},",
          "somebody, probably you, asked for a new password for your "
          "{product} account. The link works once, for {life}."},
         "Choose a new password",
         "If it was not you, ignore this mail: nothing has changed.",
         offsetof(struct config, account.reset_ttl)},
    [MAIL_PASSWORD_CHANGED] =
	{"password_changed",
         "Your password was changed",
         {"Hello {name},",
          "the password of your {product} account was just changed, and "
          "all other devices were signed out."},
         "It was not me: reset the password",
         "If it was you, there is nothing to do.",
         0},
    [MAIL_EMAIL_CONFIRM] =
	{"email_confirm",
         "Confirm your new e-mail address",
         {"Hello {name},",
          "please confirm that your {product} account should use this "
          "address from now on. The link works once, for {life}."},
         "Use this address",
         "If you did not ask for this, ignore this mail.",
         offsetof(struct config, account.verify_ttl)},
    [MAIL_EMAIL_CHANGED] =
	{"email_changed",
         "Your e-mail address was changed",
         {"Hello {name},",
          "your {product} account now uses the address {detail}.",
          "If it was not you, take the change back with the link below. "
          "It works once, for {life}, and signs out every device."},
         "Take the change back",
         "If it was you, there is nothing to do.",
         offsetof(struct config, account.undo_ttl)},
    [MAIL_SESSIONS_ENDED] =
	{"sessions_ended",
         "A device was signed out for safety",
         {"Hello {name},",
          "a sign-in of your {product} account was ended, because its "
          "renewal token was used twice. That happens when a copy of it "
          "was stolen."},
         "Sign in and look at your devices",
         "If you see a device that is not yours, change your password.",
         0},
    [MAIL_ACCOUNT_LOCKED] =
	{"account_locked",
         "Somebody tries to sign in to your account",
         {"Hello {name},",
          "signing in to your {product} account failed several times in a "
          "row, most recently from {detail}. To keep guessers out we refuse "
          "further attempts for a while. Nobody was let in.",
          "If it was you: wait a little, or choose a new password with the "
          "link below, which ends the wait. A device that you have used "
          "before can usually sign in all the while."},
         "Choose a new password",
         "If it was not you, there is nothing to do: a password that nobody "
         "else knows keeps your account safe.",
         0},
    [MAIL_SUSPICIOUS_LOGIN] =
	{"suspicious_login",
         "A new device signed in after failed attempts",
         {"Hello {name},",
          "a device that we do not know has just signed in to your {product} "
          "account from {detail}, after several attempts had failed.",
          "If it was you, there is nothing to do. If it was not, choose a "
          "new password at once: that signs out every device."},
         "It was not me: choose a new password",
         "You get this mail because the attempts before it failed.",
         0},
};
static_assert(sizeof(rows) / sizeof(rows[0]) == MAIL_TEMPLATE_COUNT,
              "every template has its words");

const char *mail_text_name(enum mail_template template)
{
	assert(template > MAIL_NONE && template <MAIL_TEMPLATE_COUNT);
	return rows[template].name;
}

enum mail_template mail_text_template(struct span name)
{
	for (size_t i = MAIL_NONE + 1; i < MAIL_TEMPLATE_COUNT; i++)
		if (span_equal(span_of(rows[i].name), name))
			return (enum mail_template)i;
	return MAIL_NONE;
}

typedef void append_escaped(struct text *text, struct span bytes);

struct values {
	struct span product, name, detail, life;
};

static struct span value_of(const struct values *values, struct span name)
{
	if (span_equal(name, SPAN("product")))
		return values->product;
	if (span_equal(name, SPAN("name")))
		return values->name;
	if (span_equal(name, SPAN("life")))
		return values->life;
	assert(span_equal(name, SPAN("detail")));
	return values->detail;
}

/* Append a template's words with its placeholders filled in. */
static void fill_in(struct text *out, const char *words,
                    const struct values *values, append_escaped *escape)
{
	struct span rest = span_of(words), piece;
	while (span_cut(&rest, '{', &piece)) {
		escape(out, piece);
		struct span name;
		if (!rest.at || !span_cut(&rest, '}', &name))
			return;
		escape(out, value_of(values, name));
		if (!rest.at)
			return;
	}
}

static void render_text(struct text *out, const struct mail_row *row,
                        const struct mail *mail, const struct values *values)
{
	for (size_t i = 0; i < PARAGRAPHS && row->paragraphs[i]; i++) {
		fill_in(out, row->paragraphs[i], values, text_append);
		text_append(out, SPAN("\r\n\r\n"));
	}
	if (mail->link.length) {
		text_append_cstr(out, row->action);
		text_append(out, SPAN(":\r\n"));
		text_append(out, mail->link);
		text_append(out, SPAN("\r\n\r\n"));
	}
	fill_in(out, row->closing, values, text_append);
	text_append(out, SPAN("\r\n\r\n-- \r\n"));
	text_append(out, values->product);
	text_append(out, SPAN("\r\n"));
}

static void render_link(struct text *out, const char *label, struct span link)
{
	text_append(out, SPAN("<p style=\"margin:1.5em 0\">\r\n<a style=\""
	                      "background:#0f5c4f;color:#ffffff;padding:.7em "
	                      "1.2em;border-radius:.4em;text-decoration:none\""
	                      "\r\nhref=\""));
	html_append(out, link);
	text_append(out, SPAN("\">"));
	html_append(out, span_of(label));
	text_append(out, SPAN("</a></p>\r\n"));
}

static void render_html(struct text *out, const struct mail_row *row,
                        const struct mail *mail, const struct values *values)
{
	text_append(out, SPAN("<!doctype html>\r\n<html lang=\"en\"><head>"
	                      "<meta charset=\"utf-8\"><title>"));
	html_append(out, span_of(row->subject));
	text_append(out, SPAN("</title></head>\r\n<body style=\"font-family:"
	                      "sans-serif;line-height:1.5;max-width:34em;"
	                      "margin:2em auto;padding:0 1em\">\r\n"));
	for (size_t i = 0; i < PARAGRAPHS && row->paragraphs[i]; i++) {
		text_append(out, SPAN("<p>"));
		fill_in(out, row->paragraphs[i], values, html_append);
		text_append(out, SPAN("</p>\r\n"));
	}
	if (mail->link.length)
		render_link(out, row->action, mail->link);
	text_append(out, SPAN("<p>"));
	fill_in(out, row->closing, values, html_append);
	text_append(out, SPAN("</p>\r\n<p style=\"color:#666666\">"));
	html_append(out, values->product);
	text_append(out, SPAN("</p>\r\n</body></html>\r\n"));
}

/* The host part of our From address names us in Message-IDs. */
static struct span mail_host(struct span from)
{
	struct span local;
	struct span rest = from;
	if (span_cut(&rest, '@', &local) && rest.at)
		return rest;
	return SPAN("localhost");
}

static void render_head(struct text *out, const struct ctx *ctx,
                        const struct mail_row *row, const struct mail *mail,
                        const struct uuid *id)
{
	struct span from = span_of(ctx->config->mail.from);
	text_append(out, SPAN("From: \""));
	text_append_cstr(out, ctx->config->mail.from_name);
	text_append(out, SPAN("\" <"));
	text_append(out, from);
	text_append(out, SPAN(">\r\nTo: <"));
	text_append(out, mail->to);
	text_append(out, SPAN(">\r\nSubject: "));
	text_append_cstr(out, row->subject);
	text_append(out, SPAN("\r\nDate: "));
	clock_append_mail_date(out, ctx->now_ms);
	text_append(out, SPAN("\r\nMessage-ID: <"));
	uuid_append(out, id);
	text_append(out, SPAN("@"));
	text_append(out, mail_host(from));
	text_append(out, SPAN(">\r\nAuto-Submitted: auto-generated\r\n"
	                      "MIME-Version: 1.0\r\n"
	                      "Content-Type: multipart/alternative;\r\n"
	                      " boundary=\"claviger-"));
	uuid_append(out, id);
	text_append(out, SPAN("\"\r\n\r\n"));
}

static void begin_part(struct text *out, const struct uuid *id,
                       const char *type)
{
	text_append(out, SPAN("--claviger-"));
	uuid_append(out, id);
	text_append(out, SPAN("\r\nContent-Type: "));
	text_append_cstr(out, type);
	text_append(out, SPAN("; charset=utf-8\r\n"
	                      "Content-Transfer-Encoding: 8bit\r\n\r\n"));
}

/* "24 hours": in the largest unit that fits without a rest. */
static struct span life_of(const struct config *config, size_t offset,
                           char memory[LIFE_BYTES])
{
	static const struct {
		int64_t ms;
		const char *word;
	} units[] = {
	    {INT64_C(172800000), NULL}, /* from two days on in days */
	    {86400000, "day"},          {3600000, "hour"},
	    {60000, "minute"},          {1000, "second"},
	};
	struct text text = text_over(memory, LIFE_BYTES);
	const char *base = (const char *)config;
	int64_t ms = *(const int64_t *)(const void *)(base + offset);
	size_t i = ms >= units[0].ms ? 1 : 2;
	while (i + 1 < sizeof(units) / sizeof(units[0]) && ms % units[i].ms)
		i++;
	text_append_number(&text, ms / units[i].ms);
	text_append_byte(&text, ' ');
	text_append_cstr(&text, units[i].word);
	if (ms / units[i].ms != 1)
		text_append_byte(&text, 's');
	return text_span(&text);
}

void mail_text_render(const struct ctx *ctx, const struct mail *mail,
                      const struct uuid *id, struct text *out)
{
	assert(mail->template > MAIL_NONE &&
	       mail->template <MAIL_TEMPLATE_COUNT);
	const struct mail_row *row = &rows[mail->template];
	struct values values = {
	    .product = span_of(ctx->config->mail.product),
	    .name = mail->name.length ? mail->name : mail->to,
	    .detail = mail->detail,
	};
	char memory[LIFE_BYTES];
	if (row->life_offset)
		values.life = life_of(ctx->config, row->life_offset, memory);
	render_head(out, ctx, row, mail, id);
	begin_part(out, id, "text/plain");
	render_text(out, row, mail, &values);
	begin_part(out, id, "text/html");
	render_html(out, row, mail, &values);
	text_append(out, SPAN("--claviger-"));
	uuid_append(out, id);
	text_append(out, SPAN("--\r\n"));
}
