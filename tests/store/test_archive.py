"""An archive is proved by itself, and fits the journal that goes on behind it."""

from __future__ import annotations

import msgspec
import pytest

from stranglerfig.errors import InputError
from stranglerfig.store import Line, Write, head, trim
from stranglerfig.store.archive import archive, verify_archive
from stranglerfig.store.chain import Anchor, verify


@pytest.fixture
def file(tmp_path):
    return tmp_path / "old.jsonl"


def fill(store, count=8):
    for number in range(count):
        data = {"n": number, "text": "Ж \u2028 é"}
        line = Line(kind="request", request_id=f"r{number}", at=float(number), data=data)
        store.journal.append(Write(lines=(line,)))
    assert store.journal.flush(30)


def test_what_is_archived_can_be_removed_and_fits_what_stays(either, file):
    fill(either)
    held = archive(either.database, file, before=5.0)
    assert (held.lines, held.after.id, held.last.id) == (5, 0, 5)
    assert verify_archive(file) == (held, [])
    removed = sum(trim.remove(either.database, either.inserts, 5.0, held.last.id))
    assert removed == 5
    with either.database.read() as connection:
        assert Anchor(*head.read(connection).cut) == held.last
    assert list(verify(either.database, [held.last])) == []
    next_one = archive(either.database, file.with_name("next.jsonl"), before=1e12)
    assert next_one.after == held.last
    assert verify_archive(file.with_name("next.jsonl")) == (next_one, [])


def test_it_holds_the_lines_as_they_were(either, file):
    fill(either, 3)
    archive(either.database, file, before=1e12)
    rows = [msgspec.json.decode(row) for row in file.read_bytes().splitlines()]
    assert [row["row"] for row in rows] == ["begin", "line", "line", "line", "end"]
    assert msgspec.json.decode(rows[2]["line"]["data"]) == {"n": 1, "text": "Ж \u2028 é"}
    assert rows[3]["line"]["request_id"] == "r2"


def test_compacted_lines_are_archived_as_such(either, file):
    fill(either)
    list(trim.compact(either.database, either.inserts, 4.0))
    archive(either.database, file, before=6.0)
    assert verify_archive(file)[1] == []


def spoil(file, change):
    rows = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(change(rows)))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda rows: [*rows[:3], rows[3].replace(b'n\\":2', b'n\\":7'), *rows[4:]], 3),
        (lambda rows: rows[:3] + rows[4:], 3),
        (lambda rows: [*rows[:3], rows[4], rows[3], *rows[5:]], 3),
        (lambda rows: rows[:-1], 9),
        (lambda rows: [*rows[:-2], rows[-1]], 7),
        (lambda rows: [*rows[:-1], rows[-1].replace(b'"lines":8', b'"lines":9')], 8),
    ],
)
def test_a_spoilt_archive_is_named_by_its_line(store, file, change, line):
    fill(store)
    archive(store.database, file, before=1e12)
    spoil(file, change)
    _, broken = verify_archive(file)
    assert broken[0].id == line


@pytest.mark.parametrize(
    "text", [b"", b"{}\n", b"\xff\n", b'{"row":"begin","format":"x","after":"0:0"}\n']
)
def test_what_is_no_archive_is_refused_with_its_place(file, text):
    file.write_bytes(text)
    with pytest.raises(InputError, match="row 1"):
        verify_archive(file)


def test_an_archive_is_never_written_over(store, file):
    fill(store)
    file.write_text("precious")
    with pytest.raises(FileExistsError):
        archive(store.database, file, before=1e12)
    assert file.read_text() == "precious"
