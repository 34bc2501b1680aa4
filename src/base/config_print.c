/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings as text that config_read would take: the defaults, and those in
 * force.
 */
#include "base/config_rows.h"

#define WRAP_COLUMNS 78

/* Words behind "# ", on as many lines as they need. */
static void print_wrapped(FILE *out, const char *prose)
{
	struct span rest = span_of(prose);
	struct span word;
	size_t column = 0;

	while (span_cut(&rest, ' ', &word)) {
		if (column && column + 1 + word.length > WRAP_COLUMNS) {
			(void)fputc('\n', out);
			column = 0;
		}
		(void)fputs(column ? " " : "# ", out);
		column += column ? 1 : 2;
		(void)fwrite(word.at, 1, word.length, out);
		column += word.length;
	}
	(void)fputc('\n', out);
}

static bool is_in_section(const struct config_row *row,
                          const struct config_section *section)
{
	struct span rest = span_of(row->name);
	struct span name;

	return span_cut(&rest, '.', &name) &&
	       span_equal(name, span_of(section->name));
}

static void print_default(FILE *out, const struct config_row *row)
{
	char memory[256];
	struct text text = text_over(memory, sizeof(memory) - 1);

	config_value_describe(row, &text);
	memory[text.length] = '\0';
	(void)fputc('\n', out);
	print_wrapped(out, row->help);
	(void)fprintf(out, "# (%s)\n#%s =%s%s\n", memory, row->name,
	              row->fallback[0] ? " " : "", row->fallback);
}

void config_print_defaults(FILE *out)
{
	print_wrapped(out, "Claviger's settings. Every line that is commented "
	                   "out shows a default.");
	for (size_t i = 0; i < config_section_count; i++) {
		const struct config_section *section = &config_sections[i];
		(void)fprintf(out, "\n#\n# %s\n", section->name);
		print_wrapped(out, section->help);
		(void)fputs("#\n", out);
		for (size_t k = 0; k < config_row_count; k++)
			if (is_in_section(&config_rows[k], section))
				print_default(out, &config_rows[k]);
	}
}

void config_print(const struct config *config, FILE *out)
{
	char memory[2 * CONFIG_VALUE_LIMIT_BYTES];

	for (size_t i = 0; i < config_row_count; i++) {
		const struct config_row *row = &config_rows[i];
		struct text text = text_over(memory, sizeof(memory));
		config_value_append(row, config, &text);
		/* Behind a space a '#' would begin a comment. */
		bool is_spaced = text.length && memory[0] != '#';
		(void)fprintf(out, "%s =%s%.*s\n", row->name,
		              is_spaced ? " " : "", (int)text.length, memory);
	}
}
