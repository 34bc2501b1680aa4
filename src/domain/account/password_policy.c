/* SPDX-License-Identifier: Apache-2.0 */
/* The rules a new password is held against, in a table. */
#include "domain/account/password_policy.h"

#include "base/encode.h"
#include "base/log.h"
#include "crypto/password.h"
#include "domain/account/leaked.h"

#include <string.h>

#define CONTEXT_MOST       16
#define CONTEXT_WORD_BYTES 64
#define CONTEXT_WORD_LEAST 4
#define BYTES_A_CODE_POINT 4
#define LEAKED_STEM_LEAST  8

/* Words of the context in lower case, as zxcvbn takes them. */
struct context {
	size_t count;
	const char *words[CONTEXT_MOST + 1];
};

struct candidate {
	struct ctx *ctx;
	struct span password;
	struct span folded;
	struct context context;
};

static char to_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static struct span folded_copy(struct arena *arena, struct span bytes)
{
	char *copy = arena_alloc(arena, bytes.length + 1);
	if (!copy)
		return (struct span){0};
	for (size_t i = 0; i < bytes.length; i++)
		copy[i] = to_lower(bytes.at[i]);
	return (struct span){copy, bytes.length};
}

static void add_word(struct candidate *candidate, struct span word)
{
	struct context *context = &candidate->context;
	if (word.length < CONTEXT_WORD_LEAST ||
	    word.length > CONTEXT_WORD_BYTES || context->count == CONTEXT_MOST)
		return;
	struct span copy = folded_copy(candidate->ctx->arena, word);
	if (copy.at)
		context->words[context->count++] = copy.at;
}

static bool ends_word(char byte)
{
	return byte == ' ' || byte == '.' || byte == '-' || byte == '_' ||
	       byte == '+' || byte == '@';
}

/* A name or address as a whole and in its parts. */
static void add_words(struct candidate *candidate, struct span words)
{
	add_word(candidate, words);
	size_t start = 0;
	for (size_t i = 0; i <= words.length; i++) {
		if (i < words.length && !ends_word(words.at[i]))
			continue;
		add_word(candidate, (struct span){words.at + start, i - start});
		start = i + 1;
	}
}

static bool is_short(const struct candidate *candidate)
{
	return (int64_t)utf8_count(candidate->password) <
	       candidate->ctx->config->password.min_length;
}

bool password_policy_is_too_long(const struct config *config,
                                 struct span password)
{
	return password.length >
	       (size_t)config->password.max_length * BYTES_A_CODE_POINT;
}

static bool is_long(const struct candidate *candidate)
{
	return (int64_t)utf8_count(candidate->password) >
	       candidate->ctx->config->password.max_length;
}

static bool lacks_classes(const struct candidate *candidate)
{
	bool lower = false, upper = false, digit = false, other = false;
	for (size_t i = 0; i < candidate->password.length; i++) {
		char byte = candidate->password.at[i];
		if (byte >= 'a' && byte <= 'z')
			lower = true;
		else if (byte >= 'A' && byte <= 'Z')
			upper = true;
		else if (byte >= '0' && byte <= '9')
			digit = true;
		else
			other = true;
	}
	return lower + upper + digit + other <
	       candidate->ctx->config->password.required_classes;
}

/* Without its context words, too little of a password may be left. */
static bool is_made_of_context(const struct candidate *candidate)
{
	const struct context *context = &candidate->context;
	for (size_t i = 0; i < context->count; i++) {
		size_t length = strlen(context->words[i]);
		const char *found =
		    memmem(candidate->folded.at, candidate->folded.length,
		           context->words[i], length);
		if (found &&
		    candidate->folded.length - length <
		        (size_t)candidate->ctx->config->password.min_length)
			return true;
	}
	return false;
}

/* A listed password with no more behind it than itself is guessed as soon. */
static bool has_leaked_stem(const struct leaked *leaked, struct span password)
{
	size_t least = (password.length + 1) / 2;
	if (least < LEAKED_STEM_LEAST)
		least = LEAKED_STEM_LEAST;
	for (size_t n = password.length; n >= least; n--)
		if (leaked_has(leaked, (struct span){password.at, n}))
			return true;
	return false;
}

/* The filter is mapped once per process; a list loaded later is seen then. */
static bool is_leaked(const struct candidate *candidate)
{
	static struct leaked *leaked;
	static bool was_tried;
	const char *path = candidate->ctx->config->password.leaked_file;
	if (!was_tried && path[0]) {
		was_tried = true;
		if (leaked_open(path, &leaked))
			log_note(LOG_ERROR, "leaked_passwords_not_loaded",
			         path);
	}
	return leaked && has_leaked_stem(leaked, candidate->password);
}

static bool is_weak(const struct candidate *candidate)
{
	return password_strength(candidate->password,
	                         candidate->context.words) <
	       candidate->ctx->config->password.min_score;
}

typedef bool breaks_rule(const struct candidate *candidate);

/* clang-format off */
static const struct rule {
	breaks_rule *is_broken;
	const char *code;
	const char *detail;
	} rules[] = {
	{is_short,           "too_short",        "Use more characters: four random words make a good password."},
	{is_long,            "too_long",         "Use fewer characters."},
	{lacks_classes,      "missing_classes",  "Mix lower case, upper case, digits and other characters."},
	{is_leaked,          "leaked",           "This password, or most of it, is on a list of stolen passwords. Choose another one."},
	{is_made_of_context, "contains_context", "Do not build it from your own name or address."},
	{is_weak,            "too_weak",         "This is easy to guess. Four random words are better."},
};
/* clang-format on */

enum fault password_policy_check(struct ctx *ctx, const char *field,
                                 struct span password, struct span email,
                                 const struct span *words, size_t word_count)
{
	struct candidate candidate = {
	    .ctx = ctx,
	    .password = password,
	    .folded = folded_copy(ctx->arena, password),
	};
	if (!candidate.folded.at)
		return FAULT_EXHAUSTED;
	struct span rest = email, local = {0};
	span_cut(&rest, '@', &local);
	add_words(&candidate, local);
	add_words(&candidate, email);
	add_words(&candidate, span_of(ctx->config->mail.product));
	for (size_t i = 0; i < word_count; i++)
		add_words(&candidate, words[i]);

	enum fault fault = FAULT_NONE;
	for (size_t i = 0; !fault && i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].is_broken(&candidate))
			fault =
			    field_errors_add(&ctx->errors, field, rules[i].code,
			                     rules[i].detail);
	return fault;
}
