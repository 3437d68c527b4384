"""``fig runbook render``: the document, of a runbook that was never begun and of one under way."""

from __future__ import annotations

import re

import lxml.html
import pytest
from click.testing import CliRunner

from stranglerfig import app
from stranglerfig.cli import fig
from stranglerfig.config import load
from stranglerfig.demo.workspace import copy_example
from stranglerfig.model import Comparison, Route, Stage
from stranglerfig.store import Write
from stranglerfig.tests.stores import store_file

NAME = "move-triage"
HIDDEN = "her name and address"


@pytest.fixture
def desk(tmp_path):
    copy_example(tmp_path)
    store_file(tmp_path / "fig.db")
    file = tmp_path / "fig.toml"
    rules = '[replacement.triage]\nprovider = "rules"\ntable = "rules.toml"\n\n'
    text = re.sub(r"(?s)\[replacement\.triage\].*?(?=# -- what we)", rules, file.read_text("utf-8"))
    file.write_text(text, "utf-8")
    (tmp_path / "rules.toml").write_text(
        '[[rule]]\npattern = "refund"\ngives = { category = "refund" }\n', "utf-8"
    )
    return tmp_path


@pytest.fixture
def begun(desk):
    """A run that somebody began, in shadow, with 30 compared requests."""
    file = desk / "runbooks" / f"{NAME}.toml"
    with app.store(load(desk)) as store:
        given = Route(endpoint="triage-ticket", stage=Stage.SHADOW, revision="r1", salt="s")
        route = store.routes.put(given, action="advance", who="eve", why="<b>go</b>", evidence={})
        text = file.read_text("utf-8")
        steps = re.findall(r'^name +=  *"([^"]+)"', text, re.MULTILINE)
        run = store.runs.begin(NAME, "triage-ticket", text, steps, who="eve", why="change 4711")
        store.runs.approve(run, "canary-10", who="ann", why="I saw | it")
        for number in range(30):
            seen = Comparison(
                request_id=f"q{number}",
                endpoint="triage-ticket",
                revision=route.revision,
                unit=f"u{number}",
                winner="replacement" if number < 5 else "both",
                by="golden",
                differs=("category",) if number < 5 else (),
                legacy={"category": HIDDEN},
                replacement={"category": "refund"},
            )
            store.journal.append(Write(observations=(seen,)))
        assert store.journal.flush(10)
    return desk


def render(root, *arguments, status=0):
    result = CliRunner().invoke(fig, ["-w", str(root), "runbook", "render", NAME, *arguments])
    assert result.exit_code == status, result.output + str(result.exception)
    return result.output


def test_of_one_that_was_never_begun_it_is_a_plan(desk):
    text = render(desk)
    assert text.startswith("# Moving triage-ticket: runbook move-triage\n")
    assert "| **Run** | not begun |" in text
    assert "a call at the soap facade; effect read" in text
    assert "`fig runbook apply move-triage`" in text
    assert "- route of triage-ticket: legacy → shadow" in text
    assert "- **retire:** nobody answers any more what the replacement is not sure of" in text
    assert "Going back is safe until legacy is retired: no data moves." in text


def test_of_one_under_way_it_says_who_what_why_and_the_evidence(begun):
    text = render(begun, "--md")
    assert "by eve: change 4711" in text
    assert "| **canary-10** | ann |" in text
    assert "I saw &#124; it" in text
    assert "advance: shadow" in text
    assert "\\<b\\>go\\</b\\>" in text
    assert "| only the replacement right | 5 | 16.7% |" in text
    assert "| category | 5 | replacement 5 |" in text
    assert re.search(r"\| begin \| eve \| change 4711 \|", text)
    assert HIDDEN not in text


def test_as_html_it_is_one_file_that_is_written_where_it_is_wanted(begun, tmp_path):
    file = tmp_path / "board.html"
    assert render(begun, "--html", "-o", str(file)).endswith("board.html\n")
    page = lxml.html.document_fromstring(file.read_text("utf-8"))
    assert len(page.findall(".//svg")) == 1
    assert HIDDEN not in page.text_content()
    assert render(begun, "--html").startswith("<!DOCTYPE html>")


def test_where_the_file_has_changed_since_it_says_so(begun):
    assert "The file is not what the run was begun with" not in render(begun)
    file = begun / "runbooks" / f"{NAME}.toml"
    file.write_text(file.read_text("utf-8").replace("percent = 10", "percent = 20"), "utf-8")
    text = render(begun)
    assert "The file is not what the run was begun with" in text
    assert "canary: percent = 10" in text, "it goes by what it was begun with"
    file.unlink()
    assert "The file is not what the run was begun with" in render(begun)


def test_a_place_that_cannot_be_written_is_an_error_of_ours(desk):
    render(desk, "-o", str(desk / "nowhere" / "board.md"), status=1)
