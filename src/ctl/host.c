/* SPDX-License-Identifier: Apache-2.0 */
/* clavigerctl's commands for the installation as a whole. */
#include "api/route_table.h"
#include "base/encode.h"
#include "config.h"
#include "ctl/ctl.h"
#include "domain/account/leaked.h"
#include "domain/guard/blocklist.h"
#include "store/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum ctl_exit ctl_version(struct ctl *ctl, int count, char **words)
{
	(void)ctl;
	(void)count;
	(void)words;
	puts(PACKAGE_STRING);
	return CTL_OK;
}

static enum fault checksum(struct span bytes, char hex[65])
{
	unsigned char hash[DIGEST_SHA256_BYTES];
	enum fault fault = digest_sha256(&bytes, 1, hash);
	if (fault)
		return fault;
	struct text text = text_over(hex, 64);
	hex_append(&text, hash, sizeof(hash));
	hex[64] = '\0';
	return text_check(&text);
}

static void report(void *argument, const char *name, bool applied_now)
{
	(void)argument;
	printf("%s  %s\n", applied_now ? "applied" : "present", name);
}

enum ctl_exit ctl_migrate(struct ctl *ctl, int count, char **words)
{
	const char *folder = ctl_option(count, words, "--from");
	char why[512] = "";
	enum ctl_exit status = ctl_open(ctl, CTL_WITHOUT_KEYS);
	if (status)
		return status;
	enum fault fault = schema_migrate(ctl->ctx.db, ctl->ctx.arena,
	                                  folder ? folder : CLAVIGER_MIGRATIONS,
	                                  checksum, report, NULL, why);
	if (fault && why[0])
		fprintf(stderr, "clavigerctl: %s\n", why);
	return fault ? ctl_fail(ctl, fault, "the database") : CTL_OK;
}

enum ctl_exit ctl_passwords_load(struct ctl *ctl, int count, char **words)
{
	int64_t entries = 0;
	if (count < 1) {
		fputs("usage: clavigerctl passwords load FILE [--to FILTER]\n",
		      stderr);
		return CTL_USAGE;
	}
	const char *to = ctl_option(count, words, "--to");
	enum ctl_exit status = to ? CTL_OK : ctl_read_config(ctl);
	if (status)
		return status;
	if (!to)
		to = ctl->config.password.leaked_file;
	if (!to[0]) {
		fputs("clavigerctl: set password.leaked_file, or use --to\n",
		      stderr);
		return CTL_USAGE;
	}
	enum fault fault =
	    leaked_build(words[0], to, ctl_progress, NULL, &entries);
	if (fault)
		return ctl_fail(ctl, fault,
		                fault == FAULT_UNAVAILABLE ? to : words[0]);
	printf("%lld entries in %s\n", (long long)entries, to);
	return CTL_OK;
}

enum ctl_exit ctl_routes(struct ctl *ctl, int count, char **words)
{
	(void)ctl;
	(void)count;
	(void)words;
	for (size_t i = 0; i < route_table_count; i++) {
		const struct route *route = &route_table[i];
		printf("%-6s %-36s %-10s %-8s %-21s %-12s %s\n",
		       http_method_name(route->method), route->pattern,
		       route_who_name(route->who), route_need_name(route->need),
		       role_permission_name(route->permission),
		       policy_name(route->limit),
		       audit_type_name(route->audit));
	}
	return CTL_OK;
}

enum ctl_exit ctl_maintain(struct ctl *ctl, int count, char **words)
{
	(void)count;
	(void)words;
	int64_t next_in_ms;
	enum ctl_exit status = ctl_open(ctl, CTL_WITH_KEYS);
	if (status)
		return status;
	enum fault fault = service_maintain(ctl->service, &next_in_ms);
	if (fault == FAULT_CONFLICT) {
		puts("another process does it already");
		return CTL_OK;
	}
	return fault ? ctl_fail(ctl, fault, "maintenance") : CTL_OK;
}

/* One thing that must be right, and what to do when it is not. */
struct check {
	const char *name;
	enum fault (*run)(struct ctl *ctl);
	const char *advice;
};

static enum fault check_database(struct ctl *ctl)
{
	return db_ping(ctl->ctx.db);
}

static enum fault check_schema(struct ctl *ctl)
{
	int64_t version;
	enum fault fault =
	    schema_version(ctl->ctx.db, ctl->ctx.arena, &version);
	return !fault && version == 0 ? FAULT_NOT_FOUND : fault;
}

static enum fault check_keys(struct ctl *ctl)
{
	return service_check_keys(ctl->service);
}

static enum fault check_redis(struct ctl *ctl)
{
	return kv_ping(ctl->ctx.kv);
}

static enum fault check_leaked(struct ctl *ctl)
{
	struct leaked *leaked;
	const char *path = ctl->config.password.leaked_file;
	enum fault fault =
	    path[0] ? leaked_open(path, &leaked) : FAULT_NOT_FOUND;
	if (!fault)
		leaked_close(leaked);
	return fault;
}

/* No list is fine; one that is named must be there. */
static enum fault check_blocklist(struct ctl *ctl)
{
	struct blocklist *list;
	const char *path = ctl->config.guard.blocklist_file;
	enum fault fault = path[0] ? blocklist_open(path, &list) : FAULT_NONE;
	if (!fault && path[0])
		blocklist_close(list);
	return fault;
}

static enum fault check_mail(struct ctl *ctl)
{
	return ctl->config.mail.transport == MAIL_TRANSPORT_NONE
	           ? FAULT_NOT_FOUND
	           : FAULT_NONE;
}

static const struct check checks[] = {
    {"MariaDB answers", check_database,
     "look at database.* and whether the server runs"},
    {"the schema is there", check_schema, "run clavigerctl migrate"},
    {"the master key opens the key ring", check_keys,
     "run clavigerctl key generate, or restore the right master key"},
    {"Redis answers", check_redis,
     "look at redis.*; without it limits are counted per host"},
    {"leaked passwords are known", check_leaked,
     "run clavigerctl passwords load FILE and set password.leaked_file"},
    {"the blocklist is there, if one is wanted", check_blocklist,
     "run clavigerctl blocklist load FILE"},
    {"mail can leave", check_mail, "set mail.transport"},
};

enum ctl_exit ctl_doctor(struct ctl *ctl, int count, char **words)
{
	(void)count;
	(void)words;
	enum ctl_exit status = ctl_open(ctl, CTL_WITH_MASTER);
	if (status)
		return status;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		enum fault fault = checks[i].run(ctl);
		printf("%-4s  %s\n", fault ? "bad" : "good", checks[i].name);
		if (!fault)
			continue;
		printf("      %s (%s)\n", checks[i].advice, fault_name(fault));
		status = CTL_FAILED;
	}
	return status;
}
