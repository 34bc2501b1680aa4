/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical addresses; libidn2 lives here only. */
#include "domain/account/email.h"

#include <idn2.h>
#include <string.h>

#define LOCAL_BYTES  64
#define DOMAIN_BYTES 253

static bool is_atom_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') ||
	       (byte && strchr("!#$%&'*+-/=?^_`{|}~", byte));
}

/* RFC 5321 Dot-string: atoms joined by single dots. */
static bool is_dot_atom(struct span local)
{
	bool wants_atom = true;
	for (size_t i = 0; i < local.length; i++) {
		if (local.at[i] == '.' ? wants_atom
		                       : !is_atom_byte(local.at[i]))
			return false;
		wants_atom = local.at[i] == '.';
	}
	return !wants_atom && local.length <= LOCAL_BYTES;
}

/* Letters, digits, hyphens in labels: what the A-label form must be. */
static bool is_host_name(struct span domain)
{
	struct span rest = domain, label;
	while (span_cut(&rest, '.', &label)) {
		if (label.length == 0 || label.length > 63 ||
		    label.at[0] == '-' || label.at[label.length - 1] == '-')
			return false;
		for (size_t i = 0; i < label.length; i++) {
			char byte = label.at[i];
			if (!(byte >= 'a' && byte <= 'z') &&
			    !(byte >= '0' && byte <= '9') && byte != '-')
				return false;
		}
	}
	return domain.length > 0 && domain.length <= DOMAIN_BYTES;
}

static enum fault domain_to_ascii(struct arena *arena, struct span domain,
                                  struct span *out)
{
	if (domain.length > DOMAIN_BYTES || span_has_byte(domain, '\0'))
		return FAULT_VALIDATION;
	struct span text = arena_copy(arena, domain);
	if (!text.at)
		return FAULT_EXHAUSTED;
	char *ascii = NULL;
	if (idn2_to_ascii_8z(text.at, &ascii,
	                     IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return FAULT_VALIDATION;
	*out = arena_copy(arena, span_of(ascii));
	idn2_free(ascii);
	if (!out->at)
		return FAULT_EXHAUSTED;
	return is_host_name(*out) ? FAULT_NONE : FAULT_VALIDATION;
}

static void append_lower(struct text *text, struct span bytes)
{
	for (size_t i = 0; i < bytes.length; i++) {
		char byte = bytes.at[i];
		if (byte >= 'A' && byte <= 'Z')
			byte = (char)(byte - 'A' + 'a');
		text_append_byte(text, byte);
	}
}

enum fault email_canonical(struct arena *arena, struct span address,
                           struct span *out)
{
	struct span rest = span_trim(address), local, domain;
	if (rest.length > 2 * EMAIL_BYTES || !span_cut(&rest, '@', &local) ||
	    !rest.at || !is_dot_atom(local))
		return FAULT_VALIDATION;
	enum fault fault = domain_to_ascii(arena, rest, &domain);
	if (fault)
		return fault;
	struct text text = arena_text(arena, LOCAL_BYTES + 1 + DOMAIN_BYTES);
	append_lower(&text, local);
	text_append_byte(&text, '@');
	append_lower(&text, domain);
	if (text_check(&text))
		return FAULT_EXHAUSTED;
	if (text.length > EMAIL_BYTES)
		return FAULT_VALIDATION;
	*out = text_span(&text);
	return FAULT_NONE;
}
