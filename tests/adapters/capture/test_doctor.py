"""What the doctor finds of what we break, in every kind of database, and that it leaves no trace."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from stranglerfig.adapters.capture.doctor import examine
from stranglerfig.adapters.capture.events import EVENTS, GAPS
from stranglerfig.adapters.capture.mysql.dialect import MySqlCapture
from stranglerfig.adapters.capture.postgresql.dialect import PostgreSqlCapture
from stranglerfig.adapters.capture.record import records
from stranglerfig.errors import LegacyError
from stranglerfig.tests.adapters.capture.shop import TABLES, Shop, customer, line, note, order

CASCADES = {"Order", "order line", "picture", "shipment", "staff"}


def examined(shop, table=customer, *, canary=None, keep=604_800.0, **options):
    found = list(examine(shop.installation(table, **options), canary=canary or {}, keep=keep))
    assert all(one.remedy for one in found if one.state in ("fail", "warn"))
    return {one.check: one for one in found}


def states(found):
    return {check: one.state for check, one in found.items()}


def trigger(shop, part="insert", source="customer"):
    with shop.ours().connect() as connection:
        return next(
            entry.name
            for entry in records(connection)
            if entry.source == source and entry.kind == "trigger" and part in entry.name
        )


def quoted(shop, name):
    return shop.engine.dialect.identifier_preparer.quote_identifier(name)


@pytest.mark.parametrize("filled", [True, False], ids=["filled", "empty"])
def test_every_trigger_of_a_whole_shop_is_proved_and_nothing_stays(shop, filled):
    for installation in shop.everything():
        installation.apply()
    if filled:
        shop.write()
    before = (shop.schema(), shop.events(), [shop.rows(table) for table in TABLES])
    for table in TABLES:
        found = examined(shop, table)
        told = states(found)
        assert "fail" not in told.values(), found
        for operation in ("insert", "update", "delete"):
            assert told[f"fires: {operation}"] == "ok", (table.name, operation)
        assert found["cost"].figures["insert_us"] > 0
        assert found["cost"].figures["trigger_us"] >= 0
    assert (shop.schema(), shop.events(), [shop.rows(table) for table in TABLES]) == before


def test_no_number_of_legacys_is_used_up(shop):
    shop.installation().apply()
    shop.write()
    found = examined(shop)
    assert found["fires: insert"].state == "ok"
    with shop.begin() as connection:
        connection.execute(customer.insert().values(email="next"))
        last = connection.execute(select(customer.c.id).where(customer.c.email == "next"))
        assert last.scalar_one() == (
            6 if shop.kind != "sqlite" else 5
        )  # SQLite takes the highest + 1


def test_a_dropped_trigger_is_found(shop):
    shop.installation().apply()
    name = trigger(shop)
    shop.run(f"DROP TRIGGER {quoted(shop, name)}" + _on(shop))
    found = examined(shop)
    assert found[f"trigger {name}"].state == "fail"
    assert "fires: insert" not in found


def _on(shop):
    return " ON customer" if shop.kind == "postgresql" else ""


def test_a_stale_trigger_is_found_and_what_it_writes_is_looked_at(shop):
    shop.installation(columns=["email", "id"]).apply()
    shop.write()
    found = examined(shop)
    stale = [one for check, one in found.items() if "fig_" in check and one.state == "warn"]
    assert len(stale) >= 3
    assert all("fig adapter install customer" in one.remedy for one in stale)
    assert {found["fires: insert"].state, found["fires: delete"].state} == {"fail"}
    assert "its image is not that of the row" in found["fires: insert"].says


def test_a_trigger_that_does_not_do_what_it_should_is_found(shop):
    """It stands, by the same name and on the same table, and writes down something else."""
    shop.installation().apply()
    if shop.kind == "postgresql":
        shop.run(f"ALTER TABLE customer DISABLE TRIGGER {quoted(shop, trigger(shop))}")
        found = examined(shop)
        assert found[f"trigger {trigger(shop)}"].state == "fail"
        assert "disabled" in found[f"trigger {trigger(shop)}"].says
        return
    shop.run(f"DROP TRIGGER {quoted(shop, trigger(shop))}")
    body = f"UPDATE {quoted(shop, 'fig_event')} SET lost = 0 WHERE id = -1"
    end = f"BEGIN {body}; END"
    shop.run(
        f"CREATE TRIGGER {quoted(shop, trigger(shop))} AFTER INSERT ON customer FOR EACH ROW {end}"
    )
    found = examined(shop)
    assert found[f"trigger {trigger(shop)}"].state == "warn"
    assert found["fires: insert"].state == "fail"
    assert found["fires: update"].state == found["fires: delete"].state == "ok"


def test_a_new_column_warns_and_a_lost_one_fails(shop):
    shop.installation(note).apply()
    shop.run("ALTER TABLE note ADD COLUMN added INTEGER")
    found = examined(shop, note)
    assert (found["shape"].state, found["shape"].says) == ("warn", "column added was added")
    shop.installation(note).apply()
    assert examined(shop, note)["shape"].state == "ok"
    if shop.kind != "sqlite":  # there a trigger that names it keeps a column from being dropped
        shop.run("ALTER TABLE note DROP COLUMN added")
        found = examined(shop, note)
        assert (found["shape"].state, found["shape"].says) == ("fail", "column added was removed")


def test_a_condition_that_the_canary_does_not_meet(shop):
    when = "new.status = 'never' or old.status = 'never'"
    shop.installation(order, when=when).apply()
    shop.write()
    found = examined(shop, order, when=when)
    assert found["fires: insert"].state == "warn"
    assert "the condition does not hold" in found["fires: insert"].says
    found = examined(shop, order, when=when, canary={"status": "never"})
    assert [found[f"fires: {operation}"].state for operation in ("insert", "update", "delete")] == [
        "ok"
    ] * 3


def test_given_values_make_a_canary_where_none_can_be_guessed(shop):
    shop.run("CREATE TABLE small (size INTEGER NOT NULL CHECK (size BETWEEN 41 AND 43))")
    shop.installation("small").apply()
    found = examined(shop, "small")
    assert found["fires: insert"].state == found["fires: delete"].state == "warn"
    assert "canary = { COLUMN = … } under [legacy.small]" in found["fires: insert"].remedy
    assert examined(shop, "small", canary={"size": 42})["fires: delete"].state == "ok"
    shop.installation(order).apply()
    with shop.begin() as connection:
        connection.execute(customer.insert().values(id=1, email="a"))
    found = examined(shop, order, canary={"customer id": 1, "status": "x"})
    assert found["fires: insert"].state == "ok"
    found = examined(shop, order, canary={"stauts": "x"})
    assert "names columns that there are not: stauts" in found["fires: insert"].says


def test_gaps_and_what_waits_are_told(shop):
    shop.installation().apply()
    shop.write()
    now = shop.dialect.now
    with shop.ours().connect() as connection:
        at = now(connection)
        gap = {"source": "customer", "op": "insert", "reason": "disk full", "created_at": at - 7200}
        connection.execute(GAPS.insert().values(gap))
        ids = list(connection.execute(select(EVENTS.c.id).order_by(EVENTS.c.id)).scalars())
        for event_id, values in zip(
            ids,
            (
                {"created_at": at - 3600},
                {"parked": 2, "dead_reason": "no"},
                {"done_at": at, "dead_reason": "no"},
                {"done_at": at - 9000},
            ),
            strict=False,
        ):
            connection.execute(EVENTS.update().where(EVENTS.c.id == event_id).values(values))
        connection.commit()
    found = examined(shop, keep=60.0)
    assert found["gaps"].state == "fail"
    assert "1 changes could not be captured, the last one 2 h ago: disk full" in found["gaps"].says
    assert "fig adapter reconcile customer" in found["gaps"].remedy
    assert found["waiting"].state == "warn"
    assert "the oldest 1 h old" in found["waiting"].says
    assert {"blocked", "dead", "sweep"} <= found.keys()
    assert found["waiting"].figures["pending"] == 6
    assert found["waiting"].figures["bytes"] > 0


def test_what_could_not_be_captured_was_written_all_the_same_and_is_told(shop):
    if shop.kind == "sqlite":
        pytest.skip("a trigger in SQLite cannot catch an error")
    shop.installation().apply()
    shop.run("ALTER TABLE fig_event RENAME TO elsewhere")
    with shop.begin() as connection:
        connection.execute(customer.insert().values(email="missed"))
    shop.run("ALTER TABLE elsewhere RENAME TO fig_event")
    found = examined(shop)
    assert sum(shop.rows(customer).values()) == 1
    assert shop.events() == []
    assert found["gaps"].state == "fail"
    assert "fig_event" in found["gaps"].says
    if shop.kind == "postgresql":
        shop.run("ALTER TABLE fig_event RENAME TO elsewhere")
        shop.run("ALTER TABLE fig_gap RENAME TO nowhere")
        with shop.begin() as connection:
            connection.execute(customer.insert().values(email="unnoted"))
        shop.run("ALTER TABLE elsewhere RENAME TO fig_event")
        shop.run("ALTER TABLE nowhere RENAME TO fig_gap")
        assert sum(shop.rows(customer).values()) == 2
        assert examined(shop)["unnoted gaps"].figures == {"unnoted": 1.0}


def test_what_the_database_hides_from_triggers(shop):
    for installation in shop.everything():
        installation.apply()
    told = {table.name: examined(shop, table) for table in TABLES}
    if shop.kind == "mysql":
        silent = {name for name, found in told.items() if any("cascade" in one for one in found)}
        assert silent == CASCADES
        (cascade,) = [one for check, one in told["order line"].items() if "cascade" in check]
        assert "those of Order (ON DELETE CASCADE, ON UPDATE CASCADE)" in cascade.says
    if shop.kind == "sqlite":
        assert "recursive_triggers" in told["note"]["replace"].says
        assert "replace" not in examined(shop, note, operations=("insert",))
    if shop.kind == "postgresql":
        assert all(found["blind spots"].state == "ok" for found in told.values())


def test_not_installed_is_told_as_such(shop):
    assert examined(shop)["tables"].state == "fail"
    with pytest.raises(LegacyError, match="there is no such table"):
        examined(shop, "nothing")


def test_a_user_with_the_rights_of_the_bridge_and_no_more(shop):
    if shop.kind == "sqlite":
        pytest.skip("SQLite has no users")
    shop.installation(grant_to=shop.user("bridge")).apply()
    quiet = examined_as_bridge(shop)
    assert "nor is a captured write of legacy's kept" in quiet["fires: insert"].says
    shop.write()
    assert shop.installation().check() is None
    found = examined_as_bridge(shop)
    assert found["rights"].state == found["shape"].state == "ok"
    assert found["waiting"].figures["pending"] == 9
    # What it may not do is not done, and what is known all the same is said.
    for operation in ("insert", "update", "delete"):
        unproved = found[f"fires: {operation}"]
        assert unproved.state == "warn"
        assert re.search(r"but a real one was captured \d+ s ago$", unproved.says)
        copied = "the trigger's function caught one on a temporary copy" in unproved.says
        assert copied == (shop.kind == "postgresql")
        assert unproved.remedy == "run it as a user who may write the table: --as USER"
    assert found["traffic"].figures.keys() == {"insert_s", "update_s", "delete_s"}
    assert len(shop.events()) == 9


def examined_as_bridge(shop):
    shop.as_bridge()
    try:
        return examined(shop)
    finally:
        shop.login = ""


def test_a_copy_shows_what_is_wrong_with_a_function_to_who_may_not_write(postgresql, tmp_path):
    shop = Shop(postgresql.database(), PostgreSqlCapture(), tmp_path)
    user = shop.user("bridge")
    for table, options in ((line, {}), (note, {}), (customer, {"level": "statement"})):
        shop.installation(table, grant_to=user, **options).apply()
        shop.as_bridge()
        told = examined(shop, table, **options)["fires: update"].says
        assert "function caught one on a temporary copy" in told, table.name
        shop.login = ""
    shop.user("keeper")
    shop.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO keeper")
    shop.run("ALTER FUNCTION fig_note_insert() OWNER TO keeper")
    shop.as_bridge()
    found = examined(shop, note)
    assert found["fires: insert"].state == "fail"
    assert (
        "on a temporary copy of the table: the trigger fires and cannot write"
        in (found["fires: insert"].says)
        or "nothing was caught" in found["fires: insert"].says
    )
    assert found["fires: update"].state == "warn"


def test_a_truncate_is_proved_without_one(postgresql, tmp_path):
    shop = Shop(postgresql.database(), PostgreSqlCapture(), tmp_path)
    everything = {"operations": ("insert", "update", "delete", "truncate")}
    shop.installation(note, grant_to=shop.user("bridge"), **everything).apply()
    shop.write()
    before = shop.schema()
    file = "SELECT pg_relation_filenode('note')"
    with shop.begin() as legacy:
        # A program of legacy's writes, and would wait for a lock, or be waited for.
        legacy.execute(note.insert().values(at=7))
        at = legacy.exec_driver_sql(file).scalar_one()
        for login in ("", "bridge"):
            shop.login = login
            found = examined(shop, note, **everything)["fires: truncate"]
            assert (found.state, "TRUNCATE of an empty temporary table" in found.says) == (
                "ok",
                True,
            )
            assert "read from the catalogue" in found.says
        assert legacy.exec_driver_sql(file).scalar_one() == at
    shop.login = ""
    assert {one["op"] for one in shop.events(note)} == {"insert", "update", "delete"}
    assert shop.schema() == before
    shop.run(
        "CREATE OR REPLACE FUNCTION fig_note_truncate() RETURNS trigger LANGUAGE plpgsql"
        " SECURITY DEFINER AS $$ BEGIN RETURN NULL; END $$"
    )
    assert examined(shop, note, **everything)["fires: truncate"].state == "fail"
    shop.run("REVOKE TEMPORARY ON DATABASE " + shop.url.database + " FROM PUBLIC")
    shop.as_bridge()
    found = examined(shop, note, **everything)["fires: truncate"]
    assert (found.state, "--as" in found.remedy) == ("warn", True)


def test_rows_that_a_canary_needs_above_it_are_made_and_taken_back(shop):
    """Nothing is in any of these tables; keys are unsigned counters, tied, or go in a circle."""
    number = {"mysql": "INTEGER UNSIGNED AUTO_INCREMENT", "postgresql": "SERIAL"}
    key = f"nr {number.get(shop.kind, 'INTEGER')} NOT NULL PRIMARY KEY"
    refers = {"mysql": "INTEGER UNSIGNED"}.get(shop.kind, "INTEGER")
    shop.run(f"CREATE TABLE top ({key}, name VARCHAR(9) NOT NULL UNIQUE)")
    shop.run(
        "CREATE TABLE pair (a VARCHAR(9) NOT NULL, b INTEGER NOT NULL,"
        f" top {refers} NOT NULL REFERENCES top (nr), PRIMARY KEY (a, b),"
        " FOREIGN KEY (top) REFERENCES top (nr))"
    )
    shop.run(
        "CREATE TABLE child (a VARCHAR(9) NOT NULL, b INTEGER NOT NULL, note VARCHAR(9),"
        " PRIMARY KEY (a, b), FOREIGN KEY (a, b) REFERENCES pair (a, b))"
    )
    shop.run(
        "CREATE TABLE tree (id INTEGER NOT NULL PRIMARY KEY, up INTEGER NOT NULL,"
        " FOREIGN KEY (up) REFERENCES tree (id))"
    )
    for name in ("child", "tree"):
        shop.installation(name).apply()
    for _ in range(2):
        for name in ("child", "tree"):
            found = examined(shop, name)
            told = {one: found[f"fires: {one}"] for one in ("insert", "update", "delete")}
            assert {one.state for one in told.values()} == {"ok"}, told
        with shop.begin() as legacy:
            for name in ("top", "pair", "tree"):
                assert legacy.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() == 0
    with shop.begin() as legacy:
        legacy.exec_driver_sql("INSERT INTO top (name) VALUES ('x')")
        assert legacy.exec_driver_sql("SELECT nr FROM top").scalar_one() == 1
        legacy.exec_driver_sql("INSERT INTO pair VALUES ('p', 1, 1)")
        legacy.exec_driver_sql("INSERT INTO child VALUES ('p', 1, 'n')")
    # The only row above is referred to already, and only once.
    assert examined(shop, "child")["fires: insert"].state == "ok"


def test_a_row_above_that_legacy_refuses_is_told_as_such(shop):
    shop.run("CREATE TABLE above (nr INTEGER NOT NULL PRIMARY KEY CHECK (nr = 4711))")
    shop.run(
        "CREATE TABLE below (nr INTEGER NOT NULL PRIMARY KEY, above INTEGER NOT NULL,"
        " FOREIGN KEY (above) REFERENCES above (nr))"
    )
    shop.installation("below").apply()
    found = examined(shop, "below")["fires: insert"]
    assert found.state == "warn"
    assert "it refers to above, where no row could be written:" in found.says
    assert "canary = {" in found.remedy
    with shop.begin() as legacy:
        legacy.exec_driver_sql("INSERT INTO above VALUES (4711)")
    assert examined(shop, "below")["fires: insert"].state == "ok"


def test_foreign_keys_that_go_round_in_a_circle_end_somewhere(server_url, tmp_path):
    dialect = PostgreSqlCapture() if server_url.startswith("postgresql") else MySqlCapture()
    shop = Shop(server_url, dialect, tmp_path)
    for name, other in (("ring_a", "ring_b"), ("ring_b", "ring_a")):
        shop.run(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, {other} INTEGER NOT NULL)")
    for name, other in (("ring_a", "ring_b"), ("ring_b", "ring_a")):
        shop.run(f"ALTER TABLE {name} ADD FOREIGN KEY ({other}) REFERENCES {other} (id)")
    shop.installation("ring_a").apply()
    found = examined(shop, "ring_a")["fires: insert"]
    assert "foreign keys lead round in a circle: ring_a → ring_b → ring_a" in found.says


def test_missing_rights_are_named(shop):
    if shop.kind == "sqlite":
        pytest.skip("SQLite has no users")
    shop.installation(grant_to=shop.user("bridge")).apply()
    user = quoted(shop, "bridge") if shop.kind == "postgresql" else "'bridge'@'127.0.0.1'"
    shop.run(f"REVOKE UPDATE ON fig_event FROM {user}")
    shop.as_bridge()
    found = examined(shop)
    assert found["rights"].state == "fail"
    assert "UPDATE on fig_event" in found["rights"].says


def test_a_table_without_transactions_is_never_tried(mariadb, tmp_path):
    shop = Shop(mariadb.database(), MySqlCapture(), tmp_path)
    shop.run("CREATE TABLE plain (id INTEGER PRIMARY KEY) ENGINE=MyISAM")
    shop.installation("plain").apply()
    found = examined(shop, "plain")
    assert found["fires"].state == "warn"
    assert "could not be rolled back: plain is of the engine MyISAM" in found["fires"].says
    assert found["engine plain"].state == "warn"
    assert shop.events("plain") == []


def test_where_legacys_own_triggers_might_write_for_good_nothing_is_tried(mariadb, tmp_path):
    shop = Shop(mariadb.database(), MySqlCapture(), tmp_path)
    for installation in shop.everything():
        installation.apply()
    shop.run("CREATE TABLE log (at INTEGER) ENGINE=Aria")
    shop.write()
    assert examined(shop, customer)["fires: insert"].state == "ok"
    found = examined(shop, line)  # legacy's take_stock hangs on it
    assert "a trigger of legacy's own may write to log" in found["fires"].says


def test_no_row_is_made_above_where_it_could_not_be_rolled_back(mariadb, tmp_path):
    shop = Shop(mariadb.database(), MySqlCapture(), tmp_path)
    shop.run("CREATE TABLE log (at INTEGER) ENGINE=Aria")
    shop.run("CREATE TRIGGER own AFTER INSERT ON customer FOR EACH ROW INSERT INTO log VALUES (1)")
    shop.installation(order).apply()
    found = examined(shop, order)["fires: insert"]
    assert "a row of customer could not be rolled back: a trigger of legacy's own" in found.says
    with shop.begin() as legacy:
        assert legacy.exec_driver_sql("SELECT count(*) FROM log").scalar_one() == 0
