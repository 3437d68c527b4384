"""``fig adapter``: install with options, the script to review, the doctor, the list, release."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from stranglerfig.cli import fig
from stranglerfig.errors import ConfigError

TOML = """\
[workspace]
name = "w"

[legacy.orders]
adapter = "tables"
url = "sqlite:///legacy.db"
table = "orders"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "fig.toml").write_text(TOML, "utf-8")
    with contextlib.closing(sqlite3.connect(tmp_path / "legacy.db")) as legacy:
        legacy.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT, paid TEXT)")
        legacy.execute("CREATE TABLE other (id INTEGER PRIMARY KEY)")
        legacy.execute("INSERT INTO orders VALUES (7, 'new', NULL)")
        legacy.commit()
    return tmp_path


def run(workspace: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(fig, ["-w", str(workspace), "adapter", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def legacy(workspace: Path, statement: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(workspace / "legacy.db")) as connection:
        rows = connection.execute(statement).fetchall()
        connection.commit()
        return rows


def triggers(workspace: Path) -> set[str]:
    found = legacy(workspace, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return {name for (name,) in found}


def test_options_go_before_fig_toml_which_is_never_written(workspace: Path) -> None:
    options = ["--operations", "update, delete", "--columns", "id,status"]
    options += ["--when", "old.status is distinct from new.status"]
    status, out, err = run(workspace, "install", "orders", *options, "--dry-run")
    assert status == 0
    assert triggers(workspace) == set()
    assert 'AFTER UPDATE ON "orders"' in out
    assert '(OLD."status") IS (NEW."status")' in out
    assert 'NEW."paid"' not in out
    assert "dry run, nothing was changed" in err
    added = [line.strip() for line in err[err.index("[legacy.orders]") :].splitlines()]
    assert added == [
        "[legacy.orders]",
        'when = "old.status is distinct from new.status"',
        'columns = ["id", "status"]',
        'operations = ["update", "delete"]',
    ]
    run(workspace, "install", "orders", *options)
    assert triggers(workspace) == {"fig_orders_update", "fig_orders_delete"}
    assert (workspace / "fig.toml").read_text("utf-8") == TOML
    (workspace / "fig.toml").write_text(TOML + "\n".join(added[1:]), "utf-8")
    assert "nothing to do" in run(workspace, "install", "orders")[2]


def test_another_table_and_its_wrong_name(workspace: Path) -> None:
    status, out, err = run(workspace, "install", "orders", "--table", "other", "--dry-run")
    assert 'AFTER INSERT ON "other"' in out
    assert 'table = "other"' in err
    with pytest.raises(Exception, match="did you mean 'other'"):
        run(workspace, "install", "orders", "--table", "othr", "--dry-run")
    with pytest.raises(Exception, match="operations"):
        run(workspace, "install", "orders", "--operations", "upsert", "--dry-run")


def test_scripts_can_be_run_as_they_are_printed(workspace: Path) -> None:
    script = run(workspace, "install", "orders", "--dry-run")[1]
    undo = run(workspace, "install", "orders", "--undo")[1]
    with contextlib.closing(sqlite3.connect(workspace / "legacy.db")) as connection:
        connection.executescript(script)
        assert "nothing to do" in run(workspace, "install", "orders")[2]
        remove = run(workspace, "remove", "orders", "--dry-run")[1]
        assert "DROP TRIGGER" in remove
        connection.executescript(undo)
    assert triggers(workspace) == set()
    assert "nothing to do" in run(workspace, "remove", "orders")[2]


def test_plans_are_data_for_programs(workspace: Path) -> None:
    plan = json.loads(run(workspace, "install", "orders", "--dry-run", "--json")[1])
    assert plan["run"] is False
    assert triggers(workspace) == set()
    assert any(one.startswith("CREATE TRIGGER") for one in plan["statements"])
    assert json.loads(run(workspace, "install", "orders", "--json")[1])["run"] is True
    assert triggers(workspace) == {"fig_orders_insert"}


def test_installed_by_another_the_bridge_gets_its_rights(tmp_path: Path, postgresql) -> None:
    url = make_url(postgresql.database())
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id integer PRIMARY KEY, status text)"))
        connection.execute(text("DROP ROLE IF EXISTS clerk"))
        connection.execute(text("CREATE ROLE clerk LOGIN"))
    toml = TOML.replace("sqlite:///legacy.db", str(url.set(username="clerk", password=None)))
    (tmp_path / "fig.toml").write_text(toml, "utf-8")
    with pytest.raises(Exception, match="lacks a right"):
        run(tmp_path, "install", "orders")
    out = run(tmp_path, "install", "orders", "--as", "postgres", "--dry-run")[1]
    assert 'GRANT SELECT, UPDATE, DELETE ON "fig_event" TO "clerk"' in out
    assert run(tmp_path, "install", "orders", "--as", "postgres")[0] == 0
    status, out, _ = run(tmp_path, "doctor", "orders", "--json")
    found = {one["check"]: one for one in map(json.loads, out.splitlines())}
    assert {one["check"]: one["says"] for one in found.values() if one["state"] == "fail"} == {}
    assert (status, found["rights"]["state"]) == (0, "ok")
    assert found["fires: insert"]["state"] == "warn"  # it may not write the table
    assert run(tmp_path, "doctor", "orders", "--strict")[0] == 6
    status, out, _ = run(tmp_path, "doctor", "orders", "--as", "postgres")
    assert "a canary row was caught" in out
    assert run(tmp_path, "doctor", "orders", "--as", "postgres", "--strict")[0] == 0
    with pytest.raises(Exception, match="lacks a right"):
        run(tmp_path, "backfill", "orders")
    assert run(tmp_path, "backfill", "orders", "--as", "postgres")[0] == 0
    assert run(tmp_path, "remove", "orders", "--as", "postgres")[0] == 0
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE clerk"))  # which fails while it has rights on anything


@pytest.mark.parametrize(
    ("option", "word"), [("--operations", "insert,updat"), ("--password", "geheim")]
)
def test_what_is_wrong_with_an_option_is_said_of_the_option(
    workspace: Path, option: str, word: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        run(workspace, "install", "orders", option, word)
    assert raised.value.place == option
    assert "geheim" not in str(raised.value)


def test_the_doctor_leaves_with_0_unless_something_fails(workspace: Path) -> None:
    run(workspace, "install", "orders")
    status, out, _ = run(workspace, "doctor", "orders")
    assert status == 0
    assert "a canary row was caught, and rolled back" in out
    legacy(workspace, "DROP TRIGGER fig_orders_insert")
    status, out, _ = run(workspace, "doctor", "orders")
    assert status == 6
    assert "does not stand" in out
    assert "fig adapter install orders" in out
    status, out, _ = run(workspace, "doctor", "orders", "--json")
    assert status == 6
    found = {one["check"]: one for one in map(json.loads, out.splitlines())}
    assert found["trigger fig_orders_insert"]["state"] == "fail"
    assert found["connection"]["state"] == "ok"
    assert legacy(workspace, "SELECT count(*) FROM orders") == [(1,)]


def test_the_cost_of_a_write_is_measured(workspace: Path) -> None:
    run(workspace, "install", "orders")
    lines = run(workspace, "doctor", "orders", "--json")[1].splitlines()
    (cost,) = [one for one in map(json.loads, lines) if one["check"] == "cost"]
    assert set(cost["figures"]) == {"insert_us", "without_us", "trigger_us"}
    assert cost["figures"]["insert_us"] > 0


def test_list_says_what_stands_and_whose(workspace: Path) -> None:
    assert "nothing" in run(workspace, "list")[1]
    run(workspace, "install", "orders")
    out = run(workspace, "list")[1]
    assert "1 trigger" in out
    assert "@" in out
    entries = [json.loads(line) for line in run(workspace, "list", "--json")[1].splitlines()]
    assert {"table", "index", "trigger"} <= {one["kind"] for one in entries}
    (workspace / "fig.toml").write_text(TOML.replace("legacy.orders", "legacy.others"), "utf-8")
    out = run(workspace, "list")[1]
    assert "orders (beside others)" in out
    (workspace / "legacy.db").unlink()
    status, out, _ = run(workspace, "list")
    assert status == 0
    assert "cannot be opened" in out


def test_a_key_that_a_dead_event_holds_back_is_released(workspace: Path) -> None:
    run(workspace, "install", "orders")
    legacy(workspace, "INSERT INTO orders VALUES (8, 'new', NULL)")
    legacy(workspace, "UPDATE fig_event SET parked = 2, dead_reason = 'unreadable'")
    ((position,),) = legacy(workspace, "SELECT event_id FROM fig_event")
    with pytest.raises(Exception, match="no dead event is held there"):
        run(workspace, "release", "orders", "nothing")
    status, _, err = run(workspace, "release", "orders", position)
    assert status == 0
    assert "released" in err
    assert legacy(workspace, "SELECT done_at IS NOT NULL FROM fig_event") == [(1,)]
