/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The home of zxcvbn: password_strength of password.h. The library carries its
 * dictionary inside and needs no start.
 */
#include "crypto/password.h"

#include <string.h>
#include <zxcvbn.h>

/*
 * The library's time grows with the fifth power of the length: "1212…" takes
 * 12 ms of CPU at 40 bytes, 30 at 48 and a whole second at 128 (measured). A
 * password that needs more than 40 bytes to be strong is refused by mistake; no
 * weak one is accepted.
 */
#define LOOKED_AT_BYTES 40
#define WORDS_LIMIT     32

/* zxcvbn's 10^3, 10^6, 10^8 and 10^10 guesses, as bits of entropy. */
static const double score_bits[] = {9.965785, 19.931569, 26.575425, 33.219281};
#define SCORE_MOST (sizeof(score_bits) / sizeof(score_bits[0]))

/* A C string; NUL becomes a byte that no word of a dictionary has. */
static void copy_text(struct span password, char out[LOOKED_AT_BYTES + 1])
{
	size_t length = 0;

	for (; length < LOOKED_AT_BYTES && length < password.length; length++)
		out[length] =
		    (char)(password.at[length] ? password.at[length] : '\x01');
	out[length] = '\0';
}

/* The library wants a list that it may change, and no empty word. */
static void copy_words(const char *const *context,
                       const char *words[WORDS_LIMIT + 1])
{
	size_t count = 0;

	for (size_t i = 0; context && context[i] && count < WORDS_LIMIT; i++)
		if (*context[i])
			words[count++] = context[i];
	words[count] = NULL;
}

int password_strength(struct span password, const char *const *context)
{
	char text[LOOKED_AT_BYTES + 1];
	const char *words[WORDS_LIMIT + 1];
	double bits;
	int score = 0;

	copy_text(password, text);
	copy_words(context, words);
	bits = ZxcvbnMatch(text, words, NULL);
	digest_wipe(text, sizeof(text));
	while (score < (int)SCORE_MOST && bits >= score_bits[score])
		score++;
	return score;
}
