/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines. O_APPEND and one write for each line keep the lines of many
 * processes apart without a lock.
 */
#include "base/log.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Kept free for the end of a line that had to be cut. */
#define TAIL       ",\"cut\":true}\n"
#define TAIL_BYTES (sizeof(TAIL) - 1)

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
};

static int log_fd = STDERR_FILENO;
static enum config_log_level threshold = LOG_INFO;

enum fault log_open(const char *path, enum config_log_level level)
{
	int fd = STDERR_FILENO;

	threshold = level;
	if (path[0])
		fd =
		    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return FAULT_UNAVAILABLE;
	if (log_fd != STDERR_FILENO)
		(void)close(log_fd);
	log_fd = fd;
	return FAULT_NONE;
}

void log_begin(struct log_line *line, enum config_log_level level,
               const char *event)
{
	char now[CLOCK_RFC3339_BYTES];

	line->level = level;
	line->text = text_over(line->memory, LOG_LINE_BYTES - TAIL_BYTES);
	line->json = json_writer_over(&line->text);
	json_object_begin(&line->json, NULL);
	json_string(&line->json, "time",
	            span_of(clock_format_ms(clock_now_ms(), now)));
	json_string(&line->json, "level", span_of(level_names[level]));
	json_string(&line->json, "event", span_of(event));
	json_integer(&line->json, "pid", getpid());
}

/* Close the object within the bytes kept free. */
static void finish(struct log_line *line)
{
	struct text *text = &line->text;

	text->limit = LOG_LINE_BYTES;
	if (text->overflowed) {
		text->length = line->json.whole_length;
		text->overflowed = false;
		text_append(text, SPAN(TAIL));
	} else {
		text_append(text, SPAN("}\n"));
	}
	assert(!text->overflowed);
}

void log_end(struct log_line *line)
{
	ssize_t written;

	if (line->level < threshold)
		return;
	finish(line);
	do
		written = write(log_fd, line->text.at, line->text.length);
	while (written < 0 && errno == EINTR);
	/* Nobody is left to tell when the log itself cannot be written. */
}

void log_note(enum config_log_level level, const char *event,
              const char *detail)
{
	struct log_line line;

	log_begin(&line, level, event);
	if (detail)
		json_string(&line.json, "detail", span_of(detail));
	log_end(&line);
}
