/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one setting demands of another, and shapes that no kind of value knows.
 * One row a demand.
 */
#include "base/config_rows.h"

static bool is_host_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
	       byte == '-' || byte == '.';
}

/* A name, an IPv4 address, or an IPv6 address in brackets. */
static bool is_host(struct span host)
{
	struct ip ip;

	if (host.length > 2 && host.at[0] == '[' &&
	    host.at[host.length - 1] == ']')
		return !ip_parse((struct span){host.at + 1, host.length - 2},
		                 &ip);
	for (size_t i = 0; i < host.length; i++)
		if (!is_host_byte(host.at[i]))
			return false;
	return host.length > 0;
}

static const struct scheme {
	struct span prefix;
	uint64_t port; /* which an origin leaves out */
} schemes[] = {
    {{"https://", 8}, 443},
    {{"http://", 7}, 80},
};

/* host or host:port, but not with this port. */
static bool is_authority(struct span rest, uint64_t default_port)
{
	struct span host = rest;
	uint64_t port;

	while (host.length && host.at[host.length - 1] != ':' &&
	       host.at[host.length - 1] != ']')
		host.length--;
	if (!host.length || host.at[host.length - 1] == ']')
		return is_host(rest);
	rest.at += host.length;
	rest.length -= host.length;
	host.length--;
	if (span_number(rest, 65535, &port))
		return false;
	return is_host(host) && port > 0 && port != default_port;
}

/* scheme://host[:port] as browsers write an origin: lower case, no path. */
static bool is_origin(const char *url)
{
	struct span rest = span_of(url);

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		struct span prefix = schemes[i].prefix;
		if (!span_starts_with(rest, prefix))
			continue;
		rest.at += prefix.length;
		rest.length -= prefix.length;
		return is_authority(rest, schemes[i].port);
	}
	return false;
}

static bool is_path_byte(char byte)
{
	return is_host_byte(byte) || (byte >= 'A' && byte <= 'Z') ||
	       byte == '_' || byte == '~';
}

static bool is_segment(struct span segment)
{
	if (!segment.length || segment.at[0] == '.')
		return false;
	for (size_t i = 0; i < segment.length; i++)
		if (!is_path_byte(segment.at[i]))
			return false;
	return true;
}

/* "" or "/segment…" without a slash at the end. */
static bool is_base_path(const char *path)
{
	struct span rest = span_of(path);
	struct span segment;

	if (!rest.length)
		return true;
	if (!span_cut(&rest, '/', &segment) || segment.length || !rest.at)
		return false;
	while (span_cut(&rest, '/', &segment))
		if (!is_segment(segment))
			return false;
	return true;
}

static bool has_good_public_url(const struct config *config)
{
	return is_origin(config->server.public_url);
}

static bool has_good_base_path(const struct config *config)
{
	return is_base_path(config->server.base_path);
}

static bool has_good_origins(const struct config *config)
{
	const struct config_words *origins = &config->server.allowed_origins;

	for (size_t i = 0; i < origins->count; i++)
		if (!is_origin(origins->at[i]))
			return false;
	return true;
}

static bool has_runtime_dir(const struct config *config)
{
	return config->server.runtime_dir[0] != '\0';
}

static bool has_room_for_body(const struct config *config)
{
	const int64_t least = INT64_C(256) * 1024;

	return config->server.arena >= least + 8 * config->server.body_limit;
}

static bool waits_within_deadline(const struct config *config)
{
	return config->server.read_timeout <= config->server.request_deadline;
}

static bool has_possible_length(const struct config *config)
{
	return config->password.min_length <= config->password.max_length;
}

static bool has_affordable_hash(const struct config *config)
{
	return config->password.argon2_memory_kib <=
	       config->password.argon2_memory_cap_kib;
}

static bool idles_within_life(const struct config *config)
{
	return config->session.idle <= config->session.absolute;
}

static bool has_mail_sender(const struct config *config)
{
	return config->mail.transport == MAIL_TRANSPORT_NONE ||
	       span_has_byte(span_of(config->mail.from), '@');
}

static bool has_smtp_url(const struct config *config)
{
	struct span url = span_of(config->mail.smtp_url);

	return config->mail.transport != MAIL_TRANSPORT_SMTP ||
	       span_starts_with(url, SPAN("smtp://")) ||
	       span_starts_with(url, SPAN("smtps://"));
}

static bool has_sendmail_path(const struct config *config)
{
	return config->mail.transport != MAIL_TRANSPORT_SENDMAIL ||
	       config->mail.sendmail_path[0];
}

static bool has_maildir(const struct config *config)
{
	return config->mail.transport != MAIL_TRANSPORT_MAILDIR ||
	       config->mail.maildir[0];
}

static bool has_growing_retries(const struct config *config)
{
	return config->mail.retry_first <= config->mail.retry_most;
}

static bool is_remote_captcha(const struct config *config)
{
	return config->captcha.provider == CAPTCHA_HCAPTCHA ||
	       config->captcha.provider == CAPTCHA_TURNSTILE;
}

static bool has_captcha_keys(const struct config *config)
{
	return !is_remote_captcha(config) ||
	       (config->captcha.site_key[0] && config->captcha.secret[0]);
}

/* The secret travels there: in the clear only to this very host. */
static bool has_private_verify_url(const struct config *config)
{
	struct span url = span_of(config->captcha.verify_url);

	return !url.length || span_starts_with(url, SPAN("https://")) ||
	       span_starts_with(url, SPAN("http://127.0.0.1:")) ||
	       span_starts_with(url, SPAN("http://[::1]:"));
}

static bool has_growing_delays(const struct config *config)
{
	return config->guard.delay_first <= config->guard.delay_most &&
	       config->guard.lock_first <= config->guard.lock_most;
}

/* What must be true of the whole; the first that is not is the message. */
static const struct demand {
	bool (*is_met)(const struct config *config);
	const char *message;
} demands[] = {
    {has_good_public_url,
     "server.public_url: required: http or https, a host in lower case, a "
     "port unless it is the scheme's own, and nothing behind it"},
    {has_good_base_path,
     "server.base_path: must be empty or like /id, no slash at its end"},
    {has_good_origins, "server.allowed_origins: must be like https://host or "
                       "https://host:port"},
    {has_runtime_dir, "server.runtime_dir: must not be empty"},
    {has_room_for_body, "server.arena: must be at least 256k and eight "
                        "times server.body_limit"},
    {waits_within_deadline,
     "server.read_timeout: must not be over server.request_deadline"},
    {has_possible_length,
     "password.min_length: must not be over password.max_length"},
    {has_affordable_hash, "password.argon2_memory_kib: must not be over "
                          "password.argon2_memory_cap_kib"},
    {idles_within_life, "session.idle: must not be over session.absolute"},
    {has_mail_sender,
     "mail.from: must be an address unless mail.transport is none"},
    {has_smtp_url, "mail.smtp_url: must begin with smtp:// or smtps://"},
    {has_sendmail_path, "mail.sendmail_path: must not be empty"},
    {has_maildir, "mail.maildir: required by mail.transport = maildir"},
    {has_growing_retries, "mail.retry_first: must not be over mail.retry_most"},
    {has_growing_delays, "guard.delay_first, guard.lock_first: must not be "
                         "over guard.delay_most and guard.lock_most"},
    {has_captcha_keys, "captcha.site_key, captcha.secret: required by "
                       "hcaptcha and turnstile"},
    {has_private_verify_url,
     "captcha.verify_url: must begin with https:// (or http://127.0.0.1:)"},
};

const char *config_demand_unmet(const struct config *config)
{
	for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]); i++)
		if (!demands[i].is_met(config))
			return demands[i].message;
	return NULL;
}
