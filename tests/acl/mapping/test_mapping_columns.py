"""A row mapping held against columns says before what its decoding would say of every row."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import stranglerfig
from stranglerfig.acl.mapping.columns import misfits
from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.errors import MappingError
from stranglerfig.model import Record

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"
FILE = EXAMPLE / "acl" / "ticket_row.toml"
MAPPING = load_mapping(FILE, load_operation(EXAMPLE, "ticket.triage@1"), EXAMPLE)
ROW = {
    "id": "7",
    "customer": "C-1",
    "channel": "M",
    "text": "refund",
    "category": "C05",
    "priority": "2",
    "score": "0.67",
    "opened": "20261123",
    "status": "O",
}


@given(st.sets(st.sampled_from([*ROW, "more", "Text"])), st.sampled_from(["fields", "reply"]))
def test_it_names_something_just_where_every_such_row_is_refused(columns, side):
    body = json.dumps({name: ROW.get(name, "x") for name in columns}).encode()
    record = Record(source="tickets", position="1", kind="row", body=body)
    decode = MAPPING.decode_request if side == "fields" else MAPPING.decode_reply
    refused = ""
    try:
        decode(record)
    except MappingError as error:
        refused = str(error)
    found = misfits(FILE, sorted(columns), {side})
    assert bool(found) == bool(refused), (found, refused)
    named = {one.value for one in found}
    if named:
        assert any(name.strip("'") in refused for name in named)


@pytest.fixture
def file(tmp_path):
    return Path(shutil.copy(FILE, tmp_path))


def test_it_names_file_row_column_and_the_nearest_name(file):
    columns = [name if name != "customer" else "custommer" for name in ROW]
    absent, unknown = misfits(file, columns, {"fields"})
    assert absent.place == "ticket_row.toml: fields row 2 customer"
    assert (absent.value, absent.remedy) == ("'customer'", "did you mean 'custommer'?")
    assert absent.source.startswith('  { src = "customer"')
    assert (unknown.value, unknown.remedy) == ("'custommer'", "did you mean 'customer'?")
    assert "from" in unknown.source


def test_what_is_let_through_or_may_be_left_out_is_no_misfit(file):
    text = file.read_text().replace('dst = "text",', 'optional = true, dst = "text",')
    file.write_text('unmapped = "report"\n' + text)
    columns = [name for name in ROW if name not in ("text", "status")]
    assert misfits(file, [*columns, "more"], {"fields", "reply"}) == []


def test_a_condition_reads_a_column_too(file):
    when = '{ src = "text", when = { status = "O" },'
    file.write_text(file.read_text().replace('{ src = "text", ', when))
    (found,) = misfits(file, [name for name in ROW if name != "status"], {"fields"})
    assert found.value == "'status'"


def test_another_kind_has_no_columns():
    assert misfits(EXAMPLE / "acl" / "triage_ticket.toml", [], {"fields", "reply"}) == []
