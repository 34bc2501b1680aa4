# SPDX-License-Identifier: Apache-2.0
"""Browsers for the tests of the pages, against a running stack.

The stack is the one that the environment names (. DIR/instance.env), or else
a private one. Every browser is asked at its end what it had to complain of.
"""

import os

import pytest

from chromium import Browser
from client import Person, next_address, owner_of
from stack import Stack


class GivenStack(Stack):
    """A stack that somebody else started and will stop."""

    def __init__(self, environment):
        self.env = dict(environment)


@pytest.fixture(scope="session")
def stack():
    if "CLAVIGER_URL" in os.environ:
        yield GivenStack(os.environ)
        return
    with Stack() as running:
        yield running


@pytest.fixture(scope="session")
def shared_browser(stack):
    """Starting one takes seconds: most tests take turns with this one."""
    browser = Browser(stack, next_address())
    yield browser
    browser.close()


def assert_content(browser):
    assert browser.complaints() == []
    assert browser.foreign_requests() == []


@pytest.fixture
def browser(shared_browser):
    """A browser that has been nowhere; it may not complain in the end."""
    shared_browser.renew(next_address())
    yield shared_browser
    assert_content(shared_browser)


@pytest.fixture
def new_browser(stack):
    """Make further browsers, as other people have them."""
    opened = []

    def make():
        opened.append(Browser(stack, next_address()))
        return opened[-1]

    yield make
    for browser in opened:
        try:
            assert_content(browser)
        finally:
            browser.close()


@pytest.fixture
def person(stack):
    """Somebody with a confirmed account."""
    return Person(stack).join()


@pytest.fixture
def room(stack):
    """No limit to how often somebody signed in may call: for hundreds of times."""
    owner = owner_of(stack).login()
    change_limit(owner, {"limit": 1000000, "window_s": 60, "burst": 1000000})
    yield
    change_limit(owner, None)


def change_limit(owner, rate):
    answer = owner.patch("/admin/policies", {"policies": {"api_user": rate}})
    assert answer.status_code == 200, answer.text


@pytest.fixture
def account(browser, person):
    """The browser on the account page, the person signed in."""
    browser.sign_in_to_account(person)
    return browser
