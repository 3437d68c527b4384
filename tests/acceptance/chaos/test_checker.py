"""The checker finds what is wrong: each test spoils what was right on purpose, in one way."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.tests.acceptance.chaos.bridges import Bridges, fig, make_workspace, until
from stranglerfig.tests.acceptance.chaos.checker import Checker
from stranglerfig.tests.acceptance.chaos.legacy_writers import make_tables
from stranglerfig.tests.acceptance.chaos.soak import BOUNDS, grown

pytestmark = pytest.mark.process

CHANGE = "INSERT INTO truth (region, number, op, change_id) VALUES ('north', {0}, '{1}', '{2}')"
CHANGES = [
    ("INSERT INTO claim VALUES ('north', 1, 'new', 1.50, 'a note', 'one')", 1, "insert", "one"),
    ("INSERT INTO claim VALUES ('north', 2, 'new', 2, NULL, 'two')", 2, "insert", "two"),
    ("UPDATE claim SET amount = 3, change_id = 'three' WHERE number = 1", 1, "update", "three"),
    ("UPDATE claim SET amount = 4, change_id = 'four' WHERE number = 1", 1, "update", "four"),
    ("INSERT INTO claim VALUES ('north', 3, 'new', 5, '', 'five')", 3, "insert", "five"),
    ("DELETE FROM claim WHERE number = 2", 2, "delete", "two"),
]


def run(url, *statements):
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def workspace(root, legacy, store):
    root.mkdir()
    make_workspace(root, store=store, legacy=legacy, keep=86_400)
    return root


@pytest.fixture(scope="module")
def right(postgresql, tmp_path_factory):
    """Six changes that were captured, taken and journalled as they should be."""
    legacy, store = postgresql.database(), postgresql.database()
    make_tables(legacy)
    upgrade(store)
    root = workspace(tmp_path_factory.mktemp("right") / "root", legacy, store)
    fig(root, "adapter", "install", "claims")
    fig(root, "route", "advance", "claim-changed", "--to", "shadow", "--why", "a test")
    for statement, number, op, change in CHANGES:
        run(legacy, f"BEGIN; {statement}; {CHANGE.format(number, op, change)}; COMMIT")
    running = Bridges(root, 1, seed=0, pause=(1e9, 1e9))
    try:
        checker = Checker(root, legacy)
        until(lambda: checker.waiting() == 0, "all is settled", 60)
        running.end()
    finally:
        running.kill_all()
    checker.check()
    assert checker.wrong == []
    assert checker.counts["committed"] == checker.counts["journalled"] == len(CHANGES)
    return legacy, store


@pytest.fixture
def wrong(right, postgresql, tmp_path):
    """Spoil a copy of both databases, and give what the checker says of it."""

    def copy(url):
        name = make_url(url).database
        to = f"{name}_{tmp_path.name}"[:60].replace("-", "_").lower()
        with postgresql.administer() as engine, engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{to}" TEMPLATE {name}'))
        return make_url(url).set(database=to).render_as_string(hide_password=False)

    def spoil(*, legacy=(), store=()):
        urls = [copy(url) for url in right]
        run(urls[0], *legacy)
        run(urls[1], *store)
        checker = Checker(workspace(tmp_path / "root", *urls), urls[0])
        checker.check()
        return checker.wrong

    return spoil


def test_nothing_is_wrong_with_a_plain_copy(wrong):
    assert wrong() == []


def test_a_change_that_was_not_captured_is_lost(wrong):
    """An event is missing; the journal's line then tells of nothing."""
    said = wrong(legacy=["DELETE FROM fig_event WHERE id = 3"])
    assert any("captured, north/1: lost {('update', 'three'): 1}" in one for one in said)
    assert any("tells of no captured change" in one for one in said)


def test_a_change_that_was_not_journalled_is_lost(wrong):
    said = wrong(
        store=[
            "DELETE FROM journal WHERE id = (SELECT max(id) FROM journal WHERE kind = 'request')"
        ]
    )
    assert any(one.startswith("journalled, north/") and "lost {(" in one for one in said)
    assert any(one.startswith("chain: ") for one in said)


def test_an_invented_change_is_found(wrong):
    """Legacy never committed it."""
    said = wrong(legacy=["DELETE FROM truth WHERE change_id = 'three'"])
    for what in ("captured", "journalled"):
        assert f"{what}, north/1: lost {{}}, too many {{('update', 'three'): 1}}" in said


def test_swapped_changes_of_a_key_are_found(wrong):
    swap = "UPDATE truth SET n = {1} WHERE n = {0}"
    said = wrong(legacy=[swap.format(3, 99), swap.format(4, 3), swap.format(99, 4)])
    for what in ("captured", "journalled"):
        assert f"{what}, north/1: out of order from the 2th change on" in said


def test_swapped_journal_lines_are_found(wrong):
    """The lines of two changes of one row, in the other order."""
    said = wrong(
        store=[
            """CREATE TABLE k AS SELECT row_number() OVER (ORDER BY id) AS at, id, request_id
               FROM journal WHERE kind = 'request'""",
            # Whatever the order among keys was, all turned round turns each key round.
            """UPDATE journal SET request_id = b.request_id FROM k a, k b
               WHERE journal.id = a.id AND b.at = (SELECT max(at) FROM k) + 1 - a.at""",
        ]
    )
    assert any("journalled, north/1: out of order" in one for one in said)
    assert any(one.startswith("chain: ") for one in said)


def test_a_change_that_was_done_twice_is_found(wrong):
    said = wrong(
        store=[
            """INSERT INTO journal SELECT id + 1000, at, kind, endpoint, request_id, revision,
               data, link, digest FROM journal
               WHERE id = (SELECT min(id) FROM journal WHERE kind = 'request')"""
        ]
    )
    assert any(one.startswith("journalled, north/") and "too many {(" in one for one in said)


def test_marks_and_dead_letters_that_do_not_fit_are_found(wrong):
    said = wrong(
        store=[
            "DELETE FROM inbox WHERE message_id = (SELECT min(message_id) FROM inbox)",
            """INSERT INTO dead_letters (at, source, position, reason, error, attempts, kind, key,
               headers, encoding, captured_at, body)
               VALUES (1, 'claims', 'p', 'r', '{}', 1, 'row', 'k', '[]', '', 1, '')""",
        ]
    )
    assert any("the inbox has another number of marks" in one for one in said)
    assert "there are dead letters" in said


def test_an_image_that_is_not_of_the_row_is_found(wrong):
    """Captured with another amount than legacy's row has."""
    said = wrong(
        legacy=["UPDATE fig_event SET after = replace(after, '5.00', '6.00') WHERE id = 5"]
    )
    assert any("north/3" in one and "amount" in one for one in said)


def test_what_reconcile_would_find_is_found(wrong):
    said = wrong(store=["UPDATE captured SET digest = digest + 1"])
    assert any("reconcile" in one for one in said)


def sample(**more):
    return dict.fromkeys(BOUNDS, 100.0) | more


@pytest.mark.parametrize("name", list(BOUNDS))
def test_what_grows_is_named_and_what_swings_is_not(name):
    swings = [sample(**{name: 100.0 + at % 2}) for at in range(30)]
    assert grown(swings) == []
    grows = [sample(**{name: 100.0 + 100.0 * at}) for at in range(30)]
    (said,) = grown(grows)
    assert said.startswith(f"{name} grew from ")
