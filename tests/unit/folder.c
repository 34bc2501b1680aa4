/* SPDX-License-Identifier: Apache-2.0 */
/* A private folder; see folder.h. */
#include "folder.h"

#include "unit.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define PATH_COUNT 8

static char root[PATH_BYTES / 2];

void folder_make(void)
{
	const char *parent = getenv("TMPDIR");

	(void)snprintf(root, sizeof(root), "%s/unit-XXXXXX",
	               parent && parent[0] == '/' ? parent : "/tmp");
	assert_non_null(mkdtemp(root));
}

void folder_remove(void)
{
	DIR *folder = opendir(root);
	const struct dirent *entry;

	assert_non_null(folder);
	for (entry = readdir(folder); entry; entry = readdir(folder))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			(void)remove(folder_path(entry->d_name));
	(void)closedir(folder);
	assert_int_equal(rmdir(root), 0);
}

const char *folder_path(const char *name)
{
	static char paths[PATH_COUNT][PATH_BYTES];
	static size_t next;
	char *path = paths[next++ % PATH_COUNT];

	(void)snprintf(path, PATH_BYTES, "%s/%s", root, name);
	return path;
}

const char *folder_write(const char *name, mode_t mode, const char *contents)
{
	const char *path = folder_path(name);
	FILE *file;

	(void)unlink(path);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fputs(contents, file) < 0, 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

char *folder_read(const char *name, size_t *length)
{
	FILE *file = fopen(folder_path(name), "rb");
	struct stat status;
	char *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	*length = (size_t)status.st_size;
	bytes = calloc(1, *length + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *length, file), *length);
	(void)fclose(file);
	return bytes;
}
