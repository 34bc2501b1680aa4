/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for everything above the server layer: api/service.h and
 * api/life.h, without a database. A request's path says what to do, files in
 * the runtime folder say what goes wrong; processes.py drives it. Linked with
 * the real server it makes the program "probe".
 */
#include "api/life.h"
#include "api/service.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/shared.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_LIMIT  ((size_t)512 * 1024)
#define NAME_LIMIT  4096
#define FIRST_OTHER 3

struct service {
	const struct config *config;
	struct arena arena;
	struct text body;
	int status;
};

/* What a path does; the argument is what stands behind '?', never NULL. */
typedef void act(struct service *service, const struct life_request *request,
                 const char *argument);

/* Whether the file of this name is in the runtime folder. */
static bool is_asked_for(const struct config *config, const char *name)
{
	char path[NAME_LIMIT];

	(void)snprintf(path, sizeof(path), "%s/%s", config->server.runtime_dir,
	               name);
	return access(path, F_OK) == 0;
}

enum fault service_open(const struct config *config,
                        const unsigned char master[SEAL_KEY_BYTES],
                        struct service **out)
{
	struct shared *shared;
	struct service *service;

	if (is_asked_for(config, "no-service"))
		return FAULT_INTERNAL;
	if (master[0] != 0xab || master[SEAL_KEY_BYTES - 1] != 0xab)
		abort();
	if (shared_open(config->server.runtime_dir, &shared))
		return FAULT_UNAVAILABLE;
	service = calloc(1, sizeof(*service));
	if (!service || arena_init(&service->arena, 2 * BODY_LIMIT))
		abort();
	service->config = config;
	*out = service;
	return FAULT_NONE;
}

void service_close(struct service *service)
{
	arena_release(&service->arena);
	free(service);
}

enum fault service_check_keys(struct service *service)
{
	if (is_asked_for(service->config, "wrong-key"))
		return FAULT_VALIDATION;
	if (is_asked_for(service->config, "no-database"))
		return FAULT_UNAVAILABLE;
	return FAULT_NONE;
}

/* Leaves a line with its pid, so that rounds can be counted. */
enum fault service_maintain(struct service *service, int64_t *next_in_ms)
{
	char path[NAME_LIMIT];
	FILE *rounds;

	if (is_asked_for(service->config, "crash-maintenance"))
		abort();
	if (is_asked_for(service->config, "other-maintains"))
		return FAULT_CONFLICT;
	(void)snprintf(path, sizeof(path), "%s/rounds",
	               service->config->server.runtime_dir);
	rounds = fopen(path, "ae");
	if (!rounds)
		return FAULT_UNAVAILABLE;
	(void)fprintf(rounds, "%d\n", getpid());
	(void)fclose(rounds);
	*next_in_ms = 1000;
	return FAULT_NONE;
}

static void say(struct service *service, const char *words)
{
	text_append_cstr(&service->body, words);
}

static const char *variable(const struct life_request *request,
                            const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; request->variables[i]; i++)
		if (!strncmp(request->variables[i], name, length) &&
		    request->variables[i][length] == '=')
			return request->variables[i] + length + 1;
	return "";
}

static void act_hello(struct service *service,
                      const struct life_request *request, const char *argument)
{
	(void)request;
	(void)argument;
	say(service, "hello");
}

static void act_pid(struct service *service, const struct life_request *request,
                    const char *argument)
{
	(void)request;
	(void)argument;
	text_append_number(&service->body, getpid());
}

static void act_sleep(struct service *service,
                      const struct life_request *request, const char *argument)
{
	int64_t until_us = clock_monotonic_us() + atol(argument) * 1000;

	(void)request;
	/* The worker's alarm, which goes off now and then, ends a sleep. */
	while (clock_monotonic_us() < until_us)
		clock_sleep_ms((until_us - clock_monotonic_us()) / 1000 + 1);
	text_append_number(&service->body, getpid());
}

/* Read the body and give it back. */
static void act_echo(struct service *service,
                     const struct life_request *request, const char *argument)
{
	size_t bytes = (size_t)atol(variable(request, "CONTENT_LENGTH"));
	char *body = arena_alloc(&service->arena, bytes);
	enum fault fault;

	(void)argument;
	if (!body)
		abort();
	fault = request->read_body(request->argument, body, bytes);
	if (fault == FAULT_NONE)
		text_append(&service->body, (struct span){body, bytes});
	else
		service->status = fault == FAULT_REQUEST_TIMEOUT ? 408 : 400;
}

static void act_refuse(struct service *service,
                       const struct life_request *request, const char *argument)
{
	(void)request;
	(void)argument;
	service->status = 413;
}

static void act_big(struct service *service, const struct life_request *request,
                    const char *argument)
{
	(void)request;
	for (long i = atol(argument); i > 0; i--)
		text_append_byte(&service->body, 'x');
}

static void act_crash(struct service *service,
                      const struct life_request *request, const char *argument)
{
	(void)service;
	(void)request;
	(void)argument;
	abort();
}

static void act_exec(struct service *service,
                     const struct life_request *request, const char *argument)
{
	char *const nothing[] = {NULL};

	(void)service;
	(void)request;
	(void)argument;
	(void)execve("/bin/true", nothing, nothing);
}

static void act_netlink(struct service *service,
                        const struct life_request *request,
                        const char *argument)
{
	(void)request;
	(void)argument;
	if (socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) >= 0)
		say(service, "open");
}

static void act_setting(struct service *service,
                        const struct life_request *request,
                        const char *argument)
{
	(void)request;
	(void)argument;
	say(service, service->config->mail.product);
}

static void act_environment(struct service *service,
                            const struct life_request *request,
                            const char *argument)
{
	(void)request;
	say(service, getenv(argument) ? "set" : "unset");
}

/* Descriptors that an exec would hand on, but for the standard ones. */
static void act_descriptors(struct service *service,
                            const struct life_request *request,
                            const char *argument)
{
	(void)request;
	(void)argument;
	for (int i = FIRST_OTHER; i < 1024; i++) {
		int flags = fcntl(i, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			text_appendf(&service->body, "%d ", i);
	}
	say(service, "end");
}

static void act_status(struct service *service,
                       const struct life_request *request, const char *argument)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "re");

	(void)request;
	(void)argument;
	while (status && fgets(line, sizeof(line), status))
		say(service, line);
	if (status)
		(void)fclose(status);
}

/* How often a word (given reversed) stands in the heap. */
static void act_find(struct service *service,
                     const struct life_request *request, const char *argument)
{
	char line[256];
	char *start = NULL;
	char *end = NULL;
	size_t length = strlen(argument);
	FILE *maps = fopen("/proc/self/maps", "re");
	int found = 0;

	(void)request;
	while (maps && !end && fgets(line, sizeof(line), maps))
		if (strstr(line, "[heap]"))
			(void)sscanf(line, "%p-%p", (void **)&start,
			             (void **)&end);
	if (maps)
		(void)fclose(maps);
	for (char *at = start; at && at + length <= end; at++) {
		size_t i = 0;
		while (i < length && at[i] == argument[length - 1 - i])
			i++;
		found += i == length;
	}
	text_append_number(&service->body, found);
}

static const struct {
	const char *path;
	act *act;
} paths[] = {
    {"/hello", act_hello},
    {"/pid", act_pid},
    {"/sleep", act_sleep},
    {"/echo", act_echo},
    {"/refuse", act_refuse},
    {"/big", act_big},
    {"/crash", act_crash},
    {"/exec", act_exec},
    {"/netlink", act_netlink},
    {"/setting", act_setting},
    {"/environment", act_environment},
    {"/descriptors", act_descriptors},
    {"/status", act_status},
    {"/find", act_find},
};

static act *find_act(const char *uri)
{
	size_t length = strcspn(uri, "?");

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strlen(paths[i].path) == length &&
		    !strncmp(uri, paths[i].path, length))
			return paths[i].act;
	return NULL;
}

/* Little is wiped in little time: this program is measured, too. */
static size_t body_limit_of(act *chosen)
{
	return chosen == act_hello ? 64 : BODY_LIMIT;
}

void life_run(struct service *service, const struct life_request *request,
              struct life_reply *reply)
{
	const char *uri = variable(request, "REQUEST_URI");
	const char *question = strchr(uri, '?');
	struct text head = arena_text(&service->arena, 256);
	act *chosen = find_act(uri);

	service->body = arena_text(&service->arena, body_limit_of(chosen));
	service->status = chosen ? 200 : 404;
	if (chosen)
		chosen(service, request, question ? question + 1 : "");
	text_appendf(&head,
	             "Status: %d\r\nContent-Type: text/plain\r\n"
	             "Content-Length: %zu\r\n\r\n",
	             service->status, service->body.length);
	*reply = (struct life_reply){
	    text_span(&head), text_span(&service->body), service->status};
}

void life_end(struct service *service)
{
	arena_reset(&service->arena);
}
