"""``fig route doubts`` and ``settle``, and what ``show`` and changes say of writes to both sides."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stranglerfig import app, config
from stranglerfig.cli import fig
from stranglerfig.errors import FigError
from stranglerfig.model import Data, Record, Route, Side, Stage
from stranglerfig.store import Store
from stranglerfig.store.dual_writes import Wanted

ENDPOINT = "triage-ticket"
ORDER = (Side.REPLACEMENT, Side.LEGACY)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = CliRunner().invoke(fig, ["init", str(tmp_path / "desk"), "--example"])
    assert made.exit_code == 0, made.output
    return tmp_path / "desk"


@pytest.fixture
def store(workspace: Path):
    with app.store(config.load(workspace)) as store:
        yield store


@pytest.fixture
def reversed_(store: Store) -> None:
    """The route stands where the replacement is written first."""
    route = Route(
        endpoint=ENDPOINT,
        stage=Stage.LIVE,
        data=Data.REPLACEMENT_FIRST,
        salt="s",
        revision="r1",
    )
    store.routes.put(route, action="test", who="test", why="", evidence={})


@pytest.fixture
def run(workspace: Path):
    def invoke(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(fig, ["-w", str(workspace), *arguments])
        error = result.exception
        if status:
            assert isinstance(error, FigError), result.output
            assert error.exit_status == status
            return f"{error} {error.remedy}"
        assert error is None, result.output
        return result.output

    return invoke


def begun(store: Store, token: str, key: str = "K"):
    record = Record(source="helpdesk", position=token, kind="soap", body=b"<x/>")
    wanted = Wanted(
        endpoint=ENDPOINT,
        request_id=token,
        token=token,
        digest="d",
        key=key,
        order=ORDER,
        revision="r1",
        record=record,
    )
    return store.dual_writes.prepare(wanted, "me", 60).write


def uncopied(store: Store, token: str, key: str = "K"):
    write = begun(store, token, key)
    assert store.dual_writes.first(write, "me", write.record)
    return write


def doubt(store: Store, token: str, key: str):
    write = begun(store, token, key)
    assert store.dual_writes.doubt(write, "me", Side.REPLACEMENT, "gave no answer")
    return write


def test_nothing_in_doubt_says_so(run) -> None:
    assert "nothing is in doubt" in run("route", "doubts", ENDPOINT)
    assert run("route", "doubts", ENDPOINT, "--json") == ""
    run("route", "doubts", "nothing", status=3)


def test_a_doubt_is_listed_and_settled(run, store) -> None:
    write = doubt(store, "a", "C-1")
    waits = uncopied(store, "b", "C-2")
    text = run("route", "doubts", ENDPOINT)
    assert "in doubt" in text
    assert "gave no answer" in text
    assert "C-2" not in text
    assert "C-2" in run("route", "doubts", ENDPOINT, "--all")
    (found,) = map(json.loads, run("route", "doubts", ENDPOINT, "--json").splitlines())
    assert (found["id"], found["side"], found["state"]) == (write.id, "replacement", "doubt")
    said = run("route", "settle", str(write.id), "--happened", "--why", "the log of the model")
    assert "copied in its turn" in said
    said = json.loads(
        run("route", "settle", str(waits.id), "--happened", "--why", "by hand", "--json")
    )
    assert said["state"] == "done"
    assert "nothing to be settled" in run(
        "route", "settle", str(waits.id), "--not", "--why", "x", status=5
    )
    lines = [entry.line.data["why"] for entry in store.journal.read(kinds=["dual"])]
    assert lines == ["the log of the model", "by hand"]


def test_one_must_say_which_it_is(run, workspace) -> None:
    result = CliRunner().invoke(fig, ["-w", str(workspace), "route", "settle", "1", "--why", "x"])
    assert result.exit_code == 2
    assert "--happened or --not" in result.output


@pytest.mark.usefixtures("reversed_")
def test_show_and_rollback_say_until_when_it_is_safe(run, store) -> None:
    assert "safe until legacy is retired" in run("route", "show", ENDPOINT)
    for number in range(3):
        uncopied(store, f"t{number}", f"C-{number}")
    shown = run("route", "show", ENDPOINT)
    assert "3 writes not yet copied to legacy" in shown
    assert "not now" in shown
    found = json.loads(run("route", "show", ENDPOINT, "--json"))
    assert found["lag"]["to_legacy"] == 3
    assert (found["rollback"]["safe"], found["rollback"]["uncopied"]) == (False, 3)
    refused = run("route", "rollback", ENDPOINT, status=5)
    assert "its stores are apart: 3 writes not yet copied to legacy" in refused
    assert f"fig route doubts {ENDPOINT}" in refused
    back = run("route", "rollback", ENDPOINT, "--behind", "--why", "the model is on fire")
    assert "rollback: safe until legacy is retired" in back
    found = json.loads(run("route", "show", ENDPOINT, "--json"))
    assert (found["stage"], found["data"]) == ("shadow", "legacy-first")


@pytest.mark.usefixtures("reversed_")
def test_a_kill_tells_what_legacy_lacks(run, store) -> None:
    uncopied(store, "a")
    assert "1 write not yet copied to legacy" in run("route", "kill", ENDPOINT)


@pytest.mark.usefixtures("reversed_")
def test_the_bridge_s_status_says_how_far_the_sides_are_apart(run, store) -> None:
    uncopied(store, "a")
    doubt(store, "b", "C-2")
    text = run("bridge", "status")
    assert f"{ENDPOINT}: 1 write not yet copied" in text
    assert "1 write in doubt" in text
    found = json.loads(run("bridge", "status", "--json"))
    assert found["waiting"]["dual"][ENDPOINT]["doubts"] == 1


@pytest.mark.usefixtures("reversed_")
def test_what_is_being_written_now_is_not_said_to_be_copied(run, store) -> None:
    begun(store, "a")
    shown = run("route", "show", ENDPOINT)
    assert "1 being written now" in shown
    assert "all is copied" not in shown
    assert "safe until legacy is retired" in shown
