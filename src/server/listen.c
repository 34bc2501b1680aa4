/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and finding listening sockets; see listen.h. A socket's name is
 * created, given its owner and only then listened on: until listen() nobody
 * can connect, so there is no moment with the wrong rights.
 */
#include "server/listen.h"

#include "server/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG       1024 /* with 128, a burst of 600 lost most of them */
#define SOCKET_MODE   0660
#define LOWEST_FREE   3
#define REFUSE_CONFIG FAULT_VALIDATION

static bool is_listening(int descriptor)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value,
	                  &length) == 0 &&
	       value;
}

/*
 * Move a socket out of the way of the standard descriptors, so that nothing
 * that reads standard input, now or in a child, touches it.
 */
static int move_up(int descriptor)
{
	int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, LOWEST_FREE);
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (nothing >= 0 && descriptor == STDIN_FILENO)
		(void)dup2(nothing, STDIN_FILENO);
	else
		(void)close(descriptor);
	if (nothing >= 0)
		(void)close(nothing);
	return moved;
}

enum fault listen_inherited(struct listener *out)
{
	int descriptor = systemd_take_socket();

	if (descriptor < 0 || !is_listening(descriptor))
		descriptor = STDIN_FILENO;
	if (!is_listening(descriptor))
		return FAULT_NOT_FOUND;
	descriptor = move_up(descriptor);
	if (descriptor < 0 || fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0)
		return FAULT_NOT_FOUND;
	*out = (struct listener){.descriptor = descriptor};
	return FAULT_NONE;
}

/* The folder of a path, in out. */
static enum fault folder_of(const char *path, char out[PATH_MAX],
                            char why[WHY_BYTES])
{
	struct sockaddr_un address;
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (!path[0])
		return why_not(REFUSE_CONFIG, why,
		               "nothing to listen on: no socket was inherited "
		               "and server.listen is not set");
	if (strlen(path) >= sizeof(address.sun_path))
		return why_not(REFUSE_CONFIG, why,
		               "server.listen: %s is longer than %zu bytes",
		               path, sizeof(address.sun_path) - 1);
	memcpy(out, slash ? path : ".", slash ? length : 1);
	out[slash ? length : 1] = '\0';
	if (slash == path)
		memcpy(out, "/", 2);
	return FAULT_NONE;
}

/*
 * Open the folder. In a folder where everyone may rename, anyone can put a
 * socket of their own in the place of ours.
 */
static enum fault open_folder(const char *path, int *out, char why[WHY_BYTES])
{
	char folder[PATH_MAX];
	struct stat status;
	enum fault fault = folder_of(path, folder, why);

	if (fault)
		return fault;
	if (stat(folder, &status) != 0)
		return why_not(REFUSE_CONFIG, why, "server.listen: %s: %s",
		               folder, strerror(errno));
	if ((status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX))
		return why_not(REFUSE_CONFIG, why,
		               "server.listen: anyone may write to %s; chmod "
		               "o-w",
		               folder);
	*out = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out < 0)
		return why_not(REFUSE_CONFIG, why, "server.listen: %s: %s",
		               folder, strerror(errno));
	return FAULT_NONE;
}

enum fault listen_check(const struct config *config, char why[WHY_BYTES])
{
	int folder = -1;
	enum fault fault = open_folder(config->server.listen, &folder, why);

	if (!fault)
		(void)close(folder);
	return fault;
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path));
	return address;
}

/* 0 when somebody answers there, else why not. */
static int try_to_reach(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result = 0;

	if (descriptor < 0)
		return errno;
	/* A full backlog is an answer as well; do not wait in it. */
	(void)fcntl(descriptor, F_SETFL, O_NONBLOCK);
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)))
		result = errno;
	(void)close(descriptor);
	return result;
}

/* Remove what a dead server left at this path, and nothing else. */
static enum fault clear_way(const char *path, char why[WHY_BYTES])
{
	struct stat status;
	int answer;

	if (lstat(path, &status) != 0)
		return errno == ENOENT ? FAULT_NONE
		                       : why_not(REFUSE_CONFIG, why,
		                                 "server.listen: %s: %s", path,
		                                 strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return why_not(REFUSE_CONFIG, why,
		               "server.listen: %s is not a socket", path);
	answer = try_to_reach(path);
	if (answer == 0 || answer == EAGAIN)
		return why_not(FAULT_CONFLICT, why,
		               "server.listen: %s is served already", path);
	if (answer != ECONNREFUSED || unlink(path) != 0)
		return why_not(REFUSE_CONFIG, why,
		               "server.listen: %s is in the way: %s", path,
		               strerror(errno));
	return FAULT_NONE;
}

/* The group that the socket belongs to. */
static enum fault find_group(const struct config *config,
                             const struct run_as *user, gid_t *out,
                             char why[WHY_BYTES])
{
	const char *name = config->server.socket_group;
	const struct group *group;

	*out = user->gid;
	if (!name[0])
		return FAULT_NONE;
	group = getgrnam(name);
	if (!group)
		return why_not(REFUSE_CONFIG, why,
		               "server.socket_group: there is no group '%s'",
		               name);
	*out = group->gr_gid;
	return FAULT_NONE;
}

/* Create the name with its mode; the umask says what a bind makes. */
static int bind_with_mode(int descriptor, const char *path)
{
	struct sockaddr_un address = address_of(path);
	mode_t before = umask(0777 & ~SOCKET_MODE);
	int result =
	    bind(descriptor, (struct sockaddr *)&address, sizeof(address));

	(void)umask(before);
	return result;
}

/* Everything that needs the name to exist. */
static int open_for_business(int descriptor, const char *path,
                             const struct run_as *user, gid_t group,
                             struct listener *out)
{
	uid_t owner = geteuid() == 0 ? user->uid : (uid_t)-1;
	struct stat status;

	if (lchown(path, owner, group) != 0 || lstat(path, &status) != 0 ||
	    listen(descriptor, BACKLOG) != 0)
		return -1;
	*out = (struct listener){
	    .descriptor = descriptor,
	    .path = path,
	    .device = status.st_dev,
	    .inode = status.st_ino,
	};
	return 0;
}

static enum fault make_socket(const struct config *config,
                              const struct run_as *user, gid_t group,
                              struct listener *out, char why[WHY_BYTES])
{
	const char *path = config->server.listen;
	int descriptor =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (descriptor >= 0 && bind_with_mode(descriptor, path) == 0) {
		if (open_for_business(descriptor, path, user, group, out) == 0)
			return FAULT_NONE;
		(void)why_not(REFUSE_CONFIG, why,
		              "server.listen: %s: cannot give it to its "
		              "user and group: %s",
		              path, strerror(errno));
		(void)unlink(path);
	} else {
		(void)why_not(REFUSE_CONFIG, why, "server.listen: %s: %s", path,
		              strerror(errno));
	}
	if (descriptor >= 0)
		(void)close(descriptor);
	return REFUSE_CONFIG;
}

enum fault listen_own(const struct config *config, const struct run_as *user,
                      struct listener *out, char why[WHY_BYTES])
{
	enum fault fault;
	gid_t group;
	int folder = -1;

	fault = open_folder(config->server.listen, &folder, why);
	if (fault)
		return fault;
	/* Two that start at once must not remove each other's socket. */
	(void)flock(folder, LOCK_EX);
	fault = clear_way(config->server.listen, why);
	if (!fault)
		fault = find_group(config, user, &group, why);
	if (!fault)
		fault = make_socket(config, user, group, out, why);
	(void)close(folder);
	return fault;
}

void listen_remove(const struct listener *listener)
{
	struct stat status;

	if (!listener->path || lstat(listener->path, &status) != 0)
		return;
	if (status.st_dev == listener->device &&
	    status.st_ino == listener->inode)
		(void)unlink(listener->path);
}
