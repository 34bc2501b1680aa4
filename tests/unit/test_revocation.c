/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation against a real MariaDB and Redis (requirements SE-06, SE-13): each
 * mark refuses what it is for and nothing else, both stores agree, and nothing
 * that happens to Redis lets a revoked token in.
 */
#include "unit.h"

#include "crypto/random.h"
#include "domain/guard/guard.h"
#include "domain/session/revocation.h"
#include "site.h"
#include "stack.h"
#include "store/kv_keys.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define MANY 150 /* marks: more than two pages of a refill */

static struct ctx ctx;
static struct access_claims alice; /* a token of Alice's first session */

static const struct db_statement count_marks = {
    "SELECT COUNT(*) FROM revocation", 0, 1};
static const struct db_statement count_unpublished = {
    "SELECT COUNT(*) FROM revocation WHERE published_at IS NULL", 0, 1};
static const struct db_statement number_of = {
    "SELECT number FROM revocation WHERE subject = ?", 1, 1};

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

static struct uuid new_id(void)
{
	struct uuid id;

	random_uuid(SITE_NOW, &id);
	return id;
}

/* Redis is filled, nothing is revoked, every generation is 5. */
static int start_over(void **state)
{
	struct admission admission;

	(void)state;
	site_reset(&ctx);
	alice = (struct access_claims){
	    .token_id = new_id(),
	    .user_id = new_id(),
	    .tenant_id = new_id(),
	    .session_id = new_id(),
	    .generations = {5, 5, 5},
	};
	/* The first look at an empty Redis fills it. */
	return guard_admit(&ctx, LIMIT_NOTHING, &alice, &admission) ||
	       admission.is_revoked;
}

/* Whether Redis, when it is asked, refuses. */
static bool is_refused_by_admission(const struct access_claims *claims)
{
	struct admission admission;

	assert_int_equal(guard_admit(&ctx, LIMIT_NOTHING, claims, &admission),
	                 FAULT_NONE);
	return admission.is_revoked;
}

static bool is_refused_by_database(const struct access_claims *claims)
{
	enum fault fault = revocation_check(&ctx, claims);

	assert_true(fault == FAULT_NONE || fault == FAULT_TOKEN_REVOKED);
	return fault == FAULT_TOKEN_REVOKED;
}

/* What both say; they must agree. */
static bool is_revoked(const struct access_claims *claims)
{
	bool is_refused = is_refused_by_admission(claims);

	assert_int_equal(is_refused_by_database(claims), is_refused);
	return is_refused;
}

static enum fault add_work(void *argument)
{
	return revocation_add(&ctx, argument);
}

static void add(struct revocation mark)
{
	mark.reason = SPAN("a_test");
	assert_int_equal(db_transact(ctx.db, add_work, &mark), FAULT_NONE);
}

static void raise_mark(struct revocation mark)
{
	add(mark);
	revocation_publish(&ctx, &mark);
}

/* Whose ids these are, as a mark of this kind has them. */
static struct uuid subject_of(enum revocation_kind kind,
                              const struct access_claims *claims)
{
	switch (kind) {
	case REVOKE_TOKEN:
		return claims->token_id;
	case REVOKE_SESSION:
		return claims->session_id;
	case REVOKE_USER:
		return claims->user_id;
	case REVOKE_TENANT:
		return claims->tenant_id;
	case REVOKE_ALL:
	case REVOCATION_KIND_COUNT:
		break;
	}
	return (struct uuid){0};
}

/* A token that has nothing in common with Alice's. */
static struct access_claims stranger(void)
{
	return (struct access_claims){
	    .token_id = new_id(),
	    .user_id = new_id(),
	    .tenant_id = new_id(),
	    .session_id = new_id(),
	    .generations = {5, 5, 5},
	};
}

/* Alice's next token of the same session. */
static struct access_claims next_token(void)
{
	struct access_claims claims = alice;

	claims.token_id = new_id();
	return claims;
}

/* A token of another session of hers. */
static struct access_claims next_session(void)
{
	struct access_claims claims = next_token();

	claims.session_id = new_id();
	return claims;
}

static void lets_in_what_nobody_revoked(void **state)
{
	struct access_claims other = stranger();

	(void)state;
	assert_false(is_revoked(&alice));
	assert_false(is_revoked(&other));
	assert_int_equal(site_ask(&ctx, &count_marks, NULL), 0);
}

/* Who is refused by a mark of each kind, and who is not. */
static void refuses_what_a_mark_is_for_and_nothing_else(void **state)
{
	static const struct {
		enum revocation_kind kind;
		bool token, session, user, all;
	} rows[] = {
	    {REVOKE_TOKEN, false, false, false, false},
	    {REVOKE_SESSION, true, false, false, false},
	    {REVOKE_USER, true, true, false, false},
	    {REVOKE_TENANT, true, true, true, false},
	    {REVOKE_ALL, true, true, true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct access_claims same_session, same_user, same_tenant;
		struct access_claims other;
		bool is_single = rows[i].kind <= REVOKE_SESSION;

		assert_int_equal(start_over(NULL), 0);
		same_session = next_token();
		same_user = next_session();
		same_tenant = next_session();
		same_tenant.user_id = new_id();
		other = stranger();
		raise_mark((struct revocation){
		    .kind = rows[i].kind,
		    .subject = subject_of(rows[i].kind, &alice),
		    .number = is_single ? 1 : 6,
		});
		assert_true(is_revoked(&alice));
		assert_int_equal(is_revoked(&same_session), rows[i].token);
		assert_int_equal(is_revoked(&same_user), rows[i].session);
		assert_int_equal(is_revoked(&same_tenant), rows[i].user);
		assert_int_equal(is_revoked(&other), rows[i].all);
	}
}

/* An id of one kind is nothing as another. */
static void keeps_kinds_apart(void **state)
{
	(void)state;
	raise_mark((struct revocation){
	    .kind = REVOKE_TOKEN, .subject = alice.session_id, .number = 1});
	raise_mark((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.tenant_id, .number = 9});
	raise_mark((struct revocation){
	    .kind = REVOKE_TENANT, .subject = alice.user_id, .number = 9});
	assert_false(is_revoked(&alice));
}

static void refuses_generations_below_the_mark_alone(void **state)
{
	static const enum revocation_kind kinds[] = {REVOKE_USER, REVOKE_TENANT,
	                                             REVOKE_ALL};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		assert_int_equal(start_over(NULL), 0);
		raise_mark((struct revocation){
		    .kind = kinds[i],
		    .subject = subject_of(kinds[i], &alice),
		    .number = 7,
		});
		for (int64_t generation = 5; generation <= 9; generation++) {
			struct access_claims claims = alice;
			int64_t *carried[] = {
			    [REVOKE_USER] = &claims.generations.user,
			    [REVOKE_TENANT] = &claims.generations.tenant,
			    [REVOKE_ALL] = &claims.generations.all,
			};

			*carried[kinds[i]] = generation;
			assert_int_equal(is_revoked(&claims), generation < 7);
		}
	}
}

static void spares_the_session_that_it_names(void **state)
{
	struct access_claims other = next_session(), later = next_token();

	(void)state;
	raise_mark((struct revocation){
	    .kind = REVOKE_USER,
	    .subject = alice.user_id,
	    .number = 6,
	    .spared = alice.session_id,
	});
	assert_false(is_revoked(&alice));
	assert_false(is_revoked(&later));
	assert_true(is_revoked(&other));
	/* The next mark spares nobody, or somebody else. */
	raise_mark((struct revocation){
	    .kind = REVOKE_USER,
	    .subject = alice.user_id,
	    .number = 7,
	    .spared = other.session_id,
	});
	assert_true(is_revoked(&alice));
	assert_false(is_revoked(&other));
	raise_mark((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 8});
	assert_true(is_revoked(&alice));
	assert_true(is_revoked(&other));
}

/* What was spared by one mark is not by another: of its own, or of all. */
static void spares_from_one_mark_only(void **state)
{
	(void)state;
	raise_mark((struct revocation){
	    .kind = REVOKE_USER,
	    .subject = alice.user_id,
	    .number = 6,
	    .spared = alice.session_id,
	});
	raise_mark((struct revocation){
	    .kind = REVOKE_SESSION, .subject = alice.session_id, .number = 1});
	assert_true(is_revoked(&alice));
	assert_int_equal(start_over(NULL), 0);
	raise_mark((struct revocation){
	    .kind = REVOKE_USER,
	    .subject = alice.user_id,
	    .number = 6,
	    .spared = alice.session_id,
	});
	raise_mark((struct revocation){.kind = REVOKE_ALL, .number = 6});
	assert_true(is_revoked(&alice));
}

/* Marks may arrive in any order, from hosts that are slower. */
static void never_takes_a_mark_back(void **state)
{
	const struct revocation newer = {
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 9};
	const struct revocation older = {
	    .kind = REVOKE_USER,
	    .subject = alice.user_id,
	    .number = 6,
	    .spared = alice.session_id,
	};
	struct access_claims claims = alice;

	(void)state;
	claims.generations.user = 8;
	raise_mark(newer);
	raise_mark(older);
	assert_true(is_revoked(&claims));
	assert_true(is_revoked(&alice));
	assert_int_equal(
	    site_ask(&ctx, &number_of,
	             (const struct db_value[]){db_uuid(&alice.user_id)}),
	    9);
}

static enum fault add_and_fail(void *argument)
{
	enum fault fault = add_work(argument);

	return fault ? fault : FAULT_CONFLICT;
}

static void goes_with_its_transaction(void **state)
{
	struct revocation mark = {
	    .kind = REVOKE_USER,
	    .subject = alice.user_id,
	    .number = 6,
	    .reason = SPAN("a_test"),
	};

	(void)state;
	assert_int_equal(db_transact(ctx.db, add_and_fail, &mark),
	                 FAULT_CONFLICT);
	assert_int_equal(site_ask(&ctx, &count_marks, NULL), 0);
	assert_false(is_revoked(&alice));
}

/* As long as the last token that it could refuse, and some minutes more. */
static void lives_longer_than_any_token(void **state)
{
	int64_t life_ms = kv_key_life_ms(KV_REVOKED_USER);

	(void)state;
	assert_true(life_ms > 15 * 60000 + 60000);
	raise_mark((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 6});
	ctx.now_ms = SITE_NOW + life_ms - 1;
	assert_int_equal(revocation_expire(&ctx), FAULT_NONE);
	assert_true(is_refused_by_database(&alice));
	ctx.now_ms = SITE_NOW + life_ms + 1;
	assert_int_equal(revocation_expire(&ctx), FAULT_NONE);
	assert_int_equal(site_ask(&ctx, &count_marks, NULL), 0);
}

/* Raised again, it lives its whole life again. */
static void lives_anew_when_it_is_raised(void **state)
{
	int64_t life_ms = kv_key_life_ms(KV_REVOKED_USER);

	(void)state;
	raise_mark((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 6});
	ctx.now_ms = SITE_NOW + life_ms / 2;
	raise_mark((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 7});
	ctx.now_ms = SITE_NOW + life_ms + 1;
	assert_int_equal(revocation_expire(&ctx), FAULT_NONE);
	assert_true(is_refused_by_database(&alice));
}

static void publishes_later_what_did_not_reach_redis(void **state)
{
	(void)state;
	add((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 6});
	/* Between the commit and the publishing only Redis does not know. */
	assert_false(is_refused_by_admission(&alice));
	assert_true(is_refused_by_database(&alice));
	assert_int_equal(site_ask(&ctx, &count_unpublished, NULL), 1);
	assert_int_equal(revocation_publish_pending(&ctx), FAULT_NONE);
	assert_int_equal(site_ask(&ctx, &count_unpublished, NULL), 0);
	assert_true(is_revoked(&alice));
	assert_int_equal(revocation_publish_pending(&ctx), FAULT_NONE);
	/* Raised again, it is to be published again. */
	add((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 7});
	assert_int_equal(site_ask(&ctx, &count_unpublished, NULL), 1);
}

static void SE_13_stays_revoked_when_redis_is_emptied(void **state)
{
	(void)state;
	raise_mark((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 6});
	for (int i = 0; i < 3; i++) {
		ctx.now_ms += 1000;
		site_redis(&ctx, "FLUSHALL", NULL, NULL);
		assert_true(is_refused_by_admission(&alice));
		/* By now Redis knows it again. */
		assert_true(is_refused_by_admission(&alice));
	}
}

/* A flush a moment after the last refill must wait for the next one. */
static void SE_13_asks_the_database_until_redis_is_filled(void **state)
{
	struct access_claims other = stranger();

	(void)state;
	raise_mark((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 6});
	ctx.now_ms += 1000;
	for (int i = 0; i < 10; i++) {
		site_redis(&ctx, "FLUSHALL", NULL, NULL);
		assert_true(is_refused_by_admission(&alice));
		assert_false(is_refused_by_admission(&other));
	}
}

/* Marks of every kind, and how many of them Redis refuses by itself. */
static void add_many(struct access_claims *claims)
{
	for (int i = 0; i < MANY; i++) {
		enum revocation_kind kind = (enum revocation_kind)(i % 4);

		claims[i] = stranger();
		add((struct revocation){
		    .kind = kind,
		    .subject = subject_of(kind, &claims[i]),
		    .number = kind <= REVOKE_SESSION ? 1 : 6,
		});
	}
}

static void fills_redis_with_every_mark_there_is(void **state)
{
	static struct access_claims claims[MANY];
	struct span run_id;

	(void)state;
	add_many(claims);
	site_redis(&ctx, "FLUSHALL", NULL, NULL);
	assert_int_equal(kv_run_id(ctx.kv, &run_id), FAULT_NONE);
	assert_int_equal(revocation_refill(&ctx, run_id), FAULT_NONE);
	/* The rows are gone: what refuses now is Redis. */
	ctx.now_ms += kv_key_life_ms(KV_REVOKED_USER) + 1;
	assert_int_equal(revocation_expire(&ctx), FAULT_NONE);
	assert_int_equal(site_ask(&ctx, &count_marks, NULL), 0);
	for (int i = 0; i < MANY; i++) {
		assert_true(is_refused_by_admission(&claims[i]));
		assert_false(is_refused_by_database(&claims[i]));
	}
}

static void publishes_more_than_a_page_in_some_rounds(void **state)
{
	static struct access_claims claims[MANY];

	(void)state;
	add_many(claims);
	for (int i = 0; i < 3; i++)
		assert_int_equal(revocation_publish_pending(&ctx), FAULT_NONE);
	assert_int_equal(site_ask(&ctx, &count_unpublished, NULL), 0);
	for (int i = 0; i < MANY; i++)
		assert_true(is_revoked(&claims[i]));
}

static void wait_for_redis(void)
{
	/* The handle waits up to a second between two attempts. */
	for (int i = 0; i < 300 && kv_ping(ctx.kv); i++)
		(void)usleep(10000);
	assert_int_equal(kv_ping(ctx.kv), FAULT_NONE);
}

static void SE_13_stays_revoked_while_redis_is_away(void **state)
{
	struct access_claims other = stranger();

	(void)state;
	raise_mark((struct revocation){
	    .kind = REVOKE_SESSION, .subject = alice.session_id, .number = 1});
	stack_stop(STACK_REDIS);
	assert_true(is_revoked(&alice));
	assert_false(is_revoked(&other));
	/* What is revoked now, too. */
	raise_mark((struct revocation){
	    .kind = REVOKE_SESSION, .subject = other.session_id, .number = 1});
	assert_true(is_revoked(&other));
	assert_true(atomic_load(&ctx.shared->kv_distrusted_since_ms) != 0);
	/* It comes back empty, and is filled again. */
	stack_start(STACK_REDIS, NULL);
	wait_for_redis();
	for (int i = 0; i < 3; i++) {
		ctx.now_ms += 1000;
		assert_true(is_revoked(&alice));
		assert_true(is_revoked(&other));
	}
	assert_int_equal(atomic_load(&ctx.shared->kv_distrusted_since_ms), 0);
}

/* The one mark that was lost must not be, though Redis has all the others. */
static void SE_13_distrusts_redis_after_a_mark_was_lost(void **state)
{
	(void)state;
	stack_signal(STACK_REDIS, SIGSTOP);
	raise_mark((struct revocation){
	    .kind = REVOKE_USER, .subject = alice.user_id, .number = 6});
	stack_signal(STACK_REDIS, SIGCONT);
	wait_for_redis();
	/* No refill yet: another process does it, or it was a moment ago. */
	atomic_store(&ctx.shared->kv_next_refill_ms, SITE_NOW + 500);
	assert_true(is_refused_by_admission(&alice));
	assert_true(atomic_load(&ctx.shared->kv_distrusted_since_ms) != 0);
	ctx.now_ms += 501;
	assert_true(is_refused_by_admission(&alice));
	assert_int_equal(atomic_load(&ctx.shared->kv_distrusted_since_ms), 0);
	assert_true(is_refused_by_admission(&alice));
}

/* Last, for it takes both servers away. */
static void lets_nobody_in_when_nobody_can_be_asked(void **state)
{
	struct admission admission = {0};

	(void)state;
	stack_stop(STACK_MARIADB);
	/* Redis is trusted: it answers alone. */
	assert_false(is_refused_by_admission(&alice));
	site_redis(&ctx, "FLUSHALL", NULL, NULL);
	assert_int_equal(guard_admit(&ctx, LIMIT_NOTHING, &alice, &admission),
	                 FAULT_UNAVAILABLE);
	assert_int_equal(revocation_check(&ctx, &alice), FAULT_UNAVAILABLE);
	stack_stop(STACK_REDIS);
	assert_int_equal(guard_admit(&ctx, LIMIT_NOTHING, &alice, &admission),
	                 FAULT_UNAVAILABLE);
	/* Who has no token is asked for none. */
	assert_int_equal(guard_admit(&ctx, LIMIT_API, NULL, &admission),
	                 FAULT_NONE);
	assert_false(admission.is_limited);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(lets_in_what_nobody_revoked, start_over),
	    cmocka_unit_test_setup(refuses_what_a_mark_is_for_and_nothing_else,
	                           start_over),
	    cmocka_unit_test_setup(keeps_kinds_apart, start_over),
	    cmocka_unit_test_setup(refuses_generations_below_the_mark_alone,
	                           start_over),
	    cmocka_unit_test_setup(spares_the_session_that_it_names,
	                           start_over),
	    cmocka_unit_test_setup(spares_from_one_mark_only, start_over),
	    cmocka_unit_test_setup(never_takes_a_mark_back, start_over),
	    cmocka_unit_test_setup(goes_with_its_transaction, start_over),
	    cmocka_unit_test_setup(lives_longer_than_any_token, start_over),
	    cmocka_unit_test_setup(lives_anew_when_it_is_raised, start_over),
	    cmocka_unit_test_setup(publishes_later_what_did_not_reach_redis,
	                           start_over),
	    cmocka_unit_test_setup(SE_13_stays_revoked_when_redis_is_emptied,
	                           start_over),
	    cmocka_unit_test_setup(
		SE_13_asks_the_database_until_redis_is_filled, start_over),
	    cmocka_unit_test_setup(fills_redis_with_every_mark_there_is,
	                           start_over),
	    cmocka_unit_test_setup(publishes_more_than_a_page_in_some_rounds,
	                           start_over),
	    cmocka_unit_test_setup(SE_13_stays_revoked_while_redis_is_away,
	                           start_over),
	    cmocka_unit_test_setup(SE_13_distrusts_redis_after_a_mark_was_lost,
	                           start_over),
	    cmocka_unit_test_setup(lets_nobody_in_when_nobody_can_be_asked,
	                           start_over),
	};

	if (!site_can_run())
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
