# SPDX-License-Identifier: Apache-2.0
"""A person's way through the pages, from the first visit to signing out."""

import client
from client import Client, Person, next_address


def link_in(message):
    """The first link with a token that a message holds."""
    return client.LINK.search(client.text_of(message)).group(0)


def register(browser, person):
    browser.open("register.html")
    browser.fill("Name", person.name)
    browser.fill("E-mail address", person.email)
    browser.fill("Password", person.password)
    browser.press("Create account")
    browser.wait_heading("Check your mail")


def confirm(browser, link):
    browser.open(link)
    browser.press("Confirm this address")
    browser.wait_heading("Confirmed")


def test_a_newcomer_registers_confirms_and_signs_in(stack, browser):
    person = Person(stack, name="Ada Lovelace")
    register(browser, person)
    assert person.email in browser.text
    confirm(browser, link_in(person.mail.wait("/verify.html")))
    browser.one("#to-login a").click()
    browser.wait_path("/login.html")
    browser.sign_in_to_account(person)
    assert browser.heading == "Ada Lovelace"
    assert person.email in browser.text
    assert "Confirmed" in browser.text


def test_the_front_door_knows_whether_somebody_is_signed_in(browser, person):
    browser.open("index.html")
    assert [one.text for one in browser.visible("main .button")] == [
        "Sign in", "Create an account"]
    browser.sign_in_to_account(person)
    browser.open("index.html")
    browser.wait_text("Open your account")
    assert len(browser.visible("main .button")) == 1
    browser.open("login.html")
    browser.wait_text("You are signed in already.")


def test_registering_a_known_address_looks_the_same(stack, browser, person):
    again = Person(stack, address=person.email)
    register(browser, again)
    assert person.email in browser.text


def test_an_unconfirmed_person_can_have_the_mail_sent_again(stack, browser):
    person = Person(stack)
    assert person.register().status_code == 202
    browser.sign_in_to_account(person)
    assert "Confirm your e-mail address." in browser.text
    browser.press("Send it again")
    browser.wait_text("It can take a minute or two to arrive.")
    newest = person.mail.wait("/verify.html", count=2)
    confirm(browser, link_in(newest))
    browser.one("#to-account a").click()
    browser.wait_path("/account.html")
    browser.wait_account()
    assert "Confirm your e-mail address." not in browser.text


def test_the_mail_can_be_sent_again_right_after_registering(stack, browser):
    person = Person(stack)
    register(browser, person)
    browser.press("Send it again")
    browser.wait_text("Sent again.")
    person.mail.wait("/verify.html", count=2)


def test_opening_a_confirmation_link_uses_nothing_up(
        stack, browser, new_browser):
    person = Person(stack)
    assert person.register().status_code == 202
    link = link_in(person.mail.wait("/verify.html"))
    browser.open(link)
    browser.wait_heading("Confirm your address")
    assert browser.path == "/verify.html", "the token left the address bar"
    confirm(new_browser(), link)
    browser.press("Confirm this address")
    browser.wait_heading("This link does not work")
    browser.fill("E-mail address", person.email)
    browser.press("Send a new link")
    browser.wait_text("a new link is on its way")


def test_a_second_link_opened_in_the_same_tab_is_taken(stack, browser):
    person = Person(stack)
    assert person.register().status_code == 202
    browser.open("verify.html")
    browser.wait_heading("This link does not work")
    link = link_in(person.mail.wait("/verify.html"))
    browser.script("location.href = arguments[0]", link)
    browser.wait_heading("Confirm your address")
    assert browser.path == "/verify.html"
    browser.press("Confirm this address")
    browser.wait_heading("Confirmed")


def test_a_forgotten_password_is_replaced(stack, browser, person):
    browser.open("login.html")
    browser.one("main .aside a").click()
    browser.wait_heading("Forgot your password?")
    browser.fill("E-mail address", person.email)
    browser.press("Send the link")
    browser.wait_heading("Check your mail")
    link = link_in(person.mail.wait("/reset.html"))

    browser.open(link)
    browser.wait_heading("Set a new password")
    assert browser.path == "/reset.html", "the token left the address bar"
    person.password = "marsh lantern quartz violin"
    browser.fill("New password", person.password)
    browser.press("Set password")
    browser.wait_text("Your new password is set.")
    browser.sign_in_to_account(person)

    browser.open(link)
    browser.fill("New password", "another lantern quartz violin")
    browser.press("Set password")
    browser.wait_heading("This link does not work")


def test_forgetting_looks_the_same_for_an_unknown_address(browser):
    browser.open("forgot.html")
    browser.fill("E-mail address", "nobody@example.com")
    browser.press("Send the link")
    browser.wait_heading("Check your mail")


def test_a_name_is_changed_and_kept(account):
    account.fill("Name", "Countess of Lovelace")
    account.press("Save name")
    account.wait_text("Your name is saved.")
    assert account.heading == "Countess of Lovelace"
    account.driver.refresh()
    account.wait_heading("Countess of Lovelace")


def test_a_password_change_ends_the_other_sessions(account, person):
    elsewhere = person.login_by_cookie()
    account.fill("Current password", "not my password at all",
                 "#change-password")
    account.fill("New password", "harbour pencil glacier oboe")
    account.press("Change password")
    account.wait_text("This is not your current password.")
    assert account.focused == account.one("#current-password")

    account.fill("Current password", person.password, "#change-password")
    account.press("Change password")
    account.wait_text("Your password is changed.")
    assert account.one("#new-password").get_attribute("value") == ""
    account.wait_text("You are signed in nowhere else.")
    assert elsewhere.get("/me").status_code == 401
    account.driver.refresh()
    account.wait_account()
    account.wait_text("Password changed")


def test_an_address_is_changed_confirmed_and_taken_back(
        stack, account, person, new_browser):
    moved = Person(stack, password=person.password)
    account.fill("New e-mail address", moved.email)
    account.fill("Current password", person.password, "#change-email")
    account.press("Change address")
    account.wait_text("Nearly done")
    account.wait_text("Until then the present address stays.")
    confirm(account, link_in(moved.mail.wait("/verify.html")))

    elsewhere = new_browser()
    elsewhere.sign_in_to_account(moved)
    assert moved.email in elsewhere.text

    elsewhere.open(link_in(person.mail.wait(moved.email)))
    elsewhere.wait_for(lambda: elsewhere.visible("main .primary"))
    elsewhere.one("main section:not([hidden]) .primary").click()
    elsewhere.wait_for(
        lambda: elsewhere.heading in ("Confirmed", "Taken back"))
    elsewhere.sign_in_to_account(person)


def test_taking_an_address_back_has_words_of_its_own(browser):
    browser.open("verify.html?undo#token=not-a-token")
    browser.wait_heading("Take the change back")
    assert browser.path == "/verify.html?undo"
    browser.press("Take it back")
    browser.wait_heading("This link does not work")
    assert browser.visible("form") == [], "there is no new link to be had"


def test_sessions_are_listed_and_ended(account, person):
    first = person.login(session="cookie", device_name="Old phone")
    second = person.login(session="cookie", device_name="Library")
    account.driver.refresh()
    account.wait_account()
    rows = [one.text for one in account.visible("#sessions li")]
    assert len(rows) == 3
    assert len([row for row in rows if "This device" in row]) == 1

    account.press("End session: Old phone")
    account.wait_text("Ended: Old phone.")
    assert account.focused == account.one("#sessions-title")
    assert first.get("/me").status_code == 401
    assert second.get("/me").status_code == 200

    account.press("End all other sessions")
    account.wait_text("You are signed in nowhere else.")
    assert len(account.visible("#sessions li")) == 1
    assert not account.one("#end-others").is_displayed()
    assert second.get("/me").status_code == 401


def test_activity_tells_a_refused_sign_in(stack, browser, person):
    stranger = Person(stack, address=person.email)
    assert stranger.try_login(Client(stack, next_address())).status_code == 401
    browser.sign_in_to_account(person)
    shown = [one.text for one in browser.visible("#activity .what")]
    assert shown[0] == "Signed in"
    assert "Sign-in refused" in shown


def test_signing_out_ends_the_session_in_every_tab(account):
    first = account.driver.current_window_handle
    account.driver.switch_to.new_window("tab")
    account.open("account.html")
    account.wait_account()
    account.press("Sign out")
    account.wait_text("You are signed out.")
    account.driver.switch_to.window(first)
    account.wait_path("/login.html")
    account.wait_text("You are signed out.")
    account.driver.back()
    account.driver.get(account.stack.url + "/account.html")
    account.wait_path("/login.html")
    account.wait_text("Please sign in to go on.")
