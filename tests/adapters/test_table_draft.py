"""``adapter = "tables"`` for databases that are only written for, from fig.toml to the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from stranglerfig.adapters.table_draft import TableDraft, tables
from stranglerfig.adapters.tables import TableSource
from stranglerfig.app import installable
from stranglerfig.config import load
from stranglerfig.errors import ConfigError, LegacyError
from stranglerfig.ports import Installable, Reviewable, Source

FIG = """
[workspace]
name = "bank"
[legacy.orders]
adapter = "py:stranglerfig.adapters.table_draft:tables"
url = "mssql+pyodbc://robot@far-away/legacy"
table = "Orders"
key = "ID"
operations = ["insert", "update"]
when = "old.status is distinct from new.status"

[legacy.orders.shape]
ID = "int"
status = "varchar(9)"
"""


def test_a_workspace_gives_the_script_without_driver_or_server(tmp_path):
    (tmp_path / "fig.toml").write_text(FIG, "utf-8")
    part = installable(load(tmp_path / "fig.toml"), "orders")
    assert isinstance(part, TableDraft)
    assert isinstance(part, Installable)
    assert isinstance(part, Reviewable)
    assert not isinstance(part, Source)
    script = part.script("install")
    assert all(statement in script for statement in part.install_plan())
    assert "CREATE TRIGGER [dbo].[fig_Orders_update]" in script
    assert part.remove_plan()[-1] == "DROP SEQUENCE IF EXISTS [dbo].[fig_event_id]"
    for run in (part.install, part.remove, part.installed):
        with pytest.raises(LegacyError, match="from here"):
            run()


def test_other_addresses_are_sources(tmp_path):
    options = {"url": "sqlite:///legacy.db", "table": "t"}
    part = tables(name="x", options=options, place="fig.toml: legacy.x", root=tmp_path)
    assert isinstance(part, TableSource)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"url": "mssql+pyodbc://robot:hush@h/d"}, "password"),
        ({"lease": 3}, "lease"),
        ({"shape": {}}, "must be described"),
    ],
)
def test_wrong_options_are_refused_without_showing_a_password(more, says):
    options = {"url": "oracle+oracledb://h/d", "table": "T", "shape": {"A": "DATE"}, **more}
    with pytest.raises(ConfigError, match=says) as told:
        tables(name="x", options=options, place="fig.toml: legacy.x", root=Path())
    assert "hush" not in str(told.value)
