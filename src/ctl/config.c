/* SPDX-License-Identifier: Apache-2.0 */
/* clavigerctl config: the settings. */
#include "ctl/ctl.h"

#include <stdio.h>

enum ctl_exit ctl_config_check(struct ctl *ctl, int count, char **words)
{
	(void)count;
	(void)words;
	enum ctl_exit status = ctl_read_config(ctl);
	if (!status)
		puts("the configuration is good");
	return status;
}

enum ctl_exit ctl_config_defaults(struct ctl *ctl, int count, char **words)
{
	(void)ctl;
	(void)count;
	(void)words;
	config_print_defaults(stdout);
	return CTL_OK;
}

enum ctl_exit ctl_config_show(struct ctl *ctl, int count, char **words)
{
	(void)count;
	(void)words;
	enum ctl_exit status = ctl_read_config(ctl);
	if (!status)
		config_print(&ctl->config, stdout);
	return status;
}
