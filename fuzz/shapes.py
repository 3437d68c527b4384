"""What holds for every kind of record: it is read, changed and answered without a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stranglerfig.acl.formats.json_patch import as_written
from stranglerfig.acl.formats.kinds import sides
from stranglerfig.acl.formats.shape import Shape, Values
from stranglerfig.fuzz.target import Target
from stranglerfig.model import Record

__all__ = ["answered", "as_texts", "built", "changed", "recorded", "same"]


def recorded(body: bytes, kind: str, record: Record | None = None) -> Record:
    """Give a record of a message, with the headers of the one that it is made of."""
    headers = () if record is None else record.headers
    return Record(source="fuzz", position="1", kind=kind, body=body, headers=headers)


def as_texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values as texts; one that is null is none: where it cannot be null it is taken out."""
    return {path: as_written(value) for path, value in values.items() if value is not None}


def same(shape: Shape, record: Record, *, apart: bool = True) -> None:
    """Read a message, look at its places, put its own values into it, and read that again.

    ``apart``: no value hangs on another, and each is read as it was written.
    """
    values, strays = shape.read(record)
    shape.places(record)
    if any(stray.broken for stray in strays):
        return
    assert shape.patch({}, record) == record.body
    told = as_texts(values)
    try:
        patched = shape.patch(told, record)
    except ValueError:
        return  # it says so of values that its place cannot carry, such as a header's
    again, _ = shape.read(recorded(patched, record.kind, record))
    if not apart:
        return
    assert as_texts(again) == told, "patching with its own values changed them"
    for path in list(told)[:3]:
        changed(shape, record, path, told)


def changed(shape: Shape, record: Record, path: str, told: Values) -> None:
    """Change one value; the others stay."""
    if not isinstance(told[path], str):
        return
    try:
        patched = shape.patch({path: "7"}, record)
    except ValueError:
        return
    again, _ = shape.read(recorded(patched, record.kind, record))
    assert as_texts(again) == {**told, path: "7"}, f"changing {path} changed more"


def answered(shape: Shape | None, record: Record) -> None:
    """Write an answer, where there is one, and read it again."""
    if shape is None:
        return
    texts = {leaf.path: "7" for leaf in shape.leaves if "[]" not in leaf.path and not leaf.opaque}
    try:
        shape.read(recorded(shape.write(texts, record), record.kind))
    except ValueError:
        return


def built(
    table: Mapping[str, object],
    seeds: Sequence[bytes],
    words: Sequence[bytes],
    root: Path | None = None,
    *,
    apart: bool = True,
) -> Target:
    """Give the target of one kind of record: what is read is written back without a loss."""
    made = sides(table, root or Path(), "from")
    kind = str(table["kind"])

    def read(case: bytes) -> None:
        record = recorded(case, kind)
        same(made.request, record, apart=apart)
        answered(made.reply, record)

    return Target(seeds, words, read)
