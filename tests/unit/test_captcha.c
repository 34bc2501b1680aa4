/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captchas: solved as a browser solves them, then used again, changed, moved
 * in time and made too large; and the remote providers' answers over real HTTP
 * from a server of the test's own.
 */
#include "domain/guard/captcha.h"

#include "unit.h"

#include "base/encode.h"
#include "base/json_read.h"
#include "stack.h"
#include "world.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWD      64
#define MINUTE_MS  INT64_C(60000)
#define TEXT_BYTES 4096

static struct world world;

/* What the challenge says, and what the browser makes of it. */
struct puzzle {
	struct span challenge, salt, signature, algorithm;
	int64_t most;
	int64_t number;
};

static int start(void **state)
{
	(void)state;
	world_open(&world);
	assert_int_equal(captcha_prepare(&world.config), FAULT_NONE);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static int anew(void **state)
{
	(void)state;
	world_set(&world, "captcha.provider=altcha");
	world_set(&world, "captcha.difficulty=1000");
	world_turn(&world, "192.0.2.1", 0);
	world.ctx.now_ms = WORLD_NOON_MS;
	return 0;
}

static const struct json_node *challenge(void)
{
	const struct json_node *root = NULL;
	struct text text = arena_text(&world.arena, TEXT_BYTES);
	struct json_writer json = json_writer_over(&text);
	json_object_begin(&json, NULL);
	assert_int_equal(captcha_write_challenge(&world.ctx, &json),
	                 FAULT_NONE);
	json_object_end(&json);
	assert_int_equal(json_parse(&world.arena, text_span(&text),
	                            &json_limits_request, &root),
	                 FAULT_NONE);
	return root;
}

static bool solves(const struct puzzle *puzzle, int64_t number)
{
	unsigned char hash[DIGEST_SHA256_BYTES];
	char digits[24], memory[2 * DIGEST_SHA256_BYTES];
	struct text text = text_over(digits, sizeof(digits));
	struct text hex = text_over(memory, sizeof(memory));
	text_append_number(&text, number);
	const struct span parts[] = {puzzle->salt, text_span(&text)};
	assert_int_equal(digest_sha256(parts, 2, hash), FAULT_NONE);
	hex_append(&hex, hash, sizeof(hash));
	return span_equal(text_span(&hex), puzzle->challenge);
}

static struct puzzle solved(void)
{
	const struct json_node *root = challenge();
	struct puzzle puzzle = {
	    .challenge = json_member(root, "challenge")->text,
	    .salt = json_member(root, "salt")->text,
	    .signature = json_member(root, "signature")->text,
	    .algorithm = json_member(root, "algorithm")->text,
	    .most = json_member(root, "maxnumber")->integer,
	};
	while (!solves(&puzzle, puzzle.number))
		assert_true(puzzle.number++ < puzzle.most);
	return puzzle;
}

static struct span base64(struct span bytes)
{
	struct text text = arena_text(&world.arena, 2 * bytes.length + 4);
	base64_append(&text, bytes.at, bytes.length);
	return text_span(&text);
}

static struct span answer_of(const struct puzzle *puzzle)
{
	struct text text = arena_text(&world.arena, TEXT_BYTES);
	struct json_writer json = json_writer_over(&text);
	json_object_begin(&json, NULL);
	json_string(&json, "algorithm", puzzle->algorithm);
	json_string(&json, "challenge", puzzle->challenge);
	json_integer(&json, "number", puzzle->number);
	json_string(&json, "salt", puzzle->salt);
	json_string(&json, "signature", puzzle->signature);
	json_integer(&json, "took", 12);
	json_object_end(&json);
	return base64(text_span(&text));
}

static void assert_refused(struct span answer)
{
	assert_int_equal(captcha_check(&world.ctx, answer),
	                 FAULT_CAPTCHA_REQUIRED);
}

static void assert_puzzle_refused(const struct puzzle *puzzle)
{
	assert_refused(answer_of(puzzle));
}

static void a_solved_captcha_passes_once(void **state)
{
	(void)state;
	struct puzzle puzzle = solved();
	struct span answer = answer_of(&puzzle);
	assert_int_equal(captcha_check(&world.ctx, answer), FAULT_NONE);
	assert_refused(answer);
	assert_puzzle_refused(&puzzle);
}

static void the_challenge_has_the_form_of_altcha(void **state)
{
	(void)state;
	const struct json_node *root = challenge();
	assert_span_equal(json_member(root, "provider")->text, "altcha");
	assert_span_equal(json_member(root, "algorithm")->text, "SHA-256");
	assert_int_equal(json_member(root, "maxnumber")->integer, 1000);
	struct span rest = json_member(root, "salt")->text, salt;
	assert_true(span_cut(&rest, '?', &salt));
	assert_int_equal(salt.length, 24);
	assert_true(span_starts_with(rest, SPAN("expires=1768478700&")));
}

static void of_many_who_send_one_answer_one_passes(void **state)
{
	(void)state;
	struct puzzle puzzle = solved();
	struct span answer = answer_of(&puzzle);
	pid_t pids[CROWD];
	int passed = 0;
	for (int i = 0; i < CROWD; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		world_fork(&world);
		enum fault fault = captcha_check(&world.ctx, answer);
		_exit(fault == FAULT_NONE               ? 0
		      : fault == FAULT_CAPTCHA_REQUIRED ? 1
		                                        : 2);
	}
	for (int i = 0; i < CROWD; i++) {
		int status = -1;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		passed += WEXITSTATUS(status) == 0;
	}
	assert_int_equal(passed, 1);
}

static void an_expired_captcha_is_refused(void **state)
{
	(void)state;
	struct puzzle puzzle = solved();
	world.ctx.now_ms += 5 * MINUTE_MS - 1;
	struct captcha_solution solution;
	assert_int_equal(
	    captcha_read(&world.ctx, answer_of(&puzzle), &solution),
	    FAULT_NONE);
	world.ctx.now_ms += 1;
	assert_puzzle_refused(&puzzle);
}

static void a_wrong_number_is_refused(void **state)
{
	(void)state;
	struct puzzle puzzle = solved();
	puzzle.number++;
	assert_puzzle_refused(&puzzle);
	puzzle.number = -1;
	assert_puzzle_refused(&puzzle);
	puzzle.number = INT64_MAX;
	assert_puzzle_refused(&puzzle);
}

static void a_foreign_signature_is_refused(void **state)
{
	(void)state;
	struct puzzle puzzle = solved();
	puzzle.signature = puzzle.challenge;
	assert_puzzle_refused(&puzzle);
	puzzle.signature = SPAN("");
	assert_puzzle_refused(&puzzle);
}

static void a_challenge_of_ones_own_is_refused(void **state)
{
	(void)state;
	struct puzzle puzzle = solved(), own = solved();
	own.signature = puzzle.signature;
	assert_puzzle_refused(&own);
	own.algorithm = SPAN("SHA-512");
	assert_puzzle_refused(&own);
}

/* The salt with something put in behind its first bytes. */
static struct span with(const char *words, struct span salt, size_t head)
{
	struct text text = arena_text(&world.arena, 256);
	text_append(&text, (struct span){salt.at, head});
	text_append_cstr(&text, words);
	text_append(&text, (struct span){salt.at + head, salt.length - head});
	return text_span(&text);
}

/*
 * Digits that move from the number into the salt leave the hash as it is; only
 * the salt's own end keeps them apart.
 */
static void digits_do_not_move_from_number_to_expiry(void **state)
{
	(void)state;
	struct puzzle puzzle = solved();
	puzzle.salt.length--;
	assert_puzzle_refused(&puzzle);
	puzzle.salt.length++;
	/* "123" becomes "1" and "23", unless that begins with a zero. */
	int64_t scale = 1;
	while (puzzle.number < 100 || puzzle.number > 999 ||
	       puzzle.number / 10 % 10 == 0)
		puzzle = solved();
	while (puzzle.number / scale >= 10)
		scale *= 10;
	const char digit[] = {(char)('0' + puzzle.number / scale), '\0'};
	struct puzzle moved = puzzle;
	moved.number = puzzle.number % scale;
	moved.salt = with(digit, puzzle.salt, puzzle.salt.length);
	assert_true(solves(&moved, moved.number));
	assert_puzzle_refused(&moved);
}

static void a_salt_that_was_changed_is_refused(void **state)
{
	(void)state;
	struct puzzle puzzle = solved();
	struct span salt = puzzle.salt;
	const size_t expiry = 24 + sizeof("?expires=") - 1;
	const struct span salts[] = {
	    with("9", salt, expiry),
	    with("&expires=9999999999", salt, expiry + 10),
	    with("x", salt, 0),
	    with("&a=b", salt, salt.length),
	    {salt.at, 24},
	    {salt.at, expiry},
	    {salt.at, expiry + 10},
	    {salt.at, salt.length - 1},
	};
	for (size_t i = 0; i < COUNT_OF(salts); i++) {
		puzzle.salt = salts[i];
		assert_puzzle_refused(&puzzle);
	}
}

static void what_is_no_answer_is_refused(void **state)
{
	(void)state;
	static char large[65536];
	memset(large, 'A', sizeof(large) - 1);
	const char *const answers[] = {
	    "",    "=",        "====", "A",  "AAAA", "e30=",
	    "e30", "bnVsbA==", "W10=", "{}", "e-_=", "\xff\xff\xff\xff",
	    large};
	for (size_t i = 0; i < COUNT_OF(answers); i++)
		assert_refused(span_of(answers[i]));
	assert_int_equal(world.ctx.errors.count, 0);
}

static void an_answer_padded_to_excess_is_refused(void **state)
{
	(void)state;
	struct puzzle puzzle = solved();
	struct span answer = answer_of(&puzzle);
	struct text text = arena_text(&world.arena, TEXT_BYTES);
	text_append(&text, answer);
	for (int i = 0; i < 4; i++)
		text_append_byte(&text, '=');
	assert_refused(text_span(&text));
	assert_int_equal(captcha_check(&world.ctx, answer), FAULT_NONE);
}

static void used_answers_are_forgotten_when_they_expire(void **state)
{
	(void)state;
	struct puzzle puzzle = solved();
	world_run(&world, "DELETE FROM used_once");
	assert_int_equal(captcha_check(&world.ctx, answer_of(&puzzle)),
	                 FAULT_NONE);
	assert_int_equal(captcha_expire(&world.ctx), FAULT_NONE);
	assert_int_equal(world_number(&world, "SELECT COUNT(*) FROM used_once"),
	                 1);
	world.ctx.now_ms += 6 * MINUTE_MS;
	assert_int_equal(captcha_expire(&world.ctx), FAULT_NONE);
	assert_int_equal(world_number(&world, "SELECT COUNT(*) FROM used_once"),
	                 0);
}

static void without_a_provider_there_is_no_challenge(void **state)
{
	(void)state;
	struct text text = arena_text(&world.arena, TEXT_BYTES);
	struct json_writer json = json_writer_over(&text);
	world_set(&world, "captcha.provider=none");
	json_object_begin(&json, NULL);
	assert_int_equal(captcha_write_challenge(&world.ctx, &json),
	                 FAULT_NOT_FOUND);
	assert_refused(SPAN("anything"));
}

/* One connection, one answer ("" for none at all), in a process of its own. */
struct provider {
	pid_t pid;
	int requests; /* what came in, to be read */
};

static void serve(int listener, const char *answer, int requests)
{
	char request[TEXT_BYTES];
	int client = accept(listener, NULL, NULL);
	size_t length = 0;
	ssize_t more = 1;
	while (more > 0 && !memmem(request, length, "remoteip", 8)) {
		more = read(client, request + length, sizeof(request) - length);
		length += more > 0 ? (size_t)more : 0;
	}
	(void)!write(requests, request, length);
	if (*answer)
		(void)!write(client, answer, strlen(answer));
	else
		(void)sleep(5);
	_exit(0);
}

static struct provider provider_starts(const char *answer)
{
	static char url[64];
	struct provider provider;
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int ends[2];
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length),
	                 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(pipe(ends), 0);
	(void)snprintf(url, sizeof(url),
	               "captcha.verify_url=http://127.0.0.1:%d/siteverify",
	               ntohs(address.sin_port));
	world_set(&world, url);
	provider.pid = fork();
	if (provider.pid == 0)
		serve(listener, answer, ends[1]);
	(void)close(listener);
	(void)close(ends[1]);
	provider.requests = ends[0];
	return provider;
}

static void provider_ends(const struct provider *provider)
{
	(void)close(provider->requests);
	(void)kill(provider->pid, SIGKILL);
	(void)waitpid(provider->pid, NULL, 0);
}

static enum fault ask_provider(const char *answer)
{
	world_set(&world, "captcha.provider=turnstile");
	world_set(&world, "captcha.site_key=site");
	world.config.captcha.secret = "s&cret";
	world_set(&world, "captcha.timeout=1s");
	struct provider provider = provider_starts(answer);
	enum fault fault = captcha_check(&world.ctx, SPAN("tok=en"));
	provider_ends(&provider);
	return fault;
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

static const struct {
	const char *answer;
	enum fault fault;
} verdicts[] = {
    {OK_HEAD "{\"success\": true}", FAULT_NONE},
    {OK_HEAD "{\"success\": false}", FAULT_CAPTCHA_REQUIRED},
    {OK_HEAD "{\"success\": false, \"error-codes\":"
             " [\"timeout-or-duplicate\"]}",
     FAULT_CAPTCHA_REQUIRED},
    {OK_HEAD "{\"success\": false, \"error-codes\":"
             " [\"invalid-input-secret\"]}",
     FAULT_UNAVAILABLE},
    {OK_HEAD "{\"success\": \"true\"}", FAULT_UNAVAILABLE},
    {OK_HEAD "{\"success\": true, \"success\": true}", FAULT_UNAVAILABLE},
    {OK_HEAD "{}", FAULT_UNAVAILABLE},
    {OK_HEAD "true", FAULT_UNAVAILABLE},
    {OK_HEAD "", FAULT_UNAVAILABLE},
    {"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n{\"success\": true}",
     FAULT_UNAVAILABLE},
    {"HTTP/1.1 302 Go\r\nLocation: /yes\r\nContent-Length: 0\r\n\r\n",
     FAULT_UNAVAILABLE},
    {"no HTTP at all", FAULT_UNAVAILABLE},
    {"", FAULT_UNAVAILABLE}, /* within captcha.timeout */
};

static void only_a_clear_yes_of_a_provider_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(verdicts); i++)
		assert_int_equal(ask_provider(verdicts[i].answer),
		                 verdicts[i].fault);
}

static void an_endless_answer_of_a_provider_does_not_pass(void **state)
{
	(void)state;
	static char answer[100000] = OK_HEAD "{\"success\": true}";
	memset(answer + strlen(answer), ' ',
	       sizeof(answer) - strlen(answer) - 1);
	assert_int_equal(ask_provider(answer), FAULT_UNAVAILABLE);
}

static void without_a_provider_that_listens_nobody_passes(void **state)
{
	(void)state;
	world_set(&world, "captcha.provider=hcaptcha");
	world_set(&world, "captcha.verify_url=http://127.0.0.1:1/");
	assert_int_equal(captcha_check(&world.ctx, SPAN("token")),
	                 FAULT_UNAVAILABLE);
}

static void the_provider_is_asked_by_a_form(void **state)
{
	(void)state;
	char request[TEXT_BYTES] = "";
	world_set(&world, "captcha.provider=hcaptcha");
	world.config.captcha.secret = "s&cret";
	struct provider provider =
	    provider_starts(OK_HEAD "{\"success\": true}");
	assert_int_equal(captcha_check(&world.ctx, SPAN("tok=en")), FAULT_NONE);
	assert_true(read(provider.requests, request, sizeof(request) - 1) > 0);
	provider_ends(&provider);
	assert_non_null(strstr(request, "POST /siteverify HTTP/1.1\r\n"));
	assert_non_null(strstr(
	    request, "Content-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(
	    request,
	    "\r\n\r\nsecret=s%26cret&response=tok%3Den&remoteip=192.0.2.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_solved_captcha_passes_once, anew),
	    cmocka_unit_test_setup(the_challenge_has_the_form_of_altcha, anew),
	    cmocka_unit_test_setup(of_many_who_send_one_answer_one_passes,
	                           anew),
	    cmocka_unit_test_setup(an_expired_captcha_is_refused, anew),
	    cmocka_unit_test_setup(a_wrong_number_is_refused, anew),
	    cmocka_unit_test_setup(a_foreign_signature_is_refused, anew),
	    cmocka_unit_test_setup(a_challenge_of_ones_own_is_refused, anew),
	    cmocka_unit_test_setup(digits_do_not_move_from_number_to_expiry,
	                           anew),
	    cmocka_unit_test_setup(a_salt_that_was_changed_is_refused, anew),
	    cmocka_unit_test_setup(what_is_no_answer_is_refused, anew),
	    cmocka_unit_test_setup(an_answer_padded_to_excess_is_refused, anew),
	    cmocka_unit_test_setup(used_answers_are_forgotten_when_they_expire,
	                           anew),
	    cmocka_unit_test_setup(without_a_provider_there_is_no_challenge,
	                           anew),
	    cmocka_unit_test_setup(only_a_clear_yes_of_a_provider_passes, anew),
	    cmocka_unit_test_setup(
		an_endless_answer_of_a_provider_does_not_pass, anew),
	    cmocka_unit_test_setup(
		without_a_provider_that_listens_nobody_passes, anew),
	    cmocka_unit_test_setup(the_provider_is_asked_by_a_form, anew),
	};
	if (!stack_has(STACK_MARIADB) || !stack_has(STACK_REDIS))
		return STACK_SKIP;
	return cmocka_run_group_tests(tests, start, end);
}
