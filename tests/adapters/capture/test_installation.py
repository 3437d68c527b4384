"""What is put into a legacy database, recorded, changed and taken out, in every kind of them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from stranglerfig.adapters.capture.events import EVENTS, INSTALLED
from stranglerfig.adapters.capture.record import records
from stranglerfig.errors import LegacyError, SchemaDrift
from stranglerfig.tests.adapters.capture.shop import TABLES, customer, line, note, order, shipment


def rows(shop, table=INSTALLED):
    with shop.ours().connect() as connection:
        return connection.execute(select(table)).all()


def test_every_table_is_captured_whole_and_removal_leaves_no_trace(shop):
    before = shop.schema()
    for installation in shop.everything():
        installation.apply()
        assert (installation.plan(), installation.check()) == ([], None)
    shop.write()
    for table in TABLES:
        assert shop.replayed(table) == shop.rows(table), table.name
    assert len(shop.events(line)) == 7
    if shop.kind != "mysql":  # its cascades fire no triggers: the doctor says so
        shop.cascade()
        for table in TABLES:
            assert shop.replayed(table) == shop.rows(table), table.name
        assert {one["op"] for one in shop.events(order)} == {"insert", "update", "delete"}
        assert [one["op"] for one in shop.events(shipment)][-1] == "update"
    for installation in shop.everything():
        installation.undo(discard=True)
    assert shop.schema() == before


def test_a_plan_does_what_it_says_when_somebody_else_runs_it(shop):
    installation = shop.installation(line)
    before = shop.schema()
    plan = installation.plan()
    assert shop.schema() == before
    shop.run_as_we_do(plan)
    by_hand = shop.schema()
    assert installation.plan() == []
    assert installation.check() is None
    removal = installation.removal()
    installation.undo(discard=False)
    assert shop.schema() == before
    assert len(removal) >= 4
    installation.apply()
    assert shop.schema() == by_hand
    shop.run_as_we_do(installation.removal())
    assert shop.schema() == before


def test_install_and_remove_again_do_nothing(shop):
    installation, before = shop.installation(), shop.schema()
    assert installation.removal() == []
    installation.undo(discard=False)
    installation.apply()
    after, recorded = shop.schema(), rows(shop)
    installation.apply()
    assert (shop.schema(), rows(shop)) == (after, recorded)
    installation.undo(discard=False)
    installation.undo(discard=False)
    assert shop.schema() == before


def test_the_record_says_what_who_and_when(shop):
    shop.installation().apply()
    with shop.ours().connect() as connection:
        found = records(connection)
    kinds = {(entry.source, entry.kind) for entry in found}
    assert {("", "table"), ("customer", "trigger"), ("customer", "capture")} <= kinds
    assert {entry.name for entry in found if entry.kind == "table"} == {
        "fig_event",
        "fig_gap",
        "fig_large",
        "fig_installed",
        "fig_backfill",
    }
    assert all("@" in entry.by and entry.at > 1.7e9 for entry in found)


def test_changed_options_change_what_stands_and_no_more(shop):
    shop.installation().apply()
    first = {row.name: row for row in rows(shop)}
    narrow = shop.installation(columns=["email"], operations=("insert",))
    assert "differs from what would be installed" in narrow.check()
    narrow.apply()
    assert (narrow.plan(), narrow.check()) == ([], None)
    second = {row.name: row for row in rows(shop)}
    assert {name for name in first if name not in second and "update" in name}
    kept = [name for name in first if first[name].kind == "table" and first[name].source == ""]
    assert all(second[name] == first[name] for name in kept)
    shop.write()
    assert {one["op"] for one in shop.events(customer)} == {"insert"}
    assert all("credit" not in one["after"] for one in shop.events(customer))


def test_a_trigger_that_somebody_changed_or_dropped_is_mended(shop):
    installation = shop.installation()
    installation.apply()
    whole = shop.schema()
    (name,) = [row.name for row in rows(shop) if row.kind == "trigger" and "insert" in row.name][:1]
    quoted = shop.engine.dialect.identifier_preparer.quote_identifier(name)
    on = " ON customer" if shop.kind == "postgresql" else ""
    shop.run(f"DROP TRIGGER {quoted}{on}")
    with pytest.raises(LegacyError, match="not installed") as caught:
        installation.check()
    assert name in caught.value.value
    installation.apply()
    assert shop.schema() == whole
    assert installation.check() is None


def test_sources_share_our_tables_and_the_last_takes_them_out(shop):
    before = shop.schema()
    ours, theirs = shop.installation(customer), shop.installation(note)
    ours.apply()
    theirs.apply()
    shop.write()
    with pytest.raises(LegacyError, match="captured events are not settled yet"):
        ours.undo(discard=False)
    ours.undo(discard=True)
    assert {one["source"] for one in shop.events()} == {"note"}
    assert shop.replayed(note) == shop.rows(note)
    theirs.undo(discard=True)
    assert shop.schema() == before


def test_a_table_has_one_source_or_each_has_its_own_triggers(shop):
    shop.installation().apply()
    whole = shop.schema()
    other = shop.installation(source="other")
    if shop.kind == "postgresql":  # its triggers are named for their source: there may be several
        other.apply()
        shop.write()
        assert len(shop.events("other")) == len(shop.events(customer)) == 9
        other.undo(discard=True)
        assert shop.schema() == whole
        return
    with pytest.raises(LegacyError, match="captured for another source already") as caught:
        other.apply()
    assert "of source 'customer'" in caught.value.value
    other.undo(discard=True)
    assert shop.schema() == whole


def test_a_table_of_others_that_has_our_name_stays(shop):
    shop.run("CREATE TABLE fig_event (id INTEGER)")
    before = shop.schema()
    with pytest.raises(LegacyError, match="not as ours is") as caught:
        shop.installation().apply()
    assert "fig_event has no" in caught.value.value
    assert shop.schema() == before
    shop.installation().undo(discard=True)
    assert shop.schema() == before


def test_an_installation_that_fails_leaves_nothing(shop):
    installation, before = shop.installation(), shop.schema()
    plan = [
        step.sql for step in installation.steps() if step.entry and step.entry.kind == "trigger"
    ]
    broken = {plan[-1]: "CREATE TRIGGER broken"}
    pieces = shop.dialect.pieces

    def pieces_of(capture):
        return [
            type(piece)(
                kind=piece.kind,
                name=piece.name,
                create=broken.get(piece.create, piece.create),
                drop=piece.drop,
            )
            for piece in pieces(capture)
        ]

    shop.dialect.pieces = pieces_of
    with pytest.raises(LegacyError):
        installation.apply()
    assert shop.schema() == before


def test_only_changes_for_which_the_condition_holds_are_captured(shop):
    when = "old.status is distinct from new.status"
    installation = shop.installation(order, when=when)
    installation.apply()
    assert installation.plan() == []
    shop.write()
    with shop.begin() as c:
        c.execute(order.update().values(status="sent"))
        c.execute(order.update().values(placed=None))
    got = [(one["op"], one["key"]) for one in shop.events(order)]
    inserts = [("insert", str(at)) for at in (1, 2, 3, 4)]
    assert got == [*inserts, *(("update", str(at)) for at in (1, 2, 3, 4))]


def test_a_condition_that_cannot_be_is_refused_before_anything_is_done(shop):
    before = shop.schema()
    with pytest.raises(LegacyError, match="the condition cannot be used") as caught:
        shop.installation(order, when="old.stauts = 'x'").plan()
    assert "status" in str(caught.value)
    assert shop.schema() == before


def test_columns_that_are_not_those_that_were_agreed_on(shop):
    installation = shop.installation(note)
    installation.apply()
    shop.run("ALTER TABLE note ADD COLUMN added INTEGER")
    assert "differs" in installation.check()
    with pytest.raises(LegacyError, match="no such column"):
        shop.installation(note, columns=["txt"]).check()
    installation.undo(discard=True)
    narrow = shop.installation(note, columns=["at"])
    narrow.apply()
    _forge(shop, "gone")
    with pytest.raises(SchemaDrift, match="was removed") as caught:
        narrow.check()
    assert "fig adapter install note" in caught.value.remedy


def _forge(shop, column):
    """Make the record say that a column was captured which is not there."""
    with shop.ours().begin() as connection:
        (row,) = [one for one in connection.execute(select(INSTALLED)) if one.kind == "capture"]
        changed = row.created.replace('["at",', f'["{column}",', 1)
        assert changed != row.created
        connection.execute(
            INSTALLED.update().where(INSTALLED.c.kind == "capture").values(created=changed)
        )


def test_nothing_is_captured_of_what_is_no_table(shop):
    shop.run("CREATE VIEW seen AS SELECT * FROM note")
    with pytest.raises(LegacyError, match="cannot be captured"):
        shop.installation("seen").plan()
    with pytest.raises(LegacyError, match="did you mean 'customer'"):
        shop.installation("custome").plan()
    shop.installation().apply()
    with pytest.raises(LegacyError, match="cannot be captured"):
        shop.installation(EVENTS.name).plan()
