/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the database once at the start; see check.h. */
#include "server/check.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum server_exit check_keys(struct service *service)
{
	enum fault fault = service_check_keys(service);

	if (fault == FAULT_VALIDATION) {
		(void)fprintf(stderr,
		              "claviger-fcgi: master key: it does not open "
		              "the keys in the database\n");
		return SERVER_CONFIG;
	}
	if (fault)
		log_note(LOG_WARNING, "keys_not_checked", fault_name(fault));
	return SERVER_OK;
}

static enum server_exit check_in_child(struct server *server)
{
	struct service *service;
	enum server_exit status;
	enum fault fault;

	fault = service_open(server->config, server->key, &service);
	if (fault) {
		(void)fprintf(stderr, "claviger-fcgi: cannot open: %s\n",
		              fault_name(fault));
		return SERVER_TEMPORARY;
	}
	status = check_keys(service);
	service_close(service);
	return status;
}

enum server_exit check_keys_aside(struct server *server)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit((int)check_in_child(server));
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			child = -1;
	if (child < 0) {
		log_note(LOG_ERROR, "start_failed", strerror(errno));
		return SERVER_TEMPORARY;
	}
	return WIFEXITED(status) ? (enum server_exit)WEXITSTATUS(status)
	                         : SERVER_TEMPORARY;
}
