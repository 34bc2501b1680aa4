/* SPDX-License-Identifier: Apache-2.0 */
/* Making and mapping the shared file; what is in it is shared.h's. */
#include "base/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_folder(const char *path)
{
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A plain file of ours that nobody else may touch. */
static bool is_private(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_uid == geteuid() &&
	       !(status.st_mode & (S_IRWXG | S_IRWXO));
}

static int open_file(int folder)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "shared-%zu.map",
	               sizeof(struct shared));
	return openat(folder, name,
	              O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	              0600);
}

static struct shared *map(int fd)
{
	void *memory;

	/* Allocated, not just long enough: a full disk is an error here and
	 * would be a SIGBUS later. Bytes that are there already stay. */
	if (!is_private(fd) ||
	    posix_fallocate(fd, 0, sizeof(struct shared)) != 0)
		return NULL;
	memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
	              MAP_SHARED, fd, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

enum fault shared_open(const char *runtime_dir, struct shared **out)
{
	struct shared *shared = NULL;
	int folder;
	int fd;

	folder = open_folder(runtime_dir);
	if (folder < 0)
		return FAULT_UNAVAILABLE;
	fd = open_file(folder);
	(void)close(folder);
	if (fd < 0)
		return FAULT_UNAVAILABLE;
	shared = map(fd);
	(void)close(fd);
	if (!shared)
		return FAULT_UNAVAILABLE;
	metrics_attach(&shared->metrics);
	*out = shared;
	return FAULT_NONE;
}
