/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Redis handle and its scripts against a real Redis: limits exact at the
 * edge, buckets that refill, marks that only rise, a server that is emptied,
 * full, read-only, stopped, started again or hung, and the breaker that all
 * processes share.
 */
#include "base/clock.h"
#include "base/metrics.h"
#include "stack.h"
#include "store/kv.h"
#include "store/kv_keys.h"

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_LIMIT 32
#define TEXT_BYTES  64
#define OUT_LIMIT   32
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct config config;
static struct shared *shared;
static struct kv *kv;
static redisContext *probe; /* to look at the server from beside */

/* What admit.lua is asked, and what it says. */
struct question {
	struct span run_id;
	int64_t version; /* of the guard, as the asker knows it */
	size_t marks;
	size_t limits;
	const char *mark[4];
	int64_t threshold[4];
	const char *limit[4];
	int64_t count[4];
	int64_t window_ms[4];
	int64_t burst[4];
};

struct answer {
	int64_t ready;
	int64_t revoked;
	int64_t limited;
	int64_t guard;
	struct {
		int64_t remaining;
		int64_t reset_in_ms;
	} limit[4];
};

struct words {
	size_t count;
	struct span at[WORDS_LIMIT];
	char memory[WORDS_LIMIT][TEXT_BYTES];
};

static void add(struct words *words, struct span word)
{
	words->at[words->count++] = word;
}

static void add_number(struct words *words, int64_t number)
{
	char *at = words->memory[words->count];
	int length = snprintf(at, TEXT_BYTES, "%lld", (long long)number);

	add(words, (struct span){at, (size_t)length});
}

static enum fault run(enum kv_script script, const struct words *keys,
                      const struct words *arguments, int64_t *out,
                      size_t *count)
{
	return kv_run(kv, script, keys->at, keys->count, arguments->at,
	              arguments->count, out, OUT_LIMIT, count);
}

static enum fault admit(const struct question *question, struct answer *answer)
{
	struct words keys = {0};
	struct words arguments = {0};
	int64_t out[OUT_LIMIT];
	size_t count = 0;
	enum fault fault;

	add(&keys, SPAN("t:ready"));
	add(&keys, SPAN("t:guard"));
	add(&arguments, question->run_id);
	add_number(&arguments, question->version);
	add_number(&arguments, (int64_t)question->marks);
	add(&arguments, SPAN("s1"));
	for (size_t i = 0; i < question->marks; i++) {
		add(&keys, span_of(question->mark[i]));
		add_number(&arguments, question->threshold[i]);
	}
	for (size_t i = 0; i < question->limits; i++) {
		add(&keys, span_of(question->limit[i]));
		add_number(&arguments, question->count[i]);
		add_number(&arguments, question->window_ms[i]);
		add_number(&arguments, question->burst[i]);
	}
	fault = run(KV_SCRIPT_ADMIT, &keys, &arguments, out, &count);
	if (fault)
		return fault;
	*answer = (struct answer){out[0], out[1], out[2], out[3], {{0}}};
	if (question->version && out[3] && out[3] != question->version) {
		assert_int_equal(count, 4);
		return FAULT_NONE;
	}
	assert_int_equal(count, 4 + 2 * question->limits);
	for (size_t i = 0; i < question->limits; i++) {
		answer->limit[i].remaining = out[4 + 2 * i];
		answer->limit[i].reset_in_ms = out[5 + 2 * i];
	}
	return FAULT_NONE;
}

static enum fault mark_sparing(const char *key, int64_t number, int64_t life_ms,
                               const char *session)
{
	struct words keys = {0};
	struct words arguments = {0};
	int64_t out[OUT_LIMIT];
	size_t count = 0;
	enum fault fault;

	add(&keys, span_of(key));
	add_number(&arguments, number);
	add_number(&arguments, life_ms);
	add(&arguments, span_of(session));
	fault = run(KV_SCRIPT_MARK, &keys, &arguments, out, &count);
	if (!fault) {
		assert_int_equal(count, 1);
		assert_int_equal(out[0], 1);
	}
	return fault;
}

static enum fault mark(const char *key, int64_t number, int64_t life_ms)
{
	return mark_sparing(key, number, life_ms, "");
}

/* How many of a question's limits gave one back. */
static int64_t refund_all(const struct question *question)
{
	struct words keys = {0};
	struct words arguments = {0};
	int64_t out[OUT_LIMIT];
	size_t count = 0;
	int64_t given = 0;

	for (size_t i = 0; i < question->limits; i++) {
		add(&keys, span_of(question->limit[i]));
		add_number(&arguments, question->count[i]);
		add_number(&arguments, question->window_ms[i]);
		add_number(&arguments, question->burst[i]);
	}
	assert_int_equal(run(KV_SCRIPT_REFUND, &keys, &arguments, out, &count),
	                 FAULT_NONE);
	assert_int_equal(count, question->limits);
	for (size_t i = 0; i < count; i++)
		given += out[i];
	return given;
}

static int64_t refund(const char *key)
{
	const struct question question = {
	    .limits = 1,
	    .limit = {key},
	    .count = {3},
	    .window_ms = {60000},
	};

	return refund_all(&question);
}

/* What the server says to a command, as a number. */
static long long probed(const char *command, const char *argument)
{
	redisReply *reply = redisCommand(probe, command, argument);
	long long number;

	assert_non_null(reply);
	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	number = reply->type == REDIS_REPLY_INTEGER ? reply->integer
	         : reply->type == REDIS_REPLY_STRING
	             ? strtoll(reply->str, NULL, 10)
	             : -1;
	freeReplyObject(reply);
	return number;
}

static void probe_again(void)
{
	if (probe)
		redisFree(probe);
	probe = redisConnectUnix(config.redis.socket);
	assert_non_null(probe);
	assert_int_equal(probe->err, 0);
}

static int set_up(void **state)
{
	(void)state;
	stack_configure(&config);
	stack_start(STACK_REDIS, NULL);
	config.server.runtime_dir = stack_folder();
	if (shared_open(config.server.runtime_dir, &shared))
		return 1;
	return kv_new(&config, shared, &kv) != FAULT_NONE;
}

static int tear_down(void **state)
{
	(void)state;
	kv_free(kv);
	if (probe)
		redisFree(probe);
	stack_end();
	return 0;
}

/* A handle without a past, on a server without keys. */
static int empty(void **state)
{
	(void)state;
	stack_signal(STACK_REDIS, SIGCONT);
	kv_free(kv);
	probe_again();
	(void)probed("FLUSHALL", NULL);
	atomic_store(&shared->kv_open_until_us, 0);
	return kv_new(&config, shared, &kv) != FAULT_NONE;
}

static const struct question three = {
    .run_id = {"x", 1},
    .limits = 1,
    .limit = {"t:limit:a"},
    .count = {3},
    .window_ms = {60000},
};

/* Limits */

static void admits_as_often_as_the_limit_says(void **state)
{
	struct answer answer;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(admit(&three, &answer), FAULT_NONE);
		assert_int_equal(answer.limited, 0);
		assert_int_equal(answer.limit[0].remaining, 2 - i);
		assert_true(answer.limit[0].reset_in_ms > 59000);
		assert_true(answer.limit[0].reset_in_ms <= 60000);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(admit(&three, &answer), FAULT_NONE);
		assert_int_equal(answer.limited, 1);
		assert_int_equal(answer.limit[0].remaining, 0);
		assert_true(answer.limit[0].reset_in_ms > 59000);
	}
	assert_int_equal(probed("LLEN %s", "t:limit:a"), 3);
}

static void refuses_all_when_the_limit_is_nothing(void **state)
{
	struct question question = three;
	struct answer answer;

	(void)state;
	question.count[0] = 0;
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	assert_int_equal(answer.limit[0].remaining, 0);
	assert_int_equal(answer.limit[0].reset_in_ms, 0);
	assert_int_equal(probed("EXISTS %s", "t:limit:a"), 0);
}

/*
 * The moments of admission as the client brackets them: were the server ever
 * to admit a sixth inside one window, the outer edges would be too near.
 */
static void never_admits_more_inside_any_window(void **state)
{
	enum { COUNT = 5, WINDOW_MS = 100, RUN_MS = 1500 };
	static int64_t before_us[1000];
	static int64_t after_us[1000];
	struct question question = three;
	struct answer answer;
	int64_t until_us = clock_monotonic_us() + RUN_MS * 1000;
	size_t admitted = 0;

	(void)state;
	question.count[0] = COUNT;
	question.window_ms[0] = WINDOW_MS;
	while (clock_monotonic_us() < until_us &&
	       admitted < COUNT_OF(before_us)) {
		before_us[admitted] = clock_monotonic_us();
		assert_int_equal(admit(&question, &answer), FAULT_NONE);
		after_us[admitted] = clock_monotonic_us();
		admitted += answer.limited == 0;
	}
	for (size_t i = COUNT; i < admitted; i++)
		assert_true(after_us[i] - before_us[i - COUNT] >=
		            (WINDOW_MS - 1) * 1000);
	/* And it admits again as soon as it may. */
	assert_true(admitted >= COUNT * (RUN_MS / WINDOW_MS) * 8 / 10);
	assert_true(admitted <= COUNT * (RUN_MS / WINDOW_MS + 1));
}

static void admits_again_when_it_said_so_and_not_before(void **state)
{
	struct question question = three;
	struct answer answer;

	(void)state;
	question.window_ms[0] = 200;
	for (int i = 0; i < 4; i++)
		assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	clock_sleep_ms(answer.limit[0].reset_in_ms / 2);
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	clock_sleep_ms(answer.limit[0].reset_in_ms);
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 0);
}

/* A list that a lowered rate makes too long is free when enough have left. */
static void tells_when_a_lowered_limit_is_free(void **state)
{
	struct question question = three;
	struct answer answer;

	(void)state;
	question.window_ms[0] = 600;
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	clock_sleep_ms(300);
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	question.count[0] = 1;
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	assert_in_range(answer.limit[0].reset_in_ms, 550, 600);
	clock_sleep_ms(answer.limit[0].reset_in_ms - 50);
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	clock_sleep_ms(answer.limit[0].reset_in_ms);
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 0);
}

/* The server's clock, in ms. */
static int64_t server_now_ms(void)
{
	redisReply *reply = redisCommand(probe, "TIME");
	int64_t now_ms;

	assert_non_null(reply);
	now_ms = strtoll(reply->element[0]->str, NULL, 10) * 1000 +
	         strtoll(reply->element[1]->str, NULL, 10) / 1000;
	freeReplyObject(reply);
	return now_ms;
}

/* One attempt, so old to the millisecond; asked in that very millisecond. */
static int64_t limited_at_age(int64_t age_ms)
{
	struct question question = three;
	struct answer answer;
	int64_t now_ms;
	char moment[TEXT_BYTES];

	question.count[0] = 1;
	do {
		now_ms = server_now_ms();
		(void)probed("DEL %s", "t:limit:a");
		(void)snprintf(moment, sizeof(moment), "%lld",
		               (long long)(now_ms - age_ms));
		(void)probed("RPUSH t:limit:a %s", moment);
		assert_int_equal(admit(&question, &answer), FAULT_NONE);
	} while (server_now_ms() != now_ms);
	return answer.limited;
}

static void opens_the_window_to_the_millisecond(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(limited_at_age(59999), 1);
		assert_int_equal(limited_at_age(60000), 0);
		assert_int_equal(limited_at_age(60001), 0);
	}
}

/* Buckets */

static const struct question bucket = {
    .run_id = {"x", 1},
    .limits = 1,
    .limit = {"t:bucket:a"},
    .count = {10}, /* a token in 100 ms */
    .window_ms = {1000},
    .burst = {4},
};

static void empties_a_bucket_and_no_more(void **state)
{
	struct answer answer;

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
		assert_int_equal(answer.limited, 0);
		assert_int_equal(answer.limit[0].remaining, 3 - i);
		assert_in_range(answer.limit[0].reset_in_ms, 60 + 100 * i,
		                100 + 100 * i);
	}
	assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	assert_int_equal(answer.limit[0].remaining, 0);
	assert_in_range(answer.limit[0].reset_in_ms, 1, 100);
}

static void refills_a_bucket_one_by_one(void **state)
{
	struct answer answer;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(answer.limited, 1);
		clock_sleep_ms(answer.limit[0].reset_in_ms - 30);
		assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
		assert_int_equal(answer.limited, 1);
		clock_sleep_ms(answer.limit[0].reset_in_ms);
		assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
		assert_int_equal(answer.limited, 0);
		assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
	}
	/* Full again, and nothing is kept of it. */
	clock_sleep_ms(410);
	assert_int_equal(probed("EXISTS %s", "t:bucket:a"), 0);
	assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
	assert_int_equal(answer.limit[0].remaining, 3);
}

/* In the long run no more than the rate, and all of it. */
static void lets_through_what_the_rate_says(void **state)
{
	enum { RUN_MS = 1500 };
	struct question question = bucket;
	struct answer answer;
	int64_t started_us = clock_monotonic_us();
	int64_t took_ms = 0;
	int admitted = 0;

	(void)state;
	question.count[0] = 50;
	while (took_ms < RUN_MS) {
		assert_int_equal(admit(&question, &answer), FAULT_NONE);
		admitted += answer.limited == 0;
		took_ms = (clock_monotonic_us() - started_us) / 1000;
	}
	assert_in_range(admitted, 4 + RUN_MS / 20 - 3, 4 + took_ms / 20);
}

static void gives_a_token_back(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(refund_all(&bucket), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	assert_int_equal(refund_all(&bucket), 1);
	assert_in_range(probed("PTTL %s", "t:bucket:a"), 200, 300);
	assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 0);
	assert_int_equal(answer.limit[0].remaining, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(refund_all(&bucket), 1);
	assert_int_equal(probed("EXISTS %s", "t:bucket:a"), 0);
	assert_int_equal(refund_all(&bucket), 0);
}

/* Nobody waits for a clock that was wrong, nor for a rate that is no more. */
static void waits_no_longer_than_a_bucket_takes(void **state)
{
	struct answer answer;
	char moment[TEXT_BYTES];

	(void)state;
	(void)snprintf(moment, sizeof(moment), "%lld",
	               (long long)(server_now_ms() + 86400000) * 1000);
	(void)probed("SET t:bucket:a %s", moment);
	assert_int_equal(admit(&bucket, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	assert_in_range(answer.limit[0].reset_in_ms, 1, 100);
}

static void charges_windows_and_buckets_together_or_not(void **state)
{
	struct question question = {
	    .run_id = {"x", 1},
	    .limits = 2,
	    .limit = {"t:limit:a", "t:bucket:a"},
	    .count = {2, 1},
	    .window_ms = {60000, 60000},
	    .burst = {0, 3},
	};
	struct answer answer;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(admit(&question, &answer), FAULT_NONE);
		assert_int_equal(answer.limited, 0);
	}
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	assert_int_equal(answer.limit[0].remaining, 0);
	assert_int_equal(answer.limit[1].remaining, 1);
	assert_int_equal(refund_all(&question), 2);
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 0);
	question.count[0] = 10;
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 0);
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 2);
	assert_int_equal(answer.limit[0].remaining, 7);
	assert_int_equal(probed("LLEN %s", "t:limit:a"), 3);
}

static void charges_no_limit_when_another_refuses(void **state)
{
	struct question question = {
	    .run_id = {"x", 1},
	    .limits = 3,
	    .limit = {"t:limit:a", "t:limit:b", "t:limit:c"},
	    .count = {10, 2, 1},
	    .window_ms = {60000, 60000, 60000},
	};
	struct answer answer;

	(void)state;
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 0);
	question.count[2] = 10;
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(admit(&question, &answer), FAULT_NONE);
		assert_int_equal(answer.limited, 2);
		assert_int_equal(answer.limit[0].remaining, 8);
		assert_int_equal(answer.limit[1].remaining, 0);
		assert_int_equal(answer.limit[2].remaining, 8);
	}
	assert_int_equal(probed("LLEN %s", "t:limit:a"), 2);
	assert_int_equal(probed("LLEN %s", "t:limit:c"), 2);
}

static void gives_the_newest_attempt_back(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(refund("t:limit:a"), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(admit(&three, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 1);
	assert_int_equal(refund("t:limit:a"), 1);
	assert_true(probed("PTTL %s", "t:limit:a") > 0);
	assert_int_equal(admit(&three, &answer), FAULT_NONE);
	assert_int_equal(answer.limited, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(refund("t:limit:a"), 1);
	assert_int_equal(refund("t:limit:a"), 0);
	assert_int_equal(probed("EXISTS %s", "t:limit:a"), 0);
}

enum { PROCESSES = 8, EACH = 40, COUNT = 100 };

/* In a child; its exit status is how many were admitted. */
static void admit_many_times(const struct question *question)
{
	struct answer answer;
	int mine = 0;

	if (kv_new(&config, shared, &kv))
		_exit(255);
	for (int i = 0; i < EACH; i++) {
		if (admit(question, &answer))
			_exit(255);
		mine += answer.limited == 0;
	}
	_exit(mine);
}

static int admitted_to_many_processes(const struct question *question)
{
	int admitted = 0;
	int status;

	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			admit_many_times(question);
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= EACH);
		admitted += WEXITSTATUS(status);
	}
	return admitted;
}

static void admits_exactly_the_limit_to_many_processes(void **state)
{
	struct question question = three;

	(void)state;
	question.count[0] = COUNT;
	assert_int_equal(admitted_to_many_processes(&question), COUNT);
}

static void admits_exactly_the_bucket_to_many_processes(void **state)
{
	struct question question = bucket;

	(void)state;
	question.count[0] = 1;
	question.window_ms[0] = 3600000;
	question.burst[0] = COUNT;
	assert_int_equal(admitted_to_many_processes(&question), COUNT);
}

/* Marks */

static const struct question marked = {
    .run_id = {"x", 1},
    .marks = 3,
    .mark = {"t:m:a", "t:m:b", "t:m:c"},
    .threshold = {1, 5, 1768473000123},
    .limits = 1,
    .limit = {"t:limit:a"},
    .count = {4},
    .window_ms = {60000},
};

static void refuses_at_the_first_mark_that_reaches(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(admit(&marked, &answer), FAULT_NONE);
	assert_int_equal(answer.revoked, 0);
	assert_int_equal(mark("t:m:b", 4, 60000), FAULT_NONE);
	assert_int_equal(mark("t:m:c", 1768473000122, 60000), FAULT_NONE);
	assert_int_equal(admit(&marked, &answer), FAULT_NONE);
	assert_int_equal(answer.revoked, 0);
	assert_int_equal(mark("t:m:c", 1768473000123, 60000), FAULT_NONE);
	assert_int_equal(admit(&marked, &answer), FAULT_NONE);
	assert_int_equal(answer.revoked, 3);
	assert_int_equal(mark("t:m:b", 6, 60000), FAULT_NONE);
	assert_int_equal(admit(&marked, &answer), FAULT_NONE);
	assert_int_equal(answer.revoked, 2);
	/* A revoked token is no way around the limits. */
	assert_int_equal(answer.limited, 0);
	assert_int_equal(answer.limit[0].remaining, 0);
	assert_int_equal(probed("LLEN %s", "t:limit:a"), 4);
}

static void raises_marks_and_never_lowers_them(void **state)
{
	(void)state;
	assert_int_equal(mark("t:m:a", 7, 60000), FAULT_NONE);
	assert_int_equal(mark("t:m:a", 6, 1000), FAULT_NONE);
	assert_int_equal(probed("GET %s", "t:m:a"), 7);
	assert_true(probed("PTTL %s", "t:m:a") > 59000);
	assert_int_equal(mark("t:m:a", 8, 1000), FAULT_NONE);
	assert_int_equal(probed("GET %s", "t:m:a"), 8);
	assert_true(probed("PTTL %s", "t:m:a") > 59000);
	assert_int_equal(mark("t:m:a", 8, 120000), FAULT_NONE);
	assert_true(probed("PTTL %s", "t:m:a") > 119000);
}

static void spares_one_session(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(mark_sparing("t:m:b", 6, 60000, "s1"), FAULT_NONE);
	assert_int_equal(admit(&marked, &answer), FAULT_NONE);
	assert_int_equal(answer.revoked, 0);
	/* A lower mark takes nobody's place; a higher one does. */
	assert_int_equal(mark_sparing("t:m:b", 5, 60000, "s2"), FAULT_NONE);
	assert_int_equal(admit(&marked, &answer), FAULT_NONE);
	assert_int_equal(answer.revoked, 0);
	assert_int_equal(mark_sparing("t:m:b", 7, 60000, "s2"), FAULT_NONE);
	assert_int_equal(admit(&marked, &answer), FAULT_NONE);
	assert_int_equal(answer.revoked, 2);
}

static void raises_many_marks_at_once(void **state)
{
	struct span keys[60];
	struct span arguments[180];
	char names[60][TEXT_BYTES];
	int64_t out[OUT_LIMIT];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		(void)snprintf(names[i], TEXT_BYTES, "t:m:%zu", i);
		keys[i] = span_of(names[i]);
		arguments[3 * i] = SPAN("3");
		arguments[3 * i + 1] = SPAN("60000");
		arguments[3 * i + 2] = SPAN("");
	}
	assert_int_equal(kv_run(kv, KV_SCRIPT_MARK, keys, COUNT_OF(keys),
	                        arguments, COUNT_OF(arguments), out, OUT_LIMIT,
	                        &count),
	                 FAULT_NONE);
	assert_int_equal(out[0], COUNT_OF(keys));
	assert_int_equal(probed("DBSIZE", NULL), COUNT_OF(keys));
	assert_int_equal(probed("GET %s", "t:m:59"), 3);
}

/* The guard's version */

static void counts_nothing_for_who_asks_by_old_rules(void **state)
{
	struct question question = three;
	struct answer answer;

	(void)state;
	question.version = 7;
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.guard, 0);
	assert_int_equal(answer.limit[0].remaining, 2);
	assert_int_equal(mark("t:guard", 7, 60000), FAULT_NONE);
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.guard, 7);
	assert_int_equal(answer.limit[0].remaining, 1);
	assert_int_equal(mark("t:guard", 8, 60000), FAULT_NONE);
	assert_int_equal(mark("t:guard", 6, 60000), FAULT_NONE);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(admit(&question, &answer), FAULT_NONE);
		assert_int_equal(answer.guard, 8);
	}
	assert_int_equal(probed("LLEN %s", "t:limit:a"), 2);
	question.version = 8;
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.limit[0].remaining, 0);
	/* And who does not care is answered. */
	question.version = 0;
	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	assert_int_equal(answer.guard, 8);
	assert_int_equal(answer.limited, 1);
}

/* Keys */

static void leaves_no_key_without_an_end(void **state)
{
	struct question question = marked;
	struct answer answer;
	redisReply *keys;

	(void)state;
	assert_int_equal(mark("t:m:a", 0, 60000), FAULT_NONE);
	assert_int_equal(mark("t:m:a", -1, 60000), FAULT_NONE);
	for (int i = 0; i < 5; i++)
		assert_int_equal(admit(&question, &answer), FAULT_NONE);
	(void)refund("t:limit:a");
	question = bucket;
	question.window_ms[0] = 60000;
	for (int i = 0; i < 5; i++)
		assert_int_equal(admit(&question, &answer), FAULT_NONE);
	(void)refund_all(&question);
	assert_int_equal(kv_ping(kv), FAULT_NONE);
	keys = redisCommand(probe, "SCAN 0 COUNT 1000");
	assert_non_null(keys);
	assert_int_equal(keys->element[1]->elements, 4);
	for (size_t i = 0; i < keys->element[1]->elements; i++)
		assert_true(
		    probed("PTTL %s", keys->element[1]->element[i]->str) > 0);
	freeReplyObject(keys);
}

/* One key each, and nothing else happens to the server. */
static void keeps_hostile_subjects_inside_their_keys(void **state)
{
	const struct span hostile[] = {
	    SPAN("\r\n*1\r\n$8\r\nFLUSHALL\r\n"),
	    SPAN("x\0y"),
	    SPAN("{a}"),
	    SPAN("* ? [a-z]"),
	    SPAN("'] redis.call('FLUSHALL')"),
	};
	int64_t out[OUT_LIMIT];
	char memory[COUNT_OF(hostile)][KV_KEY_BYTES];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		struct text key = text_over(memory[i], KV_KEY_BYTES);
		struct words keys = {0};
		struct words arguments = {0};

		kv_key_append(&key, SPAN("t:"), KV_LIMIT, hostile[i]);
		add(&keys, SPAN("t:ready"));
		add(&keys, SPAN("t:guard"));
		add(&keys, text_span(&key));
		add(&arguments, SPAN("x"));
		add_number(&arguments, 0);
		add_number(&arguments, 0);
		add(&arguments, SPAN(""));
		add_number(&arguments, 3);
		add_number(&arguments, 60000);
		add_number(&arguments, 0);
		assert_int_equal(
		    run(KV_SCRIPT_ADMIT, &keys, &arguments, out, &count),
		    FAULT_NONE);
		assert_int_equal(out[4], 2);
		assert_int_equal(probed("DBSIZE", NULL), i + 1);
	}
}

/* What the server holds */

static struct span run_id_now(void)
{
	struct span run_id = {0};

	assert_int_equal(kv_run_id(kv, &run_id), FAULT_NONE);
	return run_id;
}

static int64_t ready_now(void)
{
	struct question question = {.run_id = run_id_now()};
	struct answer answer;

	assert_int_equal(admit(&question, &answer), FAULT_NONE);
	return answer.ready;
}

static void set_ready(void)
{
	struct span run_id = run_id_now();
	const struct span words[] = {SPAN("SET"), SPAN("t:ready"), run_id,
	                             SPAN("PX"), SPAN("60000")};
	const struct span deletion[] = {SPAN("DEL"), SPAN("t:nothing")};
	const struct kv_command commands[] = {
	    {deletion, COUNT_OF(deletion)},
	    {words, COUNT_OF(words)},
	};

	assert_int_equal(kv_pipeline(kv, commands, COUNT_OF(commands)),
	                 FAULT_NONE);
}

static void knows_when_the_data_set_is_another(void **state)
{
	char first[TEXT_BYTES] = "";
	struct span run_id;

	(void)state;
	run_id = run_id_now();
	assert_int_equal(run_id.length, 40);
	memcpy(first, run_id.at, run_id.length);
	assert_int_equal(ready_now(), 0);
	set_ready();
	assert_int_equal(ready_now(), 1);
	(void)probed("FLUSHALL", NULL);
	assert_int_equal(ready_now(), 0);
	set_ready();
	stack_stop(STACK_REDIS);
	stack_start(STACK_REDIS, NULL);
	/* The end of the connection is seen before anything is sent. */
	run_id = run_id_now();
	assert_memory_not_equal(run_id.at, first, run_id.length);
	assert_int_equal(ready_now(), 0);
	probe_again();
}

static void gives_the_server_its_scripts_back(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(admit(&three, &answer), FAULT_NONE);
	(void)probed("SCRIPT FLUSH", NULL);
	assert_int_equal(admit(&three, &answer), FAULT_NONE);
	assert_int_equal(answer.limit[0].remaining, 1);
	(void)probed("SCRIPT FLUSH", NULL);
	assert_int_equal(refund("t:limit:a"), 1);
}

static void takes_one_round_trip_a_call(void **state)
{
	struct answer answer;
	uint64_t before;

	(void)state;
	(void)run_id_now();
	before = metrics_get(METRIC_KV_ROUND_TRIPS);
	for (int i = 0; i < 10; i++) {
		(void)run_id_now();
		assert_int_equal(admit(&marked, &answer), FAULT_NONE);
	}
	assert_int_equal(metrics_get(METRIC_KV_ROUND_TRIPS) - before, 10);
}

/* Faults */

static enum fault timed_admit(int64_t *took_ms)
{
	int64_t started_us = clock_monotonic_us();
	struct answer answer;
	enum fault fault = admit(&three, &answer);

	*took_ms = (clock_monotonic_us() - started_us) / 1000;
	return fault;
}

/* Ask until there is an answer, and say how long that took. */
static int64_t ms_until_service(void)
{
	int64_t started_us = clock_monotonic_us();
	int64_t took_ms;

	while (timed_admit(&took_ms)) {
		assert_true(clock_monotonic_us() - started_us < 5000000);
		clock_sleep_ms(5);
	}
	return (clock_monotonic_us() - started_us) / 1000;
}

static void faults_in_time_when_the_server_hangs(void **state)
{
	int64_t took_ms;
	int64_t until_us;
	int64_t waited_ms = 0;
	uint64_t failures;

	(void)state;
	assert_int_equal(timed_admit(&took_ms), FAULT_NONE);
	stack_signal(STACK_REDIS, SIGSTOP);
	clock_sleep_ms(20);
	assert_int_equal(timed_admit(&took_ms), FAULT_UNAVAILABLE);
	assert_in_range(took_ms, config.redis.timeout - 20,
	                config.redis.timeout + 150);
	failures = metrics_get(METRIC_KV_FAILURES);
	/* Then one call in half a second tries, for a moment. */
	until_us = clock_monotonic_us() + 2200000;
	while (clock_monotonic_us() < until_us) {
		assert_int_equal(timed_admit(&took_ms), FAULT_UNAVAILABLE);
		waited_ms += took_ms;
		clock_sleep_ms(2);
	}
	assert_in_range(metrics_get(METRIC_KV_FAILURES) - failures, 3, 4);
	/* 50 ms each; the rest is for a machine that is busy. */
	assert_in_range(waited_ms, 140, 400);
	stack_signal(STACK_REDIS, SIGCONT);
	assert_true(ms_until_service() <= 1500);
}

static void one_process_tries_for_all(void **state)
{
	struct kv *others[4];
	uint64_t failures;
	int64_t took_ms;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_int_equal(kv_new(&config, shared, &others[i]),
		                 FAULT_NONE);
		assert_int_equal(kv_ping(others[i]), FAULT_NONE);
	}
	stack_stop(STACK_REDIS);
	failures = metrics_get(METRIC_KV_FAILURES);
	assert_int_equal(timed_admit(&took_ms), FAULT_UNAVAILABLE);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT_OF(others); i++)
			assert_int_equal(kv_ping(others[i]), FAULT_UNAVAILABLE);
		assert_int_equal(metrics_get(METRIC_KV_FAILURES) - failures,
		                 (uint64_t)round + 1);
		clock_sleep_ms(510);
	}
	stack_start(STACK_REDIS, NULL);
	assert_int_equal(kv_ping(others[3]), FAULT_NONE);
	/* Its success is everybody's, and nobody uses a dead connection. */
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_int_equal(kv_ping(others[i]), FAULT_NONE);
		kv_free(others[i]);
	}
	assert_int_equal(timed_admit(&took_ms), FAULT_NONE);
	probe_again();
}

static void knows_a_moment_from_before_the_host_was_started(void **state)
{
	(void)state;
	atomic_store(&shared->kv_open_until_us,
	             clock_monotonic_us() + 3600 * INT64_C(1000000));
	assert_int_equal(kv_ping(kv), FAULT_NONE);
	assert_int_equal(atomic_load(&shared->kv_open_until_us), 0);
}

static void takes_a_full_server_for_no_answer(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(admit(&three, &answer), FAULT_NONE);
	(void)probed("CONFIG SET maxmemory 1", NULL);
	assert_int_equal(admit(&three, &answer), FAULT_UNAVAILABLE);
	clock_sleep_ms(510);
	assert_int_equal(kv_ping(kv), FAULT_UNAVAILABLE);
	(void)probed("CONFIG SET maxmemory 0", NULL);
	assert_true(ms_until_service() <= 1500);
}

static void takes_a_replica_for_no_answer(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(admit(&three, &answer), FAULT_NONE);
	(void)probed("REPLICAOF 127.0.0.1 1", NULL);
	assert_int_equal(admit(&three, &answer), FAULT_UNAVAILABLE);
	clock_sleep_ms(510);
	assert_int_equal(kv_ping(kv), FAULT_UNAVAILABLE);
	(void)probed("REPLICAOF NO ONE", NULL);
	assert_true(ms_until_service() <= 1500);
}

static void takes_foreign_data_for_no_answer(void **state)
{
	struct answer answer;

	(void)state;
	(void)probed("SET %s nonsense", "t:limit:a");
	assert_int_equal(admit(&three, &answer), FAULT_UNAVAILABLE);
	(void)probed("FLUSHALL", NULL);
	(void)probed("SET %s nonsense", "t:m:a");
	clock_sleep_ms(510);
	assert_int_equal(admit(&marked, &answer), FAULT_UNAVAILABLE);
	(void)probed("FLUSHALL", NULL);
	(void)probed("SET %s nonsense", "t:bucket:a");
	clock_sleep_ms(510);
	assert_int_equal(admit(&bucket, &answer), FAULT_UNAVAILABLE);
}

static void fails_a_pipeline_when_any_command_fails(void **state)
{
	const struct span good[] = {SPAN("SET"), SPAN("t:a"), SPAN("1"),
	                            SPAN("PX"), SPAN("60000")};
	const struct span bad[] = {SPAN("LPUSH"), SPAN("t:a"), SPAN("1")};
	const struct kv_command commands[] = {
	    {good, COUNT_OF(good)},
	    {bad, COUNT_OF(bad)},
	    {good, COUNT_OF(good)},
	};

	(void)state;
	assert_int_equal(kv_pipeline(kv, commands, 1), FAULT_NONE);
	assert_int_equal(kv_pipeline(kv, commands, 0), FAULT_NONE);
	assert_int_equal(kv_pipeline(kv, commands, COUNT_OF(commands)),
	                 FAULT_UNAVAILABLE);
}

static void says_its_password(void **state)
{
	struct config with_password = config;
	struct kv *other;

	(void)state;
	(void)probed("CONFIG SET requirepass %s", "a b\"c");
	assert_int_equal(kv_ping(kv), FAULT_UNAVAILABLE);
	with_password.redis.password = "wrong";
	assert_int_equal(kv_new(&with_password, shared, &other), FAULT_NONE);
	clock_sleep_ms(510);
	assert_int_equal(kv_ping(other), FAULT_UNAVAILABLE);
	kv_free(other);
	with_password.redis.password = "a b\"c";
	assert_int_equal(kv_new(&with_password, shared, &other), FAULT_NONE);
	clock_sleep_ms(510);
	assert_int_equal(kv_ping(other), FAULT_NONE);
	kv_free(other);
	(void)probed("CONFIG SET requirepass %s", "");
}

static void leaves_no_descriptor_to_a_child(void **state)
{
	DIR *folder;
	const struct dirent *entry;
	struct stat status;
	int inherited = 0;
	int kept = 0;

	(void)state;
	assert_int_equal(kv_ping(kv), FAULT_NONE);
	folder = opendir("/proc/self/fd");
	while ((entry = readdir(folder))) {
		int descriptor = atoi(entry->d_name);

		if (fstat(descriptor, &status) || !S_ISSOCK(status.st_mode) ||
		    descriptor == probe->fd)
			continue;
		kept += fcntl(descriptor, F_GETFD) == FD_CLOEXEC;
		inherited += fcntl(descriptor, F_GETFD) != FD_CLOEXEC;
	}
	(void)closedir(folder);
	assert_int_equal(inherited, 0);
	assert_int_equal(kept, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(admits_as_often_as_the_limit_says, empty),
	    cmocka_unit_test_setup(refuses_all_when_the_limit_is_nothing,
	                           empty),
	    cmocka_unit_test_setup(never_admits_more_inside_any_window, empty),
	    cmocka_unit_test_setup(admits_again_when_it_said_so_and_not_before,
	                           empty),
	    cmocka_unit_test_setup(tells_when_a_lowered_limit_is_free, empty),
	    cmocka_unit_test_setup(opens_the_window_to_the_millisecond, empty),
	    cmocka_unit_test_setup(empties_a_bucket_and_no_more, empty),
	    cmocka_unit_test_setup(refills_a_bucket_one_by_one, empty),
	    cmocka_unit_test_setup(lets_through_what_the_rate_says, empty),
	    cmocka_unit_test_setup(gives_a_token_back, empty),
	    cmocka_unit_test_setup(waits_no_longer_than_a_bucket_takes, empty),
	    cmocka_unit_test_setup(charges_windows_and_buckets_together_or_not,
	                           empty),
	    cmocka_unit_test_setup(charges_no_limit_when_another_refuses,
	                           empty),
	    cmocka_unit_test_setup(gives_the_newest_attempt_back, empty),
	    cmocka_unit_test_setup(admits_exactly_the_limit_to_many_processes,
	                           empty),
	    cmocka_unit_test_setup(admits_exactly_the_bucket_to_many_processes,
	                           empty),
	    cmocka_unit_test_setup(counts_nothing_for_who_asks_by_old_rules,
	                           empty),
	    cmocka_unit_test_setup(refuses_at_the_first_mark_that_reaches,
	                           empty),
	    cmocka_unit_test_setup(raises_marks_and_never_lowers_them, empty),
	    cmocka_unit_test_setup(spares_one_session, empty),
	    cmocka_unit_test_setup(raises_many_marks_at_once, empty),
	    cmocka_unit_test_setup(leaves_no_key_without_an_end, empty),
	    cmocka_unit_test_setup(keeps_hostile_subjects_inside_their_keys,
	                           empty),
	    cmocka_unit_test_setup(knows_when_the_data_set_is_another, empty),
	    cmocka_unit_test_setup(gives_the_server_its_scripts_back, empty),
	    cmocka_unit_test_setup(takes_one_round_trip_a_call, empty),
	    cmocka_unit_test_setup(faults_in_time_when_the_server_hangs, empty),
	    cmocka_unit_test_setup(one_process_tries_for_all, empty),
	    cmocka_unit_test_setup(
		knows_a_moment_from_before_the_host_was_started, empty),
	    cmocka_unit_test_setup(takes_a_full_server_for_no_answer, empty),
	    cmocka_unit_test_setup(takes_a_replica_for_no_answer, empty),
	    cmocka_unit_test_setup(takes_foreign_data_for_no_answer, empty),
	    cmocka_unit_test_setup(fails_a_pipeline_when_any_command_fails,
	                           empty),
	    cmocka_unit_test_setup(says_its_password, empty),
	    cmocka_unit_test_setup(leaves_no_descriptor_to_a_child, empty),
	};

	if (!stack_has(STACK_REDIS))
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
