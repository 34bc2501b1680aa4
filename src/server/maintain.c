/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds and the pauses between them; see maintain.h. */
#include "server/maintain.h"

#include "api/service.h"
#include "base/log.h"
#include "server/confine.h"
#include "server/master_key.h"
#include "server/title.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#define IDLE_ROUNDS  5     /* while another process does the work */
#define PAUSE_MOST   30000 /* ms between tries that fail */
#define SPREAD_STEPS 8

struct maintainer {
	struct service *service;
	int64_t interval_ms;
	int64_t pause_ms;
	enum fault fault; /* of the last round */
};

/* Say it when it begins and when it is over, not once a second. */
static void note(struct maintainer *maintainer, enum fault fault)
{
	enum fault before = maintainer->fault;

	maintainer->fault = fault;
	if (fault == before)
		return;
	if (fault && fault != FAULT_CONFLICT)
		log_note(LOG_WARNING, "maintenance_failed", fault_name(fault));
	else if (before && before != FAULT_CONFLICT)
		log_note(LOG_INFO, "maintenance_resumed", NULL);
}

/* An idle one's pause, a little different for each process. */
static int64_t idle_pause(int64_t interval_ms)
{
	int64_t spread = getpid() % SPREAD_STEPS;

	return interval_ms * IDLE_ROUNDS + interval_ms * spread / SPREAD_STEPS;
}

static int64_t pause_after(const struct maintainer *maintainer,
                           enum fault fault, int64_t next_in_ms)
{
	int64_t interval = maintainer->interval_ms;
	int64_t doubled = maintainer->pause_ms * 2;

	if (fault == FAULT_CONFLICT)
		return idle_pause(interval);
	if (fault == FAULT_NONE)
		return next_in_ms > 0 && next_in_ms < interval ? next_in_ms
		                                               : interval;
	return doubled < PAUSE_MOST ? doubled : PAUSE_MOST;
}

static void do_round(struct maintainer *maintainer)
{
	int64_t next_in_ms = maintainer->interval_ms;
	enum fault fault;

	fault = service_maintain(maintainer->service, &next_in_ms);
	maintainer->pause_ms = pause_after(maintainer, fault, next_in_ms);
	note(maintainer, fault);
}

/* Whether a signal to end came within so many ms. */
static bool is_told_to_end(int64_t ms)
{
	const struct timespec time = {
	    .tv_sec = ms / 1000,
	    .tv_nsec = ms % 1000 * 1000000,
	};
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGUSR1);
	return sigtimedwait(&set, NULL, &time) > 0;
}

enum server_exit maintain_run(struct server *server, struct worker_slot *slot)
{
	const struct config *config = server->config;
	struct maintainer maintainer = {
	    .interval_ms = config->server.maintenance_interval,
	    .pause_ms = config->server.maintenance_interval,
	};
	enum fault fault;

	title_set("maintenance");
	(void)close(server->listener);
	fault = service_open(config, server->key, &maintainer.service);
	master_key_forget(server->key);
	if (fault) {
		log_note(LOG_ERROR, "service_failed", fault_name(fault));
		return SERVER_TEMPORARY;
	}
	if (config->mail.transport != MAIL_TRANSPORT_SENDMAIL)
		confine_calls(CONFINE_MAY_RESOLVE);
	slot->is_ready = 1;
	do
		do_round(&maintainer);
	while (!is_told_to_end(maintainer.pause_ms));
	service_close(maintainer.service);
	return SERVER_OK;
}
