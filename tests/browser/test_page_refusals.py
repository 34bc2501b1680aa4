# SPDX-License-Identifier: Apache-2.0
"""What the pages say when the answer is no, and that nothing typed is lost."""

import re

import pytest

from client import Person

# Stands in the place of the server for answers that are hard to provoke.
ANSWER = """
const [status, headers, body] = arguments;
window.realFetch ??= window.fetch;
window.fetch = async () =>
	new Response(JSON.stringify(body), { status, headers });
"""
UNREACHABLE = """
window.realFetch ??= window.fetch;
window.fetch = async () => { throw new TypeError("no route"); };
"""
COUNTING = """
window.calls = 0;
window.realFetch ??= window.fetch;
window.fetch = (...all) => { window.calls++; return window.realFetch(...all); };
"""
REAL = "window.fetch = window.realFetch;"


def answer_with(browser, status, body, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    browser.script(ANSWER, status, named, body)


def described_by(browser, field):
    """The visible texts that a field is described by."""
    ids = field.get_attribute("aria-describedby").split()
    texts = [browser.one(f"#{one}").text for one in ids]
    return [text for text in texts if text]


def test_empty_fields_are_told_at_the_field(browser):
    browser.open("login.html")
    browser.script(COUNTING)
    browser.press("Sign in")
    email = browser.field("E-mail address")
    assert browser.focused == email
    assert email.get_attribute("aria-invalid") == "true"
    assert described_by(browser, email) == ["Enter an e-mail address."]
    assert described_by(browser, browser.field("Password")) == [
        "Enter your password."]
    assert browser.script("return calls") == 0
    email.send_keys("a")
    assert email.get_attribute("aria-invalid") is None
    assert described_by(browser, email) == []


def test_a_wrong_password_is_told_and_nothing_is_lost(browser, person):
    browser.sign_in(person.email, "not the password of anyone")
    browser.wait_text("The e-mail address and the password do not match.")
    assert browser.focused == browser.one("form .alert")
    assert browser.field("E-mail address").get_attribute("value") == person.email
    assert browser.field("Password").get_attribute("value") == (
        "not the password of anyone")
    browser.fill("Password", person.password)
    browser.press("Sign in")
    browser.wait_path("/account.html")


def test_an_unknown_address_is_told_the_same(stack, browser):
    browser.sign_in(Person(stack).email, "not the password of anyone")
    browser.wait_text("The e-mail address and the password do not match.")


@pytest.mark.parametrize("password", ["short", "password1234", "aaaaaaaaaaaaaaaa"])
def test_a_weak_password_is_told_at_its_field(stack, browser, password):
    person = Person(stack)
    browser.open("register.html")
    browser.fill("Name", person.name)
    browser.fill("E-mail address", person.email)
    field = browser.fill("Password", password)
    browser.press("Create account")
    browser.wait_for(lambda: field.get_attribute("aria-invalid") == "true")
    assert browser.focused == field
    assert len(described_by(browser, field)) == 2, "the hint and the verdict"
    assert browser.field("Name").get_attribute("value") == person.name
    assert field.get_attribute("value") == password


def test_several_wrong_fields_are_all_told_and_the_first_is_focused(browser):
    browser.open("register.html")
    browser.fill("E-mail address", "not an address")
    browser.fill("Password", "short")
    browser.press("Create account")
    email, password = (browser.field(name) for name in ("E-mail", "Password"))
    browser.wait_for(lambda: email.get_attribute("aria-invalid") == "true")
    assert password.get_attribute("aria-invalid") == "true"
    assert browser.focused == email


def test_an_error_of_an_unknown_field_goes_to_the_alert(browser):
    browser.open("register.html")
    browser.fill("E-mail address", "a@example.com")
    browser.fill("Password", "harbour pencil glacier oboe")
    answer_with(browser, 422, {"code": "validation_failed", "errors": [
        {"field": "tenant_name", "code": "too_long", "detail": "Too long."}]})
    browser.press("Create account")
    browser.wait_text("Some of this is not right yet. Too long.")
    assert browser.focused == browser.one("form .alert")


def test_too_many_attempts_start_a_countdown(stack, browser):
    stranger = Person(stack).email
    # Five, of which the fourth is sent twice: it needed a captcha.
    for _ in range(4):
        browser.sign_in(stranger, "not the password of anyone")
        browser.wait_text("do not match")
    browser.sign_in(stranger, "not the password of anyone")
    browser.wait_text("That was tried too often. You can try again in about")
    button = browser.one("#login button[type=submit]")
    assert browser.focused == browser.one("form .alert")
    assert button.get_attribute("aria-disabled") == "true"
    first = button.text
    assert re.fullmatch(r"Sign in \(in 1[0-5]:\d\d\)", first)
    browser.wait_for(lambda: button.text != first, timeout=3)
    browser.script(COUNTING)
    button.click()
    assert browser.script("return calls") == 0, "a held button asks nothing"
    assert browser.field("Password").get_attribute("value")


@pytest.mark.parametrize("status, code, sentence", [
    (429, "rate_limited", "That was tried too often."),
    (429, "account_locked", "There were too many wrong passwords for this "
     "account, so it takes no sign-in for the moment."),
    (503, "service_unavailable", "The service is busy just now."),
])
def test_the_countdown_ends_and_the_button_works_again(
        browser, person, status, code, sentence):
    browser.open("login.html")
    browser.fill("E-mail address", person.email)
    browser.fill("Password", person.password)
    answer_with(browser, status, {"code": code}, Retry_After="2")
    browser.press("Sign in")
    browser.wait_text(f"{sentence} You can try again in 2 seconds.")
    browser.script(REAL)
    browser.wait_text("You can try again now.", timeout=5)
    button = browser.button("Sign in")
    assert button.get_attribute("aria-disabled") is None
    button.click()
    browser.wait_path("/account.html")


def test_an_unreachable_server_is_told(browser):
    browser.open("forgot.html")
    browser.script(UNREACHABLE)
    browser.fill("E-mail address", "a@example.com")
    browser.press("Send the link")
    browser.wait_text("The server could not be reached.")
    assert browser.button("Send the link").is_enabled()


def test_a_failure_of_the_server_names_its_reference(browser):
    browser.open("forgot.html")
    answer_with(browser, 500, {"code": "internal_error", "request_id": "abc-1"})
    browser.fill("E-mail address", "a@example.com")
    browser.press("Send the link")
    browser.wait_text("Something went wrong on our side. (Reference: abc-1)")


def test_a_front_server_without_its_backend_is_told(browser):
    browser.open("forgot.html")
    browser.script("""
		window.fetch = async () => new Response("<h1>503</h1>", {status: 503});
	""")
    browser.fill("E-mail address", "a@example.com")
    browser.press("Send the link")
    browser.wait_text("The service is busy just now.")


def test_a_double_click_submits_once(browser):
    browser.open("forgot.html")
    browser.fill("E-mail address", "a@example.com")
    browser.script("""
		window.calls = 0;
		window.fetch = () => { window.calls++; return new Promise(() => {}); };
	""")
    browser.press("Send the link")
    browser.wait_text("Sending…")
    browser.button("Sending…").click()
    assert browser.script("return calls") == 1


def test_a_shown_password_is_hidden_again_on_submitting(stack, browser):
    browser.open("login.html")
    field = browser.fill("Password", "not the password of anyone")
    browser.press("Show password")
    assert field.get_attribute("type") == "text"
    browser.fill("E-mail address", Person(stack).email)
    browser.press("Sign in")
    browser.wait_text("do not match")
    assert field.get_attribute("type") == "password"
    assert browser.button("Show password")


@pytest.mark.parametrize("typed, told", [
    ("", ""),
    ("eleven char", "11 of 12 characters"),
    ("twelve chars", "12 characters: long enough"),
    ("\U0001f511" * 11, "11 of 12 characters"),
])
def test_the_length_is_counted_in_code_points(browser, typed, told):
    browser.open("register.html")
    browser.script("""
		const field = document.getElementById("password");
		field.value = arguments[0];
		field.dispatchEvent(new InputEvent("input", { bubbles: true }));
	""", typed)
    assert browser.one("output.count").text == told


def test_passwords_can_be_pasted(browser):
    browser.open("login.html")
    cancelled = browser.script("""
		const paste = new ClipboardEvent("paste",
			{ bubbles: true, cancelable: true });
		return !document.getElementById("password").dispatchEvent(paste);
	""")
    assert not cancelled
