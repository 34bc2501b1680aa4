/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Titles, written over the argument strings, which is where the kernel looks
 * for /proc/PID/cmdline; the short name that top shows is set as well.
 */
#include "server/title.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static char *room;
static size_t room_bytes;

/* The strings of argv stand one behind the other; measure how far. */
static void measure(int argc, char **argv)
{
	char *end = argc > 0 ? argv[0] : NULL;

	room = end;
	for (int i = 0; i < argc && argv[i] == end; i++)
		end += strlen(end) + 1;
	room_bytes = (size_t)(end - room);
}

/* One block: the pointers, then the texts. */
static char **copy_arguments(int argc, char **argv)
{
	size_t pointers = ((size_t)argc + 1) * sizeof(char *);
	size_t bytes = pointers;
	char **copies;
	char *text;

	for (int i = 0; i < argc; i++)
		bytes += strlen(argv[i]) + 1;
	copies = calloc(1, bytes);
	if (!copies)
		return NULL;
	text = (char *)copies + pointers;
	for (int i = 0; i < argc; i++) {
		bytes = strlen(argv[i]) + 1;
		copies[i] = memcpy(text, argv[i], bytes);
		text += bytes;
	}
	return copies;
}

char **title_init(int argc, char **argv)
{
	static char program[] = "claviger-fcgi";
	static char **copies;

	copies = copy_arguments(argc, argv);
	if (copies && argc > 0)
		copies[0] = program;
	measure(argc, argv);
	return copies;
}

void title_set(const char *role)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "claviger-%s", role);
	(void)prctl(PR_SET_NAME, name);
	if (!room_bytes)
		return;
	memset(room, 0, room_bytes);
	(void)snprintf(room, room_bytes, "claviger-fcgi: %s", role);
}
