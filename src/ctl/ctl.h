/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clavigerctl: what somebody with a shell on the host does. One table of
 * subcommands (main.c), each a function that gets the rest of the words.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "api/exchange.h"
#include "base/config.h"

#include <stdbool.h>

/* Exit statuses, as in sysexits.h where it has one. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 64,
	CTL_UNAVAILABLE = 69,
	CTL_BAD_CONFIG = 78,
};

/* What every subcommand is handed. */
struct ctl {
	const char *config_path; /* NULL: the first that is found */
	const char *const *assignments;
	size_t assignment_count;
	struct config config;
	struct service *service;
	struct ctx ctx;
};

/* Read the configuration; says what is wrong with it. */
enum ctl_exit ctl_read_config(struct ctl *ctl);

/*
 * Also connect: without the master key, with it but before there is a ring, or
 * with the key ring read.
 */
enum ctl_keys { CTL_WITHOUT_KEYS, CTL_WITH_MASTER, CTL_WITH_KEYS };
enum ctl_exit ctl_open(struct ctl *ctl, enum ctl_keys keys);

/* Say on standard error what went wrong and what to do; the exit status. */
enum ctl_exit ctl_fail(const struct ctl *ctl, enum fault fault,
                       const char *what);

/* "--name value" among the words; NULL when it is not there. */
const char *ctl_option(int count, char **words, const char *name);
bool ctl_flag(int count, char **words, const char *name);

/* A progress bar on standard error, if that is a terminal. */
void ctl_progress(void *argument, int64_t done, int64_t all);

typedef enum ctl_exit ctl_command(struct ctl *ctl, int count, char **words);

ctl_command ctl_migrate, ctl_user_add, ctl_user_list, ctl_user_disable,
    ctl_user_enable, ctl_user_unlock, ctl_user_set_role, ctl_revoke,
    ctl_key_generate, ctl_key_rotate, ctl_key_list, ctl_config_check,
    ctl_config_defaults, ctl_config_show, ctl_passwords_load, ctl_routes,
    ctl_maintain, ctl_doctor, ctl_selftest, ctl_version, ctl_block_add,
    ctl_block_remove, ctl_block_list, ctl_blocklist_load;

#endif
