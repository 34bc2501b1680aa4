/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's log: one event, one JSON line, one write. Lines carry "time",
 * "level", "event", "pid" and what the caller adds with the json_* functions;
 * escaping is the writer's, so input cannot forge a line. A line too long
 * loses the fields that do not fit, says "cut":true and is still JSON. No
 * secret is ever handed to it.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/config.h"
#include "base/json_write.h"

#define LOG_LINE_BYTES 4096

struct log_line {
	enum config_log_level level;
	struct text text;
	struct json_writer json;
	char memory[LOG_LINE_BYTES];
};

/*
 * Append to this file, made with mode 0640 ("" is standard error), at and
 * above this level. FAULT_UNAVAILABLE when it cannot be opened: what was in use
 * (standard error at first) stays in use. Calling it again reopens, for log
 * rotation.
 */
enum fault log_open(const char *path, enum config_log_level level);

/* Add fields to line->json between begin and end; end writes. */
void log_begin(struct log_line *line, enum config_log_level level,
               const char *event);
void log_end(struct log_line *line);

/* A line with one "detail" (NULL for none). */
void log_note(enum config_log_level level, const char *event,
              const char *detail);

#endif
