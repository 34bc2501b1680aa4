/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands share: configuration, connecting, complaining. */
#include "ctl/ctl.h"

#include "base/log.h"
#include "base/run_as.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 40

enum ctl_exit ctl_read_config(struct ctl *ctl)
{
	struct config_error error = {0};
	const char *path = config_find(ctl->config_path);
	config_defaults(&ctl->config);
	enum fault fault =
	    path ? config_read(&ctl->config, path, &error) : FAULT_NONE;
	for (size_t i = 0; !fault && i < ctl->assignment_count; i++)
		fault = config_set(&ctl->config, ctl->assignments[i], &error);
	if (!fault)
		fault = config_finish(&ctl->config, &error);
	if (!fault)
		return CTL_OK;
	fprintf(stderr, "clavigerctl: %s\n", error.message);
	if (!path)
		fputs("clavigerctl: no configuration was found; use --config "
		      "FILE\n",
		      stderr);
	return CTL_BAD_CONFIG;
}

/*
 * Started as root we become the user who serves, so that the files that we
 * share with the workers are theirs.
 */
static enum ctl_exit become_server_user(struct ctl *ctl)
{
	struct run_as user;
	char why[WHY_BYTES] = "";
	if (geteuid() != 0 || !ctl->config.server.user[0])
		return CTL_OK;
	enum fault fault = run_as_find(&ctl->config, &user, why);
	if (!fault)
		fault = run_as_assume(&user, &ctl->config, why);
	if (!fault)
		return CTL_OK;
	fprintf(stderr, "clavigerctl: %s\n", why);
	return CTL_BAD_CONFIG;
}

static enum ctl_exit read_master(struct ctl *ctl,
                                 unsigned char master[SEAL_KEY_BYTES])
{
	char why[256] = "";
	if (!keyring_read_master(ctl->config.keys.master_file,
	                         ctl->config.keys.master_command, master, why))
		return CTL_OK;
	fprintf(stderr, "clavigerctl: %s\n", why);
	return CTL_BAD_CONFIG;
}

static enum ctl_exit open_service(struct ctl *ctl, enum ctl_keys keys)
{
	unsigned char master[SEAL_KEY_BYTES] = {0};
	enum ctl_exit status =
	    keys == CTL_WITHOUT_KEYS ? CTL_OK : read_master(ctl, master);
	if (!status)
		status = become_server_user(ctl);
	if (status)
		return status;
	enum fault fault = service_open(&ctl->config, master, &ctl->service);
	digest_wipe(master, sizeof(master));
	if (fault)
		return ctl_fail(ctl, fault, "server.runtime_dir");
	service_fill_in(ctl->service, &ctl->ctx);
	ctl->ctx.actor.kind = ACTOR_HOST;
	ctl->ctx.request_id = SPAN("clavigerctl");
	return CTL_OK;
}

enum ctl_exit ctl_open(struct ctl *ctl, enum ctl_keys keys)
{
	enum ctl_exit status = ctl_read_config(ctl);
	if (!status)
		status = open_service(ctl, keys);
	if (status || keys != CTL_WITH_KEYS)
		return status;
	enum fault fault = service_keep_keys(ctl->service, &ctl->ctx);
	return fault ? ctl_fail(ctl, fault, "the key ring") : CTL_OK;
}

static const struct {
	enum fault fault;
	enum ctl_exit status;
	const char *words;
} complaints[] = {
    {FAULT_UNAVAILABLE, CTL_UNAVAILABLE,
     "cannot be reached now; is the server running, and is the schema "
     "there (clavigerctl migrate)?"},
    {FAULT_NOT_FOUND, CTL_FAILED, "there is no such thing"},
    {FAULT_CONFLICT, CTL_FAILED, "exists already, or another is at it"},
    {FAULT_VALIDATION, CTL_FAILED, "is not valid"},
    {FAULT_BUSY, CTL_UNAVAILABLE, "is busy; try again in a moment"},
};

enum ctl_exit ctl_fail(const struct ctl *ctl, enum fault fault,
                       const char *what)
{
	const struct field_errors *errors = &ctl->ctx.errors;
	for (size_t i = 0; i < errors->count; i++)
		fprintf(stderr, "clavigerctl: %s: %s\n", errors->at[i].field,
		        errors->at[i].detail);
	if (errors->count)
		return CTL_FAILED;
	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]);
	     i++) {
		if (complaints[i].fault != fault)
			continue;
		fprintf(stderr, "clavigerctl: %s: %s\n", what,
		        complaints[i].words);
		return complaints[i].status;
	}
	fprintf(stderr, "clavigerctl: %s: %s\n", what, fault_name(fault));
	return CTL_FAILED;
}

const char *ctl_option(int count, char **words, const char *name)
{
	for (int i = 0; i + 1 < count; i++)
		if (strcmp(words[i], name) == 0)
			return words[i + 1];
	return NULL;
}

bool ctl_flag(int count, char **words, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

void ctl_progress(void *argument, int64_t done, int64_t all)
{
	(void)argument;
	if (!isatty(STDERR_FILENO) || all <= 0)
		return;
	int filled = (int)(done * BAR_WIDTH / all);
	fputs("\r[", stderr);
	for (int i = 0; i < BAR_WIDTH; i++)
		fputc(i < filled ? '#' : '.', stderr);
	fprintf(stderr, "] %3d %%", (int)(done * 100 / all));
	if (done >= all)
		fputc('\n', stderr);
}
