"""``fig outbox``: what it shows of a message, what it holds back, and what it has done."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Outgoing
from stranglerfig.store import Store, Write
from stranglerfig.store.chain import verify
from stranglerfig.store.outbox import Outbox, send


def message(number: int, to: str = "verdicts") -> Outgoing:
    headers = (("revision", "a secret"),)
    body = b'{"verdict": "[pay]"}'
    return Outgoing(destination=to, message_id=f"m{number}", key="C-1", headers=headers, body=body)


@pytest.fixture
def workspace(tmp_path):
    """Of four messages the first is held, two are behind it, and one is for somewhere else."""
    (tmp_path / "fig.toml").write_text('[workspace]\nname = "claims"\n')
    url = f"sqlite:///{tmp_path / 'fig.db'}"
    upgrade(url)
    store = Store(url)
    store.open()
    for one in (*map(message, (1, 2, 3)), message(4, "elsewhere")):
        asyncio.run(store.journal.commit(Write(effects=(send(one, time.time()),))))
    outbox, now = Outbox(store.database), time.time()
    first, *others = outbox.claim("verdicts", "t", now=now, lease=30.0, limit=9)
    outbox.hold("t", first, error="InDoubt: [connection] lost", now=now)
    outbox.give_up("t", [one.id for one in others])
    yield tmp_path
    assert not list(verify(store.database))
    store.close()


def run(workspace, *arguments):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        fig, ["-w", str(workspace), "outbox", *arguments]
    )
    return result.exit_code, result.stdout, result.stderr


def read(workspace, *arguments):
    status, said, _ = run(workspace, *arguments, "--json")
    return status, [json.loads(line) for line in said.splitlines()]


def test_lists_what_waits_by_destination_and_state(workspace):
    status, said, _ = run(workspace, "list")
    assert (status, said.count("verdicts"), said.count("elsewhere")) == (0, 3, 1)
    assert "InDoubt: [connection] lost" in said
    assert [one["id"] for one in read(workspace, "list", "--to", "verdicts")[1]] == [1, 2, 3]
    assert [one["id"] for one in read(workspace, "list", "--state", "held")[1]] == [1]
    assert run(workspace, "list", "--state", "sent")[1] == "no messages\n"


def test_a_long_list_comes_in_parts_and_says_how_to_go_on(workspace):
    status, said, beside = run(workspace, "list", "--state", "waiting", "--limit", "2")
    assert (status, said.count("C-1")) == (0, 2)
    command = "fig outbox list --state waiting --after 3"
    assert beside == f"1 more: {command}\n"
    _, said, beside = run(workspace, *command.split()[2:])
    assert (said.count("elsewhere"), beside) == (1, "")
    newest = read(workspace, "list", "--newest", "--limit", "2")[1]
    assert [one["id"] for one in newest] == [4, 3]


def test_shows_why_it_is_held_and_holds_back_what_legacy_gets(workspace):
    status, said, _ = run(workspace, "show", "1")
    assert status == 0
    for part in ("held", "m1", "InDoubt: [connection] lost", "2 under its key wait for it"):
        assert part in said
    assert "secret" not in said
    assert "pay" not in said
    assert "a secret" in run(workspace, "show", "1", "--headers")[1]
    (shown,) = read(workspace, "show", "1", "--hex")[1]
    assert bytes.fromhex(shown["body_hex"]) == message(1).body
    assert (shown["behind"], shown["headers"]) == (2, ["revision"])
    out = workspace / "body"
    assert run(workspace, "show", "1", "--body", str(out))[0] == 0
    assert (out.read_bytes(), out.stat().st_mode & 0o077) == (message(1).body, 0)


def test_one_that_is_not_there_is_an_error(workspace):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        fig, ["-w", str(workspace), "outbox", "show", "99"]
    )
    assert "there is no such message" in str(result.exception)


def test_only_what_is_held_is_released(workspace):
    assert read(workspace, "release", "1", "--why", "not there") == (
        0,
        [{"id": 1, "changed": True, "state": "waiting"}],
    )
    assert read(workspace, "release", "1")[0] == 4
    status, said, beside = run(workspace, "release", "2", "77")
    assert (status, said.split()[0]) == (4, "0")
    assert "2 is waiting" in beside
    assert "77 is not there" in beside


def test_all_of_a_destination_are_released_and_never_all_of_everything(workspace):
    for wrong in (("--all",), (), ("1", "--all", "--to", "verdicts"), ("1", "--to", "verdicts")):
        assert run(workspace, "release", *wrong)[0] == 2
    assert run(workspace, "release", "--all", "--to", "elsewhere")[1].split()[0] == "0"
    assert run(workspace, "release", "--all", "--to", "verdicts")[1].split()[0] == "1"
    assert read(workspace, "list", "--state", "held")[1] == []


def test_a_drop_needs_a_reason_and_is_for_good(workspace):
    assert run(workspace, "drop", "1")[0] == 2
    assert read(workspace, "drop", "1", "--why", "it arrived", "--who", "ada")[1] == [
        {"id": 1, "changed": True, "state": "dropped"}
    ]
    assert run(workspace, "release", "1")[0] == 4
    assert [one["id"] for one in read(workspace, "list")[1]] == [2, 3, 4]
    said = CliRunner(env={"COLUMNS": "200"}).invoke(
        fig, ["-w", str(workspace), "journal", "show", "--kind", "note", "--json"]
    )
    note = json.loads(said.stdout.splitlines()[-1])["line"]["data"]
    assert (note["who"], note["why"]) == ("ada", "it arrived")
