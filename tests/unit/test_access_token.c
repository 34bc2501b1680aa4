/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the claims of an access token mean (requirements JW-02, JW-04, JW-11).
 * Every token here is signed with the right key: what is wrong with it is what
 * its row says, and nothing else. Spelling and signature are test_jwt.c's.
 */
#include "unit.h"

#include "domain/session/access_token.h"
#include "ring.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)512 * 1024)
#define NOW_S       INT64_C(1768473000)
#define LIFE_S      900
#define SKEW_S      60
#define ISSUER      "https://id.example"
#define AUDIENCE    "https://api.example"
#define USER        "019bc0de-0000-7000-8000-000000000001"
#define OTHER       "019bc0de-0000-7000-8000-0000000000ff"
#define TENANT      "019bc0de-0000-7000-8000-000000000002"
#define SESSION     "019bc0de-0000-7000-8000-000000000003"
#define TOKEN       "019bc0de-0000-7000-8000-000000000004"

static struct arena arena, ring_arena;
static struct config config;
static struct ctx ctx;

static int set_up(void **state)
{
	(void)state;
	config_defaults(&config);
	config.token.issuer = ISSUER;
	config.token.audience = AUDIENCE;
	if (arena_init(&arena, ARENA_BYTES) ||
	    arena_init(&ring_arena, ARENA_BYTES))
		return 1;
	ctx = (struct ctx){
	    .arena = &arena,
	    .config = &config,
	    .keys = ring_make(&ring_arena),
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	keyring_free(ctx.keys);
	arena_release(&ring_arena);
	arena_release(&arena);
	return 0;
}

static int start_over(void **state)
{
	(void)state;
	arena_reset(&arena);
	config.session.access_ttl = LIFE_S * 1000;
	config.token.clock_skew = SKEW_S * 1000;
	ctx.now_ms = NOW_S * 1000;
	return 0;
}

/* The claims of a good token, one a row; a test replaces or drops some. */
static const struct claim {
	const char *name;
	const char *value; /* JSON */
} good[] = {
    {"iss", "\"" ISSUER "\""},
    {"aud", "\"" AUDIENCE "\""},
    {"sub", "\"" USER "\""},
    {"jti", "\"" TOKEN "\""},
    {"iat", "1768473000"},
    {"nbf", "1768473000"},
    {"exp", "1768473900"},
    {"userId", "\"" USER "\""},
    {"email", "\"alice@example.com\""},
    {"email_verified", "true"},
    {"role", "\"owner\""},
    {"tenantId", "\"" TENANT "\""},
    {"sid", "\"" SESSION "\""},
    {"auth_time", "1768472000"},
    {"amr", "[\"pwd\"]"},
    {"gen_user", "1"},
    {"gen_tenant", "2"},
    {"gen_all", "3"},
};

/* The good claims with these in the place of theirs; NULL drops one. */
static struct span claims_with(const struct claim *changes, size_t count)
{
	static char memory[8192];
	struct text text = text_over(memory, sizeof(memory));

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		const char *value = good[i].value;

		for (size_t j = 0; j < count; j++)
			if (strcmp(changes[j].name, good[i].name) == 0)
				value = changes[j].value;
		if (!value)
			continue;
		text_append_byte(&text, text.length ? ',' : '{');
		text_appendf(&text, "\"%s\":%s", good[i].name, value);
	}
	text_append_byte(&text, '}');
	assert_int_equal(text_check(&text), FAULT_NONE);
	return text_span(&text);
}

static struct span sign(struct span claims)
{
	static char memory[16384];
	struct text text = text_over(memory, sizeof(memory));
	const struct key *key = keyring_current(ctx.keys, KEY_ACCESS_TOKEN);

	assert_int_equal(jwt_sign(key, claims, &text), FAULT_NONE);
	return text_span(&text);
}

static enum fault check(struct span token, struct access_claims *out)
{
	bool is_key_unknown = true;
	enum fault fault =
	    access_token_check(&ctx, token, out, &is_key_unknown);

	assert_false(is_key_unknown);
	return fault;
}

/* What becomes of the good token with one claim replaced. */
static enum fault judge(const char *name, const char *value)
{
	const struct claim change = {name, value};
	struct access_claims claims;
	enum fault fault;

	arena_reset(&arena);
	fault = check(sign(claims_with(&change, 1)), &claims);
	arena_reset(&arena);
	return fault;
}

static void expect(const char *name, const char *value, enum fault wanted)
{
	enum fault fault = judge(name, value);

	if (fault != wanted)
		fail_msg("%s %s: %s, not %s", name, value ? value : "missing",
		         fault_name(fault), fault_name(wanted));
}

static void assert_uuid(const struct uuid *uuid, const char *wanted)
{
	char text[UUID_TEXT_BYTES];

	assert_string_equal(uuid_format(uuid, text), wanted);
}

static void reads_what_a_good_token_says(void **state)
{
	struct access_claims claims;

	(void)state;
	assert_int_equal(check(sign(claims_with(NULL, 0)), &claims),
	                 FAULT_NONE);
	assert_uuid(&claims.user_id, USER);
	assert_uuid(&claims.tenant_id, TENANT);
	assert_uuid(&claims.session_id, SESSION);
	assert_uuid(&claims.token_id, TOKEN);
	assert_span_equal(claims.issuer, ISSUER);
	assert_span_equal(claims.audience, AUDIENCE);
	assert_span_equal(claims.email, "alice@example.com");
	assert_span_equal(claims.role, "owner");
	assert_span_equal(claims.amr, "pwd");
	assert_true(claims.is_email_verified);
	assert_int_equal(claims.issued_at_s, NOW_S);
	assert_int_equal(claims.not_before_s, NOW_S);
	assert_int_equal(claims.expires_at_s, NOW_S + LIFE_S);
	assert_int_equal(claims.auth_at_s, NOW_S - 1000);
	assert_int_equal(claims.generations.user, 1);
	assert_int_equal(claims.generations.tenant, 2);
	assert_int_equal(claims.generations.all, 3);
}

static struct uuid uuid_of(const char *text)
{
	struct uuid uuid;

	assert_int_equal(uuid_parse(span_of(text), &uuid), FAULT_NONE);
	return uuid;
}

/* A token as a session gets it, for this identity. */
static struct span make(const struct identity *identity)
{
	const struct uuid session = uuid_of(SESSION);
	struct span token = {0};

	assert_int_equal(access_token_make(&ctx, identity, &session,
	                                   SPAN("pwd otp"), ctx.now_ms - 5000,
	                                   &token),
	                 FAULT_NONE);
	return token;
}

static const struct identity *alice(void)
{
	static struct identity identity;

	identity = (struct identity){
	    .user_id = uuid_of(USER),
	    .tenant_id = uuid_of(TENANT),
	    .email = SPAN("alice@example.com"),
	    .role = SPAN("member"),
	    .generations = {7, 8, 9},
	};
	return &identity;
}

static void checks_what_it_made(void **state)
{
	struct access_claims claims, again;

	(void)state;
	assert_int_equal(check(make(alice()), &claims), FAULT_NONE);
	assert_uuid(&claims.user_id, USER);
	assert_uuid(&claims.tenant_id, TENANT);
	assert_uuid(&claims.session_id, SESSION);
	assert_span_equal(claims.role, "member");
	assert_span_equal(claims.amr, "pwd otp");
	assert_false(claims.is_email_verified);
	assert_int_equal(claims.issued_at_s, NOW_S);
	assert_int_equal(claims.not_before_s, NOW_S);
	assert_int_equal(claims.expires_at_s, NOW_S + LIFE_S);
	assert_int_equal(claims.auth_at_s, NOW_S - 5);
	assert_int_equal(claims.generations.user, 7);
	assert_int_equal(claims.generations.tenant, 8);
	assert_int_equal(claims.generations.all, 9);
	/* Each is another one. */
	assert_int_equal(check(make(alice()), &again), FAULT_NONE);
	assert_false(uuid_equal(&claims.token_id, &again.token_id));
}

static void lives_as_long_as_it_is_set_to(void **state)
{
	struct span token;
	struct access_claims claims;

	(void)state;
	config.session.access_ttl = 60000;
	token = make(alice());
	assert_int_equal(check(token, &claims), FAULT_NONE);
	assert_int_equal(claims.expires_at_s, NOW_S + 60);
	ctx.now_ms = (NOW_S + 60) * 1000 - 1;
	assert_int_equal(check(token, &claims), FAULT_NONE);
	ctx.now_ms = (NOW_S + 60) * 1000;
	assert_int_equal(check(token, &claims), FAULT_TOKEN_EXPIRED);
}

/* It must fit whatever an account may be called. */
static void makes_a_token_of_the_longest_values(void **state)
{
	char email[254], issuer[200];
	struct identity identity = *alice();
	struct access_claims claims;

	(void)state;
	memset(email, 'e', sizeof(email));
	memset(issuer, 'i', sizeof(issuer));
	issuer[sizeof(issuer) - 1] = '\0';
	identity.email = (struct span){email, sizeof(email)};
	identity.role = SPAN("a role of exactly 32 characters.");
	config.token.issuer = issuer;
	config.token.audience = issuer;
	assert_int_equal(check(make(&identity), &claims), FAULT_NONE);
	config.token.issuer = ISSUER;
	config.token.audience = AUDIENCE;
	assert_true(span_equal(claims.email, identity.email));
	assert_true(span_equal(claims.role, identity.role));
}

static void JW_02_wants_every_claim(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		expect(good[i].name, NULL, FAULT_TOKEN_INVALID);
		expect(good[i].name, "null", FAULT_TOKEN_INVALID);
	}
}

/* Another type than its own for each of them. */
static void JW_02_wants_every_claim_of_its_type(void **state)
{
	static const char *const values[] = {
	    "1768473000.0", "1.768473e9",   "\"1768473000\"", "true",  "{}",
	    "{\"a\":[1]}",  "[1768473000]", "\"\"",           "1e400", "[]",
	    "-1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		for (size_t j = 0; j < COUNT_OF(values); j++) {
			bool is_bool =
			    strcmp(good[i].name, "email_verified") == 0;
			/* A role or an address may be any text. */
			bool is_text = strcmp(good[i].name, "role") == 0 ||
			               strcmp(good[i].name, "email") == 0;

			if ((is_bool && strcmp(values[j], "true") == 0) ||
			    (is_text && values[j][0] == '"' &&
			     values[j][1] != '"') ||
			    (strcmp(good[i].name, "amr") == 0 &&
			     strcmp(values[j], "[]") == 0))
				continue;
			expect(good[i].name, values[j], FAULT_TOKEN_INVALID);
		}
}

static void JW_02_wants_exactly_its_issuer_and_audience(void **state)
{
	static const char *const others[] = {
	    "\"https://id.example/\"",
	    "\"https://id.example \"",
	    "\"https://ID.example\"",
	    "\"http://id.example\"",
	    "\"https://id.example:443\"",
	    "\"https://id.exampl\"",
	    "\"https://id.example\\u0000\"",
	    "\"\"",
	    "[\"https://id.example\"]",
	    "\"https://api.example/\"",
	    "[\"https://api.example\"]",
	    "\"*\"",
	    "[\"https://api.example\",\"https://other.example\"]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		expect("iss", others[i], FAULT_TOKEN_INVALID);
		expect("aud", others[i], FAULT_TOKEN_INVALID);
	}
	expect("iss", "\"" AUDIENCE "\"", FAULT_TOKEN_INVALID);
	expect("aud", "\"" ISSUER "\"", FAULT_TOKEN_INVALID);
	/* Escapes are another spelling of the same text. */
	expect("iss", "\"https:\\/\\/id.example\"", FAULT_NONE);
}

static void JW_02_takes_exp_as_a_whole_number_in_range(void **state)
{
	static const char *const bad[] = {
	    "1768473900.0",
	    "1768473900.5",
	    "17684739e2",
	    "1.7684739e9",
	    "\"1768473900\"",
	    "\"2026-01-15T10:45:00Z\"",
	    "-1",
	    "-9223372036854775808",
	    "9223372036854775807",
	    "9223372036854775808",
	    "18446744073709551616",
	    "253402300800",
	    "1e18",
	    "99999999999999999999999999999999999999999999",
	    "[1768473900]",
	    "true",
	    "1768473900000", /* ms for s */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		expect("exp", bad[i], FAULT_TOKEN_INVALID);
	expect("exp", "0", FAULT_TOKEN_INVALID);
	expect("exp", "-0", FAULT_TOKEN_INVALID);
}

/* The good claims with these three moments. */
static enum fault judge_times(int64_t issued_at_s, int64_t not_before_s,
                              int64_t expires_at_s)
{
	char iat[24], nbf[24], exp[24];
	const struct claim changes[] = {
	    {"iat", iat}, {"nbf", nbf}, {"exp", exp}};
	struct access_claims claims;

	(void)snprintf(iat, sizeof(iat), "%lld", (long long)issued_at_s);
	(void)snprintf(nbf, sizeof(nbf), "%lld", (long long)not_before_s);
	(void)snprintf(exp, sizeof(exp), "%lld", (long long)expires_at_s);
	arena_reset(&arena);
	return check(sign(claims_with(changes, 3)), &claims);
}

static void JW_02_refuses_a_life_of_more_than_fifteen_minutes(void **state)
{
	(void)state;
	assert_int_equal(judge_times(NOW_S, NOW_S, NOW_S + 900), FAULT_NONE);
	assert_int_equal(judge_times(NOW_S, NOW_S, NOW_S + 901),
	                 FAULT_TOKEN_INVALID);
	assert_int_equal(judge_times(NOW_S, NOW_S, NOW_S + 86400),
	                 FAULT_TOKEN_INVALID);
	/* Nor is it a matter of what is left of it. */
	assert_int_equal(judge_times(NOW_S - 800, NOW_S, NOW_S + 101),
	                 FAULT_TOKEN_INVALID);
	/* Whatever the configuration says. */
	config.session.access_ttl = 3600000;
	assert_int_equal(judge_times(NOW_S, NOW_S, NOW_S + 901),
	                 FAULT_TOKEN_INVALID);
}

static void JW_02_refuses_a_life_that_ends_before_it_begins(void **state)
{
	(void)state;
	assert_int_equal(judge_times(NOW_S + 10, NOW_S, NOW_S + 10),
	                 FAULT_TOKEN_INVALID);
	assert_int_equal(judge_times(NOW_S + 20, NOW_S, NOW_S + 10),
	                 FAULT_TOKEN_INVALID);
	assert_int_equal(judge_times(NOW_S - 10, NOW_S, NOW_S - 10),
	                 FAULT_TOKEN_INVALID);
}

static void JW_11_forgives_clocks_a_minute_at_the_beginning(void **state)
{
	int64_t soon = NOW_S + SKEW_S;

	(void)state;
	assert_int_equal(judge_times(soon, NOW_S, soon + 900), FAULT_NONE);
	assert_int_equal(judge_times(soon + 1, NOW_S, soon + 901),
	                 FAULT_TOKEN_INVALID);
	assert_int_equal(judge_times(NOW_S, soon, NOW_S + 900), FAULT_NONE);
	assert_int_equal(judge_times(NOW_S, soon + 1, NOW_S + 900),
	                 FAULT_TOKEN_INVALID);
	config.token.clock_skew = 0;
	assert_int_equal(judge_times(NOW_S, NOW_S, NOW_S + 900), FAULT_NONE);
	assert_int_equal(judge_times(NOW_S + 1, NOW_S, NOW_S + 900),
	                 FAULT_TOKEN_INVALID);
	assert_int_equal(judge_times(NOW_S, NOW_S + 1, NOW_S + 900),
	                 FAULT_TOKEN_INVALID);
}

static void JW_11_forgives_nothing_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(judge_times(NOW_S - 899, NOW_S - 899, NOW_S + 1),
	                 FAULT_NONE);
	assert_int_equal(judge_times(NOW_S - 900, NOW_S - 900, NOW_S),
	                 FAULT_TOKEN_EXPIRED);
	assert_int_equal(judge_times(NOW_S - 901, NOW_S - 901, NOW_S - 1),
	                 FAULT_TOKEN_EXPIRED);
	/* A bad one is bad, however old. */
	assert_int_equal(judge_times(NOW_S - 9000, NOW_S - 9000, NOW_S - 1),
	                 FAULT_TOKEN_INVALID);
}

static void JW_04_refuses_a_nul_in_any_text(void **state)
{
	static const char *const names[] = {"iss", "aud", "email", "role"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		expect(names[i], "\"owner\\u0000\"", FAULT_TOKEN_INVALID);
		expect(names[i], "\"\\u0000owner\"", FAULT_TOKEN_INVALID);
	}
	expect("role", "\"owner\\u0000admin\"", FAULT_TOKEN_INVALID);
	expect("amr", "[\"pwd\\u0000\"]", FAULT_TOKEN_INVALID);
	expect("sub", "\"" USER "\\u0000\"", FAULT_TOKEN_INVALID);
	/* Other control characters do not belong there either. */
	expect("email", "\"a\\r\\nb@example.com\"", FAULT_TOKEN_INVALID);
	expect("role", "\"own\\u0007er\"", FAULT_TOKEN_INVALID);
}

static void wants_the_subject_to_be_the_user(void **state)
{
	(void)state;
	expect("sub", "\"" OTHER "\"", FAULT_TOKEN_INVALID);
	expect("userId", "\"" OTHER "\"", FAULT_TOKEN_INVALID);
	expect("sub", "\"alice@example.com\"", FAULT_TOKEN_INVALID);
	expect("sub", "\"" USER " \"", FAULT_TOKEN_INVALID);
	expect("sub", "\"{" USER "}\"", FAULT_TOKEN_INVALID);
	expect("sub", "\"019bc0de000070008000000000000001\"",
	       FAULT_TOKEN_INVALID);
	/* Upper case is another spelling of the same id. */
	expect("sub", "\"019BC0DE-0000-7000-8000-000000000001\"", FAULT_NONE);
}

static void wants_methods_as_an_array_of_words(void **state)
{
	(void)state;
	expect("amr", "\"pwd\"", FAULT_TOKEN_INVALID);
	expect("amr", "{\"pwd\":true}", FAULT_TOKEN_INVALID);
	expect("amr", "[\"pwd\",1]", FAULT_TOKEN_INVALID);
	expect("amr", "[[\"pwd\"]]", FAULT_TOKEN_INVALID);
	expect("amr", "[null]", FAULT_TOKEN_INVALID);
	expect("amr", "[true]", FAULT_TOKEN_INVALID);
	expect("amr", "[\"pwd\",\"otp\",\"hwk\"]", FAULT_NONE);
	expect("amr", "[]", FAULT_NONE);
	expect("amr",
	       "[\"0123456789012345678901234567890\","
	       "\"0123456789012345678901234567890123\"]",
	       FAULT_TOKEN_INVALID);
}

static void measures_its_texts(void **state)
{
	char email[300];

	(void)state;
	memset(email, 'e', sizeof(email));
	email[0] = email[255] = '"';
	email[256] = '\0';
	expect("email", email, FAULT_NONE);
	email[255] = 'e';
	email[256] = '"';
	email[257] = '\0';
	expect("email", email, FAULT_TOKEN_INVALID);
	expect("role", "\"a role of exactly 32 characters.\"", FAULT_NONE);
	expect("role", "\"a role of exactly 33 characters..\"",
	       FAULT_TOKEN_INVALID);
}

static void takes_generations_as_the_database_has_them(void **state)
{
	static const char *const names[] = {"gen_user", "gen_tenant",
	                                    "gen_all"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		expect(names[i], "0", FAULT_NONE);
		expect(names[i], "4294967295", FAULT_NONE);
		expect(names[i], "4294967296", FAULT_TOKEN_INVALID);
		expect(names[i], "-1", FAULT_TOKEN_INVALID);
		expect(names[i], "1.5", FAULT_TOKEN_INVALID);
	}
}

/* JW-03 */
static void refuses_a_claim_that_comes_twice(void **state)
{
	struct access_claims claims;
	char memory[2048];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct text text = text_over(memory, sizeof(memory));
		struct span once = claims_with(NULL, 0);

		once.length--; /* the brace */
		text_append(&text, once);
		text_appendf(&text, ",\"%s\":%s}", good[i].name, good[i].value);
		assert_int_equal(check(sign(text_span(&text)), &claims),
		                 FAULT_TOKEN_INVALID);
		arena_reset(&arena);
	}
}

static void looks_past_claims_that_it_does_not_know(void **state)
{
	struct span once = claims_with(NULL, 0);
	struct access_claims claims;
	char memory[2048];
	struct text text = text_over(memory, sizeof(memory));

	(void)state;
	once.length--;
	text_append(&text, once);
	text_append_cstr(&text, ",\"is_admin\":true,\"Role\":\"owner\","
	                        "\"scope\":\"*:*\"}");
	assert_int_equal(check(sign(text_span(&text)), &claims), FAULT_NONE);
	assert_span_equal(claims.role, "owner");
}

static void tells_a_key_that_it_does_not_have(void **state)
{
	struct arena elsewhere;
	struct keyring *mine = ctx.keys;
	struct access_claims claims;
	struct span token = make(alice());
	bool is_key_unknown = false;

	(void)state;
	assert_int_equal(arena_init(&elsewhere, ARENA_BYTES), FAULT_NONE);
	ctx.keys = ring_make(&elsewhere);
	/* The same id, other bytes: a wrong signature. */
	assert_int_equal(check(token, &claims), FAULT_TOKEN_INVALID);
	keyring_clear(ctx.keys);
	assert_int_equal(
	    access_token_check(&ctx, token, &claims, &is_key_unknown),
	    FAULT_TOKEN_INVALID);
	assert_true(is_key_unknown);
	keyring_free(ctx.keys);
	ctx.keys = mine;
	arena_release(&elsewhere);
}

/* JW-08: what other keys of the ring have signed is no access token. */
static void takes_no_token_of_another_purpose(void **state)
{
	const struct key *other = keyring_current(ctx.keys, KEY_CSRF);
	struct access_claims claims;
	char memory[4096];
	struct text text = text_over(memory, sizeof(memory));
	bool is_key_unknown = false;

	(void)state;
	assert_int_equal(jwt_sign(other, claims_with(NULL, 0), &text),
	                 FAULT_NONE);
	assert_int_equal(access_token_check(&ctx, text_span(&text), &claims,
	                                    &is_key_unknown),
	                 FAULT_TOKEN_INVALID);
	assert_true(is_key_unknown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(reads_what_a_good_token_says, start_over),
	    cmocka_unit_test_setup(checks_what_it_made, start_over),
	    cmocka_unit_test_setup(lives_as_long_as_it_is_set_to, start_over),
	    cmocka_unit_test_setup(makes_a_token_of_the_longest_values,
	                           start_over),
	    cmocka_unit_test_setup(JW_02_wants_every_claim, start_over),
	    cmocka_unit_test_setup(JW_02_wants_every_claim_of_its_type,
	                           start_over),
	    cmocka_unit_test_setup(JW_02_wants_exactly_its_issuer_and_audience,
	                           start_over),
	    cmocka_unit_test_setup(JW_02_takes_exp_as_a_whole_number_in_range,
	                           start_over),
	    cmocka_unit_test_setup(
		JW_02_refuses_a_life_of_more_than_fifteen_minutes, start_over),
	    cmocka_unit_test_setup(
		JW_02_refuses_a_life_that_ends_before_it_begins, start_over),
	    cmocka_unit_test_setup(
		JW_11_forgives_clocks_a_minute_at_the_beginning, start_over),
	    cmocka_unit_test_setup(JW_11_forgives_nothing_at_the_end,
	                           start_over),
	    cmocka_unit_test_setup(JW_04_refuses_a_nul_in_any_text, start_over),
	    cmocka_unit_test_setup(wants_the_subject_to_be_the_user,
	                           start_over),
	    cmocka_unit_test_setup(wants_methods_as_an_array_of_words,
	                           start_over),
	    cmocka_unit_test_setup(measures_its_texts, start_over),
	    cmocka_unit_test_setup(takes_generations_as_the_database_has_them,
	                           start_over),
	    cmocka_unit_test_setup(refuses_a_claim_that_comes_twice,
	                           start_over),
	    cmocka_unit_test_setup(looks_past_claims_that_it_does_not_know,
	                           start_over),
	    cmocka_unit_test_setup(tells_a_key_that_it_does_not_have,
	                           start_over),
	    cmocka_unit_test_setup(takes_no_token_of_another_purpose,
	                           start_over),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
