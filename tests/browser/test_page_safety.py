# SPDX-License-Identifier: Apache-2.0
"""Hostile text stays text; pages run what they are made of and nothing else.

CH-05 (headers of static files) and CH-08 (stored scripts) of the requirements.
"""

import html.parser
import pathlib
import urllib.parse

import pytest

from client import Client, next_address
from hostile import ATTRIBUTES, MARKUP, NAMES

HTDOCS = pathlib.Path(__file__).resolve().parents[2] / "htdocs"
PAGES = sorted(HTDOCS.rglob("*.html"))
MAIN_PAGES = sorted(HTDOCS.glob("*.html"))

# Everything that these pages have reason to ask for.
ASKED = ("/account.html", "/style.css", "/mark.svg", "/js/", "/api/v1/me",
         "/api/v1/audit", "/api/v1/auth/", "/login.html", "/verify.html",
         "/reset.html")


def paths_asked(browser):
    browser.read_logs()
    return {urllib.parse.urlsplit(one["url"]).path for one in browser.requests
            if one["url"].startswith(browser.stack.url)}


def assert_only_own_requests(browser):
    assert browser.foreign_requests() == []
    strange = [path for path in paths_asked(browser)
               if not path.startswith(ASKED)]
    assert strange == []


@pytest.mark.usefixtures("room")
def test_hostile_names_are_shown_as_text(stack, account, person):
    api = person.login(Client(stack))
    kept = 0
    for i, name in enumerate(NAMES):
        if i % 20 == 19:
            # A page asks four times: stay within what an address may ask.
            account.relay.move(next_address())
            api = Client(stack, token=api.token)
        answer = api.patch("/me", {"name": name})
        if answer.status_code == 422:
            assert name not in MARKUP, "markup is a name like another"
            continue
        assert answer.status_code == 200, (name, answer.text)
        kept += 1
        stored = answer.json()["name"]
        account.driver.refresh()
        account.wait_for(lambda: account.visible("#account"))
        shown = account.script("""
			const title = document.getElementById("title");
			return [title.textContent, title.childElementCount,
				document.getElementById("name").value,
				document.title, document.scripts.length, location.pathname];
		""")
        assert shown[0] == (stored or "Your account"), name
        assert shown[1] == 0, name
        # A text field leaves out line ends, by the rules of HTML.
        assert shown[2] == stored.replace("\r", "").replace("\n", ""), name
        assert shown[3:] == ["Your account – Claviger", 1, "/account.html"]
    assert kept >= 60
    assert_only_own_requests(account)


def test_hostile_devices_are_shown_as_text(stack, account, person):
    hostile = [MARKUP[0], MARKUP[6], MARKUP[9], ATTRIBUTES[3]]
    for text in hostile:
        device = Client(stack)
        device.http.headers["User-Agent"] = text
        person.login(device, device_name=text)
    account.driver.refresh()
    account.wait_account()
    shown = {one.text for one in account.visible("#sessions .device")}
    assert shown > set(hostile)
    for text in hostile:
        assert account.button(f"End session: {text}")
    assert account.script("return document.scripts.length") == 1
    assert_only_own_requests(account)


@pytest.mark.parametrize("start, heading", [
    ("login.html?notice=", "Sign in"),
    ("login.html?next=", "Sign in"),
    ("account.html?x=", "Sign in"),
    ("verify.html#token=", "Confirm your address"),
    ("reset.html#token=", "Set a new password"),
])
def test_a_hostile_address_in_a_link_says_nothing(browser, start, heading):
    browser.open(start + urllib.parse.quote(MARKUP[6]))
    browser.wait_heading(heading)
    assert "onerror" not in browser.text
    assert "onerror" not in browser.driver.title
    assert_only_own_requests(browser)


def test_a_page_that_is_made_to_run_a_script_refuses(browser):
    """The policy works, and this suite would notice: the browser complains."""
    browser.open("login.html")
    refusals = browser.script("""
		const image = document.createElement("img");
		return [
			() => { document.body.innerHTML = "<b>x</b>"; },
			() => { image.setAttribute("onerror", "window.ran = true"); },
			() => { document.createElement("script").src = "js/api.js"; },
		].map((attempt) => {
			try { attempt(); } catch { return true; }
			return false;
		});
	""")
    assert refusals == [True] * 3
    assert browser.script("return window.ran") is None
    assert len(browser.complaints()) == 3
    browser.forget()


class Sources(html.parser.HTMLParser):
    """Collects what in a page could run, style or load."""

    def __init__(self, path):
        super().__init__()
        self.loads, self.inline, self.policies = [], [], []
        self.open_script = False
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.inline += [name for name in named
                        if name.startswith("on") or name == "style"]
        if tag == "style":
            self.inline.append(tag)
        self.open_script = tag == "script"
        for name in ("src", "href", "action"):
            if name in named:
                self.loads.append(named[name])
        if named.get("http-equiv", "").lower() == "content-security-policy":
            self.policies.append(named["content"])

    def handle_endtag(self, tag):
        self.open_script = False

    def handle_data(self, text):
        if self.open_script and text.strip():
            self.inline.append("script")


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(HTDOCS)))
def test_pages_hold_nothing_inline_and_load_only_their_own(path):
    sources = Sources(path)
    assert sources.inline == []
    for address in sources.loads:
        if address.startswith("#"):
            continue
        assert "//" not in address and not address.startswith("/"), address
        target = path.parent / address.split("#")[0]
        assert target.is_file() or (target / "index.html").is_file(), address


def test_the_main_pages_have_one_strict_policy():
    policies = {path.name: Sources(path).policies for path in MAIN_PAGES}
    # One page has a worker; its policy names that script and no other.
    login = policies.pop("login.html")
    assert len({tuple(one) for one in policies.values()}) == 1
    (policy,) = policies["account.html"]
    assert login == [policy.replace(
        "trusted-types 'none'", "trusted-types claviger-proof")]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy


def test_scripts_write_text_and_nothing_else():
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                 "eval(", "Function(", "DOMParser", "setHTML", "sessionStorage")
    for path in sorted((HTDOCS / "js").glob("*.js")):
        text = path.read_text()
        assert [word for word in forbidden if word in text] == [], path.name


@pytest.mark.parametrize("path", [
    "/", "/login.html", "/account.html", "/style.css", "/js/api.js", "/mark.svg",
    "/problems/not_found/", "/no-such-page.html",
])
def test_static_answers_carry_the_security_headers(stack, path):
    headers = Client(stack).fetch("GET", path).headers
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'",
                 "base-uri 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    seconds = headers["Strict-Transport-Security"].split("max-age=")[1]
    assert int(seconds.split(";")[0]) >= 31536000
    assert "X-Powered-By" not in headers


@pytest.mark.parametrize("path, kind", [
    ("/login.html", "text/html"), ("/style.css", "text/css"),
    ("/js/api.js", "javascript"), ("/mark.svg", "image/svg+xml"),
])
def test_static_answers_say_what_they_are(stack, path, kind):
    answer = Client(stack).fetch("GET", path)
    assert answer.status_code == 200
    assert kind in answer.headers["Content-Type"]


def test_tokens_are_kept_nowhere_a_script_could_read(account):
    kept = account.script("return JSON.stringify({...localStorage})")
    assert "eyJ" not in kept
    cookies = account.script("return document.cookie")
    assert [one.split("=")[0] for one in cookies.split("; ")] == [
        "__Host-claviger_csrf"]
