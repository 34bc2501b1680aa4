/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, and the settings that it and the file come to. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "base/config.h"
#include "base/fault.h"

#include <stddef.h>

#define OPTIONS_SETTINGS_LIMIT 64

enum options_action {
	OPTIONS_SERVE,
	OPTIONS_CHECK, /* --check-config */
	OPTIONS_DONE,  /* --help and --version: already printed */
};

/* Texts point into argv. */
struct options {
	enum options_action action;
	const char *config_path; /* NULL: look for it */
	const char *listen;      /* NULL: not given */
	const char *workers;     /* NULL: not given; "0" for auto */
	size_t setting_count;
	const char *settings[OPTIONS_SETTINGS_LIMIT];
};

/* FAULT_INVALID_REQUEST when it was wrong, which was then said. */
enum fault options_read(struct options *out, int argc, char **argv);

/*
 * The settings in force: defaults, file, --set, --listen and --workers. Can be
 * called again, for a reload. Errors as config_read.
 */
enum fault options_configure(const struct options *options, struct config *out,
                             struct config_error *error);

#endif
