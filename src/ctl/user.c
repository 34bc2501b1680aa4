/* SPDX-License-Identifier: Apache-2.0 */
/* clavigerctl user: people, as the host sees them. */
#include "crypto/random.h"
#include "ctl/ctl.h"
#include "domain/access/role.h"
#include "domain/account/administration.h"
#include "domain/account/email.h"
#include "domain/account/registration.h"

#include <stdio.h>
#include <string.h>

#define RANDOM_PASSWORD_BYTES 24 /* characters of 5 bits: 120 bits */
#define STDIN_PASSWORD_BYTES  1024
#define LIST_PAGE             200

static enum ctl_exit usage(const char *words)
{
	fprintf(stderr, "usage: clavigerctl user %s\n", words);
	return CTL_USAGE;
}

/*
 * Letters and digits that are not mistaken for one another, and every class of
 * characters, because the policy may ask for that.
 */
static void random_password(char out[RANDOM_PASSWORD_BYTES + 1])
{
	static const char alphabet[33] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char bytes[RANDOM_PASSWORD_BYTES];
	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		out[i] = alphabet[bytes[i] % 32];
	out[0] = "ABCDEFGHJKLMNPQR"[bytes[0] % 16];
	out[1] = "abcdefghijkmnpqr"[bytes[1] % 16];
	out[2] = "23456789"[bytes[2] % 8];
	out[RANDOM_PASSWORD_BYTES / 2] = '-';
	out[RANDOM_PASSWORD_BYTES] = '\0';
	digest_wipe(bytes, sizeof(bytes));
}

/* One line of standard input, never an argument: those are seen by all. */
static bool read_password(char out[STDIN_PASSWORD_BYTES])
{
	if (!fgets(out, STDIN_PASSWORD_BYTES, stdin))
		return false;
	out[strcspn(out, "\r\n")] = '\0';
	return out[0] != '\0';
}

enum ctl_exit ctl_user_add(struct ctl *ctl, int count, char **words)
{
	static const char help[] =
	    "add EMAIL [--role ROLE] [--name NAME] [--verified] "
	    "--random-password|--password-stdin";
	char password[STDIN_PASSWORD_BYTES];
	const char *role = ctl_option(count, words, "--role");
	bool is_random = ctl_flag(count, words, "--random-password");
	if (count < 1 || words[0][0] == '-' ||
	    is_random == ctl_flag(count, words, "--password-stdin"))
		return usage(help);
	if (is_random)
		random_password(password);
	else if (!read_password(password))
		return usage(help);
	const struct host_user wanted = {
	    .email = span_of(words[0]),
	    .name = span_of(ctl_option(count, words, "--name")),
	    .role = role ? span_of(role) : SPAN("member"),
	    .password = span_of(password),
	    .is_verified = ctl_flag(count, words, "--verified"),
	};
	if (!role_is_known(wanted.role)) {
		fputs("clavigerctl: --role: use owner, admin, auditor or "
		      "member\n",
		      stderr);
		return CTL_USAGE;
	}
	enum ctl_exit status = ctl_open(ctl, CTL_WITH_KEYS);
	if (status)
		return status;
	enum fault fault = registration_add(&ctl->ctx, &wanted);
	if (fault)
		status = ctl_fail(ctl, fault, words[0]);
	else if (is_random)
		puts(password);
	digest_wipe(password, sizeof(password));
	return status;
}

static void print_user(const struct user_record *user)
{
	char id[UUID_TEXT_BYTES];
	printf("%s  %-8.*s  %-10s  %.*s  %.*s\n", uuid_format(&user->id, id),
	       (int)user->status.length, user->status.at,
	       user->is_email_verified ? "verified" : "unverified",
	       (int)user->email.length, user->email.at, (int)user->roles.length,
	       user->roles.at);
}

enum ctl_exit ctl_user_list(struct ctl *ctl, int count, char **words)
{
	(void)count;
	(void)words;
	const struct user_record *users;
	struct uuid last = {0};
	size_t found = LIST_PAGE;
	enum ctl_exit status = ctl_open(ctl, CTL_WITHOUT_KEYS);
	while (!status && found == LIST_PAGE) {
		enum fault fault =
		    user_list(&ctl->ctx, &last, LIST_PAGE, &users, &found);
		if (fault)
			return ctl_fail(ctl, fault, "the list of users");
		for (size_t i = 0; i < found; i++)
			print_user(&users[i]);
		if (found)
			last = users[found - 1].id;
		arena_reset(ctl->ctx.arena);
	}
	return status;
}

/* Connect and find whom an address is of. */
static enum ctl_exit find(struct ctl *ctl, const char *address,
                          struct user *out)
{
	struct span email;
	enum ctl_exit status = ctl_open(ctl, CTL_WITH_KEYS);
	if (status)
		return status;
	enum fault fault =
	    email_canonical(ctl->ctx.arena, span_of(address), &email);
	if (!fault)
		fault = user_find_by_email(&ctl->ctx, email, NULL, out);
	return fault ? ctl_fail(ctl, fault, address) : CTL_OK;
}

static enum ctl_exit set_status(struct ctl *ctl, const char *address,
                                enum user_status wanted)
{
	struct user user;
	enum ctl_exit status = find(ctl, address, &user);
	if (status)
		return status;
	enum fault fault = administration_set_status(
	    &ctl->ctx, &user.identity.user_id, wanted);
	return fault ? ctl_fail(ctl, fault, address) : CTL_OK;
}

enum ctl_exit ctl_user_disable(struct ctl *ctl, int count, char **words)
{
	return count == 1 ? set_status(ctl, words[0], USER_DISABLED)
	                  : usage("disable EMAIL");
}

enum ctl_exit ctl_user_enable(struct ctl *ctl, int count, char **words)
{
	return count == 1 ? set_status(ctl, words[0], USER_ACTIVE)
	                  : usage("enable EMAIL");
}

enum ctl_exit ctl_user_unlock(struct ctl *ctl, int count, char **words)
{
	if (count != 1)
		return usage("unlock EMAIL");
	enum ctl_exit status = ctl_open(ctl, CTL_WITH_KEYS);
	if (status)
		return status;
	enum fault fault =
	    administration_unlock_address(&ctl->ctx, span_of(words[0]));
	return fault ? ctl_fail(ctl, fault, words[0]) : CTL_OK;
}

enum ctl_exit ctl_user_set_role(struct ctl *ctl, int count, char **words)
{
	static const char help[] = "set-role EMAIL ROLE [--tenant ID]";
	const char *tenant = ctl_option(count, words, "--tenant");
	struct uuid tenant_id;
	struct user user;
	if (count < 2 || (tenant && uuid_parse(span_of(tenant), &tenant_id)))
		return usage(help);
	enum ctl_exit status = find(ctl, words[0], &user);
	if (status)
		return status;
	enum fault fault = administration_set_role(
	    &ctl->ctx, &user.identity.user_id,
	    tenant ? &tenant_id : &ctl->ctx.system_tenant_id,
	    span_of(words[1]));
	return fault ? ctl_fail(ctl, fault, words[1]) : CTL_OK;
}
