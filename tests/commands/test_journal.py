"""``fig journal``: what it shows, and what it says of a line that somebody changed."""

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig
from stranglerfig.errors import FigError
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.store.line import Line
from stranglerfig.store.store import Store
from stranglerfig.store.write import Write
from stranglerfig.tests.stores import store_file


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "fig.toml").write_text('[workspace]\nname = "w"\n', "utf-8")
    url = store_file(tmp_path / "fig.db")
    store = Store(url)
    store.open()
    for number in range(4):
        data = {"key": f"C-{number}", "served_by": "legacy", "status": "ok", "ms": 1.5}
        if number == 2:
            data |= {"fallback": "deadline", "detail": "too slow"}
        line = Line(kind="request", endpoint="e", request_id=str(number), data=data)
        asyncio.run(store.journal.commit(Write(lines=(line,))))
    store.close()
    return tmp_path


def run(workspace: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(fig, ["-w", str(workspace), "journal", *arguments])
    return result.exit_code, result.output


def refusal(workspace: Path, *arguments: str) -> str:
    result = CliRunner().invoke(fig, ["-w", str(workspace), "journal", *arguments])
    assert isinstance(result.exception, FigError)
    return str(result.exception)


def test_it_shows_the_last_lines_and_only_those_asked_for(workspace: Path) -> None:
    status, output = run(workspace, "show", "--last", "2", "--json")
    assert status == 0
    assert [json.loads(line)["line"]["request_id"] for line in output.splitlines()] == ["2", "3"]
    _, output = run(workspace, "show", "--fallbacks")
    assert "deadline too slow" in output
    assert "C-3" not in output


def test_a_whole_chain_is_said_to_be_whole(workspace: Path) -> None:
    assert run(workspace, "verify") == (
        0,
        "whole: 4 lines, each holds the hash of the one before\n",
    )


def test_a_changed_line_is_named(workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "fig.db")) as store, store:
        store.execute("UPDATE journal SET data = replace(data, 'C-1', 'C-9') WHERE id = 2")
    status, output = run(workspace, "verify", "--json")
    assert status == 8
    assert [one["id"] for one in json.loads(output)["broken"]] == [2]


def test_an_anchor_is_printed_and_held_against_the_journal(workspace: Path) -> None:
    _, printed = run(workspace, "anchor")
    kept = printed.strip()
    assert kept.startswith("4:")
    assert run(workspace, "verify", "--anchor", kept)[0] == 0
    assert run(workspace, "verify", "--anchor", kept.partition(":")[2])[0] == 0
    _, output = run(workspace, "anchor", "--json")
    assert json.loads(output)["anchor"] == kept
    other = "4:" + "0" * 63 + "1"
    status, output = run(workspace, "verify", "--anchor", other, "--json")
    assert (status, json.loads(output)["broken"][0]["id"]) == (8, 4)
    assert run(workspace, "verify", "--anchor", "4:12")[0] == 2


def test_lines_cut_off_at_the_end_are_named(workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "fig.db")) as store, store:
        store.execute("DELETE FROM journal WHERE id > 2")
    status, output = run(workspace, "verify")
    assert status == 8
    assert "ends at line 2" in output


def test_old_lines_are_compacted_after_a_dry_run(workspace: Path) -> None:
    assert "no age is said" in refusal(workspace, "compact")
    _, output = run(workspace, "compact", "--older", "0.0001m", "--dry-run", "--json")
    assert json.loads(output)["compacted"] in {0, 4}
    age_lines(workspace)
    _, output = run(workspace, "compact", "--older", "90d", "--dry-run", "--json")
    assert json.loads(output) | {"dry_run": True, "compacted": 4} == json.loads(output)
    status, output = run(workspace, "compact", "--older", "90d")
    assert status == 0
    assert "lines that lose their data" in output
    status, output = run(workspace, "verify")
    assert status == 0
    assert "up to 4 the data was compacted" in output
    assert "compacted" in run(workspace, "show")[1]
    assert "nothing is old enough" in run(workspace, "compact", "--older", "90d")[1]


def test_an_age_that_is_none_is_refused(workspace: Path) -> None:
    status, output = run(workspace, "compact", "--older", "ninety")
    assert status == 2
    assert "90d" in output


def test_old_lines_are_archived_and_removed(workspace: Path) -> None:
    age_lines(workspace)
    file = workspace / "old.jsonl"
    status, output = run(workspace, "archive", str(file), "--older", "90d", "--remove", "--json")
    assert status == 0, output
    told = json.loads(output)
    assert (told["lines"], told["removed"]) == (4, 4)
    status, output = run(workspace, "verify", "--archive", str(file), "--anchor", told["last"])
    assert status == 0
    assert "lines 1 to 4" in output
    _, output = run(workspace, "verify")
    assert "those up to 4 were removed" in output
    file.write_text(file.read_text().replace("C-1", "C-9"))
    assert run(workspace, "verify", "--archive", str(file))[0] == 8
    assert "there already" in refusal(workspace, "archive", str(file), "--older", "90d")


def test_a_changed_journal_is_not_archived_away(workspace: Path) -> None:
    age_lines(workspace)
    with closing(sqlite3.connect(workspace / "fig.db")) as store, store:
        store.execute("UPDATE journal SET data = replace(data, 'C-1', 'C-9') WHERE id = 2")
    file = workspace / "old.jsonl"
    given = ("archive", str(file), "--older", "90d", "--remove")
    assert "nothing was removed" in refusal(workspace, *given)
    with closing(sqlite3.connect(workspace / "fig.db")) as store, store:
        assert store.execute("SELECT count(*) FROM journal").fetchone() == (4,)


def test_retention_is_done_by_hand_too(workspace: Path) -> None:
    age_lines(workspace)
    toml = workspace / "fig.toml"
    toml.write_text(toml.read_text() + "\n[retention]\ncompact = 30\njournal = 90\n", "utf-8")
    _, output = run(workspace, "retain", "--dry-run", "--json")
    assert json.loads(output)["removed"] == 4
    status, output = run(workspace, "retain", "--json")
    assert status == 0
    assert json.loads(output)["removed"] == 4
    assert run(workspace, "verify")[0] == 0


def age_lines(workspace: Path) -> None:
    """Write the workspace's journal anew, with lines from a year ago."""
    (workspace / "fig.db").unlink()
    url = f"sqlite:///{workspace / 'fig.db'}"
    upgrade(url)
    store = Store(url)
    store.open()
    for number in range(4):
        data = {"key": f"C-{number}", "served_by": "legacy", "status": "ok", "ms": 1.5}
        at = time.time() - 365 * 86_400
        line = Line(kind="request", endpoint="e", request_id=str(number), at=at, data=data)
        asyncio.run(store.journal.commit(Write(lines=(line,))))
    store.close()
