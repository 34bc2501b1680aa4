/* SPDX-License-Identifier: Apache-2.0 */
/* Queueing a mail, and the round that sends what is due. */
#include "domain/outbox/outbox.h"

#include "base/encode.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/metrics.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "domain/outbox/mail_text.h"
#include "domain/outbox/outbox_store.h"
#include "domain/outbox/transport.h"

#include <assert.h>
#include <stddef.h>

#define PAYLOAD_BYTES 2048
#define MESSAGE_BYTES 16384

/* What is sealed in a row. */
static const struct json_field payload_fields[] = {
    {"to", JSON_FIELD_STRING, JSON_REQUIRED, 3, 254, offsetof(struct mail, to)},
    {"name", JSON_FIELD_STRING, JSON_OPTIONAL, 0, 500,
     offsetof(struct mail, name)},
    {"link", JSON_FIELD_STRING, JSON_OPTIONAL, 0, 1000,
     offsetof(struct mail, link)},
    {"detail", JSON_FIELD_STRING, JSON_OPTIONAL, 0, 500,
     offsetof(struct mail, detail)},
    {0},
};

/* Binds a payload to its row: a blob moved to another row does not open. */
static struct span row_binding(const struct uuid *id, char text[48])
{
	struct text out = text_over(text, 48);
	text_append(&out, SPAN("outbox:"));
	uuid_append(&out, id);
	return text_span(&out);
}

static struct span write_payload(struct ctx *ctx, const struct mail *mail)
{
	struct text text = arena_text(ctx->arena, PAYLOAD_BYTES);
	struct json_writer json = json_writer_over(&text);
	json_object_begin(&json, NULL);
	json_string(&json, "to", mail->to);
	json_string(&json, "name", mail->name);
	json_string(&json, "link", mail->link);
	json_string(&json, "detail", mail->detail);
	json_object_end(&json);
	return text_check(&text) ? (struct span){0} : text_span(&text);
}

enum fault outbox_add(struct ctx *ctx, const struct mail *mail)
{
	assert(db_in_transaction(ctx->db));
	const struct key *key = keyring_current(ctx->keys, KEY_OUTBOX);
	if (!key)
		return FAULT_INTERNAL;
	struct span payload = write_payload(ctx, mail);
	if (!payload.at)
		return FAULT_EXHAUSTED;

	struct outbox_row row = {
	    .template = span_of(mail_text_name(mail->template)),
	    .user_id = mail->user_id,
	    .key_id = span_of(key->id),
	    .state = mail->fate == MAIL_VOID ? SPAN("void") : SPAN("waiting"),
	};
	random_uuid(ctx->now_ms, &row.id);
	char binding[48];
	struct text sealed =
	    arena_text(ctx->arena, payload.length + SEAL_OVERHEAD_BYTES);
	enum fault fault = seal_value(key->bytes, row_binding(&row.id, binding),
	                              payload, &sealed);
	if (!fault)
		fault = text_check(&sealed);
	if (fault)
		return fault;
	row.sealed = text_span(&sealed);
	return outbox_store_insert(ctx, &row);
}

struct span outbox_link(struct ctx *ctx, const char *page, struct span token)
{
	struct text text = arena_text(ctx->arena, 512);
	text_append_cstr(&text, ctx->config->server.public_url);
	text_append_cstr(&text, ctx->config->server.base_path);
	text_append_cstr(&text, page);
	if (token.at) {
		text_append(&text, SPAN("#token="));
		text_append(&text, token);
	}
	return text_check(&text) ? (struct span){0} : text_span(&text);
}

/* Open a row into a mail. */
static enum fault open_row(struct ctx *ctx, const struct outbox_row *row,
                           struct mail *mail)
{
	const struct key *key =
	    keyring_find(ctx->keys, KEY_OUTBOX, row->key_id, ctx->now_ms);
	if (!key)
		return FAULT_VALIDATION;
	char binding[48];
	struct span payload;
	enum fault fault = seal_open(key->bytes, row_binding(&row->id, binding),
	                             row->sealed, ctx->arena, &payload);
	if (fault)
		return fault;
	const struct json_node *root;
	fault = json_parse(ctx->arena, payload, &json_limits_request, &root);
	if (!fault)
		fault = json_bind(root, payload_fields, mail, &ctx->errors);
	mail->template = mail_text_template(row->template);
	if (!fault && mail->template == MAIL_NONE)
		fault = FAULT_VALIDATION;
	return fault;
}

/* Twice as long after each attempt, up to the longest pause. */
static int64_t pause_ms(const struct config *config, int64_t attempts)
{
	int64_t pause = config->mail.retry_first;
	for (int64_t i = 0; i < attempts && pause < config->mail.retry_most;
	     i++)
		pause *= 2;
	return pause < config->mail.retry_most ? pause
	                                       : config->mail.retry_most;
}

static enum fault note_failure(struct ctx *ctx, const struct outbox_row *row,
                               enum fault why, const char *words)
{
	metrics_add(METRIC_MAIL_FAILED, 1);
	log_note(LOG_WARNING, "mail_not_sent", words);
	bool is_over =
	    ctx->now_ms - row->created_at_ms > ctx->config->mail.give_up;
	if (why == FAULT_VALIDATION || is_over)
		return outbox_store_finish(ctx, &row->id, "failed",
		                           span_of(words));
	return outbox_store_postpone(
	    ctx, &row->id, ctx->now_ms + pause_ms(ctx->config, row->attempts),
	    span_of(words));
}

static enum fault send_row(struct ctx *ctx, const struct outbox_row *row,
                           bool *left)
{
	char words[TRANSPORT_ERROR_BYTES] = "the stored mail does not open";
	struct mail mail = {0};
	*left = false;
	enum fault fault = open_row(ctx, row, &mail);
	struct text message = arena_text(ctx->arena, MESSAGE_BYTES);
	if (!fault) {
		mail_text_render(ctx, &mail, &row->id, &message);
		fault = text_check(&message);
	}
	if (!fault)
		fault = transport_send(ctx->config, &row->id, mail.to,
		                       text_span(&message), words);
	if (fault)
		return note_failure(ctx, row, fault, words);
	*left = true;
	metrics_add(METRIC_MAIL_SENT, 1);
	return outbox_store_finish(ctx, &row->id, "sent", (struct span){0});
}

enum fault outbox_send_due(struct ctx *ctx, size_t *sent)
{
	const struct outbox_row *due;
	size_t count;
	*sent = 0;
	if (ctx->config->mail.transport == MAIL_TRANSPORT_NONE)
		return FAULT_NONE;
	enum fault fault = outbox_store_due(ctx, &due, &count);
	bool left = true;
	for (size_t i = 0; !fault && left && i < count; i++) {
		fault = send_row(ctx, &due[i], &left);
		*sent += left;
	}
	return fault;
}

enum fault outbox_expire(struct ctx *ctx, int64_t before_ms)
{
	return outbox_store_expire(ctx, before_ms);
}
