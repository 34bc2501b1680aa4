/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of failed sign-ins. Rows are always locked in the order of their
 * enumeration, each of a kind of its own, so that no two attempts wait for one
 * another in a circle.
 */
#include "domain/guard/failure.h"

#include "base/encode.h"
#include "base/metrics.h"
#include "domain/audit/audit.h"
#include "domain/guard/block.h"
#include "domain/guard/failure_store.h"
#include "domain/outbox/outbox.h"

#include <assert.h>

#define MAIL_TO_BYTES 254
#define FOLDED_BYTES  600 /* more is no address, and nobody's counter */

enum place { ACCOUNT, NETWORK, PAIR, DEVICE, PLACE_COUNT };

/* The rows of one attempt; that of a device only when it is a known one. */
struct tally {
	struct ctx *ctx;
	const struct attempt_at *attempt;
	struct failure_row row[PLACE_COUNT];
	size_t count;
	struct failure_claim *claim;
};

/*
 * HMAC of "label:email[|rest]". What is no address is folded as far as that
 * goes without knowing what it is; a canonical one stays as it is.
 */
static enum fault subject(struct ctx *ctx, const char *label, struct span email,
                          struct span rest,
                          unsigned char out[DIGEST_SHA256_BYTES])
{
	const struct key *key = keyring_current(ctx->keys, KEY_SUBJECT);
	struct span trimmed = span_trim(email);
	char memory[FOLDED_BYTES];
	struct text folded = text_over(memory, sizeof(memory));
	if (!key)
		return FAULT_INTERNAL;
	if (trimmed.length > FOLDED_BYTES)
		trimmed.length = FOLDED_BYTES;
	for (size_t i = 0; i < trimmed.length; i++) {
		char byte = trimmed.at[i];
		bool is_capital = byte >= 'A' && byte <= 'Z';
		text_append_byte(&folded,
		                 is_capital ? (char)(byte - 'A' + 'a') : byte);
	}
	const struct span parts[] = {
	    span_of(label),
	    SPAN(":"),
	    text_span(&folded),
	    rest.at ? SPAN("|") : SPAN(""),
	    rest.at ? rest : SPAN(""),
	};
	return mac_sign(key->mac, parts, sizeof(parts) / sizeof(parts[0]), out);
}

static enum fault begin(struct ctx *ctx, const struct attempt_at *attempt,
                        struct failure_claim *claim, struct tally *tally)
{
	char address[IP_TEXT_BYTES];
	struct ip network_ip = ip_network(&ctx->ip);
	struct span network = span_of(ip_format(&network_ip, address));
	struct failure_row *row = tally->row;
	*tally = (struct tally){
	    .ctx = ctx,
	    .attempt = attempt,
	    .claim = claim,
	    .count = attempt->device.at ? DEVICE + 1 : PAIR + 1,
	};
	row[ACCOUNT].kind = "account";
	row[NETWORK].kind = "network";
	row[PAIR].kind = row[DEVICE].kind = "pair";
	row[PAIR].account = row[DEVICE].account = (struct span){
	    (const char *)row[ACCOUNT].subject, DIGEST_SHA256_BYTES};
	enum fault fault = subject(ctx, "account", attempt->email,
	                           (struct span){0}, row[ACCOUNT].subject);
	if (!fault)
		fault = subject(ctx, "network", network, (struct span){0},
		                row[NETWORK].subject);
	if (!fault)
		fault = subject(ctx, "pair", attempt->email, network,
		                row[PAIR].subject);
	if (!fault && attempt->device.at)
		fault = subject(ctx, "device", attempt->email, attempt->device,
		                row[DEVICE].subject);
	return fault;
}

static enum fault take(struct tally *tally)
{
	enum fault fault = FAULT_NONE;
	for (size_t i = 0; !fault && i < tally->count; i++)
		fault = failure_store_take(tally->ctx, &tally->row[i]);
	return fault;
}

static enum fault save(struct tally *tally)
{
	enum fault fault = FAULT_NONE;
	for (size_t i = 0; !fault && i < tally->count; i++)
		fault = failure_store_save(tally->ctx, &tally->row[i]);
	return fault;
}

/* What expiry has not come to yet counts no more all the same. */
static void forget(struct tally *tally)
{
	int64_t now_ms = tally->ctx->now_ms;
	int64_t since_ms = now_ms - tally->ctx->config->guard.forget_after;
	for (size_t i = 0; i < tally->count; i++) {
		struct failure_row *row = &tally->row[i];
		if (row->last_at_ms >= since_ms ||
		    row->locked_until_ms > now_ms)
			continue;
		row->failures = row->locks = row->counted = 0;
		row->next_at_ms = row->locked_until_ms = 0;
	}
}

/* first, doubled so many times, most at most. */
static int64_t doubled(int64_t first_ms, int64_t times, int64_t most_ms)
{
	int64_t wait_ms = first_ms;
	for (int64_t i = 0; i < times && wait_ms < most_ms; i++)
		wait_ms *= 2;
	return wait_ms < most_ms ? wait_ms : most_ms;
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
	return a_ms > b_ms ? a_ms : b_ms;
}

static int64_t locked_until(const struct tally *tally)
{
	const struct failure_row *row = tally->row;
	int64_t until_ms = row[PAIR].locked_until_ms;
	return tally->attempt->device.at
	           ? later(until_ms, row[DEVICE].locked_until_ms)
	           : later(until_ms, row[ACCOUNT].locked_until_ms);
}

static int64_t next_at(const struct tally *tally)
{
	int64_t next_ms = 0;
	for (size_t i = 0; i < tally->count; i++)
		next_ms = later(next_ms, tally->row[i].next_at_ms);
	return next_ms;
}

/* How long the account's rate limit keeps this attempt away. */
static int64_t limit_wait(const struct tally *tally)
{
	bool is_free =
	    tally->attempt->device.at || tally->row[PAIR].failures == 0;
	return is_free ? 0 : tally->attempt->limit_wait_ms;
}

static bool wants_captcha(const struct tally *tally)
{
	const struct config *config = tally->ctx->config;
	int64_t after = config->captcha.after;
	return config->captcha.provider != CAPTCHA_NONE &&
	       !tally->attempt->has_captcha &&
	       (tally->row[ACCOUNT].failures >= after ||
	        tally->row[NETWORK].failures >= after);
}

/* Waiting goes before a captcha: none is solved in vain. */
static enum fault judge(struct tally *tally)
{
	struct ctx *ctx = tally->ctx;
	ctx->retry_after_ms = locked_until(tally) - ctx->now_ms;
	if (ctx->retry_after_ms > 0)
		return FAULT_ACCOUNT_LOCKED;
	ctx->retry_after_ms =
	    later(next_at(tally) - ctx->now_ms, limit_wait(tally));
	if (ctx->retry_after_ms > 0)
		return FAULT_RATE_LIMITED;
	ctx->retry_after_ms = 0;
	return wants_captcha(tally) ? FAULT_CAPTCHA_REQUIRED : FAULT_NONE;
}

static void lock(const struct tally *tally, struct failure_row *row)
{
	const struct config *config = tally->ctx->config;
	row->locked_until_ms =
	    tally->ctx->now_ms + doubled(config->guard.lock_first, row->locks,
	                                 config->guard.lock_most);
	row->locks++;
}

static void count_row(const struct tally *tally, struct failure_row *row)
{
	const struct config *config = tally->ctx->config;
	int64_t beyond = ++row->failures - config->guard.delay_after;
	row->last_at_ms = tally->ctx->now_ms;
	if (beyond >= 0 && row != &tally->row[ACCOUNT])
		row->next_at_ms = tally->ctx->now_ms +
		                  doubled(config->guard.delay_first, beyond,
		                          config->guard.delay_most);
}

/*
 * A network's share of the account's lock is half of it at most: one alone can
 * never lock the owner out elsewhere. With the lock a new epoch begins, in
 * which all shares are nothing: the next lock wants several networks again.
 */
static void count_share(struct tally *tally)
{
	struct failure_row *account = &tally->row[ACCOUNT];
	struct failure_row *pair = &tally->row[PAIR];
	int64_t lock_after = tally->ctx->config->guard.lock_after;
	if (pair->epoch != account->epoch)
		pair->counted = 0;
	pair->epoch = account->epoch;
	tally->claim->is_share = pair->counted < lock_after / 2;
	if (!tally->claim->is_share)
		return;
	pair->counted++;
	account->counted++;
	if (account->counted < lock_after)
		return;
	lock(tally, account);
	account->epoch++;
	account->counted = 0;
	tally->claim->has_locked_account = true;
}

/* From the last failure that may be on, each further one locks again. */
static bool has_lock_due(const struct tally *tally,
                         const struct failure_row *row)
{
	return row->failures >= tally->ctx->config->guard.lock_after;
}

static void count_lock(struct tally *tally, struct failure_row *row)
{
	if (!has_lock_due(tally, row))
		return;
	tally->claim->is_first_lock |= row->locks == 0;
	tally->claim->has_locked_pair = true;
	lock(tally, row);
}

static void count(struct tally *tally)
{
	int64_t block_after = tally->ctx->config->guard.auto_block_after;
	*tally->claim = (struct failure_claim){
	    .failures_before = tally->row[ACCOUNT].failures,
	};
	for (size_t i = 0; i < tally->count; i++)
		count_row(tally, &tally->row[i]);
	for (size_t i = PAIR; i < tally->count; i++)
		count_lock(tally, &tally->row[i]);
	count_share(tally);
	tally->claim->has_to_block =
	    block_after && tally->row[NETWORK].failures >= block_after;
}

/* A refusal rolls back: rows that were made for it are gone again. */
static enum fault claim_work(void *argument)
{
	struct tally *tally = argument;
	enum fault fault = take(tally);
	if (!fault) {
		forget(tally);
		fault = judge(tally);
	}
	if (fault)
		return fault;
	count(tally);
	return save(tally);
}

enum fault failure_claim(struct ctx *ctx, const struct attempt_at *attempt,
                         struct failure_claim *out)
{
	struct tally tally;
	enum fault fault = begin(ctx, attempt, out, &tally);
	if (!fault)
		fault = db_transact(ctx->db, claim_work, &tally);
	if (!fault && (out->has_locked_account || out->has_locked_pair))
		metrics_add(METRIC_GUARD_LOCKED, 1);
	return fault;
}

/* To the owner, or to nobody at the same cost. */
static struct mail mail_to_owner(struct ctx *ctx,
                                 const struct attempt_at *attempt,
                                 enum mail_template template)
{
	char masked[IP_TEXT_BYTES];
	const struct identity *owner = attempt->owner;
	struct mail mail = {
	    .template = template,
	    .fate = owner ? MAIL_TO_SEND : MAIL_VOID,
	    .to = attempt->email,
	    .link = outbox_link(ctx, "/forgot.html", (struct span){0}),
	    .detail = arena_copy(ctx->arena,
	                         span_of(ip_format_masked(&ctx->ip, masked))),
	};
	if (mail.to.length > MAIL_TO_BYTES)
		mail.to.length = MAIL_TO_BYTES;
	if (owner) {
		mail.user_id = owner->user_id;
		mail.to = owner->email;
		mail.name = owner->name;
	}
	return mail;
}

static enum fault announce_lock(struct ctx *ctx,
                                const struct attempt_at *attempt,
                                const struct failure_claim *claim)
{
	struct audit_event event = {
	    .type = AUDIT_ACCOUNT_LOCK,
	    .outcome = AUDIT_SUCCESS,
	    .reason = claim->has_locked_account ? SPAN("failures")
	                                        : SPAN("failures_of_network"),
	    .detail = attempt->email,
	};
	if (attempt->owner)
		event.user_id = attempt->owner->user_id;
	enum fault fault = audit_append(ctx, &event);
	if (fault || !(claim->has_locked_account || claim->is_first_lock))
		return fault;
	struct mail mail = mail_to_owner(ctx, attempt, MAIL_ACCOUNT_LOCKED);
	return outbox_add(ctx, &mail);
}

/*
 * Of many at once, the one that halves the counter blocks. Half of it stays:
 * whoever comes back after the block is soon blocked again, but may try.
 */
static enum fault block_network(struct ctx *ctx,
                                const struct attempt_at *attempt,
                                struct failure_claim *claim)
{
	struct ip network = ip_network(&ctx->ip);
	struct tally tally;
	enum fault fault = begin(ctx, attempt, claim, &tally);
	if (!fault)
		fault =
		    failure_store_halve(ctx, &tally.row[NETWORK],
		                        ctx->config->guard.auto_block_after);
	if (fault)
		return fault == FAULT_CONFLICT ? FAULT_NONE : fault;
	fault = block_add_automatically(ctx, &network, SPAN("failed sign-ins"),
	                                &claim->guard_version);
	claim->has_blocked = !fault;
	return fault;
}

enum fault failure_announce(struct ctx *ctx, const struct attempt_at *attempt,
                            struct failure_claim *claim)
{
	enum fault fault = FAULT_NONE;
	assert(db_in_transaction(ctx->db));
	claim->has_blocked = false;
	if (claim->has_locked_account || claim->has_locked_pair)
		fault = announce_lock(ctx, attempt, claim);
	if (!fault && claim->has_to_block)
		fault = block_network(ctx, attempt, claim);
	return fault;
}

/* Somebody guessed, and then a device that nobody knows was let in. */
static enum fault tell_of_sign_in(struct ctx *ctx,
                                  const struct attempt_at *attempt,
                                  const struct failure_claim *claim)
{
	int64_t after = later(ctx->config->captcha.after, 1);
	if (attempt->device.at || claim->failures_before < after)
		return FAULT_NONE;
	struct mail mail = mail_to_owner(ctx, attempt, MAIL_SUSPICIOUS_LOGIN);
	enum fault fault = outbox_add(ctx, &mail);
	if (fault)
		return fault;
	return audit_append(ctx, &(struct audit_event){
				     .type = AUDIT_SUSPICIOUS_ACTIVITY,
				     .outcome = AUDIT_SUCCESS,
				     .user_id = attempt->owner->user_id,
				     .reason = SPAN("login_after_failures"),
				 });
}

enum fault failure_clear(struct ctx *ctx, const struct attempt_at *attempt,
                         const struct failure_claim *claim)
{
	struct tally tally;
	struct failure_claim unused;
	assert(db_in_transaction(ctx->db) && attempt->owner);
	enum fault fault = begin(ctx, attempt, &unused, &tally);
	if (!fault)
		fault = failure_store_renew(ctx, &tally.row[ACCOUNT]);
	if (!fault)
		fault = failure_store_lessen(ctx, &tally.row[NETWORK]);
	for (size_t i = PAIR; !fault && i < tally.count; i++)
		fault = failure_store_delete(ctx, &tally.row[i]);
	return fault ? fault : tell_of_sign_in(ctx, attempt, claim);
}

static void lessen(int64_t *number)
{
	if (*number > 0)
		(*number)--;
}

/* As before the claim, but for what others have counted since. */
static void uncount(struct tally *tally)
{
	const struct failure_claim *claim = tally->claim;
	struct failure_row *account = &tally->row[ACCOUNT];
	for (size_t i = 0; i < tally->count; i++) {
		struct failure_row *row = &tally->row[i];
		bool was_locked =
		    i == ACCOUNT ? claim->has_locked_account
				 : i != NETWORK && has_lock_due(tally, row);
		lessen(&row->failures);
		row->next_at_ms = 0;
		if (!was_locked)
			continue;
		lessen(&row->locks);
		row->locked_until_ms = 0;
	}
	if (claim->has_locked_account && account->epoch > 0) {
		account->epoch--;
		account->counted = tally->ctx->config->guard.lock_after;
	}
	if (claim->is_share && account->epoch == tally->row[PAIR].epoch) {
		lessen(&account->counted);
		lessen(&tally->row[PAIR].counted);
	}
}

static enum fault withdraw_work(void *argument)
{
	struct tally *tally = argument;
	enum fault fault = take(tally);
	if (fault)
		return fault;
	uncount(tally);
	return save(tally);
}

enum fault failure_withdraw(struct ctx *ctx, const struct attempt_at *attempt,
                            const struct failure_claim *claim)
{
	struct tally tally;
	struct failure_claim known = *claim;
	enum fault fault = begin(ctx, attempt, &known, &tally);
	return fault ? fault : db_transact(ctx->db, withdraw_work, &tally);
}

enum fault failure_unlock(struct ctx *ctx, struct span email)
{
	struct failure_row account = {.kind = "account"};
	assert(db_in_transaction(ctx->db));
	enum fault fault =
	    subject(ctx, "account", email, (struct span){0}, account.subject);
	/* The account's row first, as everybody locks them. */
	if (!fault)
		fault = failure_store_delete(ctx, &account);
	if (!fault)
		fault = failure_store_delete_pairs(
		    ctx, (struct span){(const char *)account.subject,
		                       sizeof(account.subject)});
	return fault;
}

enum fault failure_subject(struct ctx *ctx, struct span email, struct span *out)
{
	unsigned char bytes[DIGEST_SHA256_BYTES];
	struct text text = arena_text(ctx->arena, 2 * sizeof(bytes));
	enum fault fault =
	    subject(ctx, "account", email, (struct span){0}, bytes);
	if (fault)
		return fault;
	hex_append(&text, bytes, sizeof(bytes));
	*out = text_span(&text);
	return text_check(&text);
}

enum fault failure_expire(struct ctx *ctx)
{
	return failure_store_expire(ctx, ctx->now_ms -
	                                     ctx->config->guard.forget_after);
}
