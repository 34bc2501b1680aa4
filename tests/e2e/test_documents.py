# SPDX-License-Identifier: Apache-2.0
"""Commands in the documents work: every block marked ```sh test is run."""

import os
import pathlib
import re
import subprocess

import pytest

from stack import ROOT

BLOCK = re.compile(r"^```sh test\n(.*?)^```$", re.M | re.S)
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md"]


def documents():
    return [ROOT / name for name in DOCUMENTS] + sorted((ROOT / "docs").rglob("*.md"))


def blocks():
    for path in documents():
        if path.exists():
            for number, match in enumerate(BLOCK.finditer(path.read_text()), 1):
                yield pytest.param(match[1], id=f"{path.relative_to(ROOT)} block {number}")


@pytest.mark.parametrize("block", blocks())
def test_a_command_of_the_documents_works(stack, block):
    """Runs in the project's folder, with the stack's instance.env exported."""
    environment = {**os.environ, **stack.env}
    done = subprocess.run(["sh", "-euc", block], cwd=ROOT, env=environment, text=True,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_is_empty(path):
    assert len(path.read_text()) > 200


def test_every_file_that_a_document_names_exists():
    names = pathlib.Path(ROOT / "ARCHITECTURE.md").read_text()
    for name in set(re.findall(r"`((?:src|deploy|tests|sql|htdocs)/[\w./-]+\.\w+)`", names)):
        assert (ROOT / name).exists(), name
