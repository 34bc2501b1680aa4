/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claviger-fcgi: from the command line to the loop. What has to happen as root
 * happens first, then nobody is root any more; what can be refused is refused
 * before anything listens, with one line on standard error.
 */
#include "base/log.h"
#include "base/run_as.h"
#include "base/shared.h"
#include "base/why.h"
#include "server/check.h"
#include "server/confine.h"
#include "server/listen.h"
#include "server/master.h"
#include "server/master_key.h"
#include "server/options.h"
#include "server/server.h"
#include "server/title.h"
#include "server/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void complain(const char *why)
{
	(void)fprintf(stderr, "claviger-fcgi: %s\n", why);
}

static enum server_exit exit_for(enum fault fault)
{
	switch ((int)fault) {
	case FAULT_NONE:
		return SERVER_OK;
	case FAULT_CONFLICT:
	case FAULT_UNAVAILABLE:
	case FAULT_EXHAUSTED:
		return SERVER_TEMPORARY;
	default:
		return SERVER_CONFIG;
	}
}

/*
 * A spawner may have closed 1 and 2; a file that is opened there would be
 * written to by whatever prints.
 */
static void hold_standard_descriptors(void)
{
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		if (fcntl(i, F_GETFD) < 0)
			(void)open("/dev/null", O_RDWR);
	/* What else was left open for us stays out of our children. */
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

/*
 * From here on signals wait until somebody looks for them. A parent may have
 * had them ignored, which exec keeps.
 */
static void hold_signals(void)
{
	const int held[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		(void)sigaddset(&set, held[i]);
		(void)signal(held[i], SIG_DFL);
	}
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* A socket that was asked for by name goes before an inherited one. */
static enum fault find_listener(const struct options *options,
                                const struct config *config,
                                const struct run_as *user, struct listener *out,
                                char why[WHY_BYTES])
{
	if (!options->listen && listen_inherited(out) == FAULT_NONE)
		return FAULT_NONE;
	return listen_own(config, user, out, why);
}

/* As whoever we were started as: the key and the socket may be root's. */
static enum fault prepare(const struct options *options, struct server *server,
                          struct listener *listener, char why[WHY_BYTES])
{
	struct run_as user;
	enum fault fault;

	fault = run_as_find(server->config, &user, why);
	if (!fault)
		fault = master_key_read(server->config, &server->key, why);
	if (!fault)
		fault = peer_list(&server->config->server.peers, user.uid,
		                  &server->peers, why);
	if (!fault)
		fault = find_listener(options, server->config, &user, listener,
		                      why);
	if (!fault) {
		confine_bounding_set();
		fault = run_as_assume(&user, server->config, why);
	}
	server->listener = listener->descriptor;
	return fault;
}

/* As the user who serves. */
static enum fault settle(const struct config *config, char why[WHY_BYTES])
{
	struct shared *shared;

	confine_process();
	if (log_open(config->log.file, config->log.level))
		return why_not(FAULT_VALIDATION, why,
		               "log.file: %s cannot be written",
		               config->log.file);
	/* For the counters, and to refuse now what workers would need. */
	if (shared_open(config->server.runtime_dir, &shared))
		return why_not(FAULT_VALIDATION, why,
		               "server.runtime_dir: %s cannot be used",
		               config->server.runtime_dir);
	return FAULT_NONE;
}

/* Whoever started us with a socket of theirs also decides how many we are. */
static bool is_alone(const struct options *options, const struct config *config,
                     const struct listener *listener)
{
	return !listener->path && !options->workers && !config->server.workers;
}

static enum server_exit run(const struct options *options,
                            struct server *server,
                            const struct listener *listener)
{
	enum server_exit status;

	if (is_alone(options, server->config, listener)) {
		master_run_maintenance(server);
		return worker_run(server, NULL);
	}
	status = check_keys_aside(server);
	return status ? status : master_run(server, options);
}

static enum server_exit serve(const struct options *options,
                              const struct config *config)
{
	struct server server = {.config = config, .listener = -1};
	struct listener listener = {.descriptor = -1};
	char why[WHY_BYTES];
	enum server_exit status;
	enum fault fault;

	fault = prepare(options, &server, &listener, why);
	if (!fault)
		fault = settle(config, why);
	if (fault) {
		complain(why);
		status = exit_for(fault);
	} else {
		status = run(options, &server, &listener);
	}
	listen_remove(&listener);
	return status;
}

/* Everything that serve() would refuse, without doing any of it. */
static enum server_exit check(const struct config *config)
{
	struct run_as user;
	unsigned char *key = NULL;
	struct peers peers;
	char why[WHY_BYTES];
	enum fault fault;

	fault = run_as_find(config, &user, why);
	if (!fault)
		fault = peer_list(&config->server.peers, user.uid, &peers, why);
	if (!fault && config->server.listen[0])
		fault = listen_check(config, why);
	if (!fault)
		fault = master_key_read(config, &key, why);
	master_key_forget(key);
	if (fault) {
		complain(why);
		return exit_for(fault);
	}
	(void)puts("claviger-fcgi: the settings are good");
	return SERVER_OK;
}

int main(int argc, char **argv)
{
	static struct config config;
	static struct options options;
	struct config_error error;
	char **arguments;

	hold_standard_descriptors();
	arguments = title_init(argc, argv);
	if (!arguments || options_read(&options, argc, arguments))
		return SERVER_USAGE;
	if (options.action == OPTIONS_DONE)
		return SERVER_OK;
	if (options_configure(&options, &config, &error)) {
		complain(error.message);
		return SERVER_CONFIG;
	}
	if (options.action == OPTIONS_CHECK)
		return (int)check(&config);
	hold_signals();
	return (int)serve(&options, &config);
}
