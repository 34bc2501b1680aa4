/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children and their lives; see master.h. One loop: reap, decide, wait for a
 * signal or for the next moment at which there is something to decide. A child
 * dies with its master, so that nobody serves on with an orphaned socket.
 */
#include "server/master.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/maintain.h"
#include "server/systemd.h"
#include "server/title.h"
#include "server/worker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACES           1040 /* twice server.workers' limit, and some */
#define GRACE_MS         5000
#define START_LIMIT_MS   30000
#define START_POLL_MS    10
#define CALM_MS          10000 /* without a crash: all is forgiven */
#define FIRST_PAUSE_MS   100
#define LONGEST_PAUSE_MS 5000

enum role { ROLE_NONE = 0, ROLE_WORKER, ROLE_MAINTAINER, ROLE_COUNT };

static const struct {
	const char *name;
	enum server_exit (*run)(struct server *server,
	                        struct worker_slot *slot);
} roles[ROLE_COUNT] = {
    [ROLE_WORKER] = {"worker", worker_run},
    [ROLE_MAINTAINER] = {"maintenance", maintain_run},
};

struct child {
	enum role role; /* ROLE_NONE: a free place */
	pid_t pid;
	unsigned generation;
	int64_t started_ms;
	int64_t kill_at_ms; /* 0: not told to end */
};

/* How fast children of one role may be made. */
struct throttle {
	unsigned streak; /* crashes, each soon after the one before */
	int64_t crashed_at_ms;
	int64_t not_before_ms;
};

struct master {
	struct server *server;
	const struct options *options; /* NULL: no reload */
	struct config *reloaded;       /* the settings, when read again */
	struct worker_slot *slots;     /* one a place, shared with the child */
	unsigned generation;
	size_t wanted[ROLE_COUNT];
	struct throttle throttles[ROLE_COUNT];
	bool is_ending;
	bool was_ready; /* since the last start or reload */
	struct child children[PLACES];
};

static int64_t now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

/* Two for each core we may use, and two that wait for something. */
static size_t automatic_workers(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 4;
	return 2 * (size_t)CPU_COUNT(&set) + 2;
}

static size_t workers_wanted(const struct config *config)
{
	return config->server.workers ? (size_t)config->server.workers
	                              : automatic_workers();
}

static bool is_living(const struct child *child, enum role role)
{
	return child->role == role && !child->kill_at_ms;
}

static bool is_starting(const struct master *master, size_t place)
{
	return !master->children[place].kill_at_ms &&
	       master->children[place].role && !master->slots[place].is_ready;
}

static size_t count_living(const struct master *master, enum role role)
{
	size_t count = 0;

	for (size_t i = 0; i < PLACES; i++)
		count += is_living(&master->children[i], role);
	return count;
}

static bool has_starting(const struct master *master, enum role role)
{
	for (size_t i = 0; i < PLACES; i++)
		if (master->children[i].role == role && is_starting(master, i))
			return true;
	return false;
}

/* A living child of an older generation, or NULL. */
static struct child *find_old(struct master *master, enum role role)
{
	for (size_t i = 0; i < PLACES; i++)
		if (is_living(&master->children[i], role) &&
		    master->children[i].generation != master->generation)
			return &master->children[i];
	return NULL;
}

static struct child *find_living(struct master *master, enum role role)
{
	for (size_t i = 0; i < PLACES; i++)
		if (is_living(&master->children[i], role))
			return &master->children[i];
	return NULL;
}

/* The child's side of a fork. */
static _Noreturn void be_child(struct master *master, enum role role,
                               size_t place, pid_t parent)
{
	sigset_t set;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(SERVER_OK); /* it died before we asked */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	exit((int)roles[role].run(master->server, &master->slots[place]));
}

/* False when there was no making one, for which there is a pause then. */
static bool spawn(struct master *master, enum role role)
{
	pid_t parent = getpid();
	size_t place = 0;
	pid_t pid;

	while (place < PLACES && master->children[place].role)
		place++;
	if (place == PLACES)
		return false;
	memset(&master->slots[place], 0, sizeof(master->slots[place]));
	pid = fork();
	if (pid == 0)
		be_child(master, role, place, parent);
	if (pid < 0) {
		log_note(LOG_ERROR, "fork_failed", strerror(errno));
		master->throttles[role].not_before_ms =
		    now_ms() + LONGEST_PAUSE_MS;
		return false;
	}
	master->children[place] = (struct child){
	    .role = role,
	    .pid = pid,
	    .generation = master->generation,
	    .started_ms = now_ms(),
	};
	return true;
}

/* How long a child of this role may take to finish what it has in hand. */
static int64_t patience_ms(const struct master *master, enum role role)
{
	const struct config *config = master->server->config;
	int64_t ms = config->server.request_deadline;

	if (role == ROLE_MAINTAINER && config->mail.timeout > ms)
		ms = config->mail.timeout;
	return ms + GRACE_MS;
}

static void end(const struct master *master, struct child *child)
{
	(void)kill(child->pid, SIGTERM);
	child->kill_at_ms = now_ms() + patience_ms(master, child->role);
}

static bool may_spawn(const struct master *master, enum role role)
{
	return now_ms() >= master->throttles[role].not_before_ms;
}

/*
 * One step towards the wanted number of children of the present generation.
 * While old ones are there, the new one comes first and must be ready before
 * an old one is told to go; a new one that never gets ready costs nothing.
 */
static bool take_step(struct master *master, enum role role)
{
	size_t living = count_living(master, role);
	size_t wanted = master->wanted[role];
	struct child *old = find_old(master, role);

	if (living < wanted || (living == wanted && old)) {
		if (!may_spawn(master, role) ||
		    (living == wanted && has_starting(master, role)))
			return false;
		return spawn(master, role);
	}
	if (living == wanted || has_starting(master, role))
		return false;
	if (!old)
		old = find_living(master, role);
	if (!old)
		return false;
	end(master, old);
	return true;
}

/*
 * After a crash: the first in a while costs no pause, the next ones ever longer
 * ones. Those that die together, within a pause, count once.
 */
static void slow_down(struct throttle *throttle)
{
	int64_t now = now_ms();
	int64_t pause = 0;

	if (now - throttle->crashed_at_ms > CALM_MS)
		throttle->streak = 0;
	else if (now >= throttle->not_before_ms)
		throttle->streak++;
	for (unsigned i = 0; i < throttle->streak && pause < LONGEST_PAUSE_MS;
	     i++)
		pause = pause ? pause * 2 : FIRST_PAUSE_MS;
	throttle->crashed_at_ms = now;
	throttle->not_before_ms =
	    now + (pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS);
}

static void log_crash(const struct master *master, const struct child *child,
                      int status)
{
	size_t place = (size_t)(child - master->children);
	uint64_t hash = master->slots[place].request_hash;
	struct log_line line;
	char hex[17];

	log_begin(&line, LOG_ERROR, "child_crashed");
	json_string(&line.json, "role", span_of(roles[child->role].name));
	json_integer(&line.json, "child", child->pid);
	if (WIFSIGNALED(status))
		json_integer(&line.json, "signal", WTERMSIG(status));
	else
		json_integer(&line.json, "status", WEXITSTATUS(status));
	json_integer(&line.json, "lived_ms", now_ms() - child->started_ms);
	if (hash) {
		(void)snprintf(hex, sizeof(hex), "%016llx",
		               (unsigned long long)hash);
		json_string(&line.json, "request_hash", span_of(hex));
	}
	log_end(&line);
}

/* Status 0 is one that was worn out, or told to end by somebody else. */
static void bury(struct master *master, struct child *child, int status)
{
	bool is_crash = !WIFEXITED(status) || WEXITSTATUS(status) != SERVER_OK;

	if (is_crash && !child->kill_at_ms) {
		log_crash(master, child, status);
		metrics_add(METRIC_WORKER_CRASHES, 1);
		slow_down(&master->throttles[child->role]);
	}
	*child = (struct child){0};
}

static void reap(struct master *master)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0)
			return;
		for (size_t i = 0; i < PLACES; i++)
			if (master->children[i].role &&
			    master->children[i].pid == pid)
				bury(master, &master->children[i], status);
	}
}

/* Kill what did not end in time, and what did not get ready in time. */
static void enforce(struct master *master)
{
	int64_t now = now_ms();
	struct child *child;

	for (size_t i = 0; i < PLACES; i++) {
		child = &master->children[i];
		if (child->kill_at_ms && now >= child->kill_at_ms) {
			log_note(LOG_WARNING, "child_killed",
			         "it did not end in time");
			(void)kill(child->pid, SIGKILL);
			child->kill_at_ms = now + GRACE_MS;
		}
		if (is_starting(master, i) &&
		    now - child->started_ms > START_LIMIT_MS)
			(void)kill(child->pid, SIGKILL);
	}
}

static bool is_complete(struct master *master)
{
	for (enum role role = ROLE_WORKER; role < ROLE_COUNT; role++)
		if (count_living(master, role) != master->wanted[role] ||
		    find_old(master, role) || has_starting(master, role))
			return false;
	return true;
}

static void decide(struct master *master)
{
	enforce(master);
	for (enum role role = ROLE_WORKER; role < ROLE_COUNT; role++)
		while (!master->is_ending && take_step(master, role))
			;
	if (master->was_ready || master->is_ending || !is_complete(master))
		return;
	master->was_ready = true;
	systemd_notify("READY=1");
	log_note(LOG_INFO, "server_ready", NULL);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When to look again without a signal; INT64_MAX for never. */
static int64_t next_moment(struct master *master)
{
	int64_t moment = INT64_MAX;

	for (size_t i = 0; i < PLACES; i++)
		if (master->children[i].kill_at_ms)
			moment =
			    earlier(moment, master->children[i].kill_at_ms);
	for (enum role role = ROLE_WORKER; role < ROLE_COUNT; role++) {
		if (has_starting(master, role))
			moment = earlier(moment, now_ms() + START_POLL_MS);
		else if (!master->is_ending && !may_spawn(master, role))
			moment = earlier(moment,
			                 master->throttles[role].not_before_ms);
	}
	return moment;
}

/* The next signal, or 0 when the next moment has come. */
static int wait_for_signal(struct master *master)
{
	int64_t moment = next_moment(master);
	int64_t ms = moment - now_ms();
	struct timespec time = {0};
	sigset_t set;
	int signal;

	if (ms > 0)
		time = (struct timespec){ms / 1000, ms % 1000 * 1000000};
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGUSR1);
	signal = sigtimedwait(&set, NULL, moment < INT64_MAX ? &time : NULL);
	return signal > 0 ? signal : 0;
}

static void reopen_log(const struct config *config)
{
	if (log_open(config->log.file, config->log.level))
		log_note(LOG_ERROR, "log_unavailable", config->log.file);
}

/* The settings as they are now; NULL, and a line in the log, for bad ones. */
static struct config *read_again(const struct options *options,
                                 struct peers *peers)
{
	struct config *config = calloc(1, sizeof(*config));
	struct config_error error = {"out of memory"};
	enum fault fault = FAULT_EXHAUSTED;

	if (config)
		fault = options_configure(options, config, &error);
	if (!fault)
		fault = peer_list(&config->server.peers, geteuid(), peers,
		                  error.message);
	if (!fault)
		return config;
	log_note(LOG_ERROR, "reload_refused", error.message);
	free(config);
	return NULL;
}

/*
 * The socket, the user and the master key stay what they are: changing those
 * is a new start. Older children have the older settings in their own memory.
 */
static void reload(struct master *master)
{
	struct config *config;
	char state[64];

	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
	               (long long)clock_monotonic_us());
	systemd_notify(state);
	config = read_again(master->options, &master->server->peers);
	if (config) {
		free(master->reloaded);
		master->reloaded = config;
		master->server->config = config;
		master->wanted[ROLE_WORKER] = workers_wanted(config);
		master->generation++;
		log_note(LOG_INFO, "server_reloading", NULL);
	}
	reopen_log(master->server->config);
	master->was_ready = false;
}

static void end_all(struct master *master)
{
	master->is_ending = true;
	systemd_notify("STOPPING=1");
	for (size_t i = 0; i < PLACES; i++)
		if (master->children[i].role && !master->children[i].kill_at_ms)
			end(master, &master->children[i]);
}

static void obey(struct master *master, int signal)
{
	switch (signal) {
	case SIGTERM:
	case SIGINT:
	case SIGUSR1:
		end_all(master);
		break;
	case SIGHUP:
		if (master->options && !master->is_ending)
			reload(master);
		break;
	default: /* SIGCHLD is looked at in any case */
		break;
	}
}

static bool has_children(const struct master *master)
{
	for (size_t i = 0; i < PLACES; i++)
		if (master->children[i].role)
			return true;
	return false;
}

static void run(struct master *master)
{
	while (!master->is_ending || has_children(master)) {
		decide(master);
		obey(master, wait_for_signal(master));
		reap(master);
	}
}

/* There is one in a process; its children leave by exit() from within it. */
static struct master *open_master(struct server *server)
{
	static struct master master;
	void *slots;

	slots = mmap(NULL, PLACES * sizeof(struct worker_slot),
	             PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED) {
		log_note(LOG_ERROR, "master_failed", strerror(errno));
		return NULL;
	}
	master.server = server;
	master.slots = slots;
	master.wanted[ROLE_MAINTAINER] = 1;
	return &master;
}

enum server_exit master_run(struct server *server,
                            const struct options *options)
{
	struct master *master = open_master(server);

	if (!master)
		return SERVER_TEMPORARY;
	title_set("master");
	master->options = options;
	master->wanted[ROLE_WORKER] = workers_wanted(server->config);
	log_note(LOG_INFO, "server_started", NULL);
	run(master);
	log_note(LOG_INFO, "server_ended", NULL);
	return SERVER_OK;
}

/* Nothing to log: the maintenance process tells its own story. */
static _Noreturn void keep_maintenance(struct server *server, pid_t parent)
{
	struct master *master;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(SERVER_OK);
	title_set("keeper");
	master = open_master(server);
	if (!master)
		exit(SERVER_TEMPORARY);
	master->was_ready = true;
	run(master);
	exit(SERVER_OK);
}

void master_run_maintenance(struct server *server)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0)
		keep_maintenance(server, parent);
	if (pid < 0)
		log_note(LOG_ERROR, "fork_failed", strerror(errno));
}
