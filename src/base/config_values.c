/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of values that a setting can have: how each is read, written and
 * described. Members of struct config are reached by their offset, with memcpy
 * so that no type is guessed.
 */
#include "base/config_rows.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RATE_WINDOW_LEAST_MS INT64_C(1000)
#define RATE_WINDOW_MOST_MS  (INT64_C(24) * 3600 * 1000)

struct kept {
	struct kept *next;
	size_t length;
	char text[];
};

static struct kept *all_kept;

const char *config_keep(struct span text)
{
	struct kept *kept;

	/* Equal texts are one, so that defaults set twice cost nothing. */
	for (kept = all_kept; kept; kept = kept->next)
		if (span_equal(text, (struct span){kept->text, kept->length}))
			return kept->text;
	kept = calloc(1, sizeof(*kept) + text.length + 1);
	if (!kept)
		return NULL;
	if (text.length)
		memcpy(kept->text, text.at, text.length);
	kept->length = text.length;
	kept->next = all_kept;
	all_kept = kept;
	return kept->text;
}

void config_release(void)
{
	while (all_kept) {
		struct kept *kept = all_kept;
		all_kept = kept->next;
		explicit_bzero(kept->text, kept->length);
		free(kept);
	}
}

/* A suffix of a number and what it stands for, the largest first. */
struct unit {
	const char *suffix;
	int64_t size;
};

static const struct unit duration_units[] = {
    {"d", INT64_C(24) * 3600 * 1000},
    {"h", INT64_C(3600) * 1000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
    {0},
};

static const struct unit size_units[] = {
    {"G", INT64_C(1024) * 1024 * 1024},
    {"M", INT64_C(1024) * 1024},
    {"k", 1024},
    {"", 1},
    {0},
};

static const struct unit number_units[] = {
    {"", 1},
    {0},
};

/* In the largest unit that leaves no rest. */
static void append_in_units(struct text *text, int64_t value,
                            const struct unit *unit)
{
	while (value % unit->size)
		unit++;
	text_append_number(text, value / unit->size);
	if (value)
		text_append_cstr(text, unit->suffix);
}

/* Digits and perhaps a suffix of size_units. */
static enum fault parse_size(struct span value, int64_t *out)
{
	const struct unit *unit = size_units;
	uint64_t count;
	enum fault fault;

	if (!value.length)
		return FAULT_VALIDATION;
	while (unit->suffix[0] && value.at[value.length - 1] != unit->suffix[0])
		unit++;
	value.length -= strlen(unit->suffix);
	fault = span_number(value, (uint64_t)(INT64_MAX / unit->size), &count);
	if (!fault)
		*out = (int64_t)count * unit->size;
	return fault;
}

static enum fault parse_number(struct span value, int64_t *out)
{
	uint64_t number;
	enum fault fault = span_number(value, INT64_MAX, &number);

	if (!fault)
		*out = (int64_t)number;
	return fault;
}

/* Put a number in its place if it is within the row's bounds. */
static enum fault put_bounded(const struct config_row *row, int64_t number,
                              void *at)
{
	if (number < row->minimum || number > row->maximum)
		return FAULT_VALIDATION;
	memcpy(at, &number, sizeof(number));
	return FAULT_NONE;
}

static enum fault read_number(const struct config_row *row, struct span value,
                              void *at)
{
	int64_t number;
	enum fault fault = parse_number(value, &number);

	return fault ? fault : put_bounded(row, number, at);
}

static enum fault read_duration(const struct config_row *row, struct span value,
                                void *at)
{
	int64_t ms;
	enum fault fault = clock_parse_duration(value, &ms);

	return fault ? fault : put_bounded(row, ms, at);
}

static enum fault read_size(const struct config_row *row, struct span value,
                            void *at)
{
	int64_t bytes;
	enum fault fault = parse_size(value, &bytes);

	return fault ? fault : put_bounded(row, bytes, at);
}

static enum fault read_text(const struct config_row *row, struct span value,
                            void *at)
{
	const char *text = config_keep(value);

	(void)row;
	if (!text)
		return FAULT_EXHAUSTED;
	memcpy(at, &text, sizeof(text));
	return FAULT_NONE;
}

static enum fault read_path(const struct config_row *row, struct span value,
                            void *at)
{
	if (value.length && value.at[0] != '/')
		return FAULT_VALIDATION;
	return read_text(row, value, at);
}

static enum fault read_choice(const struct config_row *row, struct span value,
                              void *at)
{
	for (unsigned i = 0; i < CONFIG_CHOICES_LIMIT && row->choices[i]; i++) {
		if (!span_equal(value, span_of(row->choices[i])))
			continue;
		memcpy(at, &i, sizeof(i));
		return FAULT_NONE;
	}
	return FAULT_VALIDATION;
}

static_assert(sizeof(unsigned) == sizeof(enum config_log_level),
              "an enum of struct config is an int");

/* "burst 10": a token bucket of that size. */
static enum fault read_burst(struct span words, int64_t *out)
{
	struct span word;

	words = span_trim(words);
	if (!span_cut(&words, ' ', &word) || !words.at ||
	    !span_equal(word, SPAN("burst")) ||
	    parse_number(span_trim(words), out) || *out < 1)
		return FAULT_VALIDATION;
	return FAULT_NONE;
}

static enum fault read_rate(const struct config_row *row, struct span value,
                            void *at)
{
	struct config_rate rate = {0};
	struct span count;
	struct span window;

	if (!span_cut(&value, '/', &count) || !span_cut(&value, ' ', &window) ||
	    parse_number(count, &rate.count) ||
	    clock_parse_duration(window, &rate.window_ms) ||
	    (value.at && read_burst(value, &rate.burst)))
		return FAULT_VALIDATION;
	if (rate.count < row->minimum || rate.count > row->maximum ||
	    rate.burst > row->maximum ||
	    rate.window_ms < RATE_WINDOW_LEAST_MS ||
	    rate.window_ms > RATE_WINDOW_MOST_MS)
		return FAULT_VALIDATION;
	memcpy(at, &rate, sizeof(rate));
	return FAULT_NONE;
}

static bool separates(char byte)
{
	return byte == ' ' || byte == ',';
}

/* Cut the next word from a list; false when there is none. */
static bool next_word(struct span *rest, struct span *word)
{
	while (rest->length && separates(rest->at[0])) {
		rest->at++;
		rest->length--;
	}
	*word = (struct span){rest->at, 0};
	while (rest->length && !separates(rest->at[0])) {
		rest->at++;
		rest->length--;
		word->length++;
	}
	return word->length > 0;
}

static enum fault read_blocks(const struct config_row *row, struct span value,
                              void *at)
{
	struct config_blocks blocks = {0};
	struct span word;
	enum fault fault;

	(void)row;
	while (next_word(&value, &word)) {
		if (blocks.count == CONFIG_BLOCKS_LIMIT)
			return FAULT_VALIDATION;
		fault = ip_block_parse(word, &blocks.at[blocks.count++]);
		if (fault)
			return fault;
	}
	memcpy(at, &blocks, sizeof(blocks));
	return FAULT_NONE;
}

static enum fault read_words(const struct config_row *row, struct span value,
                             void *at)
{
	struct config_words words = {0};
	struct span word;

	(void)row;
	while (next_word(&value, &word)) {
		if (words.count == CONFIG_WORDS_LIMIT)
			return FAULT_VALIDATION;
		words.at[words.count] = config_keep(word);
		if (!words.at[words.count++])
			return FAULT_EXHAUSTED;
	}
	memcpy(at, &words, sizeof(words));
	return FAULT_NONE;
}

static int64_t number_at(const void *at)
{
	int64_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

static const char *text_at(const void *at)
{
	const char *text;

	memcpy(&text, at, sizeof(text));
	return text;
}

static void append_number(const struct config_row *row, const void *at,
                          struct text *text)
{
	(void)row;
	text_append_number(text, number_at(at));
}

static void append_duration(const struct config_row *row, const void *at,
                            struct text *text)
{
	(void)row;
	append_in_units(text, number_at(at), duration_units);
}

static void append_size(const struct config_row *row, const void *at,
                        struct text *text)
{
	(void)row;
	append_in_units(text, number_at(at), size_units);
}

static void append_text(const struct config_row *row, const void *at,
                        struct text *text)
{
	(void)row;
	text_append_cstr(text, text_at(at));
}

static void append_secret(const struct config_row *row, const void *at,
                          struct text *text)
{
	(void)row;
	text_append_cstr(text, text_at(at)[0] ? "(set)" : "(unset)");
}

static void append_choice(const struct config_row *row, const void *at,
                          struct text *text)
{
	unsigned index;

	memcpy(&index, at, sizeof(index));
	text_append_cstr(text, row->choices[index]);
}

static void append_rate(const struct config_row *row, const void *at,
                        struct text *text)
{
	struct config_rate rate;

	(void)row;
	memcpy(&rate, at, sizeof(rate));
	text_append_number(text, rate.count);
	text_append_byte(text, '/');
	append_in_units(text, rate.window_ms, duration_units);
	if (!rate.burst)
		return;
	text_append(text, SPAN(" burst "));
	text_append_number(text, rate.burst);
}

static void append_blocks(const struct config_row *row, const void *at,
                          struct text *text)
{
	char block[IP_BLOCK_TEXT_BYTES];
	struct config_blocks blocks;

	(void)row;
	memcpy(&blocks, at, sizeof(blocks));
	for (size_t i = 0; i < blocks.count; i++) {
		if (i)
			text_append_byte(text, ' ');
		text_append_cstr(text, ip_block_format(&blocks.at[i], block));
	}
}

static void append_words(const struct config_row *row, const void *at,
                         struct text *text)
{
	struct config_words words;

	(void)row;
	memcpy(&words, at, sizeof(words));
	for (size_t i = 0; i < words.count; i++) {
		if (i)
			text_append_byte(text, ' ');
		text_append_cstr(text, words.at[i]);
	}
}

typedef enum fault value_read(const struct config_row *row, struct span value,
                              void *at);
typedef void value_append(const struct config_row *row, const void *at,
                          struct text *text);

static const struct kind {
	value_read *read;
	value_append *append;
	const struct unit *units; /* of the bounds; NULL: no bounds */
	const char *noun;
} kinds[] = {
    [CONFIG_TEXT] = {read_text, append_text, NULL, "a text"},
    [CONFIG_PATH] = {read_path, append_text, NULL, "an absolute path"},
    [CONFIG_SECRET] = {read_text, append_secret, NULL, "a text"},
    [CONFIG_NUMBER] = {read_number, append_number, number_units, "a number"},
    [CONFIG_DURATION] = {read_duration, append_duration, duration_units,
                         "a duration (ms, s, m, h, d)"},
    [CONFIG_SIZE] = {read_size, append_size, size_units, "a size (k, M, G)"},
    [CONFIG_CHOICE] = {read_choice, append_choice, NULL, "one of"},
    [CONFIG_RATE] = {read_rate, append_rate, NULL,
                     "a count and a window of 1s to 1d, such as 5/15m"},
    [CONFIG_BLOCKS] = {read_blocks, append_blocks, NULL,
                       "at most 32 addresses or blocks such as "
                       "192.0.2.0/24"},
    [CONFIG_WORDS] = {read_words, append_words, NULL, "at most 16 words"},
};

static_assert(sizeof(kinds) / sizeof(kinds[0]) == CONFIG_KIND_COUNT,
              "every kind of value has its functions");
static_assert(CONFIG_BLOCKS_LIMIT == 32 && CONFIG_WORDS_LIMIT == 16,
              "the descriptions above tell the limits");

enum fault config_value_read(const struct config_row *row, struct span value,
                             struct config *config)
{
	return kinds[row->kind].read(row, value, (char *)config + row->offset);
}

void config_value_append(const struct config_row *row,
                         const struct config *config, struct text *text)
{
	kinds[row->kind].append(row, (const char *)config + row->offset, text);
}

void config_value_describe(const struct config_row *row, struct text *text)
{
	const struct kind *kind = &kinds[row->kind];

	text_append_cstr(text, kind->noun);
	if (kind->units) {
		text_append_cstr(text, " from ");
		append_in_units(text, row->minimum, kind->units);
		text_append_cstr(text, " to ");
		append_in_units(text, row->maximum, kind->units);
	}
	if (!row->choices)
		return;
	for (size_t i = 0; i < CONFIG_CHOICES_LIMIT && row->choices[i]; i++) {
		text_append_cstr(text, i ? ", " : " ");
		text_append_cstr(text, row->choices[i]);
	}
}
