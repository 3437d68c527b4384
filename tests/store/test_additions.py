"""Many rows at once, but those that are there already."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from stranglerfig.errors import Conflict
from stranglerfig.store import InboxMark, Line, Write, tables
from stranglerfig.store.additions import Additions, portions
from stranglerfig.store.marks import Marks


@given(st.integers(0, 5_000), st.sampled_from([1, 8, 512]))
def test_portions_are_all_of_it_in_few_sizes(count, largest):
    sizes = list(portions(count, largest))
    assert sum(sizes) == count
    assert all(size == 1 << (size.bit_length() - 1) <= largest for size in sizes)
    assert sizes == sorted(sizes, reverse=True)


def test_only_what_is_new_is_added_and_counted(either):
    evidence = Additions(either.engine, tables.evidence)
    rows = [("e", "r", f"ü{number % 700}", "both", number) for number in range(1_000)]
    with either.database.write() as connection:
        assert evidence.add(connection, rows)[0] == 700
        assert evidence.add(connection, rows[:9])[0] == 0
    kept = tables.evidence.c
    with either.database.read() as connection:
        assert connection.execute(select(func.count(kept.unit))).scalar_one() == 700
        assert connection.execute(select(func.max(kept.line))).scalar_one() == 699  # the first


def test_marks_tell_new_same_and_other_bytes_within_a_group_and_after_it(either):
    marks = Marks(either.engine)
    seen = [
        ("c", "1", "h", 1.5, None),
        ("c", "2", "h", 1.5, '{"a": 1}'),
        ("c", "1", "h", 2.5, None),
    ]
    with either.database.write() as connection:
        assert marks.set(connection, seen) == [True, True, False]
    with either.database.write() as connection:
        told = marks.set(connection, [("c", "2", "x", 3.5, None), ("c", "3", "h", 3.5, None)])
    assert isinstance(told[0], Conflict)
    assert told[1] is True
    kept = tables.inbox.c
    query = select(kept.message_id, kept.payload_hash, kept.at, kept.result).order_by("message_id")
    with either.database.read() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    assert rows == [("1", "h", 1.5, None), ("2", "h", 1.5, '{"a": 1}'), ("3", "h", 3.5, None)]


async def test_a_group_of_many_marks_and_lines_is_whole(either):
    writes = [
        Write(
            lines=(Line("request", request_id=str(number)),),
            inbox=InboxMark("c", str(number % 90), "h"),
        )
        for number in range(100)
    ]
    answers = [await future for future in [either.journal.submit(write) for write in writes]]
    assert answers == [True] * 90 + [False] * 10
    names = [entry.line.request_id for entry in either.journal.read()]
    assert names == [str(number) for number in range(90)]
