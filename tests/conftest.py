# SPDX-License-Identifier: Apache-2.0
"""Lets every test import the modules of this folder, and shares the stack."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from stack import Stack  # noqa: E402


@pytest.fixture(scope="session")
def stack():
    """The installation as the quick start makes it: default settings."""
    with Stack() as running:
        yield running
