/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line; see options.h. */
#include "server/options.h"

#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: claviger-fcgi [OPTION]...\n"
    "\n"
    "Answer FastCGI requests. The listening socket is the one that the front\n"
    "server, spawn-fcgi or systemd hands over (descriptor 0, or LISTEN_FDS), "
    "else\n"
    "a unix socket of our own.\n"
    "\n"
    "  -c, --config FILE            settings; else $CLAVIGER_CONFIG, else\n"
    "                               claviger.conf beside the program's "
    "folder,\n"
    "                               in ~/.config/claviger or /etc/claviger\n"
    "  -s, --set section.key=value  one setting over the file; may be "
    "repeated\n"
    "  -l, --listen PATH            make this unix socket (server.listen)\n"
    "  -w, --workers N|auto         be a master of N workers; auto is two "
    "for\n"
    "                               each core and two more. Without it, and "
    "with\n"
    "                               server.workers 0, an inherited socket is\n"
    "                               served by this one process, because "
    "whoever\n"
    "                               started it starts as many as it wants\n"
    "  -t, --check-config           look at the settings, say what is wrong, "
    "end\n"
    "  -V, --version                print the version\n"
    "  -h, --help                   print this\n"
    "\n"
    "Signals: TERM, INT and USR1 finish the requests in hand and end; HUP "
    "reads\n"
    "the settings again, opens the log again and replaces the workers one by "
    "one\n"
    "without losing a request.\n"
    "\n"
    "Exit status: 0 ended as told, 2 wrong usage, 75 cannot serve now (try "
    "again),\n"
    "78 a setting must be mended first.\n";

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"set", required_argument, NULL, 's'},
    {"listen", required_argument, NULL, 'l'},
    {"workers", required_argument, NULL, 'w'},
    {"check-config", no_argument, NULL, 't'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static enum fault add_setting(struct options *options, const char *setting)
{
	if (options->setting_count == OPTIONS_SETTINGS_LIMIT) {
		(void)fprintf(stderr, "claviger-fcgi: more than %d --set\n",
		              OPTIONS_SETTINGS_LIMIT);
		return FAULT_INVALID_REQUEST;
	}
	options->settings[options->setting_count++] = setting;
	return FAULT_NONE;
}

static enum fault print(struct options *options, const char *text)
{
	(void)fputs(text, stdout);
	options->action = OPTIONS_DONE;
	return FAULT_NONE;
}

static enum fault take(struct options *options, int letter,
                       const char *argument)
{
	switch (letter) {
	case 'c':
		options->config_path = argument;
		return FAULT_NONE;
	case 's':
		return add_setting(options, argument);
	case 'l':
		options->listen = argument;
		return FAULT_NONE;
	case 'w':
		options->workers = strcmp(argument, "auto") ? argument : "0";
		return FAULT_NONE;
	case 't':
		options->action = OPTIONS_CHECK;
		return FAULT_NONE;
	case 'V':
		return print(options, "claviger-fcgi " PACKAGE_VERSION "\n");
	case 'h':
		return print(options, help);
	default: /* getopt_long has said what is wrong */
		return FAULT_INVALID_REQUEST;
	}
}

enum fault options_read(struct options *out, int argc, char **argv)
{
	enum fault fault = FAULT_NONE;
	int letter = 0;

	*out = (struct options){0};
	while (!fault && out->action != OPTIONS_DONE && letter >= 0) {
		letter =
		    getopt_long(argc, argv, "c:s:l:w:tVh", long_options, NULL);
		if (letter >= 0)
			fault = take(out, letter, optarg);
	}
	if (!fault && out->action != OPTIONS_DONE && optind < argc) {
		(void)fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0],
		              argv[optind]);
		fault = FAULT_INVALID_REQUEST;
	}
	if (fault)
		(void)fprintf(stderr, "Try '%s --help'.\n", argv[0]);
	return fault;
}

/* One setting from an option of its own; NULL when that was not given. */
static enum fault set_one(struct config *config, const char *name,
                          const char *value, struct config_error *error)
{
	char assignment[4096];
	int length;

	if (!value)
		return FAULT_NONE;
	length = snprintf(assignment, sizeof(assignment), "%s=%s", name, value);
	if (length < 0 || (size_t)length >= sizeof(assignment)) {
		(void)snprintf(error->message, sizeof(error->message),
		               "%s: too long", name);
		return FAULT_INVALID_REQUEST;
	}
	return config_set(config, assignment, error);
}

enum fault options_configure(const struct options *options, struct config *out,
                             struct config_error *error)
{
	const char *path = config_find(options->config_path);
	enum fault fault = FAULT_NONE;

	config_defaults(out);
	if (path)
		fault = config_read(out, path, error);
	for (size_t i = 0; !fault && i < options->setting_count; i++)
		fault = config_set(out, options->settings[i], error);
	if (!fault)
		fault = set_one(out, "server.listen", options->listen, error);
	if (!fault)
		fault = set_one(out, "server.workers", options->workers, error);
	if (!fault)
		fault = config_finish(out, error);
	return fault;
}
