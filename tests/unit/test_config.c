/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: files, the command line, bounds, secrets, and what is printed. */
#include "unit.h"

#include "base/config.h"
#include "folder.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS INT64_C(1000)
#define DAYS    (24 * 3600 * SECONDS)
#define URL     "server.public_url = https://id.example.org\n"

static struct config config;
static struct config_error error;

static int set_up(void **state)
{
	(void)state;
	folder_make();
	config_defaults(&config);
	memset(&error, 0, sizeof(error));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	config_release();
	folder_remove();
	return 0;
}

static enum fault read_text(const char *contents)
{
	return config_read(&config, folder_write("conf", 0600, contents),
	                   &error);
}

/* The file is refused with FILE and this behind it. */
static void assert_refused(const char *contents, const char *message)
{
	char expected[sizeof(error.message)];

	assert_int_equal(read_text(contents), FAULT_INVALID_REQUEST);
	(void)snprintf(expected, sizeof(expected), "%s%s", folder_path("conf"),
	               message);
	assert_string_equal(error.message, expected);
}

static void has_defaults_that_are_valid_but_for_the_url(void **state)
{
	(void)state;
	assert_int_equal(config_finish(&config, &error), FAULT_INVALID_REQUEST);
	assert_memory_equal(error.message, "server.public_url: required", 27);
	assert_int_equal(read_text(URL), FAULT_NONE);
	assert_int_equal(config_finish(&config, &error), FAULT_NONE);
}

static void has_the_documented_defaults(void **state)
{
	(void)state;
	assert_string_equal(config.server.runtime_dir, "/run/claviger");
	assert_int_equal(config.server.body_limit, 64 * 1024);
	assert_int_equal(config.server.operations_from.count, 2);
	assert_int_equal(config.password.min_length, 12);
	assert_int_equal(config.password.argon2_memory_kib, 19456);
	assert_int_equal(config.session.access_ttl, 900 * SECONDS);
	assert_int_equal(config.session.absolute, 30 * DAYS);
	assert_int_equal(config.account.registration, REGISTRATION_OPEN);
	assert_int_equal(config.mail.transport, MAIL_TRANSPORT_NONE);
	assert_int_equal(config.mail.smtp_starttls, STARTTLS_REQUIRED);
	assert_int_equal(config.limit.login.count, 5);
	assert_int_equal(config.limit.login.window_ms, 900 * SECONDS);
	assert_int_equal(config.limit.login.burst, 0);
	assert_int_equal(config.limit.login_account.window_ms, 300 * SECONDS);
	assert_int_equal(config.limit.api_user.count, 100);
	assert_int_equal(config.limit.api_user.window_ms, 60 * SECONDS);
	assert_int_equal(config.limit.api_user.burst, 10);
	assert_int_equal(config.limit.api_anonymous.burst, 5);
	assert_int_equal(config.limit.ipv6_site_factor, 16);
	assert_int_equal(config.guard.lock_after, 10);
	assert_int_equal(config.guard.allow.count, 0);
	assert_int_equal(config.captcha.provider, CAPTCHA_ALTCHA);
	assert_int_equal(config.redis.timeout, 250);
	assert_int_equal(config.log.level, LOG_INFO);
}

static void reads_every_kind_of_value(void **state)
{
	(void)state;
	assert_int_equal(
	    read_text("# a comment\n"
	              "\n"
	              "  mail.product = My  Product # not part of it\r\n"
	              "log.file=/var/log/claviger.log\n"
	              "server.workers = 7\n"
	              "session.idle = 36h\n"
	              "server.body_limit = 1M\n"
	              "server.arena = 16777216\n"
	              "log.level = warning\n"
	              "limit.api_key = 1000/30s\n"
	              "limit.factor = 7/1h  burst  12\n"
	              "server.trusted_proxies = 10.0.0.0/8, 2001:db8::/32\n"
	              "server.peers = www-data nginx, http\n"
	              "redis.password = a#b=c d"),
	    FAULT_NONE);
	assert_string_equal(config.mail.product, "My  Product");
	assert_string_equal(config.log.file, "/var/log/claviger.log");
	assert_int_equal(config.server.workers, 7);
	assert_int_equal(config.session.idle, 36 * 3600 * SECONDS);
	assert_int_equal(config.server.body_limit, 1024 * 1024);
	assert_int_equal(config.server.arena, 16 * 1024 * 1024);
	assert_int_equal(config.log.level, LOG_WARNING);
	assert_int_equal(config.limit.api_key.count, 1000);
	assert_int_equal(config.limit.api_key.window_ms, 30 * SECONDS);
	assert_int_equal(config.limit.api_key.burst, 0);
	assert_int_equal(config.limit.factor.count, 7);
	assert_int_equal(config.limit.factor.window_ms, 3600 * SECONDS);
	assert_int_equal(config.limit.factor.burst, 12);
	assert_int_equal(config.server.trusted_proxies.count, 2);
	assert_int_equal(config.server.trusted_proxies.at[0].prefix, 104);
	assert_int_equal(config.server.peers.count, 3);
	assert_string_equal(config.server.peers.at[2], "http");
	assert_string_equal(config.redis.password, "a#b=c d");
}

static void lets_an_empty_value_unset_a_text(void **state)
{
	(void)state;
	assert_int_equal(read_text("database.socket =\n"
	                           "server.operations_from = # nobody\n"),
	                 FAULT_NONE);
	assert_string_equal(config.database.socket, "");
	assert_int_equal(config.server.operations_from.count, 0);
}

static void names_the_file_and_line_of_an_unknown_setting(void **state)
{
	(void)state;
	assert_refused("# one\nlog.level = info\nlog.colour = blue\n",
	               ":3: log.colour: unknown setting");
	assert_refused("level = info\n", ":1: level: unknown setting");
	assert_refused("= x\n", ":1: line: unknown setting");
	assert_refused("log.lev\x1b[31mel = x\n", ":1: line: unknown setting");
}

static void refuses_a_line_without_an_equals_sign(void **state)
{
	(void)state;
	assert_refused("log.level\n",
	               ":1: log.level: expected section.key = value");
	assert_refused("[server]\n",
	               ":1: [server]: expected section.key = value");
}

static void refuses_a_setting_that_comes_twice_in_a_file(void **state)
{
	(void)state;
	assert_refused("log.level = info\nlog.level = info\n",
	               ":2: log.level: is set a second time");
	/* Another file may say it again. */
	assert_int_equal(read_text("log.level = debug\n"), FAULT_NONE);
	assert_int_equal(read_text("log.level = error\n"), FAULT_NONE);
	assert_int_equal(config.log.level, LOG_ERROR);
}

static void refuses_values_that_are_out_of_shape_or_bounds(void **state)
{
	static const char *const wrong[] = {
	    "server.workers = -1",
	    "server.workers = 513",
	    "server.workers = many",
	    "server.workers =",
	    "server.workers = 1.5",
	    "password.min_length = 7",
	    "password.argon2_memory_kib = 19455",
	    "password.argon2_passes = 1",
	    "session.access_ttl = 16m",
	    "session.access_ttl = 59s",
	    "session.access_ttl = 15x",
	    "token.clock_skew = 61s",
	    "server.body_limit = 2M",
	    "server.body_limit = 64K",
	    "server.body_limit = 64kB",
	    "server.body_limit = k",
	    "server.arena = 99999999999999999999G",
	    "log.level = loud",
	    "log.level =",
	    "log.file = relative/path",
	    "limit.login = 5",
	    "limit.login = 5/",
	    "limit.login = /15m",
	    "limit.login = 0/15m",
	    "limit.login = 5/15m/1",
	    "limit.login = 5/2d",
	    "limit.login = 5/999ms",
	    "limit.login = 5/15m 3",
	    "limit.login = 5/15m burst",
	    "limit.login = 5/15m burst 0",
	    "limit.login = 5/15m burst -1",
	    "limit.login = 5/15m burst 1000001",
	    "limit.login = 5/15m burst 3 4",
	    "limit.login = 5/15m bursts 3",
	    "limit.login = 5/15mburst 3",
	    "limit.ipv6_site_factor = 0",
	    "guard.lock_after = 101",
	    "guard.delay_first = 0",
	    "captcha.provider = riddle",
	    "captcha.difficulty = 999",
	    "server.trusted_proxies = 10.0.0.1/8",
	    "server.trusted_proxies = localhost",
	    "server.peers = a a a a a a a a a a a a a a a a a",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		config_defaults(&config);
		if (read_text(wrong[i]) != FAULT_INVALID_REQUEST)
			fail_msg("not refused: %s", wrong[i]);
		assert_non_null(strstr(error.message, ": must be "));
	}
}

static void says_what_a_value_must_be(void **state)
{
	(void)state;
	assert_refused(
	    "password.min_length = 99",
	    ":1: password.min_length: must be a number from 8 to 64");
	assert_refused("session.access_ttl = 0",
	               ":1: session.access_ttl: must be a duration "
	               "(ms, s, m, h, d) from 1m to 15m");
	assert_refused("server.body_limit = 0",
	               ":1: server.body_limit: must be a size (k, M, G) "
	               "from 1k to 1M");
	assert_refused("mail.transport = pigeon",
	               ":1: mail.transport: must be one of none, smtp, "
	               "sendmail, maildir");
}

static void leaves_a_setting_as_it_was_when_refused(void **state)
{
	(void)state;
	assert_int_equal(read_text("server.trusted_proxies = ::1 nonsense"),
	                 FAULT_INVALID_REQUEST);
	assert_int_equal(config.server.trusted_proxies.count, 0);
	assert_int_equal(read_text("limit.login = 9/9d"),
	                 FAULT_INVALID_REQUEST);
	assert_int_equal(config.limit.login.count, 5);
}

static void refuses_control_characters_and_long_values(void **state)
{
	static char contents[4096];

	(void)state;
	assert_refused("mail.product = a\x1b[31m",
	               ":1: mail.product: must be one line of text");
	assert_refused("mail.product = \xff",
	               ":1: mail.product: must be one line of text");
	(void)snprintf(contents, sizeof(contents), "mail.product = %03000d", 1);
	assert_refused(contents, ":1: mail.product: is too long");
}

static void refuses_a_file_that_it_cannot_read(void **state)
{
	(void)state;
	assert_int_equal(config_read(&config, folder_path("missing"), &error),
	                 FAULT_INVALID_REQUEST);
	assert_non_null(strstr(error.message, "No such file"));
	assert_int_equal(config_read(&config, folder_path("."), &error),
	                 FAULT_INVALID_REQUEST);
	assert_non_null(strstr(error.message, "is not a file"));
	assert_int_equal(mkfifo(folder_path("fifo"), 0600), 0);
	assert_int_equal(config_read(&config, folder_path("fifo"), &error),
	                 FAULT_INVALID_REQUEST);
}

static void refuses_a_file_of_more_than_256_kib(void **state)
{
	const char *path = folder_write("conf", 0600, "log.level = info\n");

	(void)state;
	assert_int_equal(truncate(path, 256 * 1024 + 1), 0);
	assert_int_equal(config_read(&config, path, &error),
	                 FAULT_INVALID_REQUEST);
	assert_non_null(strstr(error.message, "is too large"));
}

static void refuses_a_secret_in_a_file_that_others_read(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0644};
	static const char *const secrets[] = {
	    "database.password = x\n",
	    "redis.password = x\n",
	    "mail.smtp_password = x\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(modes) * COUNT_OF(secrets); i++) {
		const char *path =
		    folder_write("conf", modes[i % COUNT_OF(modes)],
		                 secrets[i / COUNT_OF(modes)]);
		assert_int_equal(config_read(&config, path, &error),
		                 FAULT_INVALID_REQUEST);
		assert_non_null(strstr(error.message, "is a secret"));
	}
	assert_int_equal(read_text("redis.password = x\n"), FAULT_NONE);
}

static void reads_a_file_without_secrets_whoever_can(void **state)
{
	const char *path = folder_write("conf", 0644,
	                                "log.level = debug\n"
	                                "redis.password =\n");

	(void)state;
	assert_int_equal(config_read(&config, path, &error), FAULT_NONE);
	assert_int_equal(config.log.level, LOG_DEBUG);
}

static void takes_settings_from_the_command_line(void **state)
{
	(void)state;
	assert_int_equal(read_text("server.workers = 7\n"), FAULT_NONE);
	assert_int_equal(config_set(&config, "server.workers=2", &error),
	                 FAULT_NONE);
	assert_int_equal(config.server.workers, 2);
	assert_int_equal(config_set(&config, "server.wrokers=2", &error),
	                 FAULT_INVALID_REQUEST);
	assert_string_equal(error.message,
	                    "--set: server.wrokers: unknown setting");
	assert_int_equal(config_set(&config, "mail.product=A #1", &error),
	                 FAULT_NONE);
	assert_string_equal(config.mail.product, "A #1");
}

static void keeps_secrets_off_the_command_line(void **state)
{
	(void)state;
	assert_int_equal(config_set(&config, "redis.password=hunter2", &error),
	                 FAULT_INVALID_REQUEST);
	assert_non_null(strstr(error.message, "is a secret"));
	assert_null(strstr(error.message, "hunter2"));
	assert_string_equal(config.redis.password, "");
}

static void accepts_origins_as_browsers_write_them(void **state)
{
	static const char *const right[] = {
	    "https://id.example.org", "https://localhost:8443",
	    "http://127.0.0.1:8080",  "http://[::1]:8080",
	    "https://[2001:db8::1]",  "http://localhost",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(right); i++) {
		config.server.public_url = right[i];
		assert_int_equal(config_finish(&config, &error), FAULT_NONE);
	}
}

static void refuses_urls_that_are_no_origin(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "id.example.org",
	    "ftp://id.example.org",
	    "https://",
	    "https://id.example.org/",
	    "https://id.example.org/path",
	    "https://id.example.org?q",
	    "https://user@id.example.org",
	    "https://ID.example.org",
	    "https://id.example.org:",
	    "https://id.example.org:0",
	    "https://id.example.org:65536",
	    "https://id.example.org:8443a",
	    "https://id.example.org:443",
	    "http://id.example.org:80",
	    "https://:8443",
	    "https://[::1",
	    "https://[nonsense]",
	    "https://a b",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		config.server.public_url = wrong[i];
		if (!config_finish(&config, &error))
			fail_msg("not refused: %s", wrong[i]);
		assert_memory_equal(error.message, "server.public_url: ", 19);
	}
}

static void checks_what_one_setting_demands_of_another(void **state)
{
	static const struct {
		const char *lines;
		const char *culprit;
	} cases[] = {
	    {"server.base_path = id", "server.base_path: "},
	    {"server.base_path = /id/", "server.base_path: "},
	    {"server.base_path = /", "server.base_path: "},
	    {"server.base_path = //id", "server.base_path: "},
	    {"server.base_path = /a/../b", "server.base_path: "},
	    {"server.base_path = /a%20b", "server.base_path: "},
	    {"server.allowed_origins = https://a https://b/",
	     "server.allowed_origins: "},
	    {"server.runtime_dir =", "server.runtime_dir: "},
	    {"server.body_limit = 128k", "server.arena: "},
	    {"server.arena = 256k", "server.arena: "},
	    {"server.request_deadline = 4s", "server.read_timeout: "},
	    {"password.argon2_memory_kib = 300000",
	     "password.argon2_memory_kib: "},
	    {"session.idle = 31d", "session.idle: "},
	    {"mail.transport = smtp", "mail.from: "},
	    {"mail.transport = smtp\nmail.from = a@b\nmail.smtp_url = x",
	     "mail.smtp_url: "},
	    {"mail.transport = sendmail\nmail.from = a@b\n"
	     "mail.sendmail_path =",
	     "mail.sendmail_path: "},
	    {"mail.transport = maildir\nmail.from = a@b", "mail.maildir: "},
	    {"mail.retry_most = 10s", "mail.retry_first: "},
	    {"guard.delay_first = 2m", "guard.delay_first, "},
	    {"guard.lock_first = 5h", "guard.delay_first, "},
	    {"captcha.provider = hcaptcha", "captcha.site_key, "},
	    {"captcha.provider = turnstile\ncaptcha.site_key = a",
	     "captcha.site_key, "},
	    {"captcha.verify_url = http://captcha.example.com/",
	     "captcha.verify_url: "},
	    {"captcha.verify_url = http://127.0.0.1.example.com/",
	     "captcha.verify_url: "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		config_defaults(&config);
		assert_int_equal(read_text(URL), FAULT_NONE);
		assert_int_equal(read_text(cases[i].lines), FAULT_NONE);
		assert_int_equal(config_finish(&config, &error),
		                 FAULT_INVALID_REQUEST);
		assert_memory_equal(error.message, cases[i].culprit,
		                    strlen(cases[i].culprit));
	}
}

static void accepts_a_whole_mail_setup_and_a_base_path(void **state)
{
	(void)state;
	assert_int_equal(read_text(URL "server.base_path = /apps/id\n"
	                               "mail.transport = maildir\n"
	                               "mail.from = id@example.org\n"
	                               "mail.maildir = /var/spool/mail\n"),
	                 FAULT_NONE);
	assert_int_equal(config_finish(&config, &error), FAULT_NONE);
}

static void takes_issuer_and_audience_from_the_url(void **state)
{
	(void)state;
	assert_int_equal(read_text(URL "token.audience = urn:x\n"), FAULT_NONE);
	assert_int_equal(config_finish(&config, &error), FAULT_NONE);
	assert_string_equal(config.token.issuer, "https://id.example.org");
	assert_string_equal(config.token.audience, "urn:x");
}

/* config names this file as the one of database.password. */
static void name_secret_file(mode_t mode, const char *contents)
{
	char line[512];

	config_defaults(&config);
	assert_int_equal(read_text(URL), FAULT_NONE);
	(void)snprintf(line, sizeof(line), "database.password_file=%s",
	               folder_write("secret", mode, contents));
	assert_int_equal(config_set(&config, line, &error), FAULT_NONE);
}

static void reads_a_secret_from_its_file(void **state)
{
	(void)state;
	name_secret_file(0400, "s3 cret#\n");
	assert_int_equal(config_finish(&config, &error), FAULT_NONE);
	assert_string_equal(config.database.password, "s3 cret#");
}

static void refuses_a_secret_file_that_is_not_private(void **state)
{
	(void)state;
	name_secret_file(0440, "hunter2\n");
	assert_int_equal(config_finish(&config, &error), FAULT_INVALID_REQUEST);
	assert_non_null(strstr(error.message, "database.password_file: "));
	assert_non_null(strstr(error.message, "group or others can read it"));
	assert_null(strstr(error.message, "hunter2"));
	assert_string_equal(config.database.password, "");
}

static void refuses_a_secret_file_without_one_line(void **state)
{
	static const char *const wrong[] = {"", "\n", "a\nb\n", "a\x01"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		name_secret_file(0400, wrong[i]);
		assert_int_equal(config_finish(&config, &error),
		                 FAULT_INVALID_REQUEST);
	}
	name_secret_file(0400, "a");
	assert_int_equal(unlink(folder_path("secret")), 0);
	assert_int_equal(config_finish(&config, &error), FAULT_INVALID_REQUEST);
	assert_non_null(strstr(error.message, "No such file"));
}

static void refuses_a_secret_given_in_both_ways(void **state)
{
	(void)state;
	name_secret_file(0400, "a");
	assert_int_equal(read_text("database.password = b\n"), FAULT_NONE);
	assert_int_equal(config_finish(&config, &error), FAULT_INVALID_REQUEST);
}

/* What a print function wrote, to be freed. */
static char *printed(bool is_defaults)
{
	char *bytes;
	size_t length;
	FILE *out = open_memstream(&bytes, &length);

	assert_non_null(out);
	if (is_defaults)
		config_print_defaults(out);
	else
		config_print(&config, out);
	assert_int_equal(fclose(out), 0);
	return bytes;
}

static void prints_defaults_that_read_back_as_themselves(void **state)
{
	char *before = printed(false);
	char *defaults = printed(true);
	char *after;

	(void)state;
	assert_int_equal(read_text(defaults), FAULT_NONE);
	for (char *at = defaults; *at; at++)
		if (at[0] == '\n' && at[1] == '#' && at[2] != ' ' &&
		    at[2] != '\n')
			at[1] = ' ';
	assert_int_equal(read_text(defaults), FAULT_NONE);
	after = printed(false);
	assert_string_equal(before, after);
	free(before);
	free(defaults);
	free(after);
}

static void documents_every_setting(void **state)
{
	char *values = printed(false);
	char *defaults = printed(true);
	struct span rest = span_of(values);
	struct span line;
	size_t count = 0;

	(void)state;
	while (span_cut(&rest, '\n', &line) && line.length) {
		char name[128];
		struct span key;
		assert_true(span_cut(&line, ' ', &key));
		(void)snprintf(name, sizeof(name), "\n#%.*s =", (int)key.length,
		               key.at);
		assert_non_null(strstr(defaults, name));
		count++;
	}
	assert_true(count > 80);
	assert_non_null(strstr(defaults, "\n#limit.login = 5/15m\n"));
	assert_non_null(
	    strstr(defaults, "\n#limit.api_user = 100/1m burst 10\n"));
	assert_non_null(strstr(defaults, "\n# (a number from 8 to 64)\n"));
	free(values);
	free(defaults);
}

static void never_prints_a_secret(void **state)
{
	char *values;

	(void)state;
	assert_int_equal(read_text("redis.password = hunter2\n"
	                           "server.trusted_proxies = 10.0.0.0/8 ::/0\n"
	                           "mail.product =#1\n"),
	                 FAULT_NONE);
	values = printed(false);
	assert_null(strstr(values, "hunter2"));
	assert_non_null(strstr(values, "\nredis.password = (set)\n"));
	assert_non_null(strstr(values, "\ndatabase.password = (unset)\n"));
	assert_non_null(
	    strstr(values, "\nserver.trusted_proxies = 10.0.0.0/8 ::/0\n"));
	assert_non_null(strstr(values, "\nmail.product =#1\n"));
	free(values);
}

static void finds_the_file_that_is_named(void **state)
{
	(void)state;
	assert_int_equal(setenv("CLAVIGER_CONFIG", "/from/environment", 1), 0);
	assert_string_equal(config_find("/given"), "/given");
	assert_string_equal(config_find(NULL), "/from/environment");
	assert_int_equal(unsetenv("CLAVIGER_CONFIG"), 0);
}

static void finds_the_file_below_home(void **state)
{
	static const char *const folders[] = {"home/.config/claviger",
	                                      "home/.config", "home"};
	const char *file;

	(void)state;
	for (size_t i = COUNT_OF(folders); i > 0; i--)
		assert_int_equal(mkdir(folder_path(folders[i - 1]), 0700), 0);
	file = folder_write("home/.config/claviger/claviger.conf", 0600, "");
	assert_int_equal(setenv("HOME", folder_path("home"), 1), 0);
	assert_string_equal(config_find(NULL), file);
	assert_int_equal(unlink(file), 0);
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		assert_int_equal(rmdir(folder_path(folders[i])), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(has_defaults_that_are_valid_but_for_the_url),
	    CASE(has_the_documented_defaults),
	    CASE(reads_every_kind_of_value),
	    CASE(lets_an_empty_value_unset_a_text),
	    CASE(names_the_file_and_line_of_an_unknown_setting),
	    CASE(refuses_a_line_without_an_equals_sign),
	    CASE(refuses_a_setting_that_comes_twice_in_a_file),
	    CASE(refuses_values_that_are_out_of_shape_or_bounds),
	    CASE(says_what_a_value_must_be),
	    CASE(leaves_a_setting_as_it_was_when_refused),
	    CASE(refuses_control_characters_and_long_values),
	    CASE(refuses_a_file_that_it_cannot_read),
	    CASE(refuses_a_file_of_more_than_256_kib),
	    CASE(refuses_a_secret_in_a_file_that_others_read),
	    CASE(reads_a_file_without_secrets_whoever_can),
	    CASE(takes_settings_from_the_command_line),
	    CASE(keeps_secrets_off_the_command_line),
	    CASE(accepts_origins_as_browsers_write_them),
	    CASE(refuses_urls_that_are_no_origin),
	    CASE(checks_what_one_setting_demands_of_another),
	    CASE(accepts_a_whole_mail_setup_and_a_base_path),
	    CASE(takes_issuer_and_audience_from_the_url),
	    CASE(reads_a_secret_from_its_file),
	    CASE(refuses_a_secret_file_that_is_not_private),
	    CASE(refuses_a_secret_file_without_one_line),
	    CASE(refuses_a_secret_given_in_both_ways),
	    CASE(prints_defaults_that_read_back_as_themselves),
	    CASE(documents_every_setting),
	    CASE(never_prints_a_secret),
	    CASE(finds_the_file_that_is_named),
	    CASE(finds_the_file_below_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
