/* SPDX-License-Identifier: Apache-2.0 */
/* clavigerctl blocklist: published lists of addresses. */
#include "domain/guard/blocklist.h"
#include "ctl/ctl.h"
#include "domain/guard/block.h"

#include <stdio.h>
#include <string.h>

static enum ctl_exit complain(const struct ctl *ctl, enum fault fault,
                              const char *text, const char *list,
                              const struct blocklist_report *report)
{
	if (fault != FAULT_VALIDATION)
		return ctl_fail(ctl, fault,
		                fault == FAULT_NOT_FOUND ? text : list);
	if (report->bad_line)
		fprintf(stderr,
		        "clavigerctl: %s: line %lld is neither an address nor "
		        "a CIDR block; nothing was changed\n",
		        text, (long long)report->bad_line);
	else
		fprintf(stderr,
		        "clavigerctl: %s: there is no address in it; nothing "
		        "was changed\n",
		        text);
	return CTL_FAILED;
}

/*
 * Tell the workers, of all hosts, since those look at their own files. The
 * list is loaded all the same when that cannot be done.
 */
static void announce(struct ctl *ctl)
{
	if (!ctl_open(ctl, CTL_WITHOUT_KEYS) && !block_announce_list(&ctl->ctx))
		return;
	fputs("clavigerctl: running workers could not be told; they take the "
	      "list with the next change of blocks, or when they are "
	      "restarted\n",
	      stderr);
}

enum ctl_exit ctl_blocklist_load(struct ctl *ctl, int count, char **words)
{
	struct blocklist_report report;
	const char *to = ctl_option(count, words, "--to");
	if (count < 1 || words[0][0] == '-') {
		fputs("usage: clavigerctl blocklist load FILE [--to LIST]\n",
		      stderr);
		return CTL_USAGE;
	}
	/* A list for elsewhere may be made where nothing is configured. */
	bool is_configured = !to || config_find(ctl->config_path);
	enum ctl_exit status = is_configured ? ctl_read_config(ctl) : CTL_OK;
	if (status)
		return status;
	const char *configured =
	    is_configured ? ctl->config.guard.blocklist_file : "";
	const char *list = to ? to : configured;
	if (!list[0]) {
		fputs("clavigerctl: set guard.blocklist_file, or use --to\n",
		      stderr);
		return CTL_USAGE;
	}
	enum fault fault =
	    blocklist_build(words[0], list, ctl_progress, NULL, &report);
	if (fault)
		return complain(ctl, fault, words[0], list, &report);
	printf("%lld entries in %lld ranges in %s\n", (long long)report.entries,
	       (long long)report.ranges, list);
	if (strcmp(list, configured) == 0)
		announce(ctl);
	return CTL_OK;
}
