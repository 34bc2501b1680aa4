# SPDX-License-Identifier: Apache-2.0
"""The stacks of the end-to-end tests, and people on them."""

import pathlib
import shutil
import tempfile
import time

import pytest

from client import Client, Person
from stack import ALLOWED_ORIGIN, NO_LIMITS, Stack


@pytest.fixture(scope="session")
def loose():
    """No limits to speak of, a foreign origin allowed, operations guarded."""
    settings = dict(NO_LIMITS)
    settings["server.allowed_origins"] = ALLOWED_ORIGIN
    settings["server.operations_from"] = "127.0.0.1"
    with Stack(settings) as running:
        yield running


@pytest.fixture(scope="session")
def brief():
    """Short lives and a grace for refresh tokens.

    Its first access token is kept from the start, so that the test which
    wants it to be old has not long to wait.
    """
    settings = dict(NO_LIMITS)
    settings["session.access_ttl"] = "1m"
    settings["session.refresh_grace"] = "2s"
    with Stack(settings, workers=2) as running:
        running.early = Person(running).join().login()
        running.early_at = time.monotonic()
        yield running


@pytest.fixture
def person(stack):
    """Somebody with a confirmed address."""
    return Person(stack).join()


@pytest.fixture
def client(stack):
    """Somebody who is not signed in."""
    return Client(stack)


@pytest.fixture(scope="module")
def open_folder():
    """A folder that the service's own user may enter, unlike pytest's."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cv-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
