"""The ledger of what was taken of each row, on both kinds of store."""

from __future__ import annotations

import pytest

from stranglerfig.adapters.capture.dialect import Event, Image
from stranglerfig.adapters.capture.identity import digest, told_apart
from stranglerfig.model import Record
from stranglerfig.store.captured import Captured, capture_effects
from stranglerfig.store.database import Database
from stranglerfig.store.effects import Effects
from stranglerfig.tests.stores import either_store


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    url = either_store(request, tmp_path / "fig.db")
    database = Database(url)
    yield database
    database.engine.dispose()


def record(op, *, before=None, after=None, key="k"):
    """Make the record of an event whose images are texts like ``id=1``."""
    event = Event(
        id=1, event_id="e", key=key, op=op, before=before, after=after, schema_hash="",
        created_at=0.0, attempts=1, lost=0, lease_token="",
    )  # fmt: skip
    headers = (("op", op), *told_apart(event, ("id",), read))
    return Record(source="orders", position="e", kind="row", body=b"", headers=headers)


def read(text):
    if "=" not in text:
        raise ValueError(text)
    pairs = dict(pair.split("=") for pair in text.split(","))
    return Image(values=pairs, kinds="i" * len(pairs))


def write(database, *records):
    effects = [effect for one in records for effect in capture_effects(one)]
    with database.write() as connection:
        Effects(database.engine).write(connection, effects)


def test_a_row_is_known_by_its_newest_image_and_forgotten_when_it_goes(database):
    ledger = Captured(database)
    write(database, record("insert", after="id=1,v=1"), record("read", after="id=2,v=1"))
    write(database, record("update", before="id=1,v=1", after="id=1,v=2"))
    known = ledger.known("orders", ['["i1"]', '["i2"]', '["i3"]'])
    assert known == {'["i1"]': digest("id=1,v=2"), '["i2"]': digest("id=2,v=1")}
    assert ledger.known("others", ['["i1"]']) == {}
    write(database, record("update", before="id=1,v=2", after="id=9,v=2"))
    write(database, record("delete", before="id=2,v=1"))
    assert ledger.page("orders", "", 10) == ['["i9"]']
    write(database, record("truncate"))
    assert ledger.page("orders", "", 10) == []


def test_an_event_of_no_row_writes_nothing():
    assert capture_effects(record("insert", after="nonsense")) == ()
    assert capture_effects(Record(source="s", position="1", kind="soap", body=b"")) == ()


def test_many_rows_are_added_asked_and_forgotten(database):
    ledger = Captured(database)
    rows = {f'["i{at}"]': at * 7_000_000_000_000_000 - 2**62 for at in range(1_300)}
    ledger.add("orders", rows)
    ledger.add("orders", dict(list(rows.items())[:3]))
    assert ledger.known("orders", list(rows)) == rows
    pages, after = [], ""
    while page := ledger.page("orders", after, 400):
        pages += page
        after = page[-1]
    assert sorted(pages) == sorted(rows)
    ledger.forget("orders", pages[:1_299])
    assert ledger.page("orders", "", 10) == pages[1_299:]


def test_a_digest_does_not_hang_on_where_a_large_value_is_kept():
    image = 'ilt["id","a ] \\" b","c"](1,70000:{},"x, ""y\\\\")'
    assert digest(image.format("aa-1")) == digest(image.format("bb-1")) == digest(image.format(""))
    assert digest(image.replace("70000", "70001").format("")) != digest(image.format(""))
    assert -(2**63) <= digest("") < 2**63
