/* SPDX-License-Identifier: Apache-2.0 */
/* The home of getenv and unsetenv; see environment.h. */
#define _GNU_SOURCE 1 /* environ */

#include "base/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *environment_get(const char *name)
{
	return getenv(name);
}

/* The value in "name=value", or NULL when the entry is another's. */
static char *value_of(char *entry, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(entry, name, length) != 0 || entry[length] != '=')
		return NULL;
	return entry + length + 1;
}

void environment_wipe(const char *name)
{
	/* A name may stand there twice; getenv would show the first only. */
	for (char **entry = environ; entry && *entry; entry++) {
		char *value = value_of(*entry, name);
		if (value)
			explicit_bzero(value, strlen(value));
	}
	unsetenv(name);
}
