/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of settings, in the order in which they are printed. A new setting
 * is one member of struct config and one row here. What a kind of value looks
 * like is config_values.c's, files and cross checks are config.c's.
 */
#include "base/config_rows.h"

#include <string.h>

#define SECONDS(n) (INT64_C(1000) * (n))
#define MINUTES(n) SECONDS(INT64_C(60) * (n))
#define HOURS(n)   MINUTES(INT64_C(60) * (n))
#define DAYS(n)    HOURS(INT64_C(24) * (n))
#define KIB(n)     (INT64_C(1024) * (n))
#define MIB(n)     KIB(INT64_C(1024) * (n))
#define GIB(n)     MIB(INT64_C(1024) * (n))

/* The name of a setting is the member that holds it. */
#define SETTING(member) #member, offsetof(struct config, member)

static const char *const log_levels[CONFIG_CHOICES_LIMIT] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
};

static const char *const registrations[CONFIG_CHOICES_LIMIT] = {
    [REGISTRATION_OPEN] = "open",
    [REGISTRATION_CLOSED] = "closed",
};

static const char *const transports[CONFIG_CHOICES_LIMIT] = {
    [MAIL_TRANSPORT_NONE] = "none",
    [MAIL_TRANSPORT_SMTP] = "smtp",
    [MAIL_TRANSPORT_SENDMAIL] = "sendmail",
    [MAIL_TRANSPORT_MAILDIR] = "maildir",
};

static const char *const captchas[CONFIG_CHOICES_LIMIT] = {
    [CAPTCHA_NONE] = "none",
    [CAPTCHA_ALTCHA] = "altcha",
    [CAPTCHA_HCAPTCHA] = "hcaptcha",
    [CAPTCHA_TURNSTILE] = "turnstile",
};

static const char *const starttls_words[CONFIG_CHOICES_LIMIT] = {
    [STARTTLS_REQUIRED] = "required",
    [STARTTLS_IF_OFFERED] = "if_offered",
    [STARTTLS_OFF] = "off",
};

const struct config_section config_sections[] = {
    {"server", "Where the service stands and how its processes live."},
    {"log", "The program's own log, JSON lines."},
    {"database", "MariaDB, which holds everything that must last."},
    {"redis", "Redis, which holds nothing that MariaDB could not rebuild."},
    {"keys", "The master key, which opens all other keys."},
    {"password", "What a password must be and what its hash costs."},
    {"token", "What access tokens say."},
    {"session", "How long people stay signed in."},
    {"account", "Registration and the links that are mailed."},
    {"mail", "How mail leaves the house."},
    {"limit", "How often one may try: \"5/15m\" is a sliding window, "
              "\"100/1m burst 10\" a token bucket."},
    {"guard", "What failed sign-ins lead to, and blocked addresses."},
    {"captcha", "Proof that no machine guesses passwords."},
    {"audit", "The record of what happened."},
};

const size_t config_section_count =
    sizeof(config_sections) / sizeof(config_sections[0]);

/* A row is a line of columns and its help: clang-format would scatter it. */
/* clang-format off */
const struct config_row config_rows[] = {
	{SETTING(server.public_url), CONFIG_TEXT, "",
	 .help = "Required. Where people reach the service: https://host or "
	         "https://host:port, without a slash at the end. Links in "
	         "mails, cookies and the check against forged requests come "
	         "from it."},
	{SETTING(server.base_path), CONFIG_TEXT, "",
	 .help = "The path under which the front server hands requests on, "
	         "such as /id. Empty when the service has the host to itself."},
	{SETTING(server.listen), CONFIG_PATH, "",
	 .help = "The unix socket to make when none is inherited from a front "
	         "server or systemd."},
	{SETTING(server.socket_group), CONFIG_TEXT, "",
	 .help = "The group of that socket: the front server's. Empty keeps "
	         "our own."},
	{SETTING(server.user), CONFIG_TEXT, "",
	 .help = "The user to become when started as root."},
	{SETTING(server.peers), CONFIG_WORDS, "",
	 .help = "The users whose processes may talk to the socket, beside our "
	         "own and root: the front server's."},
	{SETTING(server.runtime_dir), CONFIG_PATH, "/run/claviger",
	 .help = "The folder for what the processes of this host share. It is "
	         "made when its parent exists."},
	{SETTING(server.htdocs), CONFIG_PATH, CLAVIGER_HTDOCS,
	 .help = "The folder of the pages."},
	{SETTING(server.workers), CONFIG_NUMBER, "0", 0, 512,
	 .help = "Processes that answer requests; 0 is two for each core and "
	         "two more."},
	{SETTING(server.allowed_origins), CONFIG_WORDS, "",
	 .help = "Further origins (https://host) whose pages may use the API "
	         "with cookies."},
	{SETTING(server.trusted_proxies), CONFIG_BLOCKS, "",
	 .help = "Addresses of proxies whose X-Forwarded-For is believed."},
	{SETTING(server.operations_from), CONFIG_BLOCKS, "127.0.0.0/8 ::1",
	 .help = "Addresses that may read /readyz and /metrics."},
	{SETTING(server.recycle_after), CONFIG_NUMBER, "100000", 0, 1000000000,
	 .help = "A worker is replaced after so many requests; 0 is never."},
	{SETTING(server.recycle_rss), CONFIG_SIZE, "64M", 0, GIB(16),
	 .help = "A worker is replaced when it holds so much memory; 0 is "
	         "never."},
	{SETTING(server.request_deadline), CONFIG_DURATION,
	 "10s", SECONDS(1), MINUTES(5),
	 .help = "A request that has not arrived by then is given up."},
	{SETTING(server.read_timeout), CONFIG_DURATION, "5s", 100, MINUTES(1),
	 .help = "The longest wait for the next bytes of a request."},
	{SETTING(server.body_limit), CONFIG_SIZE, "64k", KIB(1), MIB(1),
	 .help = "The largest body of a request."},
	{SETTING(server.arena), CONFIG_SIZE, "1M", KIB(256), MIB(64),
	 .help = "The memory that one request may use: at least 256k and "
	         "eight times server.body_limit."},
	{SETTING(server.maintenance_interval), CONFIG_DURATION,
	 "1s", 100, HOURS(1),
	 .help = "The pause between two rounds of maintenance: waiting mail, "
	         "expiry."},

	{SETTING(log.file), CONFIG_PATH, "",
	 .help = "The file to append to; it is opened again on SIGHUP. Empty "
	         "is standard error."},
	{SETTING(log.level), CONFIG_CHOICE, "info",
	 .choices = log_levels,
	 .help = "The least level that is written."},

	{SETTING(database.socket), CONFIG_PATH, "/run/mysqld/mysqld.sock",
	 .help = "The server's unix socket, used when database.host is empty."},
	{SETTING(database.host), CONFIG_TEXT, "",
	 .help = "The server's host, or several separated by commas that are "
	         "tried in turn."},
	{SETTING(database.port), CONFIG_NUMBER, "3306", 1, 65535,
	 .help = "The server's port on database.host."},
	{SETTING(database.name), CONFIG_TEXT, "claviger",
	 .help = "The database."},
	{SETTING(database.user), CONFIG_TEXT, "claviger",
	 .help = "The user."},
	{SETTING(database.password), CONFIG_SECRET, "",
	 .help = "The password; empty for a user known by the socket. A file "
	         "that sets it must be readable by its owner alone."},
	{SETTING(database.password_file), CONFIG_PATH, "",
	 .help = "A file that holds the password instead, readable by its "
	         "owner alone."},
	{SETTING(database.tls_ca), CONFIG_PATH, "",
	 .help = "The CA that the server's certificate must come from; with "
	         "it connections use TLS."},
	{SETTING(database.timeout), CONFIG_DURATION,
	 "2s", SECONDS(1), SECONDS(30),
	 .help = "The longest wait for an answer, in whole seconds."},

	{SETTING(redis.socket), CONFIG_PATH, "/run/redis/redis-server.sock",
	 .help = "The server's unix socket, used when redis.host is empty."},
	{SETTING(redis.host), CONFIG_TEXT, "",
	 .help = "The server's host. The connection is not encrypted: use it "
	         "on a network of your own only."},
	{SETTING(redis.port), CONFIG_NUMBER, "6379", 1, 65535,
	 .help = "The server's port on redis.host."},
	{SETTING(redis.password), CONFIG_SECRET, "",
	 .help = "The password. A file that sets it must be readable by its "
	         "owner alone."},
	{SETTING(redis.password_file), CONFIG_PATH, "",
	 .help = "A file that holds the password instead, readable by its "
	         "owner alone."},
	{SETTING(redis.prefix), CONFIG_TEXT, "claviger:",
	 .help = "What every key begins with; one for each installation."},
	{SETTING(redis.timeout), CONFIG_DURATION, "250ms", 10, SECONDS(1),
	 .help = "The longest wait for an answer, before all processes of the "
	         "host go on without and look every half second whether it is "
	         "back."},

	{SETTING(keys.master_file), CONFIG_PATH, "",
	 .help = "The file that holds the master key: 32 bytes as 64 hex "
	         "digits or in base64, readable by its owner alone. Without "
	         "it come the systemd credential claviger-master-key, "
	         "keys.master_command and the variable MASTER_ENCRYPTION_KEY, "
	         "in this order."},
	{SETTING(keys.master_command), CONFIG_TEXT, "",
	 .help = "A shell command that prints the master key."},
	{SETTING(keys.reload_interval), CONFIG_DURATION,
	 "30s", SECONDS(1), MINUTES(10),
	 .help = "How often a worker looks for keys that were rotated."},

	{SETTING(password.min_length), CONFIG_NUMBER, "12", 8, 64,
	 .help = "The fewest characters of a new password."},
	{SETTING(password.max_length), CONFIG_NUMBER, "256", 128, 1024,
	 .help = "The most characters of a password."},
	{SETTING(password.min_score), CONFIG_NUMBER, "3", 0, 4,
	 .help = "The least strength of a new password as zxcvbn estimates "
	         "it; 0 asks for none."},
	{SETTING(password.required_classes), CONFIG_NUMBER, "0", 0, 4,
	 .help = "How many of lower case, upper case, digits and other "
	         "characters a new password must have. Length does more."},
	{SETTING(password.history), CONFIG_NUMBER, "5", 0, 24,
	 .help = "How many earlier passwords may not come back."},
	{SETTING(password.leaked_file), CONFIG_PATH, "",
	 .help = "The filter of leaked passwords that \"clavigerctl passwords "
	         "load\" makes. Empty looks none up."},
	{SETTING(password.argon2_memory_kib), CONFIG_NUMBER,
	 "19456", 19456, 1048576,
	 .help = "Argon2id: memory of one hash in KiB."},
	{SETTING(password.argon2_passes), CONFIG_NUMBER, "2", 2, 10,
	 .help = "Argon2id: passes over that memory."},
	{SETTING(password.argon2_memory_cap_kib), CONFIG_NUMBER,
	 "262144", 19456, 4194304,
	 .help = "A stored hash that wants more KiB than this is not "
	         "computed."},
	{SETTING(password.hash_concurrency), CONFIG_NUMBER, "0", 0, 256,
	 .help = "Hashes at a time on this host; 0 is one for each core."},
	{SETTING(password.hash_queue), CONFIG_NUMBER, "0", 0, 10000,
	 .help = "Requests that may wait for their hash, the next is told to "
	         "come back; 0 chooses by the number of cores."},
	{SETTING(password.hash_wait), CONFIG_DURATION, "3s", 100, SECONDS(30),
	 .help = "The longest such wait."},

	{SETTING(token.issuer), CONFIG_TEXT, "",
	 .help = "The issuer in tokens; empty is server.public_url."},
	{SETTING(token.audience), CONFIG_TEXT, "",
	 .help = "The audience in tokens; empty is server.public_url."},
	{SETTING(token.clock_skew), CONFIG_DURATION, "60s", 0, SECONDS(60),
	 .help = "How far ahead another host's clock may be. Expiry allows "
	         "none."},

	{SETTING(session.access_ttl), CONFIG_DURATION,
	 "15m", MINUTES(1), MINUTES(15),
	 .help = "The life of an access token."},
	{SETTING(session.idle), CONFIG_DURATION, "14d", SECONDS(1), DAYS(365),
	 .help = "A session ends when it was not used for so long."},
	{SETTING(session.absolute), CONFIG_DURATION,
	 "30d", SECONDS(1), DAYS(365),
	 .help = "A session ends so long after the login, used or not."},
	{SETTING(session.refresh_grace), CONFIG_DURATION, "0", 0, SECONDS(5),
	 .help = "Within this time a refresh token that is used twice gets "
	         "the same successor again; 0 takes every second use for "
	         "theft."},
	{SETTING(session.limit_per_user), CONFIG_NUMBER, "100", 1, 10000,
	 .help = "Sessions that a person may have; the oldest makes room."},

	{SETTING(account.registration), CONFIG_CHOICE, "open",
	 .choices = registrations,
	 .help = "Whether people may register themselves."},
	{SETTING(account.verify_ttl), CONFIG_DURATION,
	 "24h", SECONDS(1), HOURS(24),
	 .help = "The life of a link that confirms an address."},
	{SETTING(account.reset_ttl), CONFIG_DURATION,
	 "1h", SECONDS(1), HOURS(1),
	 .help = "The life of a link that resets a password."},
	{SETTING(account.undo_ttl), CONFIG_DURATION, "7d", SECONDS(1), DAYS(30),
	 .help = "The life of a link that takes back a change of address."},

	{SETTING(mail.transport), CONFIG_CHOICE, "none",
	 .choices = transports,
	 .help = "none keeps mail waiting, smtp sends to a server, sendmail "
	         "runs a program, maildir writes files."},
	{SETTING(mail.from), CONFIG_TEXT, "",
	 .help = "The sender's address; required unless the transport is "
	         "none."},
	{SETTING(mail.from_name), CONFIG_TEXT, "Claviger",
	 .help = "The sender's name."},
	{SETTING(mail.product), CONFIG_TEXT, "Claviger",
	 .help = "What mails call the service."},
	{SETTING(mail.smtp_url), CONFIG_TEXT, "smtp://localhost:25",
	 .help = "The server: smtp://host:port, or smtps:// for TLS from the "
	         "first byte."},
	{SETTING(mail.smtp_user), CONFIG_TEXT, "",
	 .help = "The user to log in as; empty logs in as nobody."},
	{SETTING(mail.smtp_password), CONFIG_SECRET, "",
	 .help = "The password. A file that sets it must be readable by its "
	         "owner alone."},
	{SETTING(mail.smtp_password_file), CONFIG_PATH, "",
	 .help = "A file that holds the password instead, readable by its "
	         "owner alone."},
	{SETTING(mail.smtp_ca_file), CONFIG_PATH, "",
	 .help = "The CAs that the server's certificate may come from; empty "
	         "is the system's."},
	{SETTING(mail.smtp_starttls), CONFIG_CHOICE, "required",
	 .choices = starttls_words,
	 .help = "Whether a connection that begins in the clear must turn to "
	         "TLS."},
	{SETTING(mail.sendmail_path), CONFIG_PATH, "/usr/sbin/sendmail",
	 .help = "The program of the sendmail transport."},
	{SETTING(mail.maildir), CONFIG_PATH, "",
	 .help = "The folder of the maildir transport."},
	{SETTING(mail.timeout), CONFIG_DURATION, "30s", SECONDS(1), MINUTES(5),
	 .help = "The longest that sending one mail may take."},
	{SETTING(mail.retry_first), CONFIG_DURATION,
	 "30s", SECONDS(1), HOURS(1),
	 .help = "The pause after the first failure; it doubles with each "
	         "further one."},
	{SETTING(mail.retry_most), CONFIG_DURATION, "1h", SECONDS(1), DAYS(1),
	 .help = "The longest such pause."},
	{SETTING(mail.give_up), CONFIG_DURATION, "3d", MINUTES(1), DAYS(30),
	 .help = "A mail that could not be sent for so long is dropped."},

	{SETTING(limit.login), CONFIG_RATE, "5/15m", 1, 1000000,
	 .help = "Sign-in attempts of one address."},
	{SETTING(limit.login_account), CONFIG_RATE, "5/5m", 1, 1000000,
	 .help = "Sign-in attempts at one account, from all addresses."},
	{SETTING(limit.registration), CONFIG_RATE, "3/1h", 1, 1000000,
	 .help = "Registrations from one address."},
	{SETTING(limit.reset), CONFIG_RATE, "3/1h", 1, 1000000,
	 .help = "Requests for a new password from one address."},
	{SETTING(limit.verification), CONFIG_RATE, "5/1h", 1, 1000000,
	 .help = "Confirmations and requests for one from one address."},
	{SETTING(limit.api_user), CONFIG_RATE, "100/1m burst 10", 1, 1000000,
	 .help = "Every other call of one signed-in person."},
	{SETTING(limit.api_anonymous), CONFIG_RATE, "20/1m burst 5", 1, 1000000,
	 .help = "Every other call from one address without a credential."},
	{SETTING(limit.api_key), CONFIG_RATE, "100/1m burst 10", 1, 1000000,
	 .help = "Calls with one API key that has no rate of its own."},
	{SETTING(limit.websocket), CONFIG_RATE, "10/1m burst 2", 1, 1000000,
	 .help = "WebSocket upgrades of one person or address."},
	{SETTING(limit.factor), CONFIG_RATE, "20/1h", 1, 1000000,
	 .help = "Attempts at one person's second factor."},
	{SETTING(limit.ipv6_site_factor), CONFIG_NUMBER, "16", 1, 65536,
	 .help = "IPv6 is counted by /64; all of a /48 may do so many times as "
	         "much."},

	{SETTING(guard.delay_after), CONFIG_NUMBER, "5", 1, 1000,
	 .help = "Failed sign-ins of an account or network after which each "
	         "next attempt has to wait."},
	{SETTING(guard.delay_first), CONFIG_DURATION, "1s", SECONDS(1), HOURS(1),
	 .help = "The first such wait; every further one is twice as long."},
	{SETTING(guard.delay_most), CONFIG_DURATION, "1m", SECONDS(1), DAYS(1),
	 .help = "The longest such wait."},
	{SETTING(guard.lock_after), CONFIG_NUMBER, "10", 2, 100,
	 .help = "Consecutive failed sign-ins that lock an account."},
	{SETTING(guard.lock_first), CONFIG_DURATION, "15m", SECONDS(1), DAYS(1),
	 .help = "How long the first lock lasts; every further one is twice as "
	         "long. A device that was used before passes it."},
	{SETTING(guard.lock_most), CONFIG_DURATION, "4h", SECONDS(1), DAYS(7),
	 .help = "The longest lock."},
	{SETTING(guard.forget_after), CONFIG_DURATION, "1d", MINUTES(1), DAYS(30),
	 .help = "Failures are forgotten after so long without another one."},
	{SETTING(guard.device_life), CONFIG_DURATION, "180d", DAYS(1), DAYS(365),
	 .help = "How long a browser that signed in is known as a device."},
	{SETTING(guard.auto_block_after), CONFIG_NUMBER, "50", 0, 1000000,
	 .help = "Failed sign-ins after which a network is blocked; 0 never."},
	{SETTING(guard.auto_block_for), CONFIG_DURATION, "1h", SECONDS(1), DAYS(30),
	 .help = "How long such a block lasts."},
	{SETTING(guard.blocklist_file), CONFIG_PATH, "",
	 .help = "The list of blocked addresses that clavigerctl blocklist load "
	         "makes."},
	{SETTING(guard.allow), CONFIG_BLOCKS, "",
	 .help = "Addresses that are never blocked."},

	{SETTING(captcha.provider), CONFIG_CHOICE, "altcha",
	 .choices = captchas,
	 .help = "Who asks for proof after failed sign-ins: altcha (made and "
	         "checked here), hcaptcha, turnstile, or none."},
	{SETTING(captcha.after), CONFIG_NUMBER, "3", 0, 1000000,
	 .help = "Failed sign-ins of an account or network after which a captcha "
	         "is wanted; 0 always."},
	{SETTING(captcha.difficulty), CONFIG_NUMBER, "50000", 1000, 10000000,
	 .help = "ALTCHA: the largest number that a browser has to find."},
	{SETTING(captcha.expiry), CONFIG_DURATION, "5m", SECONDS(10), HOURS(1),
	 .help = "ALTCHA: how long a challenge is good."},
	{SETTING(captcha.site_key), CONFIG_TEXT, "",
	 .help = "hCaptcha, Turnstile: the site key."},
	{SETTING(captcha.secret), CONFIG_SECRET, "",
	 .help = "hCaptcha, Turnstile: the secret."},
	{SETTING(captcha.secret_file), CONFIG_PATH, "",
	 .help = "A private file with the secret in it."},
	{SETTING(captcha.verify_url), CONFIG_TEXT, "",
	 .help = "Where to have answers checked; empty is the provider's own."},
	{SETTING(captcha.timeout), CONFIG_DURATION, "3s", SECONDS(1), SECONDS(10),
	 .help = "How long to wait for that; without an answer nobody passes."},

	{SETTING(audit.retention), CONFIG_DURATION, "365d", 0, DAYS(36500),
	 .help = "Events older than this are deleted; 0 is never."},
};
/* clang-format on */

const size_t config_row_count = sizeof(config_rows) / sizeof(config_rows[0]);

const struct config_row *config_row_find(struct span name)
{
	for (size_t i = 0; i < config_row_count; i++)
		if (span_equal(name, span_of(config_rows[i].name)))
			return &config_rows[i];
	return NULL;
}
