# SPDX-License-Identifier: Apache-2.0
"""A session that runs out while a page is open: renewed unseen, and once."""

import urllib.parse

import pytest

HOLD_LOCK = """
const done = arguments[0];
navigator.locks.request("claviger-refresh", () => {
	done();
	return new Promise((release) => { window.releaseLock = release; });
});
"""
WAITING = """
const done = arguments[0];
navigator.locks.query().then((state) => done(state.pending.length));
"""


def lose_cookie(browser, name, path="/"):
    browser.cdp("Network.deleteCookies", name=name,
                url=browser.stack.url + path)


def lose_access(browser):
    lose_cookie(browser, "__Host-claviger_access")


def lose_refresh(browser):
    lose_cookie(browser, "__Secure-claviger_refresh", "/api/v1/auth/refresh")


def renewals(browser):
    """How often any page of the browser asked for a renewal."""
    return len(browser.requests_to("/api/v1/auth/refresh"))


def save_name(browser, name):
    browser.fill("Name", name)
    browser.press("Save name")


def test_a_lost_access_token_is_renewed_unseen(account):
    lose_access(account)
    save_name(account, "Renewed")
    account.wait_text("Your name is saved.")
    assert renewals(account) == 1
    assert account.heading == "Renewed"


def test_a_page_opened_with_an_old_session_renews_once(account):
    lose_access(account)
    account.open("account.html")
    account.wait_account()
    assert renewals(account) == 1


def test_several_calls_of_one_page_renew_once(account):
    lose_access(account)
    account.script("""
		document.querySelector("#profile button").click();
		document.querySelector("#end-others").click();
	""")
    account.wait_text("Your name is saved.")
    account.wait_text("Every other session has ended.")
    assert renewals(account) == 1


def test_two_tabs_at_once_renew_once(account):
    first = account.driver.current_window_handle
    account.driver.switch_to.new_window("tab")
    account.open("account.html")
    account.wait_account()
    second = account.driver.current_window_handle

    lose_access(account)
    account.driver.execute_async_script(HOLD_LOCK)
    save_name(account, "Second tab")
    account.driver.switch_to.window(first)
    save_name(account, "First tab")
    account.wait_for(
        lambda: account.driver.execute_async_script(WAITING) == 2)
    account.driver.switch_to.window(second)
    account.script("releaseLock()")

    for tab in (first, second):
        account.driver.switch_to.window(tab)
        account.wait_text("Your name is saved.")
    assert renewals(account) == 1


def test_a_session_that_cannot_be_renewed_leads_back_after_signing_in(
        account, person):
    lose_access(account)
    lose_refresh(account)
    save_name(account, "Never saved")
    account.wait_path("/login.html")
    account.wait_text("Your session has ended. Please sign in again.")
    query = urllib.parse.urlsplit(account.driver.current_url).query
    assert urllib.parse.parse_qs(query)["next"] == ["/account.html"]
    account.fill("E-mail address", person.email)
    account.fill("Password", person.password)
    account.press("Sign in")
    account.wait_path("/account.html")
    account.wait_heading(person.name)


def test_a_session_ended_elsewhere_leads_to_signing_in(account, person):
    other = person.login_by_cookie()
    answer = other.delete("/me/sessions", headers=other.csrf_headers())
    assert answer.status_code == 204
    save_name(account, "Never saved")
    account.wait_path("/login.html")
    account.wait_text("Your session has ended. Please sign in again.")


def test_a_busy_server_during_renewal_ends_no_session(account):
    lose_access(account)
    account.script("""
		const real = window.fetch;
		window.fetch = (address, options) =>
			String(address).endsWith("/auth/refresh")
				? Promise.resolve(new Response("{}", { status: 503 }))
				: real(address, options);
	""")
    save_name(account, "Patience")
    account.wait_text("The service is busy just now.")
    account.driver.refresh()
    account.wait_account()


@pytest.mark.parametrize("asked, landed", [
    ("/problems/conflict/?a=1", "/problems/conflict/?a=1"),
    ("account.html", "/account.html"),
    ("//elsewhere.example/", "/account.html"),
    ("/\\elsewhere.example/", "/account.html"),
    ("https://elsewhere.example/", "/account.html"),
    # By the rules of URLs this one is relative: of this site, and harmless.
    ("https:elsewhere.example", "/elsewhere.example"),
    ("javascript:document.title='owned'", "/account.html"),
    ("\tjavascript:alert(1)", "/account.html"),
    ("data:text/html,x", "/account.html"),
    ("http://[", "/account.html"),
])
def test_only_pages_of_this_site_follow_a_sign_in(
        browser, person, asked, landed):
    # The judgement is one function: all cases are put to it, some are walked.
    page = "login.html?" + urllib.parse.urlencode({"next": asked})
    browser.open(page)
    judged = browser.driver.execute_async_script("""
		const done = arguments[0];
		import("/js/navigate.js").then((module) => done(module.nextPage().href));
	""")
    assert judged == browser.stack.url + landed
    if asked.startswith(("/problems", "//")):
        browser.sign_in(person.email, person.password, page)
        browser.wait_path(landed)
