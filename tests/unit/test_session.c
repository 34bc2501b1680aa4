/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions against a real MariaDB and Redis (requirements SE-01 … SE-12): a
 * refresh token works once, a used one ends its family but within the grace,
 * and whatever ends a session ends its access tokens with it.
 */
#include "unit.h"

#include "domain/account/user.h"
#include "domain/guard/guard.h"
#include "domain/session/session.h"
#include "site.h"
#include "stack.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS INT64_C(60000)
#define DAY_MS    INT64_C(86400000)
#define PROCESSES 8

static struct ctx ctx;
static struct identity alice;

static const struct db_statement count_events = {
    "SELECT COUNT(*) FROM audit_event WHERE type = ? AND success = ?", 2, 1};
static const struct db_statement count_reasons = {
    "SELECT COUNT(*) FROM audit_event WHERE type = ? AND reason = ?", 2, 1};
static const struct db_statement count_mails = {
    "SELECT COUNT(*) FROM outbox WHERE state = 'waiting'"
    " AND template = 'sessions_ended'",
    0, 1};
static const struct db_statement count_sessions = {
    "SELECT COUNT(*) FROM session", 0, 1};
static const struct db_statement count_tokens = {
    "SELECT COUNT(*) FROM refresh_token", 0, 1};
static const struct db_statement count_successors = {
    "SELECT COUNT(*) FROM refresh_token WHERE successor IS NOT NULL", 0, 1};
static const struct db_statement has_bytes = {
    "SELECT COUNT(*) FROM refresh_token WHERE token_hash = ?"
    " OR LOCATE(?, successor) > 0",
    2, 1};
static const struct db_statement set_status = {
    "UPDATE user SET status = ? WHERE id = ?", 2, 0};
static const struct db_statement set_tenant_status = {
    "UPDATE tenant SET status = ? WHERE id = ?", 2, 0};
static const struct db_statement set_role = {
    "UPDATE membership SET role = ? WHERE user_id = ?", 2, 0};

static int set_up(void **state)
{
	(void)state;
	site_start(&ctx);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	site_end(&ctx);
	return 0;
}

static int start_over(void **state)
{
	(void)state;
	site_reset(&ctx);
	alice = site_person(&ctx, "alice@example.com");
	return 0;
}

static struct db_value text_value(const char *text)
{
	return db_text(span_of(text));
}

static int64_t events_of(const char *type, int success)
{
	return site_ask(
	    &ctx, &count_events,
	    (const struct db_value[]){text_value(type), db_integer(success)});
}

static int64_t events_because(const char *type, const char *reason)
{
	return site_ask(
	    &ctx, &count_reasons,
	    (const struct db_value[]){text_value(type), text_value(reason)});
}

struct opening {
	const struct identity *identity;
	struct session_start start;
	struct session_tokens tokens;
};

static enum fault open_work(void *argument)
{
	struct opening *opening = argument;

	return session_open(&ctx, opening->identity, &opening->start,
	                    &opening->tokens);
}

static struct session_tokens open_as(const struct identity *identity,
                                     enum session_kind kind)
{
	struct opening opening = {
	    .identity = identity,
	    .start = {kind, SPAN("a device"), SPAN("pwd otp")},
	};

	assert_int_equal(db_transact(ctx.db, open_work, &opening), FAULT_NONE);
	return opening.tokens;
}

static struct session_tokens open_session(void)
{
	return open_as(&alice, SESSION_TOKEN);
}

static enum fault try_refresh(struct span token, struct session_tokens *out)
{
	return session_refresh(&ctx, token, SESSION_TOKEN, out);
}

static struct session_tokens refresh(struct span token)
{
	struct session_tokens tokens = {0};

	assert_int_equal(try_refresh(token, &tokens), FAULT_NONE);
	return tokens;
}

static void refuse(struct span token, enum fault wanted)
{
	struct session_tokens tokens;

	assert_int_equal(try_refresh(token, &tokens), wanted);
}

static struct access_claims claims_of(const struct session_tokens *tokens)
{
	struct access_claims claims = {0};
	bool is_key_unknown;

	assert_int_equal(access_token_check(&ctx, tokens->access_token, &claims,
	                                    &is_key_unknown),
	                 FAULT_NONE);
	return claims;
}

/* Whether its access token is let in, by both stores. */
static bool is_let_in(const struct session_tokens *tokens)
{
	struct access_claims claims = claims_of(tokens);
	struct admission admission;

	assert_int_equal(guard_admit(&ctx, LIMIT_NOTHING, &claims, &admission),
	                 FAULT_NONE);
	assert_int_equal(revocation_check(&ctx, &claims),
	                 admission.is_revoked ? FAULT_TOKEN_REVOKED
	                                      : FAULT_NONE);
	return !admission.is_revoked;
}

static size_t live_sessions(const struct identity *identity)
{
	const struct session_record *records;
	const struct uuid nil = {0};
	size_t count = 0;

	assert_int_equal(session_list(&ctx, &identity->user_id, &nil, 10000,
	                              &records, &count),
	                 FAULT_NONE);
	return count;
}

static void opens_a_session_with_its_tokens(void **state)
{
	struct session_tokens tokens = open_session();
	struct access_claims claims = claims_of(&tokens);

	(void)state;
	assert_true(is_let_in(&tokens));
	assert_true(uuid_equal(&claims.session_id, &tokens.session_id));
	assert_true(uuid_equal(&claims.user_id, &alice.user_id));
	assert_true(uuid_equal(&claims.tenant_id, &alice.tenant_id));
	assert_span_equal(claims.role, "owner");
	assert_span_equal(claims.email, "alice@example.com");
	assert_span_equal(claims.amr, "pwd otp");
	assert_true(claims.is_email_verified);
	assert_int_equal(claims.auth_at_s, SITE_NOW / 1000);
	assert_int_equal(tokens.kind, SESSION_TOKEN);
	assert_int_equal(tokens.access_life_s, 900);
	assert_int_equal(tokens.refresh_life_s, 14 * DAY_MS / 1000);
}

static void SE_01_stores_no_token_itself(void **state)
{
	struct session_tokens tokens = open_session();
	const struct db_value values[] = {db_text(tokens.refresh_token),
	                                  db_text(tokens.refresh_token)};

	(void)state;
	assert_int_equal(tokens.refresh_token.length, 43);
	assert_int_equal(site_ask(&ctx, &has_bytes, values), 0);
	/* Not in the successor either, which is kept while there is a grace. */
	site_config()->session.refresh_grace = 5 * SECOND_MS;
	tokens = refresh(tokens.refresh_token);
	assert_int_equal(site_ask(&ctx, &count_successors, NULL), 1);
	assert_int_equal(
	    site_ask(&ctx, &has_bytes,
	             (const struct db_value[]){db_text(tokens.refresh_token),
	                                       db_text(tokens.refresh_token)}),
	    0);
}

static void SE_01_gives_other_tokens_at_each_use(void **state)
{
	struct session_tokens first = open_session(), next = first;

	(void)state;
	for (int i = 1; i <= 5; i++) {
		struct session_tokens before = next;

		ctx.now_ms += MINUTE_MS;
		next = refresh(before.refresh_token);
		assert_false(
		    span_equal(next.refresh_token, before.refresh_token));
		assert_false(
		    span_equal(next.access_token, before.access_token));
		assert_true(uuid_equal(&next.session_id, &first.session_id));
		assert_true(is_let_in(&next));
		assert_int_equal(events_of("token_refresh", 1), i);
	}
	/* What was issued before lives to its end. */
	ctx.now_ms = SITE_NOW + 14 * MINUTE_MS;
	assert_true(is_let_in(&first));
	assert_int_equal(live_sessions(&alice), 1);
	assert_int_equal(site_ask(&ctx, &count_successors, NULL), 0);
}

static void SE_12_keeps_what_the_session_began_with(void **state)
{
	struct session_tokens tokens = open_session();
	struct access_claims claims;

	(void)state;
	ctx.now_ms += DAY_MS;
	tokens = refresh(tokens.refresh_token);
	claims = claims_of(&tokens);
	assert_span_equal(claims.amr, "pwd otp");
	assert_int_equal(claims.auth_at_s, SITE_NOW / 1000);
	assert_int_equal(claims.issued_at_s, ctx.now_ms / 1000);
	assert_true(uuid_equal(&claims.tenant_id, &alice.tenant_id));
}

static void SE_02_ends_the_family_of_a_token_used_twice(void **state)
{
	struct session_tokens first = open_session(), second, third;
	struct session_tokens other = open_session();

	(void)state;
	second = refresh(first.refresh_token);
	third = refresh(second.refresh_token);
	refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
	refuse(third.refresh_token, FAULT_TOKEN_REVOKED);
	assert_false(is_let_in(&first));
	assert_false(is_let_in(&second));
	assert_false(is_let_in(&third));
	/* Another session of the same person is none of this family. */
	assert_true(is_let_in(&other));
	(void)refresh(other.refresh_token);
	assert_int_equal(
	    events_because("suspicious_activity", "refresh_token_reuse"), 1);
	assert_int_equal(site_ask(&ctx, &count_mails, NULL), 1);
}

static void SE_02_tells_the_owner_once(void **state)
{
	struct session_tokens first = open_session();

	(void)state;
	(void)refresh(first.refresh_token);
	for (int i = 0; i < 5; i++)
		refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
	assert_int_equal(
	    events_because("suspicious_activity", "refresh_token_reuse"), 1);
	assert_int_equal(site_ask(&ctx, &count_mails, NULL), 1);
}

static void SE_02_knows_a_used_token_after_it_has_expired(void **state)
{
	struct session_tokens first = open_session(), second;

	(void)state;
	ctx.now_ms += 10 * DAY_MS;
	second = refresh(first.refresh_token);
	/* The first would have expired by now; the family goes on. */
	ctx.now_ms += 10 * DAY_MS;
	refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
	refuse(second.refresh_token, FAULT_TOKEN_REVOKED);
}

static void SE_04_has_no_grace_by_default(void **state)
{
	struct session_tokens first = open_session(), second;

	(void)state;
	second = refresh(first.refresh_token);
	refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
	assert_false(is_let_in(&second));
}

static void SE_04_gives_the_same_successor_within_the_grace(void **state)
{
	struct session_tokens first = open_session(), second, again;

	(void)state;
	site_config()->session.refresh_grace = 5 * SECOND_MS;
	second = refresh(first.refresh_token);
	for (int i = 0; i <= 5; i++) {
		ctx.now_ms = SITE_NOW + i * SECOND_MS;
		again = refresh(first.refresh_token);
		assert_true(
		    span_equal(again.refresh_token, second.refresh_token));
		assert_true(uuid_equal(&again.session_id, &second.session_id));
		assert_int_equal(claims_of(&again).issued_at_s,
		                 ctx.now_ms / 1000);
		assert_true(is_let_in(&again));
	}
	/* One rotation, whatever was repeated. */
	assert_int_equal(site_ask(&ctx, &count_tokens, NULL), 2);
	assert_int_equal(events_of("token_refresh", 1), 1);
	(void)refresh(second.refresh_token);
}

static void SE_04_ends_the_family_past_the_grace(void **state)
{
	struct session_tokens first = open_session(), second;

	(void)state;
	site_config()->session.refresh_grace = 5 * SECOND_MS;
	second = refresh(first.refresh_token);
	ctx.now_ms = SITE_NOW + 5 * SECOND_MS + 1;
	refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
	refuse(second.refresh_token, FAULT_TOKEN_REVOKED);
	assert_false(is_let_in(&second));
	assert_int_equal(
	    events_because("suspicious_activity", "refresh_token_reuse"), 1);
}

/* The grace is from the first use, not from the last repetition. */
static void SE_04_does_not_grow_by_being_used(void **state)
{
	struct session_tokens first = open_session();

	(void)state;
	site_config()->session.refresh_grace = 5 * SECOND_MS;
	(void)refresh(first.refresh_token);
	ctx.now_ms = SITE_NOW + 4 * SECOND_MS;
	(void)refresh(first.refresh_token);
	ctx.now_ms = SITE_NOW + 8 * SECOND_MS;
	refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
}

static void SE_04_forgives_the_direct_predecessor_alone(void **state)
{
	struct session_tokens first = open_session(), second, third;

	(void)state;
	site_config()->session.refresh_grace = 5 * SECOND_MS;
	second = refresh(first.refresh_token);
	third = refresh(second.refresh_token);
	/* The successor of the first was used: this is a copy. */
	refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
	refuse(third.refresh_token, FAULT_TOKEN_REVOKED);
	assert_false(is_let_in(&third));
}

/* A token rotated while there was no grace has no successor to give. */
static void SE_04_forgives_nothing_that_was_not_kept(void **state)
{
	struct session_tokens first = open_session();

	(void)state;
	(void)refresh(first.refresh_token);
	site_config()->session.refresh_grace = 5 * SECOND_MS;
	refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
	/* And the other way round. */
	assert_int_equal(start_over(NULL), 0);
	site_config()->session.refresh_grace = 5 * SECOND_MS;
	first = open_session();
	(void)refresh(first.refresh_token);
	site_config()->session.refresh_grace = 0;
	refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
}

static void SE_04_forgives_nothing_in_a_session_that_is_over(void **state)
{
	struct session_tokens first = open_session();

	(void)state;
	site_config()->session.refresh_grace = 5 * SECOND_MS;
	(void)refresh(first.refresh_token);
	assert_int_equal(session_end(&ctx, &first.session_id, &alice.user_id,
	                             SPAN("logout"), AUDIT_LOGOUT),
	                 FAULT_NONE);
	refuse(first.refresh_token, FAULT_TOKEN_REVOKED);
	/* Nothing suspicious about it: it had ended before. */
	assert_int_equal(
	    events_because("suspicious_activity", "refresh_token_reuse"), 0);
	assert_int_equal(site_ask(&ctx, &count_mails, NULL), 0);
}

static void SE_05_ends_with_the_idle_time(void **state)
{
	struct session_tokens tokens = open_session();

	(void)state;
	for (int i = 0; i < 2; i++) {
		ctx.now_ms += 14 * DAY_MS - 1;
		tokens = refresh(tokens.refresh_token);
	}
	assert_int_equal(start_over(NULL), 0);
	tokens = open_session();
	ctx.now_ms += 14 * DAY_MS;
	refuse(tokens.refresh_token, FAULT_TOKEN_INVALID);
	assert_int_equal(live_sessions(&alice), 0);
}

static void SE_05_ends_with_the_absolute_time_however_busy(void **state)
{
	struct session_tokens tokens = open_session();

	(void)state;
	for (int day = 1; day < 30; day++) {
		ctx.now_ms = SITE_NOW + day * DAY_MS;
		tokens = refresh(tokens.refresh_token);
		assert_true(tokens.refresh_life_s <=
		            (30 - day) * DAY_MS / 1000);
	}
	ctx.now_ms = SITE_NOW + 30 * DAY_MS - 1;
	tokens = refresh(tokens.refresh_token);
	assert_int_equal(tokens.refresh_life_s, 0);
	ctx.now_ms = SITE_NOW + 30 * DAY_MS;
	refuse(tokens.refresh_token, FAULT_TOKEN_INVALID);
	assert_int_equal(live_sessions(&alice), 0);
}

static void refuses_what_is_no_token_of_anybody(void **state)
{
	const struct span bad[] = {
	    SPAN(""),
	    SPAN("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	    SPAN("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	    SPAN("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	    SPAN("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="),
	};
	struct session_tokens tokens = open_session();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(bad[i], FAULT_TOKEN_INVALID);
	/* JW-08 */
	refuse(tokens.access_token, FAULT_TOKEN_INVALID);
	assert_int_equal(events_because("token_refresh", "token_invalid"),
	                 COUNT_OF(bad) + 1);
	(void)refresh(tokens.refresh_token);
}

/* A page cannot use a stolen token of a program, nor the other way round. */
static void takes_a_token_of_its_own_kind_alone(void **state)
{
	struct session_tokens token = open_as(&alice, SESSION_TOKEN);
	struct session_tokens cookie = open_as(&alice, SESSION_COOKIE);
	struct session_tokens out;

	(void)state;
	assert_int_equal(
	    session_refresh(&ctx, token.refresh_token, SESSION_COOKIE, &out),
	    FAULT_TOKEN_INVALID);
	assert_int_equal(
	    session_refresh(&ctx, cookie.refresh_token, SESSION_TOKEN, &out),
	    FAULT_TOKEN_INVALID);
	/* Neither was used up by that. */
	assert_int_equal(
	    session_refresh(&ctx, token.refresh_token, SESSION_TOKEN, &out),
	    FAULT_NONE);
	assert_int_equal(
	    session_refresh(&ctx, cookie.refresh_token, SESSION_COOKIE, &out),
	    FAULT_NONE);
	assert_int_equal(out.kind, SESSION_COOKIE);
}

static void SE_06_ends_one_session_with_its_tokens(void **state)
{
	struct session_tokens one = open_session(), other = open_session();

	(void)state;
	assert_int_equal(session_end(&ctx, &one.session_id, &alice.user_id,
	                             SPAN("logout"), AUDIT_LOGOUT),
	                 FAULT_NONE);
	assert_false(is_let_in(&one));
	refuse(one.refresh_token, FAULT_TOKEN_REVOKED);
	assert_true(is_let_in(&other));
	(void)refresh(other.refresh_token);
	assert_int_equal(events_because("logout", "logout"), 1);
	assert_int_equal(live_sessions(&alice), 1);
	/* It has no second end. */
	assert_int_equal(session_end(&ctx, &one.session_id, &alice.user_id,
	                             SPAN("logout"), AUDIT_LOGOUT),
	                 FAULT_NOT_FOUND);
	assert_int_equal(events_because("logout", "logout"), 1);
}

static void SE_08_ends_nobody_elses_session(void **state)
{
	struct identity bob = site_person(&ctx, "bob@example.com");
	struct session_tokens his = open_as(&bob, SESSION_TOKEN);
	const struct uuid unknown = {{7}};

	(void)state;
	assert_int_equal(session_end(&ctx, &his.session_id, &alice.user_id,
	                             SPAN("x"), AUDIT_SESSION_END),
	                 FAULT_NOT_FOUND);
	assert_int_equal(session_end(&ctx, &unknown, &alice.user_id, SPAN("x"),
	                             AUDIT_SESSION_END),
	                 FAULT_NOT_FOUND);
	assert_true(is_let_in(&his));
	(void)refresh(his.refresh_token);
}

/* What ends many sessions at once, inside a transaction. */
struct sweep {
	enum fault (*work)(struct sweep *sweep);
	struct uuid spared;
	struct revocation mark;
};

static enum fault sweep_work(void *argument)
{
	struct sweep *sweep = argument;

	return sweep->work(sweep);
}

static void run_sweep(enum fault (*work)(struct sweep *sweep),
                      const struct uuid *spared)
{
	struct sweep sweep = {.work = work};

	if (spared)
		sweep.spared = *spared;
	assert_int_equal(db_transact(ctx.db, sweep_work, &sweep), FAULT_NONE);
	revocation_publish(&ctx, &sweep.mark);
}

static enum fault end_all(struct sweep *sweep)
{
	return session_end_all(&ctx, &alice.user_id, &sweep->spared,
	                       SPAN("a_test"), &sweep->mark);
}

static enum fault renew_all(struct sweep *sweep)
{
	return session_renew_all(&ctx, &alice.user_id, SPAN("a_test"),
	                         &sweep->mark);
}

static enum fault end_tenant(struct sweep *sweep)
{
	return session_end_tenant(&ctx, &alice.tenant_id, SPAN("a_test"),
	                          &sweep->mark);
}

static enum fault end_everything(struct sweep *sweep)
{
	return session_end_everything(&ctx, SPAN("a_test"), &sweep->mark);
}

static void SE_06_ends_all_sessions_of_a_user(void **state)
{
	struct identity bob = site_person(&ctx, "bob@example.com");
	struct session_tokens his = open_as(&bob, SESSION_TOKEN);
	struct session_tokens one = open_session(), two = open_session();

	(void)state;
	run_sweep(end_all, NULL);
	assert_false(is_let_in(&one));
	assert_false(is_let_in(&two));
	refuse(one.refresh_token, FAULT_TOKEN_REVOKED);
	refuse(two.refresh_token, FAULT_TOKEN_REVOKED);
	assert_int_equal(live_sessions(&alice), 0);
	assert_true(is_let_in(&his));
	(void)refresh(his.refresh_token);
}

static void opens_new_sessions_after_all_were_ended(void **state)
{
	struct session_tokens tokens;

	(void)state;
	for (int i = 1; i <= 3; i++) {
		run_sweep(end_all, NULL);
		assert_int_equal(identity_find(&ctx, &alice.user_id,
		                               &alice.tenant_id, &alice),
		                 FAULT_NONE);
		assert_int_equal(alice.generations.user, i);
		tokens = open_session();
		assert_int_equal(claims_of(&tokens).generations.user, i);
		assert_true(is_let_in(&tokens));
		tokens = refresh(tokens.refresh_token);
		assert_true(is_let_in(&tokens));
	}
}

static void spares_the_session_that_ended_the_others(void **state)
{
	struct session_tokens own = open_session(), other = open_session();

	(void)state;
	for (int i = 0; i < 3; i++) {
		run_sweep(end_all, &own.session_id);
		/* The token that it has, and those to come. */
		assert_true(is_let_in(&own));
		own = refresh(own.refresh_token);
		assert_true(is_let_in(&own));
		assert_int_equal(live_sessions(&alice), 1);
	}
	assert_false(is_let_in(&other));
	refuse(other.refresh_token, FAULT_TOKEN_REVOKED);
	/* It may be ended like any other. */
	run_sweep(end_all, NULL);
	assert_false(is_let_in(&own));
	refuse(own.refresh_token, FAULT_TOKEN_REVOKED);
}

static void ends_the_others_for_whoever_asks(void **state)
{
	struct session_tokens own = open_session(), other = open_session();

	(void)state;
	ctx.actor = (struct actor){
	    .kind = ACTOR_USER,
	    .user_id = alice.user_id,
	    .tenant_id = alice.tenant_id,
	    .session_id = own.session_id,
	};
	assert_int_equal(session_end_others(&ctx), FAULT_NONE);
	assert_true(is_let_in(&own));
	assert_false(is_let_in(&other));
	refuse(other.refresh_token, FAULT_TOKEN_REVOKED);
	(void)refresh(own.refresh_token);
	assert_int_equal(events_because("session_end", "all_others"), 1);
}

static void SE_11_gives_a_new_role_with_the_next_token(void **state)
{
	struct session_tokens tokens = open_session();

	(void)state;
	site_run(&ctx, &set_role,
	         (const struct db_value[]){text_value("member"),
	                                   db_uuid(&alice.user_id)});
	run_sweep(renew_all, NULL);
	/* What says the old role is over at once; the session is not. */
	assert_false(is_let_in(&tokens));
	assert_int_equal(live_sessions(&alice), 1);
	tokens = refresh(tokens.refresh_token);
	assert_true(is_let_in(&tokens));
	assert_span_equal(claims_of(&tokens).role, "member");
}

/* What had ended before is not carried over with the rest. */
static void SE_11_wakes_no_session_that_is_over(void **state)
{
	struct session_tokens ended = open_session(), left = open_session();

	(void)state;
	assert_int_equal(session_end(&ctx, &ended.session_id, &alice.user_id,
	                             SPAN("logout"), AUDIT_LOGOUT),
	                 FAULT_NONE);
	run_sweep(end_all, NULL);
	run_sweep(renew_all, NULL);
	refuse(ended.refresh_token, FAULT_TOKEN_REVOKED);
	refuse(left.refresh_token, FAULT_TOKEN_REVOKED);
	assert_int_equal(live_sessions(&alice), 0);
}

static void SE_07_ends_a_tenant_with_all_its_sessions(void **state)
{
	struct identity bob = site_person(&ctx, "bob@example.com");
	struct session_tokens his = open_as(&bob, SESSION_TOKEN);
	struct session_tokens hers = open_session();

	(void)state;
	run_sweep(end_tenant, NULL);
	assert_false(is_let_in(&hers));
	refuse(hers.refresh_token, FAULT_TOKEN_REVOKED);
	assert_true(is_let_in(&his));
	(void)refresh(his.refresh_token);
}

static void SE_06_ends_everything_there_is(void **state)
{
	struct identity bob = site_person(&ctx, "bob@example.com");
	struct session_tokens his = open_as(&bob, SESSION_TOKEN);
	struct session_tokens hers = open_session();

	(void)state;
	run_sweep(end_everything, NULL);
	assert_false(is_let_in(&hers));
	assert_false(is_let_in(&his));
	refuse(hers.refresh_token, FAULT_TOKEN_REVOKED);
	refuse(his.refresh_token, FAULT_TOKEN_REVOKED);
	assert_int_equal(
	    identity_find(&ctx, &alice.user_id, &alice.tenant_id, &alice),
	    FAULT_NONE);
	hers = open_session();
	assert_true(is_let_in(&hers));
	(void)refresh(hers.refresh_token);
}

static void LO_07_renews_nothing_for_who_is_disabled(void **state)
{
	struct session_tokens tokens = open_session();
	const struct db_value off[] = {text_value("disabled"),
	                               db_uuid(&alice.user_id)};
	const struct db_value on[] = {text_value("active"),
	                              db_uuid(&alice.user_id)};
	const struct db_value tenant_off[] = {text_value("disabled"),
	                                      db_uuid(&alice.tenant_id)};

	(void)state;
	site_run(&ctx, &set_status, off);
	refuse(tokens.refresh_token, FAULT_TOKEN_REVOKED);
	site_run(&ctx, &set_status, on);
	tokens = refresh(tokens.refresh_token);
	site_run(&ctx, &set_tenant_status, tenant_off);
	refuse(tokens.refresh_token, FAULT_TOKEN_REVOKED);
}

/* The password was changed while the old one was being checked. */
static void opens_nothing_lasting_on_what_was_read_before_an_end(void **state)
{
	struct identity before = alice;
	struct session_tokens tokens;

	(void)state;
	run_sweep(end_all, NULL);
	tokens = open_as(&before, SESSION_TOKEN);
	assert_false(is_let_in(&tokens));
	refuse(tokens.refresh_token, FAULT_TOKEN_REVOKED);
	assert_int_equal(live_sessions(&alice), 0);
}

static void keeps_no_more_sessions_than_it_is_set_to(void **state)
{
	struct session_tokens tokens[4];

	(void)state;
	site_config()->session.limit_per_user = 3;
	for (int i = 0; i < 4; i++) {
		ctx.now_ms += SECOND_MS;
		tokens[i] = open_session();
	}
	assert_int_equal(live_sessions(&alice), 3);
	refuse(tokens[0].refresh_token, FAULT_TOKEN_REVOKED);
	for (int i = 1; i < 4; i++)
		(void)refresh(tokens[i].refresh_token);
}

/* The one that was not used for longest goes, not the one that is oldest. */
static void ends_the_session_least_used_for_a_new_one(void **state)
{
	struct session_tokens first, second;

	(void)state;
	site_config()->session.limit_per_user = 2;
	first = open_session();
	ctx.now_ms += SECOND_MS;
	second = open_session();
	ctx.now_ms += SECOND_MS;
	first = refresh(first.refresh_token);
	ctx.now_ms += SECOND_MS;
	(void)open_session();
	refuse(second.refresh_token, FAULT_TOKEN_REVOKED);
	(void)refresh(first.refresh_token);
	assert_int_equal(live_sessions(&alice), 2);
}

/* Sessions that timed out take no place, and do not hide those that do. */
static void counts_live_sessions_alone(void **state)
{
	(void)state;
	site_config()->session.limit_per_user = 2;
	(void)open_session();
	(void)open_session();
	ctx.now_ms += 15 * DAY_MS;
	assert_int_equal(live_sessions(&alice), 0);
	for (int i = 0; i < 4; i++) {
		ctx.now_ms += SECOND_MS;
		(void)open_session();
		assert_int_equal(live_sessions(&alice), i ? 2 : 1);
	}
}

static void lists_live_sessions_page_by_page(void **state)
{
	const struct uuid nil = {0};
	const struct session_record *page;
	struct uuid before = nil, ids[7];
	struct identity bob;
	size_t count = 0, seen = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		ctx.now_ms += SECOND_MS;
		ids[i] = open_session().session_id;
	}
	bob = site_person(&ctx, "bob@example.com");
	(void)open_as(&bob, SESSION_TOKEN);
	do {
		assert_int_equal(session_list(&ctx, &alice.user_id, &before, 3,
		                              &page, &count),
		                 FAULT_NONE);
		for (size_t i = 0; i < count; i++) {
			assert_true(uuid_equal(&page[i].id,
			                       &ids[COUNT_OF(ids) - 1 - seen]));
			assert_span_equal(page[i].device_name, "a device");
			assert_span_equal(page[i].user_agent, "a test");
			seen++;
			before = page[i].id;
		}
	} while (count == 3);
	assert_int_equal(seen, COUNT_OF(ids));
}

static void finds_the_session_of_a_token_without_using_it(void **state)
{
	struct session_tokens tokens = open_session();
	struct uuid session = {0}, user = {0};

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(session_of_token(&ctx, tokens.refresh_token,
		                                  &session, &user),
		                 FAULT_NONE);
	assert_true(uuid_equal(&session, &tokens.session_id));
	assert_true(uuid_equal(&user, &alice.user_id));
	assert_int_equal(
	    session_of_token(&ctx, SPAN("nothing"), &session, &user),
	    FAULT_TOKEN_INVALID);
	assert_int_equal(
	    session_end(&ctx, &session, &user, SPAN("logout"), AUDIT_LOGOUT),
	    FAULT_NONE);
	assert_int_equal(
	    session_of_token(&ctx, tokens.refresh_token, &session, &user),
	    FAULT_TOKEN_INVALID);
}

static void removes_what_is_over_with_its_tokens(void **state)
{
	struct session_tokens tokens = open_session();

	(void)state;
	(void)refresh(tokens.refresh_token);
	assert_int_equal(session_expire(&ctx, SITE_NOW + 30 * DAY_MS),
	                 FAULT_NONE);
	assert_int_equal(site_ask(&ctx, &count_sessions, NULL), 1);
	assert_int_equal(session_expire(&ctx, SITE_NOW + 30 * DAY_MS + 1),
	                 FAULT_NONE);
	assert_int_equal(site_ask(&ctx, &count_sessions, NULL), 0);
	assert_int_equal(site_ask(&ctx, &count_tokens, NULL), 0);
}

/* How each of many processes fared with one token. */
static void race(struct span token, int *winners, int *losers)
{
	*winners = *losers = 0;
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();
		struct session_tokens out;

		assert_true(pid >= 0);
		if (pid)
			continue;
		site_reconnect(&ctx);
		_exit((int)try_refresh(token, &out));
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		*winners += WEXITSTATUS(status) == FAULT_NONE;
		*losers += WEXITSTATUS(status) == FAULT_TOKEN_REVOKED;
	}
}

static void SE_03_lets_one_of_many_win(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		struct session_tokens tokens;
		int winners, losers;

		assert_int_equal(start_over(NULL), 0);
		tokens = open_session();
		race(tokens.refresh_token, &winners, &losers);
		assert_int_equal(winners, 1);
		assert_int_equal(losers, PROCESSES - 1);
		assert_int_equal(site_ask(&ctx, &count_tokens, NULL), 2);
		assert_int_equal(events_because("suspicious_activity",
		                                "refresh_token_reuse"),
		                 1);
	}
}

/* With a grace they all get the one successor. */
static void SE_04_gives_many_at_once_the_same_successor(void **state)
{
	struct session_tokens tokens = open_session();
	int winners, losers;

	(void)state;
	site_config()->session.refresh_grace = 5 * SECOND_MS;
	race(tokens.refresh_token, &winners, &losers);
	assert_int_equal(winners, PROCESSES);
	assert_int_equal(site_ask(&ctx, &count_tokens, NULL), 2);
	assert_int_equal(events_of("token_refresh", 1), 1);
}

/* Last, for it takes the server away. */
static void changes_nothing_while_the_database_is_away(void **state)
{
	struct session_tokens tokens = open_session(), out;

	(void)state;
	stack_stop(STACK_MARIADB);
	assert_int_equal(try_refresh(tokens.refresh_token, &out),
	                 FAULT_UNAVAILABLE);
	stack_start(STACK_MARIADB, NULL);
	for (int i = 0; i < 300 && db_ping(ctx.db); i++)
		(void)usleep(10000);
	(void)refresh(tokens.refresh_token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(opens_a_session_with_its_tokens, start_over),
	    cmocka_unit_test_setup(SE_01_stores_no_token_itself, start_over),
	    cmocka_unit_test_setup(SE_01_gives_other_tokens_at_each_use,
	                           start_over),
	    cmocka_unit_test_setup(SE_12_keeps_what_the_session_began_with,
	                           start_over),
	    cmocka_unit_test_setup(SE_02_ends_the_family_of_a_token_used_twice,
	                           start_over),
	    cmocka_unit_test_setup(SE_02_tells_the_owner_once, start_over),
	    cmocka_unit_test_setup(
		SE_02_knows_a_used_token_after_it_has_expired, start_over),
	    cmocka_unit_test_setup(SE_03_lets_one_of_many_win, start_over),
	    cmocka_unit_test_setup(SE_04_has_no_grace_by_default, start_over),
	    cmocka_unit_test_setup(
		SE_04_gives_the_same_successor_within_the_grace, start_over),
	    cmocka_unit_test_setup(SE_04_ends_the_family_past_the_grace,
	                           start_over),
	    cmocka_unit_test_setup(SE_04_does_not_grow_by_being_used,
	                           start_over),
	    cmocka_unit_test_setup(SE_04_forgives_the_direct_predecessor_alone,
	                           start_over),
	    cmocka_unit_test_setup(SE_04_forgives_nothing_that_was_not_kept,
	                           start_over),
	    cmocka_unit_test_setup(
		SE_04_forgives_nothing_in_a_session_that_is_over, start_over),
	    cmocka_unit_test_setup(SE_04_gives_many_at_once_the_same_successor,
	                           start_over),
	    cmocka_unit_test_setup(SE_05_ends_with_the_idle_time, start_over),
	    cmocka_unit_test_setup(
		SE_05_ends_with_the_absolute_time_however_busy, start_over),
	    cmocka_unit_test_setup(refuses_what_is_no_token_of_anybody,
	                           start_over),
	    cmocka_unit_test_setup(takes_a_token_of_its_own_kind_alone,
	                           start_over),
	    cmocka_unit_test_setup(SE_06_ends_one_session_with_its_tokens,
	                           start_over),
	    cmocka_unit_test_setup(SE_06_ends_all_sessions_of_a_user,
	                           start_over),
	    cmocka_unit_test_setup(SE_06_ends_everything_there_is, start_over),
	    cmocka_unit_test_setup(SE_07_ends_a_tenant_with_all_its_sessions,
	                           start_over),
	    cmocka_unit_test_setup(SE_08_ends_nobody_elses_session, start_over),
	    cmocka_unit_test_setup(opens_new_sessions_after_all_were_ended,
	                           start_over),
	    cmocka_unit_test_setup(spares_the_session_that_ended_the_others,
	                           start_over),
	    cmocka_unit_test_setup(ends_the_others_for_whoever_asks,
	                           start_over),
	    cmocka_unit_test_setup(SE_11_gives_a_new_role_with_the_next_token,
	                           start_over),
	    cmocka_unit_test_setup(SE_11_wakes_no_session_that_is_over,
	                           start_over),
	    cmocka_unit_test_setup(LO_07_renews_nothing_for_who_is_disabled,
	                           start_over),
	    cmocka_unit_test_setup(
		opens_nothing_lasting_on_what_was_read_before_an_end,
		start_over),
	    cmocka_unit_test_setup(keeps_no_more_sessions_than_it_is_set_to,
	                           start_over),
	    cmocka_unit_test_setup(ends_the_session_least_used_for_a_new_one,
	                           start_over),
	    cmocka_unit_test_setup(counts_live_sessions_alone, start_over),
	    cmocka_unit_test_setup(lists_live_sessions_page_by_page,
	                           start_over),
	    cmocka_unit_test_setup(
		finds_the_session_of_a_token_without_using_it, start_over),
	    cmocka_unit_test_setup(removes_what_is_over_with_its_tokens,
	                           start_over),
	    cmocka_unit_test_setup(changes_nothing_while_the_database_is_away,
	                           start_over),
	};

	if (!site_can_run())
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
