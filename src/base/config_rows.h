/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files config*.c share and nobody else needs: the rows of the table
 * of settings, and what a value of each kind looks like.
 */
#ifndef BASE_CONFIG_ROWS_H
#define BASE_CONFIG_ROWS_H

#include "base/config.h"

enum config_kind {
	CONFIG_NONE = 0,
	CONFIG_TEXT,     /* const char * */
	CONFIG_PATH,     /* const char *: absolute, or empty */
	CONFIG_SECRET,   /* const char *: a text that is never shown */
	CONFIG_NUMBER,   /* int64_t */
	CONFIG_DURATION, /* int64_t, ms */
	CONFIG_SIZE,     /* int64_t, bytes */
	CONFIG_CHOICE,   /* an enum: the index of a word */
	CONFIG_RATE,     /* struct config_rate */
	CONFIG_BLOCKS,   /* struct config_blocks */
	CONFIG_WORDS,    /* struct config_words */
	CONFIG_KIND_COUNT
};

#define CONFIG_CHOICES_LIMIT     4
#define CONFIG_VALUE_LIMIT_BYTES 2048

struct config_row {
	const char *name; /* "section.key" */
	size_t offset;    /* in struct config */
	enum config_kind kind;
	const char *fallback;
	int64_t minimum; /* in the unit of the kind */
	int64_t maximum;
	const char *const *choices; /* CONFIG_CHOICES_LIMIT words or NULLs */
	const char *help;           /* sentences, wrapped when printed */
};

struct config_section {
	const char *name;
	const char *help;
};

extern const struct config_row config_rows[];
extern const size_t config_row_count;
extern const struct config_section config_sections[];
extern const size_t config_section_count;

/* The row of this name, or NULL. */
const struct config_row *config_row_find(struct span name);

/*
 * Read a value into the row's place. FAULT_VALIDATION when it is not as
 * config_value_describe says; the place is then untouched.
 */
enum fault config_value_read(const struct config_row *row, struct span value,
                             struct config *config);

/* Write the value in force as config_value_read would take it. */
void config_value_append(const struct config_row *row,
                         const struct config *config, struct text *text);

/*
 * The first thing that the settings as a whole want and do not have: "setting:
 * what is wrong", static. NULL when all is well.
 */
const char *config_demand_unmet(const struct config *config);

/* What a good value looks like: "a number from 8 to 64". */
void config_value_describe(const struct config_row *row, struct text *text);

/* A copy, ended by a NUL, that lives until config_release; NULL without memory.
 */
const char *config_keep(struct span text);

#endif
