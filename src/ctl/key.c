/* SPDX-License-Identifier: Apache-2.0 */
/* clavigerctl key: the ring's keys, never their bytes. */
#include "base/clock.h"
#include "ctl/ctl.h"
#include "domain/vault/keys.h"
#include "domain/vault/keys_store.h"

#include <stdio.h>

enum ctl_exit ctl_key_generate(struct ctl *ctl, int count, char **words)
{
	(void)count;
	(void)words;
	size_t made;
	enum ctl_exit status = ctl_open(ctl, CTL_WITH_MASTER);
	if (status)
		return status;
	enum fault fault = keys_generate(&ctl->ctx, &made);
	if (fault == FAULT_VALIDATION) {
		fputs("clavigerctl: the master key does not open the key ring: "
		      "it is another one than the ring was made with\n",
		      stderr);
		return CTL_BAD_CONFIG;
	}
	if (fault)
		return ctl_fail(ctl, fault, "the key ring");
	printf("%zu keys made\n", made);
	return CTL_OK;
}

enum ctl_exit ctl_key_rotate(struct ctl *ctl, int count, char **words)
{
	enum key_purpose purpose = KEY_ACCESS_TOKEN;
	if (count > 0)
		purpose = keyring_purpose_parse(span_of(words[0]));
	if (count > 1 || purpose == KEY_PURPOSE_NONE) {
		fputs("usage: clavigerctl key rotate [PURPOSE], one of:\n",
		      stderr);
		for (enum key_purpose p = KEY_PURPOSE_NONE + 1;
		     p < KEY_PURPOSE_COUNT; p++)
			fprintf(stderr, "  %s\n", keyring_purpose_name(p));
		return CTL_USAGE;
	}
	enum ctl_exit status = ctl_open(ctl, CTL_WITH_KEYS);
	if (status)
		return status;
	enum fault fault = keys_rotate(&ctl->ctx, purpose);
	if (fault)
		return ctl_fail(ctl, fault, keyring_purpose_name(purpose));
	printf("%s: %s is current now\n", keyring_purpose_name(purpose),
	       keyring_current(ctl->ctx.keys, purpose)->id);
	return CTL_OK;
}

enum ctl_exit ctl_key_list(struct ctl *ctl, int count, char **words)
{
	(void)count;
	(void)words;
	const struct key_row *rows;
	size_t found;
	enum ctl_exit status = ctl_open(ctl, CTL_WITHOUT_KEYS);
	if (status)
		return status;
	enum fault fault = keys_store_list(&ctl->ctx, &rows, &found);
	if (fault)
		return ctl_fail(ctl, fault, "the key ring");
	for (size_t i = 0; i < found; i++) {
		const struct key *key = &rows[i].header;
		char at[CLOCK_RFC3339_BYTES];
		printf("%-16s  %-16s  %-9s  %s\n", key->id,
		       keyring_purpose_name(key->purpose),
		       keyring_state_name(key->state),
		       clock_format(key->created_at_ms, at));
	}
	return CTL_OK;
}
