"""Golden labels: right answers that somebody has checked, by input."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from ...errors import InputError
from ...model import Payload

__all__ = ["Golden", "load_golden"]


class Golden:
    """Right outputs by input. Columns of the file that name output fields are the labels."""

    def __init__(self, inputs: tuple[str, ...], labels: Mapping[tuple[str, ...], Payload]) -> None:
        self._inputs = inputs
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def find(self, payload: Payload) -> Payload | None:
        """Give the right output fields for an input, or None. Never raises."""
        return self._labels.get(self._values(payload))

    def key(self, payload: Payload) -> Mapping[str, str] | None:
        """Give the labelled part of an input, or None where it has no label. Never raises."""
        values = self._values(payload)
        return dict(zip(self._inputs, values, strict=True)) if values in self._labels else None

    def _values(self, payload: Payload) -> tuple[str, ...]:
        return tuple(str(payload.get(name)) for name in self._inputs)


def load_golden(file: Path, inputs: frozenset[str], outputs: frozenset[str]) -> Golden:
    """Read a CSV whose columns are input and output fields of an operation.

    Called once while a workspace is put together. Raises ``InputError`` with file and line.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            columns = tuple(reader.fieldnames or ())
            keys = tuple(name for name in columns if name in inputs)
            labels = tuple(name for name in columns if name in outputs)
            if not keys or not labels:
                raise InputError(
                    "golden labels need an input and an output column",
                    place=str(file),
                    value=", ".join(columns) or "no header",
                    expected=f"inputs {', '.join(sorted(inputs))}; "
                    f"outputs {', '.join(sorted(outputs))}",
                    remedy="name the columns like the operation's fields",
                )
            return Golden(keys, _rows(reader, keys, labels, file))
    except FileNotFoundError:
        remedy = "mend 'golden' in fig.toml, or put the file there"
        raise InputError("no such file", place=str(file), remedy=remedy) from None
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise InputError(f"cannot be read: {error}", place=str(file), expected="CSV") from error


def _rows(
    reader: csv.DictReader[str], keys: tuple[str, ...], labels: tuple[str, ...], file: Path
) -> dict[tuple[str, ...], Payload]:
    rows: dict[tuple[str, ...], Payload] = {}
    for row in reader:
        if None in row or None in row.values():
            expected = f"{len(reader.fieldnames or ())} values"
            place = f"{file}: line {reader.line_num}"
            raise InputError("too few or too many values", place=place, expected=expected)
        rows[tuple(row[key] for key in keys)] = {name: row[name] for name in labels}
    return rows
