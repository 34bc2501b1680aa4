/* SPDX-License-Identifier: Apache-2.0 */
/* Private servers; see stack.h. */
#include "stack.h"

#include "base/clock.h"
#include "base/log.h"

#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_BYTES      256
#define ARGUMENTS_LIMIT 32
#define START_LIMIT_MS  20000
#define POLL_MS         10

static const char *const programs[] = {
    [STACK_MARIADB] = "mariadbd",
    [STACK_REDIS] = "redis-server",
};

static char folder[64];
static char log_path[PATH_BYTES];
static char sockets[STACK_SERVER_COUNT][PATH_BYTES];
static pid_t pids[STACK_SERVER_COUNT];
static pid_t owner;
static int port;

/* The arguments of a program, with room for what a test adds. */
struct arguments {
	int count;
	char *at[ARGUMENTS_LIMIT];
};

static void die(const char *what)
{
	(void)fprintf(stderr, "stack: %s failed\n", what);
	exit(EXIT_FAILURE);
}

__attribute__((format(printf, 2, 3))) static void
add(struct arguments *arguments, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (arguments->count == ARGUMENTS_LIMIT - 1 ||
	    vasprintf(&arguments->at[arguments->count++], format, list) < 0)
		die("building arguments");
	va_end(list);
}

static void release(struct arguments *arguments)
{
	while (arguments->count)
		free(arguments->at[--arguments->count]);
}

/* Run with output to a file of the folder; dies with this process. */
static pid_t spawn(const struct arguments *arguments)
{
	char path[PATH_BYTES];
	pid_t pid = fork();
	int output;

	if (pid)
		return pid;
	(void)snprintf(path, sizeof(path), "%s/%s.out", folder,
	               arguments->at[0]);
	output = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)dup2(output, STDOUT_FILENO);
	(void)dup2(output, STDERR_FILENO);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execvp(arguments->at[0], arguments->at);
	_exit(127);
}

static void run(struct arguments *arguments)
{
	int status = 0;
	pid_t pid = spawn(arguments);

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die(arguments->at[0]);
	release(arguments);
}

/* A port that is free now; nothing else on this host should take it soon. */
static int find_port(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(probe, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(probe, (struct sockaddr *)&address, &length))
		die("finding a port");
	(void)close(probe);
	return ntohs(address.sin_port);
}

static bool listens(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int failed;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	failed = connect(probe, (struct sockaddr *)&address, sizeof(address));
	(void)close(probe);
	return !failed;
}

static void wait_for(enum stack_server server)
{
	int64_t until_us = clock_monotonic_us() + START_LIMIT_MS * 1000;

	while (!listens(sockets[server])) {
		if (waitpid(pids[server], NULL, WNOHANG) ||
		    clock_monotonic_us() > until_us) {
			pids[server] = 0;
			die(programs[server]);
		}
		clock_sleep_ms(POLL_MS);
	}
}

/* "loose-": mariadb-install-db acts upon --user itself, outside the folder. */
static void install_mariadb(void)
{
	struct arguments install = {0};
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/data/claviger", folder);
	if (access(path, F_OK) == 0)
		return;
	add(&install, "mariadb-install-db");
	add(&install, "--no-defaults");
	add(&install, "--datadir=%s/data", folder);
	add(&install, "--auth-root-authentication-method=normal");
	add(&install, "--skip-test-db");
	if (geteuid() == 0)
		add(&install, "--loose-user=root");
	run(&install);
	/* A folder is a database. */
	if (mkdir(path, 0700))
		die("making the database");
}

static void add_mariadb(struct arguments *arguments)
{
	install_mariadb();
	if (!port)
		port = find_port();
	add(arguments, "mariadbd");
	add(arguments, "--no-defaults");
	if (geteuid() == 0)
		add(arguments, "--user=root");
	add(arguments, "--datadir=%s/data", folder);
	add(arguments, "--socket=%s", sockets[STACK_MARIADB]);
	add(arguments, "--pid-file=%s/mariadb.pid", folder);
	add(arguments, "--bind-address=127.0.0.1");
	add(arguments, "--port=%d", port);
	add(arguments, "--character-set-server=utf8mb4");
	add(arguments, "--collation-server=utf8mb4_general_ci");
	add(arguments, "--innodb-buffer-pool-size=16M");
	add(arguments, "--innodb-log-file-size=8M");
	add(arguments, "--innodb-flush-log-at-trx-commit=2");
	add(arguments, "--performance-schema=off");
}

static void add_redis(struct arguments *arguments)
{
	add(arguments, "redis-server");
	add(arguments, "--port");
	add(arguments, "0");
	add(arguments, "--unixsocket");
	add(arguments, "%s", sockets[STACK_REDIS]);
	add(arguments, "--dir");
	add(arguments, "%s", folder);
	add(arguments, "--save");
	add(arguments, "%s", "");
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	(void)remove(path);
	return 0;
}

void stack_end(void)
{
	if (getpid() != owner || !*folder)
		return;
	for (int i = 0; i < STACK_SERVER_COUNT; i++)
		stack_stop((enum stack_server)i);
	if (!getenv("CLAVIGER_KEEP"))
		(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	*folder = '\0';
}

/* Under /tmp whatever TMPDIR says: a socket's path must be short. */
static void make_folder(void)
{
	if (*folder)
		return;
	(void)strcpy(folder, "/tmp/cvunit-XXXXXX");
	if (!mkdtemp(folder))
		die("making a folder");
	owner = getpid();
	(void)snprintf(sockets[STACK_MARIADB], PATH_BYTES, "%s/mariadb.sock",
	               folder);
	(void)snprintf(sockets[STACK_REDIS], PATH_BYTES, "%s/redis.sock",
	               folder);
	(void)snprintf(log_path, sizeof(log_path), "%s/log", folder);
	(void)atexit(stack_end);
}

/* Servers are in sbin, which is not on everybody's path. */
static void widen_path(void)
{
	const char *path = getenv("PATH");
	char wider[4096];

	(void)snprintf(wider, sizeof(wider), "%s:/usr/local/sbin:/usr/sbin",
	               path ? path : "/usr/bin:/bin");
	(void)setenv("PATH", wider, 1);
}

bool stack_has(enum stack_server server)
{
	char command[PATH_BYTES];

	widen_path();
	(void)snprintf(command, sizeof(command), "command -v %s >/dev/null",
	               programs[server]);
	return system(command) == 0;
}

void stack_start(enum stack_server server, const char *const *extra)
{
	struct arguments arguments = {0};

	make_folder();
	if (server == STACK_MARIADB)
		add_mariadb(&arguments);
	else
		add_redis(&arguments);
	for (; extra && *extra; extra++)
		add(&arguments, "%s", *extra);
	(void)unlink(sockets[server]);
	pids[server] = spawn(&arguments);
	release(&arguments);
	if (pids[server] < 0)
		die(programs[server]);
	wait_for(server);
}

void stack_stop(enum stack_server server)
{
	if (pids[server] <= 0)
		return;
	(void)kill(pids[server], SIGKILL);
	(void)waitpid(pids[server], NULL, 0);
	pids[server] = 0;
}

void stack_signal(enum stack_server server, int signal)
{
	(void)kill(pids[server], signal);
}

void stack_configure(struct config *config)
{
	make_folder();
	config_defaults(config);
	config->database.socket = sockets[STACK_MARIADB];
	config->database.user = "root";
	config->redis.socket = sockets[STACK_REDIS];
	if (log_open(log_path, LOG_DEBUG))
		die("opening the log");
}

const char *stack_folder(void)
{
	return folder;
}

const char *stack_log_path(void)
{
	return log_path;
}

int stack_mariadb_port(void)
{
	return port;
}
