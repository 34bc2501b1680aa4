/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait, accept, read, answer; see worker.h.
 *
 * Signals stay blocked and are read from a descriptor that is waited for
 * together with the listener. ppoll() and epoll_pwait() with a signal mask look
 * for signals only when no connection is there, so that under load a worker
 * would never learn that it is to end. The listener is waited for exclusively:
 * one connection wakes one worker, not all of them.
 */
#include "server/worker.h"

#include "api/life.h"
#include "api/service.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "server/check.h"
#include "server/confine.h"
#include "server/deadline.h"
#include "server/master_key.h"
#include "server/systemd.h"
#include "server/title.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A connection whose wake-up went to a worker that died in that moment waits
 * for another wake-up: look after so long at the latest.
 */
#define PATIENCE_MS     1000
#define LINGER_MS       2000
#define RSS_CHECK_EVERY 256
#define STREAM_LIMIT    65536
#define PUT_BYTES       16384
/* Of the FastCGI specification, 8. */
#define FCGI_END_REQUEST  3
#define FCGI_RESPONDER    1
#define FCGI_UNKNOWN_ROLE 3

struct worker {
	struct server *server;
	struct service *service;
	struct worker_slot *slot; /* NULL: alone */
	int epoll;
	int signals;
	int memory; /* /proc/self/statm */
	bool is_ending;
	enum server_exit status;
	int64_t served;
	int64_t quiet_until_us; /* no more lines about peers until then */
	int64_t recycle_after;  /* INT64_MAX: never */
	int64_t deadline_us;    /* of reading the request, then of answering */
	FCGX_Request request;
};

/* libfcgi's private memory of a stream begins with these, in every version. */
struct stream_memory {
	unsigned char *at;
	int length;
};

/*
 * libfcgi frees its buffers as they are, with passwords and tokens in them.
 * Wipe them first; a buffer that does not look like one is left alone.
 */
static void wipe_stream(const FCGX_Stream *stream)
{
	struct stream_memory memory;

	if (!stream || !stream->data)
		return;
	memcpy(&memory, stream->data, sizeof(memory));
	if (memory.length <= 0 || memory.length > STREAM_LIMIT ||
	    stream->rdNext < memory.at ||
	    stream->rdNext > memory.at + memory.length)
		return;
	digest_wipe(memory.at, (size_t)memory.length);
}

static void wipe_request(const FCGX_Request *request)
{
	wipe_stream(request->in);
	wipe_stream(request->out);
	for (char **variable = request->envp; *variable; variable++)
		digest_wipe(*variable, strlen(*variable));
}

/* Have at least one byte of the body at rdNext; false at its end. */
static bool has_more(FCGX_Stream *in)
{
	int byte;

	if (in->rdNext != in->stop)
		return true;
	byte = FCGX_GetChar(in);
	return byte != EOF && FCGX_UnGetChar(byte, in) != EOF;
}

/* Take what is there, at most so many bytes. */
static size_t take(FCGX_Stream *in, char *into, size_t bytes)
{
	size_t there = (size_t)(in->stop - in->rdNext);

	if (there > bytes)
		there = bytes;
	memcpy(into, in->rdNext, there);
	in->rdNext += there;
	return there;
}

/*
 * Shut the connection down at the deadline of this stage, or when nothing has
 * moved for server.read_timeout.
 */
static void arm(const struct worker *worker, int how)
{
	int64_t ms = (worker->deadline_us - clock_monotonic_us()) / 1000;
	int64_t idle_ms = worker->server->config->server.read_timeout;

	deadline_arm(worker->request.ipcFd, how, ms < idle_ms ? ms : idle_ms);
}

static void start_stage(struct worker *worker, int64_t ms)
{
	worker->deadline_us = clock_monotonic_us() + ms * 1000;
}

/*
 * A life_read_body. The byte behind the last is asked for as well: a front
 * server that is still sending when we have answered takes that for an error.
 */
static enum fault read_body(void *argument, char *into, size_t bytes)
{
	struct worker *worker = argument;
	FCGX_Stream *in = worker->request.in;
	size_t got = 0;
	bool is_whole;
	bool is_late;

	arm(worker, SHUT_RD);
	while (got < bytes && has_more(in)) {
		got += take(in, into + got, bytes - got);
		arm(worker, SHUT_RD);
	}
	is_whole = got == bytes && !has_more(in) && FCGX_GetError(in) == 0;
	is_late = deadline_disarm();
	if (is_whole)
		return FAULT_NONE;
	return is_late ? FAULT_REQUEST_TIMEOUT : FAULT_INVALID_REQUEST;
}

/* In pieces, because a large answer may take longer than one may wait. */
static void put(const struct worker *worker, struct span bytes)
{
	while (bytes.length) {
		size_t length =
		    bytes.length < PUT_BYTES ? bytes.length : PUT_BYTES;
		arm(worker, SHUT_RDWR);
		if (FCGX_PutStr(bytes.at, (int)length, worker->request.out) < 0)
			return;
		bytes.at += length;
		bytes.length -= length;
	}
}

/*
 * Send the answer, and let the front server finish sending what nobody has
 * read. What goes wrong here is the peer's loss.
 */
static void send_reply(struct worker *worker, const struct life_reply *reply)
{
	const FCGX_Request *request = &worker->request;

	start_stage(worker, worker->server->config->server.request_deadline);
	put(worker, reply->head);
	put(worker, reply->body);
	arm(worker, SHUT_RDWR);
	(void)FCGX_FClose(request->err);
	(void)FCGX_FClose(request->out);
	deadline_arm(request->ipcFd, SHUT_RDWR, LINGER_MS);
	while (has_more(request->in))
		request->in->rdNext = request->in->stop;
	(void)deadline_disarm();
}

static uint64_t hash_on(uint64_t hash, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3U;
	return hash;
}

/* FNV-1a of "METHOD /path", without the query. Never 0. */
static uint64_t hash_of(char **variables)
{
	const char *method = FCGX_GetParam("REQUEST_METHOD", variables);
	const char *path = FCGX_GetParam("REQUEST_URI", variables);
	uint64_t hash = 0xcbf29ce484222325U;

	if (method)
		hash = hash_on(hash, method, strlen(method));
	hash = hash_on(hash, " ", 1);
	if (path)
		hash = hash_on(hash, path, strcspn(path, "?"));
	return hash ? hash : 1;
}

static void answer(struct worker *worker)
{
	FCGX_Request *request = &worker->request;
	const struct life_request asked = {
	    .variables = (const char *const *)request->envp,
	    .read_body = read_body,
	    .argument = worker,
	};
	struct life_reply reply = {0};

	if (worker->slot)
		worker->slot->request_hash = hash_of(request->envp);
	life_run(worker->service, &asked, &reply);
	send_reply(worker, &reply);
	life_end(worker->service);
	if (worker->slot)
		worker->slot->request_hash = 0;
}

/* Say that we do not play this role, which libfcgi cannot say. */
static void refuse_role(const FCGX_Request *request)
{
	const unsigned char record[16] = {
	    [0] = 1,
	    [1] = FCGI_END_REQUEST,
	    [2] = (unsigned char)(request->requestId >> 8),
	    [3] = (unsigned char)request->requestId,
	    [5] = 8,
	    [12] = FCGI_UNKNOWN_ROLE,
	};

	(void)send(request->ipcFd, record, sizeof(record), MSG_NOSIGNAL);
}

/*
 * Read the request's head from this connection. FCGX_Accept_r takes a
 * connection that the request holds already if it is marked as kept. Detached,
 * so that libfcgi closes a bad one without waiting two seconds for its peer.
 */
static bool receive(struct worker *worker, int connection)
{
	int result;

	start_stage(worker, worker->server->config->server.request_deadline);
	worker->request.ipcFd = connection;
	worker->request.keepConnection = 1;
	arm(worker, SHUT_RD);
	(void)FCGX_Detach(&worker->request);
	result = FCGX_Accept_r(&worker->request);
	(void)deadline_disarm();
	return result == 0;
}

/*
 * One connection is one request: a kept one would starve the others. Not
 * FCGX_Finish_r, which would end a request of another role a second time.
 */
static void serve(struct worker *worker, int connection)
{
	FCGX_Request *request = &worker->request;

	if (!receive(worker, connection))
		return; /* libfcgi has closed it */
	if (request->role == FCGI_RESPONDER)
		answer(worker);
	else
		refuse_role(request);
	wipe_request(request);
	(void)FCGX_Detach(request);
	FCGX_Free(request, 1);
	worker->served++;
}

static void refuse_peer(struct worker *worker, int connection)
{
	int64_t now_us = clock_monotonic_us();

	(void)close(connection);
	if (now_us < worker->quiet_until_us)
		return;
	worker->quiet_until_us = now_us + 1000000;
	log_note(LOG_WARNING, "peer_refused",
	         "a connection from a user who is not in server.peers");
}

/* What accept4 did not give: nothing there, or something to wait out. */
static void wait_out(struct worker *worker, int error)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
		return;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		log_note(LOG_ERROR, "accept_failed", strerror(error));
		clock_sleep_ms(100);
		return;
	default: /* the listener is gone */
		log_note(LOG_ERROR, "accept_failed", strerror(error));
		worker->is_ending = true;
		worker->status = SERVER_TEMPORARY;
	}
}

/* Also after the signal to end: the wake-up may have been for us alone. */
static void serve_next(struct worker *worker)
{
	int connection =
	    accept4(worker->server->listener, NULL, NULL, SOCK_CLOEXEC);

	if (connection < 0)
		wait_out(worker, errno);
	else if (!peer_is_welcome(&worker->server->peers, connection))
		refuse_peer(worker, connection);
	else
		serve(worker, connection);
}

static void read_signal(struct worker *worker)
{
	const struct config *config = worker->server->config;
	struct signalfd_siginfo signal;

	if (read(worker->signals, &signal, sizeof(signal)) != sizeof(signal))
		return;
	if (signal.ssi_signo != SIGHUP)
		worker->is_ending = true;
	else if (log_open(config->log.file, config->log.level))
		log_note(LOG_ERROR, "log_unavailable", config->log.file);
}

static void wait_for_work(struct worker *worker)
{
	struct epoll_event events[2];
	int count = epoll_wait(worker->epoll, events, 2, PATIENCE_MS);

	for (int i = 0; i < count; i++)
		if (events[i].data.fd == worker->signals)
			read_signal(worker);
}

/* The second number of statm, in pages; 0 when it cannot be read. */
static int64_t resident_bytes(const struct worker *worker)
{
	char memory[128];
	ssize_t length = pread(worker->memory, memory, sizeof(memory), 0);
	struct span text = {memory, length > 0 ? (size_t)length : 0};
	struct span word = {0};
	uint64_t pages = 0;

	(void)span_cut(&text, ' ', &word);
	(void)span_cut(&text, ' ', &word);
	if (span_number(word, INT32_MAX, &pages))
		return 0;
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static bool is_worn_out(const struct worker *worker)
{
	int64_t limit = worker->server->config->server.recycle_rss;

	if (!worker->slot || !worker->served)
		return false;
	if (worker->served >= worker->recycle_after)
		return true;
	return limit && worker->served % RSS_CHECK_EVERY == 0 &&
	       resident_bytes(worker) > limit;
}

/* Up to an eighth earlier, so that workers of one age do not end together. */
static int64_t draw_recycle_after(int64_t configured)
{
	uint32_t random;

	if (!configured)
		return INT64_MAX;
	random_bytes(&random, sizeof(random));
	return configured - random % (configured / 8 + 1);
}

static bool watch(const struct worker *worker, int descriptor, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = descriptor};

	return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

/* Signals that end a worker; HUP is the master's, unless there is none. */
static int open_signals(const struct worker *worker)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGUSR1);
	if (!worker->slot)
		(void)sigaddset(&set, SIGHUP);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool open_descriptors(struct worker *worker)
{
	worker->signals = open_signals(worker);
	worker->memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	worker->epoll = epoll_create1(EPOLL_CLOEXEC);
	return worker->signals >= 0 && worker->epoll >= 0 &&
	       watch(worker, worker->signals, EPOLLIN) &&
	       watch(worker, worker->server->listener,
	             EPOLLIN | EPOLLEXCLUSIVE);
}

/* FCGX_Init takes over signals; what it did to them is undone. */
static bool open_libfcgi(struct worker *worker)
{
	const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

	if (FCGX_Init() != 0 || FCGX_InitRequest(&worker->request, -1, 0) != 0)
		return false;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	deadline_init();
	return true;
}

static enum server_exit open_service(struct worker *worker)
{
	struct server *server = worker->server;
	enum fault fault;

	fault = service_open(server->config, server->key, &worker->service);
	master_key_forget(server->key);
	server->key = NULL;
	if (fault) {
		log_note(LOG_ERROR, "service_failed", fault_name(fault));
		return SERVER_TEMPORARY;
	}
	return worker->slot ? SERVER_OK : check_keys(worker->service);
}

static enum confine_resolver resolver_for(const struct config *config)
{
	return config->database.host[0] || config->redis.host[0] ||
	               config->captcha.provider == CAPTCHA_HCAPTCHA ||
	               config->captcha.provider == CAPTCHA_TURNSTILE
	           ? CONFINE_MAY_RESOLVE
	           : CONFINE_NEVER_RESOLVES;
}

static enum server_exit open_all(struct worker *worker)
{
	enum server_exit status;

	if (!open_libfcgi(worker) || !open_descriptors(worker)) {
		log_note(LOG_ERROR, "worker_failed", strerror(errno));
		return SERVER_TEMPORARY;
	}
	status = open_service(worker);
	if (!status)
		confine_calls(resolver_for(worker->server->config));
	return status;
}

static void report_ready(struct worker *worker)
{
	metrics_add(METRIC_WORKER_STARTS, 1);
	log_note(LOG_DEBUG, "worker_started", NULL);
	if (worker->slot)
		worker->slot->is_ready = 1;
	else
		systemd_notify("READY=1");
}

static void loop(struct worker *worker)
{
	while (!worker->is_ending) {
		wait_for_work(worker);
		serve_next(worker);
		worker->is_ending = worker->is_ending || is_worn_out(worker);
	}
}

enum server_exit worker_run(struct server *server, struct worker_slot *slot)
{
	struct worker worker = {
	    .server = server,
	    .slot = slot,
	    .recycle_after =
		draw_recycle_after(server->config->server.recycle_after),
	};

	title_set("worker");
	worker.status = open_all(&worker);
	if (!worker.status) {
		report_ready(&worker);
		loop(&worker);
	}
	if (worker.service)
		service_close(worker.service);
	return worker.status;
}
