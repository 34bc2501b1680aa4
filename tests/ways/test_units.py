# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts there for systemd and for front servers."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

PREFIX = pathlib.Path(os.environ.get("CLAVIGER_PREFIX", "/nonexistent"))
UNITS = PREFIX / "lib/systemd/system"
EXAMPLES = PREFIX / "share/claviger/examples"
needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd is not installed")


def analyze(*words):
    return subprocess.run(["systemd-analyze", *map(str, words)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@needs_systemd
def test_units_are_understood():
    names = ("claviger.socket", "claviger.service", "claviger-maintain.timer")
    verified = analyze("verify", *(UNITS / name for name in names))
    assert verified.returncode == 0, verified.stdout
    assert "claviger" not in verified.stdout, verified.stdout


@needs_systemd
@pytest.mark.parametrize("unit", ["claviger", "claviger-maintain"])
def test_services_are_confined(unit):
    told = analyze("security", "--offline=true", UNITS / f"{unit}.service").stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert exposure, told
    assert float(exposure.group(1)) <= 1.5


def test_examples_are_filled_in():
    files = [path for folder in (UNITS, EXAMPLES) for path in folder.rglob("*")
             if path.is_file()]
    assert len(files) >= 12
    for path in files:
        assert not re.search(r"@[A-Z_]+@", path.read_text()), path
