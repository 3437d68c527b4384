"""What the probes say when parts of a bridge are gone, and when they are back."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url


class File:
    """A store on a file, that is moved away."""

    def __init__(self, desk, aside):
        self._desk, self._aside = desk, aside

    def take(self):
        for side in ("", "-wal", "-shm"):
            file = self._desk.root / f"fig.db{side}"
            if file.exists():
                file.rename(self._aside / file.name)

    def give(self):
        for file in self._aside.glob("fig.db*"):
            file.rename(self._desk.root / file.name)


class Server:
    """A store on a server, whose database nobody may use for a while."""

    def __init__(self, desk, server):
        self._name, self._server = make_url(desk.url).database, server

    def take(self):
        with self._server.administer() as engine, engine.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false"))
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"),
                {"n": self._name},
            )

    def give(self):
        with self._server.administer() as engine, engine.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true"))


@pytest.fixture
def store(any_desk, request, tmp_path):
    if any_desk.url.startswith("sqlite"):
        (tmp_path / "aside").mkdir()
        return File(any_desk, tmp_path / "aside")
    return Server(any_desk, request.getfixturevalue("postgresql"))


def test_without_its_store_it_lives_and_is_not_ready(any_desk, store, wait):
    any_desk.install()
    any_desk.at("shadow", "ticket-opened")
    process = any_desk.bridge()
    wait(lambda: process.probe("/ready") == (200, "ready\n"), "it is ready")
    store.take()
    wait(lambda: process.probe("/ready")[0] == 503, "it is not ready")
    assert "store" in process.probe("/ready")[1]
    assert process.probe("/live") == (200, "live\n")
    any_desk.tickets(5)
    assert process.probe("/metrics")[0] == process.probe("/status")[0] == 200
    store.give()
    wait(lambda: process.probe("/ready")[0] == 200, "it is ready again")
    wait(lambda: any_desk.waiting() == 0, "what came meanwhile is taken")
    assert process.source()["dead"] == 0
    assert len(any_desk.journal(endpoint="ticket-opened")) == 5


def test_a_source_that_breaks_is_named_until_it_is_mended(desk, wait):
    desk.install()
    process = desk.bridge()
    wait(lambda: process.probe("/ready")[0] == 200, "it is ready")
    desk.sql("ALTER TABLE fig_event RENAME TO fig_away")
    desk.tickets(1)
    wait(lambda: process.probe("/ready")[0] == 503, "it is not ready")
    assert "source tickets: broken" in process.probe("/ready")[1]
    assert process.probe("/live")[0] == 200
    desk.sql("ALTER TABLE fig_away RENAME TO fig_event")
    wait(lambda: process.probe("/ready")[0] == 200, "it is ready again")


def test_a_replacement_that_a_route_needs_and_is_not_there_is_named(desk, wait):
    desk.install()
    desk.at("shadow", "ticket-opened")
    (desk.root / "broken").touch()
    process = desk.bridge()
    wait(lambda: process.probe("/ready")[0] == 503, "it is not ready")
    assert "replacement triage: revision 0001 is not ready" in process.probe("/ready")[1]
    (desk.root / "broken").unlink()
    wait(lambda: process.probe("/ready")[0] == 200, "it is there, and so are we")


def test_probes_answer_what_they_are_asked_only(desk):
    desk.install()
    process = desk.bridge()
    assert process.probe("/nothing")[0] == 404
    status, body = process.probe("/metrics")
    assert 'fig_source_flowing{source="tickets"}' in body
    assert "fig_dead_letters 0" in body


def test_a_source_that_has_drifted_pauses_its_routes_once(any_desk, wait):
    """Somebody who resumes a route meanwhile is not overruled; mended, all flows again."""
    any_desk.edit("fig.toml", '"tables"', '"py:stranglerfig.tests.acceptance.drifting:Drifting"')
    any_desk.install()
    any_desk.at("shadow", "ticket-opened")
    process = any_desk.bridge()
    wait(lambda: process.probe("/ready")[0] == 200, "it is ready")
    (any_desk.root / "drift").touch()
    wait(lambda: any_desk.reader.routes.get("ticket-opened").paused, "its route is paused")
    assert "source tickets: paused: SchemaDrift" in process.probe("/ready")[1]
    (change,) = [
        one for one in any_desk.reader.routes.history("ticket-opened") if one.action == "pause"
    ]
    assert "has another column" in change.why
    assert change.who == "bridge"
    assert any_desk.reader.routes.get("triage-ticket") is None
    wait(
        lambda: "fig route resume ticket-opened" in any_desk.fig("bridge", "status").out,
        "whoever looks sees it",
    )

    any_desk.route("resume", "ticket-opened")
    looks = process.source()["trouble"]
    wait(lambda: (any_desk.root / "drift").read_text().count("looked") > 1, "it looked again")
    assert process.source()["trouble"] == looks
    assert not any_desk.reader.routes.get("ticket-opened").paused
    any_desk.tickets(3)
    (any_desk.root / "drift").unlink()
    wait(lambda: any_desk.waiting() == 0, "all flows again")
    wait(lambda: process.probe("/ready")[0] == 200, "it is ready again")


def test_a_store_that_comes_later_is_taken(desk, wait, tmp_path):
    desk.install()
    (tmp_path / "aside").mkdir()
    File(desk, tmp_path / "aside").take()
    process = desk.bridge()
    assert process.probe("/ready")[0] == 503
    assert process.probe("/live")[0] == 200
    desk.tickets(2)
    File(desk, tmp_path / "aside").give()
    wait(lambda: process.probe("/ready")[0] == 200, "it is ready")
    wait(lambda: desk.waiting() == 0, "and takes what came")
    wait(lambda: desk.sql("SELECT * FROM processes", db="fig.db"), "and is seen")


def test_a_facade_alone_has_probes_of_its_own_and_is_ready_while_it_answers(desk, wait, tmp_path):
    """Whatever is missing, callers are answered from legacy; a process that drains is not ready."""
    desk.edit("fig.toml", "[workspace]", '[bridge]\nhealth = "127.0.0.1:9"\n\n[workspace]')
    process = desk.start("serve", "--health", "127.0.0.1:0")
    assert process.probe("/live") == (200, "live\n")
    assert process.probe("/ready")[0] == 200
    assert process.status()["sources"] == {}
    assert "fig_ready 1" in process.probe("/metrics")[1]
    (tmp_path / "aside").mkdir()
    File(desk, tmp_path / "aside").take()
    wait(lambda: "store: " in process.probe("/ready")[1], "it says what is missing")
    assert process.probe("/ready")[0] == 200
    assert process.facade.triage("a flood in the cellar").status == 200


def test_without_an_address_a_facade_answers_no_probes(desk):
    """The one in [bridge] is the bridge's, which may run beside it."""
    desk.edit("fig.toml", "[workspace]", '[bridge]\nhealth = "127.0.0.1:9"\n\n[workspace]')
    process = desk.start("serve")
    assert not [line for line in process.printed if '"health"' in line]


def test_an_empty_store_is_named_with_what_makes_its_tables(desk, postgresql, wait):
    """As whoever makes a database for the store, and starts a bridge at once."""
    desk.edit("fig.toml", "sqlite:///fig.db", postgresql.database())
    desk.install()
    process = desk.bridge()
    said = process.event("waiting")["missing"]
    assert "holds no tables of ours" in said[0]
    assert "fig check --migrate" in said[0]
    assert "source tickets: waiting for the store" in said
    assert desk.fig("check", "--migrate").status in (0, 3)
    process.event("ready")
    assert process.probe("/ready") == (200, "ready\n")
