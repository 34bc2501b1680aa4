# SPDX-License-Identifier: Apache-2.0
"""The pages that the "type" of a problem leads to, and the list of installs."""

import pathlib
import re
import subprocess

from client import Client

ROOT = pathlib.Path(__file__).resolve().parents[2]
HTDOCS = ROOT / "htdocs"
PROBLEMS = HTDOCS / "problems"


def problems_of_the_server():
    """(code, status) of every row in the table of http/problem.c."""
    text = (ROOT / "src" / "http" / "problem.c").read_text()
    rows = re.findall(r"=\s*\{(\d{3}),\s*\"(\w+)\"", text)
    return {code: status for status, code in rows}


def test_the_kept_pages_are_the_ones_that_make_writes(tmp_path):
    subprocess.run(["sh", PROBLEMS / "make.sh", tmp_path], check=True)
    written = {path.relative_to(tmp_path): path.read_text()
               for path in tmp_path.rglob("*.html")}
    kept = {path.relative_to(PROBLEMS): path.read_text()
            for path in PROBLEMS.rglob("*.html")}
    assert written == kept


def test_every_problem_of_the_server_has_its_page():
    table = problems_of_the_server()
    assert len(table) > 20
    for code, status in table.items():
        page = (PROBLEMS / code / "index.html").read_text()
        assert f"<dd><code>{code}</code></dd>" in page
        assert f"<dd>{status}</dd>" in page


def test_the_type_of_a_problem_leads_to_its_page(stack, browser):
    problem = Client(stack).get("/me").json()
    assert problem["type"].startswith(stack.url + "/problems/")
    browser.open(problem["type"])
    browser.wait_heading("Nobody is signed in")
    assert "What to do" in browser.text
    browser.one("main .below a").click()
    browser.wait_heading("Problems")
    for link in browser.all("main li a"):
        code = link.get_attribute("href").rstrip("/").rsplit("/", 1)[1]
        assert (PROBLEMS / code / "index.html").is_file()


def test_everything_that_is_served_is_installed():
    listed = set(re.findall(r"htdocs/[\w./-]+\.(?:html|js|css|svg)\b",
                            (HTDOCS / "module.am").read_text()))
    there = {str(path.relative_to(ROOT)) for path in HTDOCS.rglob("*")
             if path.suffix in (".html", ".js", ".css", ".svg")}
    assert listed == there
