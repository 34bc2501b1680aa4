/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection to Redis: made on demand, given up at the first fault; and the
 * breaker that all processes of a host share. See kv.h.
 */
#include "store/kv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/kv_keys.h"
#include "store/kv_scripts.h"

#include <assert.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_ID_BYTES 40
#define SHA_BYTES    40
#define DETAIL_BYTES 96
#define NUMBER_BYTES 24
#define PAUSE_US     INT64_C(500000) /* between two trials of a host */
#define TRIAL_US     INT64_C(50000)  /* what a trial may take */

static_assert(sizeof(kv_scripts) / sizeof(kv_scripts[0]) == KV_SCRIPT_COUNT,
              "a file for every script");

struct kv {
	const struct config *config;
	struct shared *shared;
	redisContext *context; /* NULL while there is no connection */
	char run_id[RUN_ID_BYTES];
	char sha[KV_SCRIPT_COUNT][SHA_BYTES]; /* as the server names them */
	uint32_t failures;   /* of the host, when this connection was made */
	bool is_new;         /* the connection has not answered a call yet, */
	int64_t deadline_us; /* which it must before this */
	int64_t trial_us;    /* our trial is on while the breaker says this */
};

/* One command the way hiredis wants it. */
struct words {
	int count;
	const char *at[KV_WORDS_LIMIT];
	size_t length[KV_WORDS_LIMIT];
};

static void add_word(struct words *words, struct span word)
{
	assert(words->count < KV_WORDS_LIMIT);
	words->at[words->count] = word.at;
	words->length[words->count] = word.length;
	words->count++;
}

static void add_words(struct words *words, const struct span *from,
                      size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_word(words, from[i]);
}

enum fault kv_new(const struct config *config, struct shared *shared,
                  struct kv **out)
{
	struct kv *kv = calloc(1, sizeof(*kv));

	if (!kv)
		return FAULT_EXHAUSTED;
	(void)signal(SIGPIPE, SIG_IGN);
	kv->config = config;
	kv->shared = shared;
	*out = kv;
	return FAULT_NONE;
}

static void disconnect(struct kv *kv)
{
	if (kv->context)
		redisFree(kv->context);
	kv->context = NULL;
}

void kv_free(struct kv *kv)
{
	if (!kv)
		return;
	disconnect(kv);
	free(kv);
}

/* Why: what the server said, else what happened to the connection. */
static void log_failure(const struct kv *kv, const redisReply *reply)
{
	const char *why = "no memory";
	char detail[DETAIL_BYTES];

	if (kv->context)
		why = kv->context->err ? kv->context->errstr : "odd reply";
	if (reply && reply->type == REDIS_REPLY_ERROR)
		why = reply->str;
	(void)snprintf(detail, sizeof(detail), "%.80s", why);
	log_note(LOG_WARNING, "kv_failed", detail);
}

/*
 * The one way every failure takes: say it when it is news, hang up, open the
 * breaker for everybody. Frees the reply, which may be NULL.
 */
static enum fault fail(struct kv *kv, redisReply *reply)
{
	int64_t until_us = clock_monotonic_us() + PAUSE_US;

	atomic_fetch_add(&kv->shared->kv_failures, 1);
	if (!atomic_exchange(&kv->shared->kv_open_until_us, until_us))
		log_failure(kv, reply);
	metrics_add(METRIC_KV_FAILURES, 1);
	freeReplyObject(reply);
	disconnect(kv);
	return FAULT_UNAVAILABLE;
}

/*
 * Whether the server may be asked. While the breaker is open only who moves
 * the moment of the next trial may, until that moment. One that is too far away
 * is from before the host was started.
 */
static bool may_ask(struct kv *kv)
{
	int64_t until_us = atomic_load(&kv->shared->kv_open_until_us);
	int64_t now_us;

	if (!until_us)
		return true;
	now_us = clock_monotonic_us();
	if (until_us > now_us && until_us <= now_us + PAUSE_US)
		return until_us == kv->trial_us;
	if (!atomic_compare_exchange_strong(&kv->shared->kv_open_until_us,
	                                    &until_us, now_us + PAUSE_US))
		return false;
	kv->trial_us = now_us + PAUSE_US;
	return true;
}

static bool is_on_trial(const struct kv *kv)
{
	return kv->trial_us &&
	       atomic_load(&kv->shared->kv_open_until_us) == kv->trial_us;
}

/* Close the breaker, unless somebody has met another failure meanwhile. */
static void end_trial(struct kv *kv)
{
	int64_t trial_us = kv->trial_us;

	kv->trial_us = 0;
	if (trial_us && atomic_compare_exchange_strong(
			    &kv->shared->kv_open_until_us, &trial_us, 0))
		log_note(LOG_INFO, "kv_resumed", NULL);
}

static bool append(struct kv *kv, const struct words *words)
{
	/* hiredis takes pointers to const text by a pointer to plain ones. */
	return redisAppendCommandArgv(kv->context, words->count,
	                              (const char **)(uintptr_t)words->at,
	                              words->length) == REDIS_OK;
}

/* The next reply, or NULL when the connection is dead. */
static redisReply *receive(struct kv *kv)
{
	void *reply = NULL;

	if (redisGetReply(kv->context, &reply) != REDIS_OK)
		return NULL;
	return reply;
}

static struct timeval time_of(int64_t us)
{
	return (struct timeval){
	    .tv_sec = us / 1000000,
	    .tv_usec = us % 1000000,
	};
}

/* What a new connection has left; not nothing, which would be for ever. */
static struct timeval time_left(const struct kv *kv)
{
	int64_t left_us = kv->deadline_us - clock_monotonic_us();

	return time_of(left_us > 1000 ? left_us : 1000);
}

/* All first words on a connection share one deadline. */
static void bound(const struct kv *kv)
{
	if (kv->is_new)
		(void)redisSetTimeout(kv->context, time_left(kv));
}

/* Send one command and wait for its reply; NULL as in receive. */
static redisReply *exchange(struct kv *kv, const struct words *words)
{
	metrics_add(METRIC_KV_ROUND_TRIPS, 1);
	bound(kv);
	return append(kv, words) ? receive(kv) : NULL;
}

static bool is_status(const redisReply *reply, const char *status)
{
	return reply && reply->type == REDIS_REPLY_STATUS &&
	       strcmp(reply->str, status) == 0;
}

/* The run id among the lines "name:value" of INFO. */
static bool take_run_id(struct kv *kv, const redisReply *reply)
{
	static const char name[] = "\nrun_id:";
	const char *at;

	if (!reply || reply->type != REDIS_REPLY_STRING)
		return false;
	at = strstr(reply->str, name);
	if (!at || strnlen(at, sizeof(name) + RUN_ID_BYTES) <
	               sizeof(name) - 1 + RUN_ID_BYTES)
		return false;
	memcpy(kv->run_id, at + sizeof(name) - 1, RUN_ID_BYTES);
	return true;
}

static bool take_sha(struct kv *kv, enum kv_script script,
                     const redisReply *reply)
{
	if (!reply || reply->type != REDIS_REPLY_STRING ||
	    reply->len != SHA_BYTES)
		return false;
	memcpy(kv->sha[script], reply->str, SHA_BYTES);
	return true;
}

static bool append_load(struct kv *kv, enum kv_script script)
{
	struct words words = {0};

	add_word(&words, SPAN("SCRIPT"));
	add_word(&words, SPAN("LOAD"));
	add_word(&words, span_of(kv_scripts[script]));
	return append(kv, &words);
}

static bool append_greeting(struct kv *kv)
{
	struct words auth = {0};
	struct words info = {0};
	bool is_good = true;

	add_word(&auth, SPAN("AUTH"));
	add_word(&auth, span_of(kv->config->redis.password));
	add_word(&info, SPAN("INFO"));
	add_word(&info, SPAN("server"));
	if (*kv->config->redis.password)
		is_good = append(kv, &auth);
	is_good = is_good && append(kv, &info);
	for (int i = KV_SCRIPT_NONE + 1; is_good && i < KV_SCRIPT_COUNT; i++)
		is_good = append_load(kv, (enum kv_script)i);
	return is_good;
}

/* The replies to the greeting, one a call: place counts from 0. */
static bool take_greeting(struct kv *kv, int place, const redisReply *reply)
{
	if (!*kv->config->redis.password)
		place++;
	if (place == 0)
		return is_status(reply, "OK");
	if (place == 1)
		return take_run_id(kv, reply);
	return take_sha(kv, (enum kv_script)(place - 1), reply);
}

/* Who we are, who the server is, and our scripts: all in one round trip. */
static enum fault greet(struct kv *kv)
{
	int count = KV_SCRIPT_COUNT + (*kv->config->redis.password ? 1 : 0);
	redisReply *reply;

	metrics_add(METRIC_KV_ROUND_TRIPS, 1);
	bound(kv);
	if (!append_greeting(kv))
		return fail(kv, NULL);
	for (int i = 0; i < count; i++) {
		reply = receive(kv);
		if (!take_greeting(kv, i, reply))
			return fail(kv, reply);
		freeReplyObject(reply);
	}
	return FAULT_NONE;
}

static redisContext *open_context(const struct kv *kv)
{
	const struct config *config = kv->config;
	struct timeval timeout = time_left(kv);
	redisContext *context;

	if (*config->redis.host)
		context = redisConnectWithTimeout(
		    config->redis.host, (int)config->redis.port, timeout);
	else
		context =
		    redisConnectUnixWithTimeout(config->redis.socket, timeout);
	if (context && !context->err)
		(void)fcntl(context->fd, F_SETFD, FD_CLOEXEC);
	return context;
}

static enum fault connect_anew(struct kv *kv)
{
	int64_t limit_us = kv->config->redis.timeout * 1000;

	if (is_on_trial(kv) && limit_us > TRIAL_US)
		limit_us = TRIAL_US;
	kv->is_new = true;
	kv->deadline_us = clock_monotonic_us() + limit_us;
	kv->failures = atomic_load(&kv->shared->kv_failures);
	kv->context = open_context(kv);
	if (!kv->context || kv->context->err)
		return fail(kv, NULL);
	return greet(kv);
}

static enum fault ensure_connection(struct kv *kv)
{
	if (!may_ask(kv))
		return FAULT_UNAVAILABLE;
	return kv->context ? FAULT_NONE : connect_anew(kv);
}

static bool has_hung_up(const struct kv *kv)
{
	struct pollfd wire = {.fd = kv->context->fd, .events = POLLRDHUP};

	return poll(&wire, 1, 0) != 0;
}

/*
 * Leave a connection that is dead, or may be without our seeing it: what a
 * server was that has failed since does not count.
 */
static void leave_old_connection(struct kv *kv)
{
	if (kv->context &&
	    (kv->failures != atomic_load(&kv->shared->kv_failures) ||
	     has_hung_up(kv)))
		disconnect(kv);
}

enum fault kv_run_id(struct kv *kv, struct span *out)
{
	enum fault fault;

	leave_old_connection(kv);
	fault = ensure_connection(kv);
	if (fault)
		return fault;
	*out = (struct span){kv->run_id, RUN_ID_BYTES};
	return FAULT_NONE;
}

/* What every reply that is no failure leads to. */
static enum fault succeed(struct kv *kv, redisReply *reply)
{
	freeReplyObject(reply);
	if (kv->is_new)
		(void)redisSetTimeout(
		    kv->context, time_of(kv->config->redis.timeout * 1000));
	kv->is_new = false;
	end_trial(kv);
	return FAULT_NONE;
}

static bool is_without_script(const redisReply *reply)
{
	return reply && reply->type == REDIS_REPLY_ERROR &&
	       strncmp(reply->str, "NOSCRIPT", strlen("NOSCRIPT")) == 0;
}

/* Somebody has emptied the server's scripts: give it this one again. */
static redisReply *load_and_exchange(struct kv *kv, enum kv_script script,
                                     const struct words *words)
{
	redisReply *reply = NULL;

	metrics_add(METRIC_KV_ROUND_TRIPS, 1);
	if (append_load(kv, script))
		reply = receive(kv);
	if (!take_sha(kv, script, reply))
		return reply;
	freeReplyObject(reply);
	return exchange(kv, words);
}

static bool take_integers(const redisReply *reply, int64_t *out, size_t limit,
                          size_t *out_count)
{
	size_t count;

	if (!reply || reply->type != REDIS_REPLY_ARRAY)
		return false;
	count = reply->elements < limit ? reply->elements : limit;
	for (size_t i = 0; i < count; i++) {
		if (reply->element[i]->type != REDIS_REPLY_INTEGER)
			return false;
		out[i] = reply->element[i]->integer;
	}
	*out_count = count;
	return true;
}

enum fault kv_run(struct kv *kv, enum kv_script script, const struct span *keys,
                  size_t key_count, const struct span *arguments,
                  size_t argument_count, int64_t *out, size_t limit,
                  size_t *out_count)
{
	struct words words = {0};
	char memory[NUMBER_BYTES];
	struct text number = text_over(memory, sizeof(memory));
	redisReply *reply;
	enum fault fault = ensure_connection(kv);

	if (fault)
		return fault;
	text_append_number(&number, (int64_t)key_count);
	add_word(&words, SPAN("EVALSHA"));
	add_word(&words, (struct span){kv->sha[script], SHA_BYTES});
	add_word(&words, text_span(&number));
	add_words(&words, keys, key_count);
	add_words(&words, arguments, argument_count);
	reply = exchange(kv, &words);
	if (is_without_script(reply)) {
		freeReplyObject(reply);
		reply = load_and_exchange(kv, script, &words);
	}
	if (!take_integers(reply, out, limit, out_count))
		return fail(kv, reply);
	return succeed(kv, reply);
}

static bool append_commands(struct kv *kv, const struct kv_command *commands,
                            size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct words words = {0};

		add_words(&words, commands[i].words, commands[i].count);
		if (!append(kv, &words))
			return false;
	}
	return true;
}

enum fault kv_pipeline(struct kv *kv, const struct kv_command *commands,
                       size_t count)
{
	enum fault fault = ensure_connection(kv);
	redisReply *reply;

	if (fault)
		return fault;
	metrics_add(METRIC_KV_ROUND_TRIPS, 1);
	bound(kv);
	if (!append_commands(kv, commands, count))
		return fail(kv, NULL);
	for (size_t i = 0; i < count; i++) {
		reply = receive(kv);
		if (!reply || reply->type == REDIS_REPLY_ERROR)
			return fail(kv, reply);
		freeReplyObject(reply);
	}
	return succeed(kv, NULL);
}

enum fault kv_ping(struct kv *kv)
{
	char memory[KV_KEY_BYTES];
	struct text key = text_over(memory, sizeof(memory));
	char digits[NUMBER_BYTES];
	struct text life = text_over(digits, sizeof(digits));
	struct kv_command command = {.count = 5};

	kv_key_append(&key, span_of(kv->config->redis.prefix), KV_PING,
	              (struct span){0});
	text_append_number(&life, kv_key_life_ms(KV_PING));
	const struct span words[] = {
	    SPAN("SET"), text_span(&key),  SPAN("1"),
	    SPAN("PX"),  text_span(&life),
	};
	command.words = words;
	leave_old_connection(kv);
	return kv_pipeline(kv, &command, 1);
}
