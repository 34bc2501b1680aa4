/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and lines of settings, and where they are found. The settings
 * themselves are rows of config_rows.c. Values are never repeated in messages:
 * they may be secrets.
 */
#include "base/config.h"

#include "base/config_rows.h"
#include "base/encode.h"
#include "base/environment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT_BYTES   ((size_t)256 * 1024)
#define SECRET_LIMIT_BYTES 4096
#define PATH_LIMIT_BYTES   4096
#define SETTINGS_LIMIT     128

/* Fill in the message, cut when it is long. */
__attribute__((format(printf, 2, 3))) static enum fault
complain(struct config_error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error->message, sizeof(error->message), format,
	                arguments);
	va_end(arguments);
	return FAULT_INVALID_REQUEST;
}

void config_defaults(struct config *config)
{
	enum fault fault;

	*config = (struct config){0};
	for (size_t i = 0; i < config_row_count; i++) {
		const struct config_row *row = &config_rows[i];
		fault = config_value_read(row, span_of(row->fallback), config);
		assert(!fault);
		(void)fault;
	}
}

/* Where a line stands, and what the file said before it. */
struct source {
	const char *name;   /* for messages: a path, or "--set" */
	unsigned long line; /* 0 where there are no lines */
	const char *leak;   /* why it must not hold secrets, or NULL */
	bool seen[SETTINGS_LIMIT];
	struct config_error *error;
};

/* "FILE:LINE: subject: what is wrong" */
static enum fault refuse(const struct source *source, struct span subject,
                         const char *wrong)
{
	if (!source->line)
		return complain(source->error, "%s: %.*s: %s", source->name,
		                (int)subject.length, subject.at, wrong);
	return complain(source->error, "%s:%lu: %.*s: %s", source->name,
	                source->line, (int)subject.length, subject.at, wrong);
}

static enum fault refuse_value(const struct source *source,
                               const struct config_row *row)
{
	char memory[256];
	struct text text = text_over(memory, sizeof(memory) - 1);

	text_append_cstr(&text, "must be ");
	config_value_describe(row, &text);
	memory[text.length] = '\0';
	return refuse(source, span_of(row->name), memory);
}

/* What stands before a '#' that begins a comment. */
static struct span without_comment(struct span line)
{
	for (size_t i = 0; i < line.length; i++) {
		if (line.at[i] != '#')
			continue;
		if (i == 0 || line.at[i - 1] == ' ' || line.at[i - 1] == '\t') {
			line.length = i;
			return line;
		}
	}
	return line;
}

/* A name for messages, without what could harm a terminal. */
static struct span for_display(struct span name)
{
	if (!name.length || name.length > 64 || !utf8_is_valid(name) ||
	    utf8_has_control(name))
		return SPAN("line");
	return name;
}

static enum fault set_row(struct config *config, const struct config_row *row,
                          struct span value, struct source *source)
{
	bool *seen = &source->seen[row - config_rows];
	struct span name = span_of(row->name);
	enum fault fault;

	if (*seen)
		return refuse(source, name, "is set a second time");
	*seen = true;
	if (!utf8_is_valid(value) || utf8_has_control(value))
		return refuse(source, name, "must be one line of text");
	if (value.length > CONFIG_VALUE_LIMIT_BYTES)
		return refuse(source, name, "is too long");
	if (row->kind == CONFIG_SECRET && value.length && source->leak)
		return refuse(source, name, source->leak);
	fault = config_value_read(row, value, config);
	if (fault == FAULT_EXHAUSTED)
		return refuse(source, name, "out of memory");
	return fault ? refuse_value(source, row) : FAULT_NONE;
}

static enum fault set_assignment(struct config *config, struct span assignment,
                                 struct source *source)
{
	const struct config_row *row;
	struct span value = assignment;
	struct span name;

	if (!span_cut(&value, '=', &name) || !value.at)
		return refuse(source, for_display(span_trim(assignment)),
		              "expected section.key = value");
	name = span_trim(name);
	row = config_row_find(name);
	if (!row)
		return refuse(source, for_display(name), "unknown setting");
	return set_row(config, row, span_trim(value), source);
}

static enum fault read_lines(struct config *config, struct span text,
                             struct source *source)
{
	struct span line;
	enum fault fault;

	while (span_cut(&text, '\n', &line)) {
		source->line++;
		line = span_trim(without_comment(line));
		if (!line.length)
			continue;
		fault = set_assignment(config, line, source);
		if (fault)
			return fault;
	}
	return FAULT_NONE;
}

/* All bytes of an open file, or fewer than limit of them; -1 on an error. */
static ssize_t read_all(int fd, char *memory, size_t limit)
{
	size_t length = 0;
	ssize_t count;

	while (length < limit) {
		count = read(fd, memory + length, limit - length);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		if (count == 0)
			break;
		length += (size_t)count;
	}
	return (ssize_t)length;
}

/* A small file's bytes, to be dropped with drop_file. */
struct file {
	char *memory;
	size_t length;
	size_t limit;
	bool is_private;
};

static void drop_file(struct file *file)
{
	if (file->memory)
		explicit_bzero(file->memory, file->length);
	free(file->memory);
	*file = (struct file){0};
}

/* NULL, or why the file cannot be read. */
static const char *load_open_file(int fd, size_t limit, struct file *file)
{
	struct stat status;
	ssize_t length;

	if (fstat(fd, &status) < 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "is not a file";
	file->is_private = !(status.st_mode & (S_IRWXG | S_IRWXO));
	file->memory = malloc(limit + 1);
	if (!file->memory)
		return strerror(errno);
	length = read_all(fd, file->memory, limit + 1);
	if (length < 0)
		return strerror(errno);
	file->length = (size_t)length;
	return file->length > limit ? "is too large" : NULL;
}

static const char *load_file(const char *path, size_t limit, struct file *file)
{
	const char *wrong;
	int fd;

	/* Without O_NONBLOCK a FIFO in the file's place would hold us up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return strerror(errno);
	wrong = load_open_file(fd, limit, file);
	(void)close(fd);
	return wrong;
}

enum fault config_read(struct config *config, const char *path,
                       struct config_error *error)
{
	struct source source = {.name = path, .error = error};
	struct file file = {0};
	const char *wrong;
	enum fault fault;

	assert(config_row_count <= SETTINGS_LIMIT);
	wrong = load_file(path, FILE_LIMIT_BYTES, &file);
	if (!file.is_private)
		source.leak = "is a secret, but group or others can read this "
			      "file: chmod 600";
	if (wrong)
		fault = complain(error, "%s: %s", path, wrong);
	else
		fault = read_lines(
		    config, (struct span){file.memory, file.length}, &source);
	drop_file(&file);
	return fault;
}

enum fault config_set(struct config *config, const char *assignment,
                      struct config_error *error)
{
	struct source source = {
	    .name = "--set",
	    .leak = "is a secret, but others can read a command line: use "
		    "a file",
	    .error = error,
	};

	return set_assignment(config, span_of(assignment), &source);
}

/* A setting that may also come from a file of its own. */
static const struct secret_file {
	const char *file_name;
	size_t file_offset;
	size_t secret_offset;
} secret_files[] = {
    {"database.password_file", offsetof(struct config, database.password_file),
     offsetof(struct config, database.password)},
    {"redis.password_file", offsetof(struct config, redis.password_file),
     offsetof(struct config, redis.password)},
    {"captcha.secret_file", offsetof(struct config, captcha.secret_file),
     offsetof(struct config, captcha.secret)},
    {"mail.smtp_password_file",
     offsetof(struct config, mail.smtp_password_file),
     offsetof(struct config, mail.smtp_password)},
};

static const char *text_member(const struct config *config, size_t offset)
{
	const char *text;

	memcpy(&text, (const char *)config + offset, sizeof(text));
	return text;
}

/* NULL, or what is wrong with a secret file's bytes. */
static const char *keep_secret(const struct file *file, struct config *config,
                               size_t offset)
{
	struct span secret = {file->memory, file->length};
	const char *kept;

	if (!file->is_private)
		return "group or others can read it: chmod 600";
	while (secret.length && (secret.at[secret.length - 1] == '\n' ||
	                         secret.at[secret.length - 1] == '\r'))
		secret.length--;
	if (!secret.length)
		return "is empty";
	if (!utf8_is_valid(secret) || utf8_has_control(secret))
		return "must be one line of text";
	kept = config_keep(secret);
	if (!kept)
		return "out of memory";
	memcpy((char *)config + offset, &kept, sizeof(kept));
	return NULL;
}

static enum fault read_secret_file(struct config *config,
                                   const struct secret_file *secret,
                                   struct config_error *error)
{
	const char *path = text_member(config, secret->file_offset);
	struct file file = {0};
	const char *wrong;

	if (!path[0])
		return FAULT_NONE;
	if (text_member(config, secret->secret_offset)[0])
		return complain(error, "%s: the secret itself is set, too",
		                secret->file_name);
	wrong = load_file(path, SECRET_LIMIT_BYTES, &file);
	if (!wrong)
		wrong = keep_secret(&file, config, secret->secret_offset);
	drop_file(&file);
	if (wrong)
		return complain(error, "%s: %s: %s", secret->file_name, path,
		                wrong);
	return FAULT_NONE;
}

enum fault config_finish(struct config *config, struct config_error *error)
{
	const char *unmet = config_demand_unmet(config);
	enum fault fault;

	if (unmet)
		return complain(error, "%s", unmet);
	for (size_t i = 0; i < sizeof(secret_files) / sizeof(secret_files[0]);
	     i++) {
		fault = read_secret_file(config, &secret_files[i], error);
		if (fault)
			return fault;
	}
	if (!config->token.issuer[0])
		config->token.issuer = config->server.public_url;
	if (!config->token.audience[0])
		config->token.audience = config->server.public_url;
	return FAULT_NONE;
}

/* claviger.conf beside the folder of the executable. */
static void append_beside_executable(struct text *path)
{
	char link[PATH_LIMIT_BYTES];
	ssize_t length = readlink("/proc/self/exe", link, sizeof(link));
	int slashes = 0;

	while (length > 0 && slashes < 2)
		slashes += link[--length] == '/';
	if (slashes < 2)
		return;
	text_append(path, (struct span){link, (size_t)length});
	text_append_cstr(path, "/claviger.conf");
}

static void append_in_home(struct text *path)
{
	const char *home = environment_get("HOME");
	const struct passwd *user;

	/* Shared hosts run programs with PATH alone in the environment. */
	if (!home || !home[0]) {
		user = getpwuid(geteuid());
		home = user ? user->pw_dir : NULL;
	}
	if (!home || !home[0])
		return;
	text_append_cstr(path, home);
	text_append_cstr(path, "/.config/claviger/claviger.conf");
}

static void append_in_etc(struct text *path)
{
	text_append_cstr(path, "/etc/claviger/claviger.conf");
}

typedef void place_append(struct text *path);

static place_append *const places[] = {
    append_beside_executable,
    append_in_home,
    append_in_etc,
};

const char *config_find(const char *given)
{
	char memory[PATH_LIMIT_BYTES];

	if (!given)
		given = environment_get("CLAVIGER_CONFIG");
	if (given && given[0])
		return config_keep(span_of(given));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct text path = text_over(memory, sizeof(memory));
		places[i](&path);
		text_append_byte(&path, '\0');
		if (text_check(&path) || !memory[0] || access(memory, F_OK) < 0)
			continue;
		return config_keep(span_of(memory));
	}
	return NULL;
}
