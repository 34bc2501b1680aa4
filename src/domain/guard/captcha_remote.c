/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a captcha provider by libcurl. Every doubt ends as a refusal. */
#include "domain/guard/captcha_remote.h"

#include "base/encode.h"
#include "base/json_read.h"
#include "base/log.h"

#include <curl/curl.h>
#include <string.h>

#define ANSWER_BYTES 16384
#define HTTP_GOOD    200L

static const char *const verify_urls[] = {
    [CAPTCHA_HCAPTCHA] = "https://api.hcaptcha.com/siteverify",
    [CAPTCHA_TURNSTILE] =
	"https://challenges.cloudflare.com/turnstile/v0/siteverify",
};

enum fault captcha_remote_prepare(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
	           ? FAULT_NONE
	           : FAULT_EXHAUSTED;
}

static const char *url_of(const struct config *config)
{
	return config->captcha.verify_url[0]
	           ? config->captcha.verify_url
	           : verify_urls[config->captcha.provider];
}

/* Percent-encoding makes three bytes of one. */
static struct span write_form(struct ctx *ctx, struct span token)
{
	char address[IP_TEXT_BYTES];
	struct span secret = span_of(ctx->config->captcha.secret);
	struct text form =
	    arena_text(ctx->arena, 3 * (secret.length + token.length) + 256);
	text_append(&form, SPAN("secret="));
	percent_append(&form, secret);
	text_append(&form, SPAN("&response="));
	percent_append(&form, token);
	text_append(&form, SPAN("&remoteip="));
	percent_append(&form, span_of(ip_format(&ctx->ip, address)));
	return text_check(&form) ? (struct span){0} : text_span(&form);
}

/* Less than it was given tells libcurl to give up. */
static size_t keep_answer(char *bytes, size_t size, size_t count, void *into)
{
	struct text *answer = into;
	text_append(answer, (struct span){bytes, size * count});
	return answer->overflowed ? 0 : size * count;
}

static void set_options(CURL *curl, const struct config *config,
                        struct span form, struct text *answer)
{
	curl_easy_setopt(curl, CURLOPT_URL, url_of(config));
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_SSLVERSION,
	                 (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
	                 (long)config->captcha.timeout);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
	                 (curl_off_t)form.length);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form.at);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

static enum fault unavailable(const char *why)
{
	log_note(LOG_ERROR, "captcha_provider_unavailable", why);
	return FAULT_UNAVAILABLE;
}

static enum fault ask(CURL *curl)
{
	long status = 0;
	CURLcode code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		return unavailable(curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == HTTP_GOOD ? FAULT_NONE
	                           : unavailable("another status than 200");
}

/* "invalid-input-secret": the fault is not the visitor's, but ours. */
static bool is_about_secret(const struct json_node *codes)
{
	const struct json_node *code = codes ? codes->child : NULL;
	for (; code; code = code->next)
		if (code->type == JSON_STRING &&
		    strstr(code->text.at, "secret"))
			return true;
	return false;
}

static enum fault judge(struct ctx *ctx, struct span answer)
{
	const struct json_node *root = NULL;
	enum fault fault =
	    json_parse(ctx->arena, answer, &json_limits_request, &root);
	if (fault == FAULT_EXHAUSTED)
		return fault;
	const struct json_node *success =
	    fault ? NULL : json_member(root, "success");
	if (!success || success->type != JSON_BOOL)
		return unavailable("an answer that says nothing of success");
	if (success->boolean)
		return FAULT_NONE;
	return is_about_secret(json_member(root, "error-codes"))
	           ? unavailable("captcha.secret is refused")
	           : FAULT_CAPTCHA_REQUIRED;
}

enum fault captcha_remote_check(struct ctx *ctx, struct span token)
{
	struct span form = write_form(ctx, token);
	struct text answer = arena_text(ctx->arena, ANSWER_BYTES);
	if (!form.at)
		return FAULT_EXHAUSTED;
	CURL *curl = curl_easy_init();
	if (!curl)
		return unavailable("no memory");
	set_options(curl, ctx->config, form, &answer);
	enum fault fault = ask(curl);
	curl_easy_cleanup(curl);
	return fault ? fault : judge(ctx, text_span(&answer));
}
