"""The script for whoever owns the database, run with the database's own program."""

from __future__ import annotations

import pytest

from stranglerfig.tests.adapters.capture.shop import customer, line, run


def test_a_script_installs_and_another_takes_it_out(shop):
    installation, before = shop.installation(line), shop.schema()
    script = installation.script("install")
    undo = installation.script("undo")
    assert shop.schema() == before
    run(shop, script)
    assert (installation.plan(), installation.check()) == ([], None)
    assert installation.script("install") == ""
    shop.write()
    assert shop.replayed(line) == shop.rows(line)
    run(shop, undo)
    assert shop.schema() == before
    installation.apply()
    run(shop, installation.script("remove"))
    assert shop.schema() == before
    assert installation.script("remove") == ""


def test_a_script_says_what_each_statement_is_for_and_how_it_is_undone(shop):
    script = shop.installation().script("install")
    lines = script.splitlines()
    assert lines[0] == "-- fig adapter install customer: the shop"
    assert "Rights that it needs" in lines[1]
    assert "-- Changes wait here until they are taken" in script
    assert "-- Catches changes in the transaction that makes them." in script
    undo = script[script.index("-- To undo it by hand") :].splitlines()
    assert len(undo) > 5
    assert all(line.startswith("--") for line in undo)
    assert sum("DROP TRIGGER" in line for line in undo) == 3


def test_the_rights_that_the_script_names_are_enough(shop):
    if shop.kind == "sqlite":
        pytest.skip("SQLite has no users")
    user = shop.user("dba")
    if shop.kind == "postgresql":
        shop.run("GRANT CREATE, USAGE ON SCHEMA public TO dba")
        shop.run("GRANT TRIGGER ON customer TO dba")
    else:
        rights = "CREATE, DROP, INDEX, TRIGGER, SELECT, INSERT, UPDATE, DELETE"
        shop.run(
            f"GRANT {rights} ON {shop.url.database}.* TO '{user.replace('@', chr(39) + '@' + chr(39))}'"
        )
    before = shop.schema()
    shop.login = "dba"
    installation = shop.installation()
    installation.apply()
    shop.write()
    shop.login = ""
    assert shop.replayed(customer) == shop.rows(customer)
    if shop.kind != "postgresql":  # there a trigger is dropped by the table's owner only
        shop.login = "dba"
    shop.installation().undo(discard=True)
    assert shop.schema() == before


def test_the_rights_of_the_bridge_are_granted_and_taken_back(shop):
    before = shop.schema()
    if shop.kind == "sqlite":
        assert "GRANT" not in shop.installation(grant_to="bridge").script("install")
        return
    user = shop.user("bridge")
    installation = shop.installation(customer, grant_to=user)
    script = installation.script("install")
    assert script.count("GRANT") >= 5
    # MariaDB shows the columns of a table to who has a right on it: to none of its rows.
    on_legacys = [line for line in script.splitlines() if "GRANT" in line and "customer" in line]
    assert [line.startswith("GRANT REFERENCES ON ") for line in on_legacys if line[0] == "G"] == (
        [True] if shop.kind == "mysql" else []
    )
    installation.apply()
    assert installation.plan() == []
    # Without the option, rights that were given stay.
    assert shop.installation().plan() == []
    shop.write()
    with shop.as_user("bridge").begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM fig_event").scalar_one() == 9
        connection.exec_driver_sql("UPDATE fig_event SET attempts = 1")
        connection.exec_driver_sql("DELETE FROM fig_event")
    installation.undo(discard=True)
    assert shop.schema() == before
