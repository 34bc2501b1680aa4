/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMTP by libcurl: STARTTLS and AUTH as configured. A 5xx for the message is
 * final; everything else is worth another try.
 */
#include "domain/outbox/smtp.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

static size_t read_message(char *into, size_t size, size_t count, void *source)
{
	struct span *rest = source;
	size_t bytes = size * count;
	if (bytes > rest->length)
		bytes = rest->length;
	if (bytes)
		memcpy(into, rest->at, bytes);
	rest->at += bytes;
	rest->length -= bytes;
	return bytes;
}

static const long tls_levels[] = {
    [STARTTLS_REQUIRED] = CURLUSESSL_ALL,
    [STARTTLS_IF_OFFERED] = CURLUSESSL_TRY,
    [STARTTLS_OFF] = CURLUSESSL_NONE,
};

static void set_options(CURL *curl, const struct config *config,
                        struct span *message)
{
	curl_easy_setopt(curl, CURLOPT_URL, config->mail.smtp_url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_USE_SSL,
	                 tls_levels[config->mail.smtp_starttls]);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION,
	                 (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)config->mail.timeout);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (config->mail.smtp_ca_file[0])
		curl_easy_setopt(curl, CURLOPT_CAINFO,
		                 config->mail.smtp_ca_file);
	if (config->mail.smtp_user[0]) {
		curl_easy_setopt(curl, CURLOPT_USERNAME,
		                 config->mail.smtp_user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD,
		                 config->mail.smtp_password);
	}
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
	curl_easy_setopt(curl, CURLOPT_READDATA, message);
}

/* "<address>" as MAIL FROM and RCPT TO want it. */
static const char *angle(struct span address, char out[270])
{
	snprintf(out, 270, "<%.*s>", (int)address.length, address.at);
	return out;
}

static enum fault judge(CURL *curl, CURLcode code, const char *words,
                        char why[TRANSPORT_ERROR_BYTES])
{
	if (code == CURLE_OK)
		return FAULT_NONE;
	long answer = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
	snprintf(why, TRANSPORT_ERROR_BYTES, "smtp: %.150s (last answer %ld)",
	         words[0] ? words : curl_easy_strerror(code), answer);
	/* 530 and 535 are about our own sign-in, not about this message. */
	bool is_final =
	    code == CURLE_SEND_ERROR && answer >= 550 && answer <= 559;
	return is_final ? FAULT_VALIDATION : FAULT_UNAVAILABLE;
}

enum fault smtp_send(const struct config *config, const struct uuid *id,
                     struct span to, struct span message,
                     char why[TRANSPORT_ERROR_BYTES])
{
	(void)id;
	char from[270], recipient[270], words[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	struct curl_slist *recipients =
	    curl_slist_append(NULL, angle(to, recipient));
	enum fault fault = FAULT_UNAVAILABLE;
	snprintf(why, TRANSPORT_ERROR_BYTES, "smtp: no memory");
	if (curl && recipients) {
		set_options(curl, config, &message);
		curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
		curl_easy_setopt(curl, CURLOPT_MAIL_FROM,
		                 angle(span_of(config->mail.from), from));
		curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
		fault = judge(curl, curl_easy_perform(curl), words, why);
	}
	curl_slist_free_all(recipients);
	curl_easy_cleanup(curl);
	return fault;
}
