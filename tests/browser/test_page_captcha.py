# SPDX-License-Identifier: Apache-2.0
"""A captcha and a lock at the sign-in page: solved unseen, and told kindly."""

import base64
import hashlib
import json
import re

import pytest
from selenium.webdriver.common.keys import Keys

from client import Client, next_address
from test_page_refusals import REAL, answer_with

CAPTCHA = "/api/v1/auth/captcha"
LOGIN = "/api/v1/auth/login"

# Answers two paths of the API by a script of its own, notes what was sent.
STAGED = """
const [challenge, refusals] = arguments;
window.realFetch ??= window.fetch;
window.sent = [];
const answer = (status, body, headers = {}) =>
	new Response(JSON.stringify(body), { status, headers });
window.fetch = async (address, options) => {
	if (String(address).endsWith("/auth/captcha"))
		return answer(200, challenge);
	window.sent.push(JSON.parse(options.body));
	return answer(...(refusals[window.sent.length - 1] ?? refusals.at(-1)));
};
"""
WANTED = [403, {"code": "captcha_required"}]
REFUSED = [401, {"code": "invalid_credentials"}]


def challenge_with(number, most):
    """A challenge as the server makes it, with its answer."""
    salt = "00112233445566778899aabb?expires=4102444800&key=k1&"
    return {"provider": "altcha", "algorithm": "SHA-256", "salt": salt,
            "challenge": hashlib.sha256(f"{salt}{number}".encode()).hexdigest(),
            "signature": "ab" * 32, "maxnumber": most}


def type_in(browser, email="ada@example.com", password="a wrong password"):
    browser.open("login.html")
    browser.wait_for(lambda: browser.button("Sign in").is_enabled())
    browser.fill("E-mail address", email)
    browser.fill("Password", password)


def fail_elsewhere(stack, person, count):
    """Wrong passwords for somebody's account, each from another network."""
    for _ in range(count):
        answer = person.try_login(
            Client(stack, next_address()), password="not the password")
        assert answer.status_code == 401, answer.text


def assert_kept(browser, email, password):
    assert browser.field("E-mail address").get_attribute("value") == email
    assert browser.field("Password").get_attribute("value") == password


def test_a_captcha_is_solved_without_leaving_the_page(stack, browser, person):
    fail_elsewhere(stack, person, 3)
    browser.open("login.html")
    browser.fill("E-mail address", person.email)
    browser.fill("Password", person.password).send_keys(Keys.ENTER)
    browser.wait_path("/account.html")
    browser.wait_account()
    assert len(browser.requests_to(CAPTCHA)) == 1
    first, second = browser.requests_to(LOGIN)
    assert "captcha" not in json.loads(first["postData"])
    assert json.loads(second["postData"])["captcha"]
    assert browser.foreign_requests() == []


def test_a_wrong_password_behind_a_captcha_is_told_as_ever(
        stack, browser, person):
    fail_elsewhere(stack, person, 3)
    type_in(browser, person.email)
    browser.press("Sign in")
    browser.wait_text("The e-mail address and the password do not match.")
    assert not browser.one("#proof").is_displayed()
    assert_kept(browser, person.email, "a wrong password")
    browser.fill("Password", person.password)
    browser.press("Sign in")
    browser.wait_path("/account.html")
    assert len(browser.requests_to(CAPTCHA)) == 2, "a proof works once"


@pytest.mark.parametrize("number, most", [
    (0, 0), (0, 999), (499, 499), (500, 1200), (1200, 1200)])
def test_the_number_is_found_wherever_it_lies(browser, number, most):
    challenge = challenge_with(number, most)
    type_in(browser)
    browser.script(STAGED, challenge, [WANTED, REFUSED])
    browser.press("Sign in")
    browser.wait_text("do not match")
    proof = json.loads(base64.b64decode(browser.script("return sent[1].captcha")))
    assert proof == {"number": number, **{
        name: challenge[name]
        for name in ("algorithm", "challenge", "salt", "signature")}}


def test_the_proof_is_sent_unasked_once_it_was_wanted(browser):
    type_in(browser)
    browser.script(STAGED, challenge_with(7, 100), [WANTED, REFUSED])
    browser.press("Sign in")
    browser.wait_text("do not match")
    browser.press("Sign in")
    browser.wait_for(lambda: browser.script("return sent.length") == 3)
    assert ["captcha" in one for one in browser.script("return sent")] == [
        False, True, True]


def test_the_check_is_told_and_typing_goes_on(browser):
    type_in(browser)
    browser.script(STAGED, challenge_with(49999999, 50000000), [WANTED])
    browser.press("Sign in")
    browser.wait_text("Checking that you are not a machine…")
    told, bar = browser.one("#proving"), browser.one("#proof")
    assert told.get_attribute("role") == "status"
    assert bar.is_displayed()
    assert bar.get_attribute("aria-labelledby") == "proving"
    assert browser.focused == browser.button("Signing in…")
    before = float(bar.get_attribute("value"))
    browser.wait_for(lambda: float(bar.get_attribute("value")) > before)
    browser.field("Password").send_keys("!")
    assert_kept(browser, "ada@example.com", "a wrong password!")
    browser.button("Signing in…").click()
    assert browser.script("return sent.length") == 1, "a held button asks nothing"
    browser.one("main .aside a").click()
    browser.wait_heading("Forgot your password?")


@pytest.mark.parametrize("provider, name", [
    ("hcaptcha", "hCaptcha"), ("turnstile", "Cloudflare Turnstile")])
def test_a_captcha_of_others_is_named_and_not_loaded(browser, provider, name):
    type_in(browser)
    browser.script(STAGED, {"provider": provider, "site_key": "k"}, [WANTED])
    browser.press("Sign in")
    browser.wait_text(f"This site asks for a captcha of {name}, which these "
                      "pages do not load.")
    assert browser.focused == browser.one("form .alert")
    assert browser.button("Sign in").get_attribute("aria-disabled") is None
    assert_kept(browser, "ada@example.com", "a wrong password")
    assert browser.script("return document.scripts.length") == 1
    assert browser.foreign_requests() == []


def test_a_proof_that_is_not_accepted_is_told(browser):
    type_in(browser)
    browser.script(STAGED, challenge_with(7, 100), [WANTED])
    browser.press("Sign in")
    browser.wait_text("was not accepted. Please try again.")
    assert browser.script("return sent.length") == 2
    assert not browser.one("#proof").is_displayed()


def test_a_challenge_without_an_answer_is_told(browser):
    type_in(browser)
    browser.script(STAGED, challenge_with(2000, 1000), [WANTED])
    browser.press("Sign in")
    browser.wait_text("The check that you are not a machine could not be done.")
    assert browser.button("Sign in").get_attribute("aria-disabled") is None


def lock(browser, seconds):
    type_in(browser, "ada@example.com")
    answer_with(browser, 429, {"code": "account_locked"},
                Retry_After=str(seconds))
    browser.press("Sign in")
    browser.wait_text("so it takes no sign-in for the moment.")


def test_a_lock_is_explained_with_its_ways_out(browser):
    lock(browser, 900)
    assert "You can try again in about 15 minutes." in browser.text
    help_text = browser.one("#locked")
    assert "a device that you have signed in on before" in help_text.text
    assert re.fullmatch(r"Sign in \(in 1[45]:\d\d\)", browser.one(".primary").text)
    browser.one("#locked a").click()
    browser.wait_heading("Forgot your password?")


@pytest.mark.parametrize("seconds, words, clock", [
    (1, "1 second", "0:01"), (61, "about 2 minutes", "1:01"),
    (3600, "about 60 minutes", "1:00:00"), (14400, "about 4 hours", "4:00:00"),
])
def test_waits_are_told_for_people(browser, seconds, words, clock):
    type_in(browser)
    browser.script("Date.now = () => 0")
    answer_with(browser, 429, {"code": "rate_limited"}, Retry_After=str(seconds))
    browser.press("Sign in")
    browser.wait_text(f"You can try again in {words}.")
    assert browser.button(f"Sign in (in {clock})")


def test_who_types_another_account_need_not_wait_for_this_one(browser, person):
    lock(browser, 900)
    browser.script(REAL)
    browser.fill("E-mail address", person.email)
    browser.fill("Password", person.password)
    assert not browser.one("#locked").is_displayed()
    browser.wait_text("You can try again now.")
    browser.press("Sign in")
    browser.wait_path("/account.html")


def test_a_reading_that_came_too_fast_is_asked_again(browser, person):
    browser.sign_in_to_account(person)
    browser.script("""
		const real = window.fetch;
		window.calls = 0;
		window.fetch = (...all) => window.calls++ > 0 ? real(...all)
			: Promise.resolve(new Response("{}", {
				status: 429, headers: { "Retry-After": "1" } }));
	""")
    answer = browser.driver.execute_async_script("""
		const done = arguments[0];
		import("/js/api.js").then(({ call }) => call("GET", "me"))
			.then((me) => done([me.email, window.calls]));
	""")
    assert answer == [person.email, 2]
