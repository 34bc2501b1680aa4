/* SPDX-License-Identifier: Apache-2.0 */
/* See systemd.h, sd_listen_fds(3) and sd_notify(3). */
#include "server/systemd.h"

#include "base/environment.h"
#include "base/text.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_DESCRIPTOR 3

static uint64_t number_in(const char *variable)
{
	uint64_t number = 0;

	if (span_number(span_of(environment_get(variable)), INT32_MAX, &number))
		return 0;
	return number;
}

int systemd_take_socket(void)
{
	bool is_for_us = number_in("LISTEN_PID") == (uint64_t)getpid();
	uint64_t count = number_in("LISTEN_FDS");

	environment_wipe("LISTEN_PID");
	environment_wipe("LISTEN_FDS");
	environment_wipe("LISTEN_FDNAMES");
	return is_for_us && count == 1 ? FIRST_DESCRIPTOR : -1;
}

void systemd_notify(const char *state)
{
	const char *path = environment_get("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = path ? strlen(path) : 0;
	int descriptor;

	if (length < 2 || length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@') /* the abstract namespace */
		address.sun_path[0] = '\0';
	descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return;
	/* A manager that does not listen is no reason to stop serving. */
	(void)sendto(
	    descriptor, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	(void)close(descriptor);
}
