"""``fig journal``: what it shows, and what it says of a line that somebody changed."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.store.line import Line
from stranglerfig.store.store import Store
from stranglerfig.store.write import Write


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "fig.toml").write_text('[workspace]\nname = "w"\n', "utf-8")
    url = f"sqlite:///{tmp_path / 'fig.db'}"
    upgrade(url)
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
