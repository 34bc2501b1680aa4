# SPDX-License-Identifier: Apache-2.0
"""Stacks whose parts are killed, stopped and emptied.

Each module has a stack of its own: what one breaks is no other's matter.
"""

import pytest

from stack import NO_LIMITS, Stack


@pytest.fixture(scope="module")
def fragile():
    with Stack(NO_LIMITS, workers=3) as running:
        yield running
