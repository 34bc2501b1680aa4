/* SPDX-License-Identifier: Apache-2.0 */
/* clavigerctl's table of subcommands, its options and its help. */
#include "base/log.h"
#include "ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASSIGNMENTS_MOST 64

struct command_row {
	const char *words[2]; /* "user", "add"; the second may be NULL */
	const char *arguments;
	const char *help;
	ctl_command *run;
};

/* clang-format off */
static const struct command_row commands[] = {
	{{"migrate", NULL}, "[--from FOLDER]", "bring the database schema up to date", ctl_migrate},
	{{"user", "add"}, "EMAIL [--role ROLE] [--name NAME] [--verified] --random-password|--password-stdin", "make a member of the system tenant", ctl_user_add},
	{{"user", "list"}, "", "list users and their roles", ctl_user_list},
	{{"user", "disable"}, "EMAIL", "end every session and let nobody in", ctl_user_disable},
	{{"user", "enable"}, "EMAIL", "let a disabled user in again", ctl_user_enable},
	{{"user", "unlock"}, "EMAIL", "lift the locks that failed sign-ins put on an address", ctl_user_unlock},
	{{"user", "set-role"}, "EMAIL ROLE [--tenant ID]", "give a role (owner, admin, auditor, member)", ctl_user_set_role},
	{{"revoke", NULL}, "token JTI | user EMAIL | tenant ID | all [--reason WORD]", "end tokens and sessions before their time", ctl_revoke},
	{{"key", "generate"}, "", "make the first key of each purpose", ctl_key_generate},
	{{"key", "rotate"}, "[PURPOSE]", "make a new key; old tokens stay good (access_token)", ctl_key_rotate},
	{{"key", "list"}, "", "list the keys of the ring, never their bytes", ctl_key_list},
	{{"passwords", "load"}, "FILE [--to FILTER]", "build the filter of leaked passwords", ctl_passwords_load},
	{{"block", "add"}, "ADDRESS|CIDR [--for 1h] [--reason TEXT]", "serve nobody from there, on all hosts", ctl_block_add},
	{{"block", "remove"}, "ADDRESS|CIDR", "serve them again", ctl_block_remove},
	{{"block", "list"}, "", "list what is blocked, without the blocklist", ctl_block_list},
	{{"blocklist", "load"}, "FILE [--to LIST]", "block a published list: an address or CIDR block a line", ctl_blocklist_load},
	{{"config", "check"}, "", "check the configuration", ctl_config_check},
	{{"config", "defaults"}, "", "print every setting with its default", ctl_config_defaults},
	{{"config", "show"}, "", "print the settings in force, without secrets", ctl_config_show},
	{{"routes", NULL}, "", "print the route table", ctl_routes},
	{{"maintain", NULL}, "", "run maintenance once, for cron", ctl_maintain},
	{{"doctor", NULL}, "", "look at everything that must be right", ctl_doctor},
	{{"selftest", NULL}, "FILE", "run public test vectors (AES-GCM, HMAC, JWS, TOTP) through our code", ctl_selftest},
	{{"version", NULL}, "", "print the version", ctl_version},
};
/* clang-format on */
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fputs("usage: clavigerctl [--config FILE] [--set section.key=value]… "
	      "COMMAND\n\n",
	      out);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command_row *row = &commands[i];
		fprintf(out, "  %s%s%s%s%s\n      %s\n", row->words[0],
		        row->words[1] ? " " : "",
		        row->words[1] ? row->words[1] : "",
		        row->arguments[0] ? " " : "", row->arguments,
		        row->help);
	}
	fputs("\nThe configuration is the file of --config, else of "
	      "$CLAVIGER_CONFIG, else the first\nof claviger.conf beside the "
	      "program's folder, ~/.config/claviger/claviger.conf,\n"
	      "/etc/claviger/claviger.conf.\n",
	      out);
}

static const struct command_row *find(int count, char **words)
{
	for (size_t i = 0; count > 0 && i < COMMAND_COUNT; i++) {
		const struct command_row *row = &commands[i];
		if (strcmp(row->words[0], words[0]) != 0)
			continue;
		if (!row->words[1] ||
		    (count > 1 && strcmp(row->words[1], words[1]) == 0))
			return row;
	}
	return NULL;
}

/*
 * The options before the command; the number of words they take, or -1 for
 * one that wants a value and has none.
 */
static int read_options(struct ctl *ctl, const char **assignments, int count,
                        char **words)
{
	int i = 0;
	while (i < count && words[i][0] == '-') {
		bool is_config = strcmp(words[i], "--config") == 0;
		bool is_set = strcmp(words[i], "--set") == 0;
		if (!(is_config || is_set) || i + 1 == count ||
		    ctl->assignment_count == ASSIGNMENTS_MOST)
			return -1;
		if (is_config)
			ctl->config_path = words[i + 1];
		else
			assignments[ctl->assignment_count++] = words[i + 1];
		i += 2;
	}
	ctl->assignments = assignments;
	return i;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
	       strcmp(word, "help") == 0;
}

int main(int argc, char **argv)
{
	const char *assignments[ASSIGNMENTS_MOST];
	struct ctl ctl = {0};
	if (argc > 1 && is_help(argv[1])) {
		print_help(stdout);
		return CTL_OK;
	}
	int taken = read_options(&ctl, assignments, argc - 1, argv + 1);
	int count = argc - 1 - taken;
	char **words = argv + 1 + taken;
	const struct command_row *row = taken < 0 ? NULL : find(count, words);
	if (!row) {
		print_help(stderr);
		return CTL_USAGE;
	}
	int used = row->words[1] ? 2 : 1;
	enum ctl_exit status = row->run(&ctl, count - used, words + used);
	service_close(ctl.service);
	return (int)status;
}
