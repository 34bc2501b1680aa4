/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main function of a fuzz target in a normal build: gives it every file of
 * its corpus, whole and cut short at every length. Files and folders may be
 * named; without, fuzz_<what> takes $srcdir/tests/fuzz/corpus/<what>. Says
 * what it is at on standard error when the target aborts, which is what a
 * test's log then ends with.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT_BYTES ((size_t)1024 * 1024)
#define CUTS_LIMIT       512
#define PATH_LIMIT_BYTES 4096

/* A copy of exactly the right size, so that sanitizers see every overrun. */
static void replay_bytes(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, length);
	(void)LLVMFuzzerTestOneInput(copy, length);
	free(copy);
}

static bool replay_file(const char *path)
{
	uint8_t *bytes = malloc(FILE_LIMIT_BYTES);
	FILE *file = fopen(path, "rb");
	size_t length;

	if (!bytes || !file) {
		perror(path);
		free(bytes);
		return false;
	}
	length = fread(bytes, 1, FILE_LIMIT_BYTES, file);
	(void)fclose(file);
	(void)fprintf(stderr, "%s\n", path);
	replay_bytes(bytes, length);
	for (size_t cut = 0; cut < length && cut < CUTS_LIMIT; cut++)
		replay_bytes(bytes, cut);
	free(bytes);
	return true;
}

/* The number of files given to the target; 0 when any could not be read. */
static size_t replay_folder(const char *path)
{
	char file[PATH_LIMIT_BYTES];
	DIR *folder = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	if (!folder) {
		perror(path);
		return 0;
	}
	for (entry = readdir(folder); entry; entry = readdir(folder)) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path,
		               entry->d_name);
		if (!replay_file(file)) {
			count = 0;
			break;
		}
		count++;
	}
	(void)closedir(folder);
	return count;
}

static size_t replay(const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return replay_folder(path);
	return replay_file(path);
}

/* tests/fuzz/corpus/<what> under the sources, by the program's name. */
static size_t replay_own_corpus(const char *program)
{
	char path[PATH_LIMIT_BYTES];
	const char *sources = getenv("srcdir");
	const char *what = strstr(program, "fuzz_");

	if (!what) {
		(void)fprintf(stderr, "%s: name the files\n", program);
		return 0;
	}
	(void)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
	               sources ? sources : ".", what + strlen("fuzz_"));
	return replay(path);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return replay_own_corpus(argv[0]) ? 0 : 1;
	for (int i = 1; i < argc; i++)
		if (!replay(argv[i]))
			return 1;
	return 0;
}
