"""``fig copybook columns``: whole files into Parquet and Arrow."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig
from stranglerfig.errors import ConfigError, EnvelopeError

BOOK = """
       01  R.
           05  ID      PIC 9(4).
           05  AMOUNT  PIC S9(5)V99 COMP-3.
           05  NAME    PIC X(6).
"""


@pytest.fixture
def columns(tmp_path):
    """Run ``fig copybook columns`` on the record files of a test; raises errors of ours."""
    (tmp_path / "R.cpy").write_text(BOOK)

    def run(body, name, *options):
        (tmp_path / "data").write_bytes(body)
        command = ["copybook", "columns", tmp_path / "R.cpy", tmp_path / "data"]
        command += ["--output", tmp_path / name, *options]
        done = CliRunner().invoke(fig, [str(part) for part in command], standalone_mode=False)
        if done.exception:
            raise done.exception
        return tmp_path / name, done.stdout

    return run


def record(number, amount, name):
    return str(number).zfill(4).encode("cp037") + bytes.fromhex(amount) + name.encode("cp037")


ROWS = record(1, "0001234c", "ann   ") + record(2, "0000050d", "bert  ")


@pytest.mark.parametrize("name", ["out.parquet", "out.arrow"])
def test_records_become_columns(columns, name):
    file, out = columns(ROWS, name, "--json")
    found = json.loads(out)
    assert found["records"] == 2
    assert found["columns"] == {"ID": "int64", "AMOUNT": "decimal128(7, 2)", "NAME": "string"}
    table = pq.read_table(file) if name.endswith("parquet") else pa.ipc.open_file(file).read_all()
    assert [str(one) for one in table["AMOUNT"].to_pylist()] == ["12.34", "-0.50"]
    assert table["NAME"].to_pylist() == ["ann", "bert"]


def test_header_and_footer_are_left_out(columns):
    file, out = columns(b"head" + ROWS + b"foot!", "o.parquet", "--header", 4, "--footer", 5)
    assert "2 records" in out
    assert pq.read_table(file)["ID"].to_pylist() == [1, 2]


def test_a_file_that_is_cut_short_leaves_nothing_behind(columns, tmp_path):
    with pytest.raises(EnvelopeError, match="cut short"):
        columns(ROWS[:-3], "o.parquet")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["R.cpy", "data"]


def test_what_has_no_columns_is_refused(columns):
    with pytest.raises(ConfigError, match="one length"):
        columns(ROWS, "o.parquet", "--records", "rdw-be")
    with pytest.raises(ConfigError, match="no such format"):
        columns(ROWS, "o.csv")


def test_how_floats_are_held_is_said_where_nobody_said_it(tmp_path):
    (tmp_path / "F.cpy").write_text("       01 R.\n          05 F COMP-1.\n")
    (tmp_path / "data").write_bytes(bytes.fromhex("41100000"))

    def decode(*options):
        command = ["copybook", "decode", str(tmp_path / "F.cpy"), str(tmp_path / "data")]
        return CliRunner().invoke(fig, [*command, "--json", *options], standalone_mode=False)

    assert "--floats ibm" in decode().stderr
    told = decode("--floats", "ibm")
    assert told.stderr == ""
    assert json.loads(told.stdout) == {"F": 1.0}
