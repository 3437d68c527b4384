"""``fig dead``: what it shows of a dead letter, what it holds back, and what it has done."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import stranglerfig
from stranglerfig.cli import fig
from stranglerfig.model import Record
from stranglerfig.store import Store, Write
from stranglerfig.store.chain import verify
from stranglerfig.store.write import DeadLetter
from stranglerfig.tests.stores import store_file

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"
ROW = {
    "id": "7",
    "customer": "C-1",
    "channel": "M",
    "text": "my secret refund",
    "category": "C05",
    "priority": "2",
    "score": "0.67",
    "opened": "20261123",
    "status": "O",
}


def letter(position: str, source: str = "tickets", **row: str) -> DeadLetter:
    record = Record(
        source=source,
        position=position,
        kind="row",
        body=json.dumps({**ROW, **row}).encode(),
        key="C-1",
        headers=(("op", "insert"), ("before", '{"text": "an older secret"}')),
    )
    error = {"error": "MappingError", "message": "no such code", "place": "channel", "value": "X"}
    cause = {"error": "ValueError", "message": "[not] a channel"}
    return DeadLetter(
        source=source,
        position=position,
        reason="no such code",
        record=record,
        error=error,
        attempts=3,
        at=1_700_000_000.0,
        endpoint="ticket-opened",
        chain=(error, cause),
        versions={"stranglerfig": "0.1", "mapping": "abc"},
    )


@pytest.fixture
def workspace(tmp_path):
    shutil.copytree(EXAMPLE / "operations", tmp_path / "operations")
    shutil.copytree(EXAMPLE / "acl", tmp_path / "acl")
    shutil.copy(EXAMPLE / "fig.toml", tmp_path)
    url = store_file(tmp_path / "fig.db")
    store = Store(url)
    store.open()
    letters = (letter("p1"), letter("p2", channel="X"), letter("p3", "tickets2"))
    for one in letters:
        asyncio.run(store.journal.commit(Write(dead=one)))
    yield tmp_path
    assert not list(verify(store.database))
    store.close()


def run(workspace, *arguments):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        fig, ["-w", str(workspace), "dead", *arguments]
    )
    return result.exit_code, result.stdout


def read(workspace, *arguments):
    status, said = run(workspace, *arguments, "--json")
    return status, [json.loads(line) for line in said.splitlines()]


def notes(workspace):
    said = CliRunner(env={"COLUMNS": "200"}).invoke(
        fig, ["-w", str(workspace), "journal", "show", "--kind", "note", "--json"]
    )
    return [json.loads(line)["line"]["data"] for line in said.stdout.splitlines()]


def test_lists_what_is_kept_by_source_endpoint_and_state(workspace):
    status, said = run(workspace, "list")
    assert (status, said.count("no such code")) == (0, 3)
    assert said.count("no such code: channel") == 3
    assert [one["id"] for one in read(workspace, "list", "--source", "tickets")[1]] == [1, 2]
    assert len(read(workspace, "list", "--endpoint", "ticket-opened")[1]) == 3
    assert read(workspace, "list", "--state", "dropped") == (0, [])
    assert run(workspace, "list", "--endpoint", "other")[1] == "no dead letters\n"


def test_shows_the_errors_and_holds_back_what_legacy_sent(workspace):
    status, said = run(workspace, "show", "1")
    assert status == 0
    for part in ("MappingError: no such code; place: channel; value: X", "[not] a channel", "0.1"):
        assert part in said
    assert "secret" not in said
    assert "secret" not in json.dumps(read(workspace, "show", "1")[1])
    assert "an older secret" in run(workspace, "show", "1", "--headers")[1]


def test_gives_the_original_bytes_on_request(workspace, tmp_path):
    out = tmp_path / "body"
    assert run(workspace, "show", "1", "--body", str(out))[0] == 0
    assert out.read_bytes() == letter("p1").record.body
    assert out.stat().st_mode & 0o077 == 0, "nobody else may read it"
    (shown,) = read(workspace, "show", "1", "--hex")[1]
    assert bytes.fromhex(shown["body_hex"]) == letter("p1").record.body
    dumped = [line[12:] for line in run(workspace, "show", "1", "--hex")[1].splitlines()]
    assert letter("p1").record.body[:16].hex(" ") in dumped


def test_one_that_is_not_there_is_an_error(workspace):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        fig, ["-w", str(workspace), "dead", "show", "99"]
    )
    assert "there is no such dead letter" in str(result.exception)


def test_a_replay_is_noted_with_who_and_why_and_asked_for_once(workspace):
    arguments = ("replay", "1", "--who", "ada", "--why", "the code is known now")
    assert read(workspace, *arguments) == (0, [{"id": 1, "changed": True, "state": "replay"}])
    assert read(workspace, *arguments) == (4, [{"id": 1, "changed": False, "state": "replay"}])
    assert run(workspace, "replay", "77")[0] == 4
    (note,) = notes(workspace)
    assert (note["who"], note["why"]) == ("ada", "the code is known now")
    assert note["action"] == "dead letter 1: replay"


def test_all_of_a_source_are_replayed_and_never_all_of_everything(workspace):
    assert run(workspace, "replay", "--all")[0] == 2
    assert run(workspace, "replay")[0] == 2
    assert run(workspace, "replay", "1", "--all", "--source", "tickets")[0] == 2
    status, said = run(workspace, "replay", "--all", "--source", "tickets")
    assert (status, said.split(":")[0]) == (0, "2 to replay")
    assert [one["state"] for one in read(workspace, "list")[1]] == ["replay", "replay", "kept"]


def test_a_rehearsal_says_which_would_pass_now_and_changes_nothing(workspace):
    status, said = read(workspace, "replay", "1", "2", "--dry-run")
    assert status == 4
    assert [(one["id"], one["passes"]) for one in said] == [(1, True), (2, False)]
    assert "channel" in said[1]["place"] + said[1]["message"]
    mapping = workspace / "acl" / "ticket_row.toml"
    mapping.write_text(mapping.read_text().replace('{ P = "phone"', '{ X = "phone"'))
    assert [one["passes"] for one in read(workspace, "replay", "1", "2", "--dry-run")[1]] == [
        True,
        True,
    ]
    assert {one["state"] for one in read(workspace, "list")[1]} == {"kept"}
    assert notes(workspace) == []


def test_a_rehearsal_of_what_nobody_listens_to_says_so(workspace):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        fig, ["-w", str(workspace), "dead", "replay", "3", "--dry-run"]
    )
    assert "no endpoint listens" in str(result.exception)


def test_a_drop_needs_a_reason_and_is_for_good(workspace):
    assert run(workspace, "drop", "1")[0] == 2
    assert read(workspace, "drop", "1", "--why", "a test", "--who", "ada")[1][0]["state"] == "drop"
    assert run(workspace, "replay", "1")[0] == 4
    assert notes(workspace)[0]["why"] == "a test"


def test_a_long_list_comes_in_parts_and_says_how_to_go_on(workspace):
    arguments = ["-w", str(workspace), "dead", "list", "--error", "ValueError", "--limit", "2"]
    result = CliRunner(env={"COLUMNS": "200"}).invoke(fig, arguments)
    assert (result.exit_code, result.stdout.count("no such code")) == (0, 2)
    command = "fig dead list --error ValueError --after 2"
    assert result.stderr == f"1 more: {command}\n"
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        fig, ["-w", str(workspace), *command.split()[1:]]
    )
    assert (result.stdout.count("no such code"), result.stderr) == (1, "")
    newest = read(workspace, "list", "--newest", "--limit", "2")[1]
    assert [one["id"] for one in newest] == [3, 2]
    assert read(workspace, "list", "--error", "StoreError") == (0, [])
