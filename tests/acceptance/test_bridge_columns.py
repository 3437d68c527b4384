"""A mapping that does not fit what its source sends: said before, and no dead letter for it."""

from __future__ import annotations

import subprocess
import sys

COLUMNS = '"id", "customer", "channel", "text", "category", "priority", "score", "opened"'


def misspelt(desk):
    """Have the mapping read a column that there is not."""
    desk.edit("acl/ticket_row.toml", '"customer", "channel"', '"custommer", "channel"')
    desk.edit("acl/ticket_row.toml", 'src = "customer"', 'src = "custommer"')


def mended(desk):
    desk.edit("acl/ticket_row.toml", "custommer", "customer")


def test_columns_of_fig_toml_are_checked_offline(desk):
    """The legacy database need not be there for it."""
    desk.install()
    desk.edit("fig.toml", 'table   = "tickets"', f'table = "tickets"\ncolumns = [{COLUMNS}]')
    desk.edit("acl/ticket_row.toml", 'src = "opened"', 'src = "status"')
    desk.edit("acl/ticket_row.toml", "ignore = { status", "ignore = { opened")
    (desk.root / "legacy" / "helpdesk.db").rename(desk.root / "aside")
    done = desk.fig("check")
    assert done.status == 3
    assert "ticket_row.toml: fields row 5 status" in done.err
    command = [sys.executable, "-m", "stranglerfig", "-w", str(desk.root), "bridge", "run"]
    started = subprocess.run(command, env=desk.env, capture_output=True, text=True, check=False)
    assert started.returncode == 3
    assert "every row of legacy.tickets would be refused" in started.stderr


def test_columns_of_the_table_are_asked_for(any_desk):
    any_desk.install()
    assert any_desk.fig("check", "--json").status in (0, 3)
    misspelt(any_desk)
    done = any_desk.fig("check")
    assert "did you mean 'customer'?" in done.err
    assert "fields row 2 custommer" in done.err
    done = any_desk.fig("adapter", "doctor", "tickets", "--json")
    (found,) = [one for one in done.lines() if one["check"] == "mappings"]
    assert (done.status, found["state"]) == (6, "fail")
    assert "did you mean 'customer'?" in found["remedy"]
    mended(any_desk)
    done = any_desk.fig("adapter", "doctor", "tickets", "--json")
    (found,) = [one for one in done.lines() if one["check"] == "mappings"]
    assert found["state"] == "ok"


def test_a_bridge_takes_nothing_of_what_would_all_be_refused(desk, wait):
    desk.install()
    misspelt(desk)
    desk.at("shadow", "ticket-opened")
    process = desk.bridge()
    desk.tickets(5)
    status, said = process.probe("/ready")
    assert status == 503
    assert "source tickets: " in said
    assert "did you mean 'customer'?" in said
    mended(desk)
    assert desk.fig("bridge", "reload").status == 0
    wait(lambda: desk.waiting() == 0, "all are taken")
    wait(lambda: process.source()["done"] == 5, "and counted")
    assert desk.reader.dead_letters.count() == 0
    wait(lambda: process.probe("/ready")[0] == 200, "it is ready")

    misspelt(desk)
    done = desk.fig("bridge", "reload")
    assert done.status == 3
    assert "did you mean 'customer'?" in done.err
    desk.tickets(3, first=50)
    wait(lambda: process.source()["done"] == 8, "what it runs is what it ran")


def test_a_table_that_cannot_be_asked_at_the_start_is_asked_later(desk, wait):
    desk.install()
    misspelt(desk)
    file = desk.root / "legacy" / "helpdesk.db"
    file.rename(desk.root / "aside")
    process = desk.bridge()
    assert process.source()["received"] == 0
    (desk.root / "aside").rename(file)
    wait(lambda: "did you mean" in process.probe("/ready")[1], "it was asked")
    wait(lambda: process.source() == {}, "nothing is taken of it")
