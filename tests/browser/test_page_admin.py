# SPDX-License-Identifier: Apache-2.0
"""The administration: limits, blocked addresses, and who may see them."""

import itertools
import secrets

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from client import Client, Person
from hostile import ATTRIBUTES, MARKUP
from test_page_access import (
    DIM_TEXTS, FLAWS, FOCUS_IS_SEEN, WIDER_THAN_THE_SCREEN, press_keys,
    use_theme, use_width)
from test_page_safety import paths_asked

# Each test changes limits or blocks of its own: the stack is everybody's.
_networks = itertools.count(1)


def next_network():
    return f"198.18.{next(_networks)}.0/24"


def member_of_the_system(stack, role):
    """Somebody with a role in the tenant of the installation."""
    person = Person(stack, name=f"The {role}")
    stack.ctl("user", "add", person.email, "--role", role, "--verified",
              "--name", person.name, "--password-stdin",
              input=person.password + "\n")
    return person


def open_desk(browser, person):
    browser.sign_in(person.email, person.password, "login.html?next=/admin.html")
    browser.wait_path("/admin.html")
    wait_desk(browser)
    return browser


def wait_desk(browser):
    browser.wait_for(lambda: browser.visible("#guard")
                     and not browser.all("[aria-busy]"))


@pytest.fixture
def admin(stack):
    """A client of the API, signed in as an administrator."""
    return member_of_the_system(stack, "admin").login()


@pytest.fixture
def desk(stack, browser):
    """The browser on the administration, an administrator signed in."""
    return open_desk(browser, member_of_the_system(stack, "admin"))


def row_of(browser, text, within):
    rows = [one for one in browser.visible(f"{within} li")
            if one.text.startswith(text)]
    assert len(rows) == 1, browser.text
    return rows[0]


def limits(desk, name):
    return row_of(desk, name, "#limits").text


# Who may see it

@pytest.mark.parametrize("role", ["owner", "admin", "auditor"])
def test_the_account_leads_there_for_those_who_run_the_site(
        stack, browser, role):
    browser.sign_in_to_account(member_of_the_system(stack, role))
    browser.one("#to-admin").click()
    browser.wait_path("/admin.html")
    wait_desk(browser)
    assert browser.heading == "Administration"


def test_the_owner_of_another_tenant_is_led_nowhere(account):
    assert not account.one("#to-admin").is_displayed()
    account.open("admin.html")
    account.wait_heading("This door is not yours")
    assert not account.visible("#guard")
    assert account.focused == account.visible("h1")[0]
    assert account.script(FLAWS) == []
    account.one("#closed a").click()
    account.wait_path("/account.html")


def test_who_is_not_signed_in_signs_in_first(stack, browser):
    browser.open("admin.html")
    browser.wait_path("/login.html")
    browser.wait_text("Please sign in to go on.")
    auditor = member_of_the_system(stack, "auditor")
    browser.fill("E-mail address", auditor.email)
    browser.fill("Password", auditor.password)
    browser.press("Sign in")
    browser.wait_path("/admin.html")
    wait_desk(browser)


def test_an_auditor_looks_and_is_offered_nothing_else(stack, browser):
    open_desk(browser, member_of_the_system(stack, "auditor"))
    assert "Your role may look, but not change anything." in browser.text
    assert browser.visible("main button") == []
    assert browser.visible("main input") == []
    assert "per 15 minutes for each network address" in limits(
        browser, "Sign-in attempts\n")


def test_signing_out_elsewhere_leaves_the_administration(desk):
    first = desk.driver.current_window_handle
    desk.driver.switch_to.new_window("tab")
    desk.open("account.html")
    desk.wait_account()
    desk.press("Sign out")
    desk.wait_text("You are signed out.")
    desk.driver.switch_to.window(first)
    desk.wait_path("/login.html")


# Limits

def test_limits_are_told_in_words(desk):
    assert "for each account" in limits(desk, "Sign-in attempts at one account")
    assert "per hour for each network address" in limits(desk, "New accounts")
    assert "10 per minute, 2 at once" in limits(desk, "WebSocket connections")
    assert len(desk.visible("#limits li")) == 10


def test_a_limit_is_changed_and_taken_back(desk, admin):
    desk.press("Change: WebSocket connections")
    assert desk.focused == desk.field("How many", "#edit")
    assert not desk.visible("#restoring")
    desk.fill("How many", "45", "#edit")
    desk.fill("Within", "2", "#edit")
    Select(desk.field("Unit", "#edit")).select_by_visible_text("hours")
    desk.one("#way-window").click()
    assert not desk.one("#burst").is_displayed()
    desk.press("Save")
    desk.wait_text("WebSocket connections: now 45 per 2 hours.")
    assert not desk.visible("dialog")
    assert desk.focused == desk.button("Change: WebSocket connections")
    shown = limits(desk, "WebSocket connections")
    assert "Changed" in shown
    assert "Configured: 10 per minute, 2 at once" in shown
    kept = policy(admin, "websocket")
    assert (kept["limit"], kept["window_s"], kept["burst"]) == (45, 7200, None)

    desk.driver.refresh()
    wait_desk(desk)
    assert "45 per 2 hours" in limits(desk, "WebSocket connections")
    desk.press("Change: WebSocket connections")
    assert desk.field("Within", "#edit").get_attribute("value") == "2"
    assert desk.one("#unit").get_attribute("value") == "3600"
    desk.press("Back to the configuration")
    desk.wait_text("WebSocket connections: now 10 per minute, 2 at once.")
    assert "Changed" not in limits(desk, "WebSocket connections")
    assert policy(admin, "websocket")["is_changed"] is False


def policy(admin, name):
    items = admin.get("/admin/policies").json()["items"]
    return next(one for one in items if one["name"] == name)


def test_a_limit_that_makes_no_sense_is_told_at_its_field(desk, admin):
    desk.press("Change: Second-factor attempts")
    desk.fill("How many", "0", "#edit")
    desk.fill("Within", "40", "#edit")
    Select(desk.field("Unit", "#edit")).select_by_visible_text("days")
    desk.one("#way-bucket").click()
    desk.fill("At once", "x", "#edit")
    desk.press("Save")
    desk.wait_text("At most 30 days.")
    told = [one.text for one in desk.visible("#edit .error")]
    assert told == ["Enter a whole number from 1 to 1,000,000.",
                    "At most 30 days.",
                    "Enter a whole number from 1 to 1,000,000."]
    assert desk.focused == desk.field("How many", "#edit")
    desk.press("Cancel", "#edit")
    assert not desk.visible("dialog")
    assert policy(admin, "factor")["is_changed"] is False
    desk.press("Change: Second-factor attempts")
    assert desk.visible("#edit .error") == [], "it is opened anew"


def test_a_limit_is_changed_without_a_mouse(desk):
    desk.button("Change: Requests with an API key").send_keys(Keys.ENTER)
    assert desk.script(FOCUS_IS_SEEN)
    press_keys(desk, Keys.ESCAPE)
    desk.wait_for(lambda: not desk.visible("dialog"))
    assert desk.focused == desk.button("Change: Requests with an API key")
    press_keys(desk, Keys.SPACE)
    desk.wait_for(lambda: desk.visible("dialog"))
    stops = []
    for _ in range(7):
        stops.append(desk.focused.get_attribute("id") or desk.focused.text)
        assert desk.script(FOCUS_IS_SEEN), stops
        press_keys(desk, Keys.TAB)
    assert stops == ["limit", "window", "unit", "way-bucket", "burst",
                     "Save", "keep"]
    press_keys(desk, Keys.ESCAPE)


# Blocked addresses

def block(desk, network, duration="1 hour", reason=""):
    desk.fill("Address or network", network)
    Select(desk.field("For how long")).select_by_visible_text(duration)
    desk.fill("Reason", reason)
    desk.press("Block")


@pytest.mark.parametrize("duration, told", [
    ("1 hour", "ends in 1 hour"),
    ("30 days", "ends "),
    ("Until unblocked", "ends when it is unblocked"),
])
def test_a_network_is_blocked_and_let_in_again(desk, admin, duration, told):
    network = next_network()
    block(desk, network, duration, "kept guessing")
    desk.wait_text(f"{network} is blocked.")
    row = row_of(desk, network, "#blocks").text
    assert "kept guessing" in row
    assert told in row
    assert "Automatic" not in row
    assert desk.field("Address or network").get_attribute("value") == ""
    assert network in blocked(admin)

    desk.press(f"Unblock {network}")
    assert desk.focused == desk.button("Cancel", "#confirm")
    assert f"Let {network} in again?" in desk.text
    desk.press("Cancel", "#confirm")
    assert network in blocked(admin)
    desk.press(f"Unblock {network}")
    desk.press("Unblock", "#confirm")
    desk.wait_text(f"{network} is let in again.")
    assert desk.focused == desk.one("#blocks-title")
    assert network not in blocked(admin)


def blocked(admin):
    items = admin.get("/admin/blocked-ips?limit=200").json()["items"]
    return {f"{one['ip']}/{one['prefix']}" if one["prefix"] else one["ip"]
            for one in items}


def test_a_single_address_is_told_without_a_prefix(desk):
    address = next_network().replace("0/24", "9")
    block(desk, address)
    desk.wait_text(f"{address} is blocked.")
    assert row_of(desk, f"{address}\n", "#blocks")
    desk.press(f"Unblock {address}")
    desk.press("Unblock", "#confirm")
    desk.wait_text(f"{address} is let in again.")


def test_what_is_no_address_is_told_at_its_field(desk):
    block(desk, "198.18.0.0/77", reason="not lost")
    field = desk.field("Address or network")
    desk.wait_for(lambda: field.get_attribute("aria-invalid") == "true")
    assert desk.focused == field
    assert desk.field("Reason").get_attribute("value") == "not lost"


def test_blocking_oneself_has_to_be_meant(desk, admin):
    own = desk.relay.address
    block(desk, own)
    desk.wait_text("This would block you, too")
    desk.press("Cancel", "#confirm")
    desk.wait_for(lambda: desk.button("Block"))
    assert desk.field("Address or network").get_attribute("value") == own
    assert own not in blocked(admin)

    desk.press("Block")
    desk.wait_text("This would block you, too")
    desk.press("Block it all the same", "#confirm")
    desk.wait_text(f"{own} is blocked.")
    desk.wait_text("Your network is blocked here.")
    assert own in blocked(admin)
    answer = admin.delete(f"/admin/blocked-ips/{own}")
    assert answer.status_code == 204


def test_hostile_reasons_are_shown_as_text(desk):
    for text in (MARKUP[0], MARKUP[6], ATTRIBUTES[3]):
        network = next_network()
        block(desk, network, reason=text)
        desk.wait_text(f"{network} is blocked.")
        row = row_of(desk, network, "#blocks")
        assert row.text.split("\n")[1] == text
    assert desk.script("return document.scripts.length") == 1
    own = ("/admin.html", "/login.html", "/style.css", "/mark.svg", "/js/",
           "/api/v1/me", "/api/v1/admin/", "/api/v1/auth/")
    assert [path for path in paths_asked(desk) if not path.startswith(own)] == []


def test_many_blocks_come_in_pages(desk, admin):
    prefix = 2 + secrets.randbelow(250)
    for i in range(25):
        stack_row(desk.stack, f"198.19.{prefix}.{i}")
    admin.get("/admin/blocked-ips")
    desk.driver.refresh()
    wait_desk(desk)
    assert len(desk.visible("#blocks li")) == 20
    while desk.visible("#blocks .more"):
        count = len(desk.visible("#blocks li"))
        desk.press("Show more")
        desk.wait_for(lambda: len(desk.visible("#blocks li")) > count)
    shown = [one.text for one in desk.visible("#blocks .network")]
    assert len(shown) == len(set(shown))
    assert {f"198.19.{prefix}.{i}" for i in range(25)} <= set(shown)
    desk.stack.query("DELETE FROM address_block WHERE reason = 'one of many'")


def stack_row(stack, address):
    """A row as the guard keeps it; through the API each would be a request."""
    mapped = bytes(10) + b"\xff\xff" + bytes(map(int, address.split(".")))
    stack.query("""
        INSERT INTO address_block
               (address, prefix, reason, source, created_at, expires_at)
        VALUES (%s, 128, 'one of many', 'auto',
                UNIX_TIMESTAMP() * 1000, UNIX_TIMESTAMP() * 1000 + 600000)
    """, mapped)


# For everyone

@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_administration_is_sound_legible_and_fits(desk, theme):
    use_theme(desk, theme)
    network = next_network()
    block(desk, network, reason="w" * 150)
    desk.wait_text(f"{network} is blocked.")
    assert_sound(desk)
    desk.press("Change: Requests when signed in")
    desk.one("#way-bucket").click()
    desk.fill("How many", "0", "#edit")
    desk.press("Save")
    desk.wait_text("Enter a whole number")
    assert_sound(desk)


def assert_sound(desk):
    assert desk.script(FLAWS) == []
    assert desk.script(DIM_TEXTS) == []
    for width in (280, 320, 768):
        use_width(desk, width)
        assert desk.script(WIDER_THAN_THE_SCREEN) == [], width
    use_width(desk, 1100)


def test_every_control_of_the_administration_has_a_name(desk):
    block(desk, next_network())
    desk.wait_text("is blocked.")
    names = [node["name"]["value"]
             for node in desk.cdp("Accessibility.getFullAXTree")["nodes"]
             if not node["ignored"] and node.get("role", {}).get("value") in (
                 "button", "textbox", "link", "combobox", "radio")]
    assert all(name.strip() for name in names)
    buttons = [name for name in names if name.startswith(("Change", "Unblock"))]
    assert len(buttons) == len(set(buttons)), "each says what it is for"


def test_without_scripts_the_administration_says_so(browser):
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    browser.open("admin.html")
    browser.wait_text("These pages need JavaScript.")
    assert browser.visible("button") == []
    browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


def test_a_change_is_recorded(desk, admin):
    desk.press("Change: Second-factor attempts")
    desk.fill("How many", "21", "#edit")
    desk.press("Save")
    desk.wait_text("Second-factor attempts: now 21 per hour.")
    found = Client(desk.stack, token=member_of_the_system(
        desk.stack, "auditor").login().token).get(
        "/audit?event_type=policy_change&limit=5").json()["items"]
    assert any(one["reason"] == "factor" for one in found)
    answer = admin.patch("/admin/policies", {"policies": {"factor": None}})
    assert answer.status_code == 200
