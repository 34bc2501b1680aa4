# SPDX-License-Identifier: Apache-2.0
"""Browsers for the tests of the pages, against a running stack.

The stack is the one that the environment names (. DIR/instance.env), or else
a private one. Every browser is asked at its end what it had to complain of.
"""

import os

import pytest

from chromium import Browser
from client import Person, next_address
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


@pytest.fixture
def new_browser(stack):
    """Make any number of browsers; none may complain or leave the site."""
    opened = []

    def make(address=None):
        browser = Browser(stack, address or next_address())
        opened.append(browser)
        return browser

    yield make
    complaints, foreign = [], []
    for browser in opened:
        complaints += browser.complaints()
        foreign += browser.foreign_requests()
        browser.close()
    assert complaints == []
    assert foreign == []


@pytest.fixture
def browser(new_browser):
    return new_browser()


@pytest.fixture
def person(stack):
    """Somebody with a confirmed account."""
    return Person(stack).join()


@pytest.fixture
def account(browser, person):
    """The browser on the account page, the person signed in."""
    browser.sign_in_to_account(person)
    return browser
