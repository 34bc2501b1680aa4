# SPDX-License-Identifier: Apache-2.0
"""Lets every test import the modules of this folder, and shares the stack."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from stack import ROOMY, Stack  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "timing: compares times, which a build with sanitizers distorts")


@pytest.fixture(scope="session")
def stack():
    """The installation as the quick start makes it, but with room for tests.

    Its limits of sign-ins, registrations and mails are the default ones.
    """
    with Stack(ROOMY) as running:
        yield running
