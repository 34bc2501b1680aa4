/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings: one typed struct, filled in from one table of rows (name,
 * type, default, bounds, help) in config_rows.c. A setting is
 * "section.key = value" on a line of its own; '#' starts a comment at the
 * beginning of a line and behind white space. --set wins over the file.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/fault.h"
#include "base/ip.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_BLOCKS_LIMIT 32
#define CONFIG_WORDS_LIMIT  16

/*
 * "5/15m": at most count in any window of window_ms (a sliding window, burst
 * 0). "100/1m burst 10": a token bucket of that size, refilled at that rate.
 */
struct config_rate {
	int64_t count;
	int64_t window_ms;
	int64_t burst;
};

struct config_blocks {
	size_t count;
	struct ip_block at[CONFIG_BLOCKS_LIMIT];
};

struct config_words {
	size_t count;
	const char *at[CONFIG_WORDS_LIMIT];
};

enum config_log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum config_registration { REGISTRATION_OPEN, REGISTRATION_CLOSED };
enum config_mail_transport {
	MAIL_TRANSPORT_NONE,
	MAIL_TRANSPORT_SMTP,
	MAIL_TRANSPORT_SENDMAIL,
	MAIL_TRANSPORT_MAILDIR,
};
enum config_captcha {
	CAPTCHA_NONE,
	CAPTCHA_ALTCHA,
	CAPTCHA_HCAPTCHA,
	CAPTCHA_TURNSTILE,
};
enum config_starttls { STARTTLS_REQUIRED, STARTTLS_IF_OFFERED, STARTTLS_OFF };

/* Durations in ms, sizes in bytes; texts are never NULL, "" is unset. */
struct config {
	struct {
		const char *public_url; /* scheme://host[:port], no slash */
		const char *base_path;  /* "" or "/prefix" */
		const char *listen;     /* unix socket path of our own */
		const char *socket_group;
		const char *user; /* to become when started as root */
		const char *runtime_dir;
		const char *htdocs;
		int64_t workers; /* 0: two per core and two */
		struct config_words peers;
		struct config_words allowed_origins;
		struct config_blocks trusted_proxies;
		struct config_blocks operations_from;
		int64_t recycle_after; /* requests a worker; 0 never */
		int64_t recycle_rss;
		int64_t request_deadline;
		int64_t read_timeout;
		int64_t body_limit;
		int64_t arena;
		int64_t maintenance_interval;
	} server;
	struct {
		const char *file; /* "" is standard error */
		enum config_log_level level;
	} log;
	struct {
		const char *socket;
		const char *host;
		int64_t port;
		const char *name;
		const char *user;
		const char *password;
		const char *password_file;
		const char *tls_ca;
		int64_t timeout;
	} database;
	struct {
		const char *socket;
		const char *host;
		int64_t port;
		const char *password;
		const char *password_file;
		const char *prefix;
		int64_t timeout;
	} redis;
	struct {
		const char *master_file;
		const char *master_command;
		int64_t reload_interval;
	} keys;
	struct {
		int64_t min_length;
		int64_t max_length;
		int64_t min_score;
		int64_t required_classes;
		int64_t history;
		const char *leaked_file;
		int64_t argon2_memory_kib;
		int64_t argon2_passes;
		int64_t argon2_memory_cap_kib;
		int64_t hash_concurrency; /* 0: one a core */
		int64_t hash_queue;
		int64_t hash_wait;
	} password;
	struct {
		const char *issuer;   /* "" is server.public_url */
		const char *audience; /* "" is server.public_url */
		int64_t clock_skew;
	} token;
	struct {
		int64_t access_ttl;
		int64_t idle;
		int64_t absolute;
		int64_t refresh_grace;
		int64_t limit_per_user;
	} session;
	struct {
		enum config_registration registration;
		int64_t verify_ttl;
		int64_t reset_ttl;
		int64_t undo_ttl;
	} account;
	struct {
		enum config_mail_transport transport;
		const char *from;
		const char *from_name;
		const char *product;
		const char *smtp_url;
		const char *smtp_user;
		const char *smtp_password;
		const char *smtp_password_file;
		const char *smtp_ca_file;
		enum config_starttls smtp_starttls;
		const char *sendmail_path;
		const char *maildir;
		int64_t timeout;
		int64_t retry_first;
		int64_t retry_most;
		int64_t give_up;
	} mail;
	struct {
		struct config_rate login;
		struct config_rate login_account;
		struct config_rate registration;
		struct config_rate reset;
		struct config_rate verification;
		struct config_rate api_user;
		struct config_rate api_anonymous;
		struct config_rate api_key;
		struct config_rate websocket;
		struct config_rate factor;
		int64_t ipv6_site_factor; /* a /48 may do so many times more */
	} limit;
	struct {
		int64_t delay_after; /* failures of an account or network */
		int64_t delay_first;
		int64_t delay_most;
		int64_t lock_after; /* consecutive failures */
		int64_t lock_first;
		int64_t lock_most;
		int64_t forget_after;     /* without another failure */
		int64_t device_life;      /* of the known-device cookie */
		int64_t auto_block_after; /* failures of a network; 0 never */
		int64_t auto_block_for;
		const char *blocklist_file;
		struct config_blocks allow;
	} guard;
	struct {
		enum config_captcha provider;
		int64_t after; /* failures of an account or network */
		int64_t difficulty;
		int64_t expiry;
		const char *site_key;
		const char *secret;
		const char *secret_file;
		const char *verify_url; /* "" is the provider's own */
		int64_t timeout;
	} captcha;
	struct {
		int64_t retention;
	} audit;
};

/* What is wrong where, in the one clear line that a refusal prints. */
struct config_error {
	char message[512]; /* "FILE:LINE: setting: what is wrong" */
};

/* Fill in every default. Texts are static. */
void config_defaults(struct config *config);

/*
 * Read a file over what config holds. FAULT_INVALID_REQUEST with the reason in
 * error: unreadable, unknown or repeated setting, value out of bounds, or a
 * file with a secret in it that group or others may read. config may then
 * hold some of the file. Texts live until config_release.
 */
enum fault config_read(struct config *config, const char *path,
                       struct config_error *error);

/* One "section.key=value", as of --set; errors as config_read. */
enum fault config_set(struct config *config, const char *assignment,
                      struct config_error *error);

/*
 * What no single row can see: secret files are read into their settings (and
 * must be private), bounds that depend on one another, issuer and audience
 * defaults. Call once after the last config_read and config_set. Errors as
 * config_read.
 */
enum fault config_finish(struct config *config, struct config_error *error);

/* Wipe and free every text of every config; none may be used after it. */
void config_release(void);

/*
 * The path of the configuration: the one given, else $CLAVIGER_CONFIG, else
 * the first that exists of claviger.conf beside the executable's folder,
 * ~/.config/claviger/claviger.conf, /etc/claviger/claviger.conf. NULL when
 * there is none. The text lives until config_release. "Beside the folder" is
 * for shared hosting, where the executable's own folder is served.
 */
const char *config_find(const char *given);

/* Every setting with its default and help as a commented file. */
void config_print_defaults(FILE *out);

/* Every setting's value in force; secrets as "(set)" or "(unset)". */
void config_print(const struct config *config, FILE *out);

#endif
