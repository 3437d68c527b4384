"""Records that could not be taken, kept so that nothing is lost and all can be read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from ...errors import InputError
from .output import whole_file
from .record import Bad, BadKind

__all__ = ["Entry", "Quarantine", "read_quarantine"]

_PRIVATE = 0o600
"""What is kept are customers' data, and nobody said who else may read them."""
_REASONS = 50


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a quarantine file.

    ``offset`` and ``length`` say where in ``file`` the bytes stand, ``hex`` which they are. Where
    ``hex`` is shorter (a ``stop``: all that follows was unread), the rest stands in ``file`` itself
    or, where that was a pipe (``-``), in the file ``rest``.
    """

    file: str
    number: int
    offset: int
    length: int
    kind: BadKind
    reason: str
    hex: str
    path: str = ""
    expected: str = ""
    rest: str = ""

    @property
    def body(self) -> bytes:
        """Give the bytes of ``hex``."""
        return bytes.fromhex(self.hex)


class Quarantine:
    """Takes bad records of one file; used as a context manager.

    The file is made when the first one comes, and stands under its name when the block ends.
    ``count`` counts entries and ``reasons`` what was wrong, for the summary.
    """

    def __init__(self, path: Path, file: str) -> None:
        self.path = path
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self._file = file
        self._stream: BinaryIO | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Quarantine:
        self._stack.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.__exit__(*raised)  # type: ignore[arg-type]

    def add(self, bad: Bad, rest: Iterable[bytes] | None = None) -> None:
        """Keep one. ``rest``: what follows a ``stop`` and can be read only now.

        Raises ``InputError`` where the quarantine cannot be written: then nothing may go on.
        """
        kept, size = self._keep(bad, rest) if rest is not None else ("", 0)
        entry = Entry(
            file=self._file,
            number=bad.number,
            offset=bad.offset,
            length=bad.length + size,
            kind=bad.kind,
            reason=bad.reason,
            hex=bad.body.hex().upper(),
            path=bad.path,
            expected=bad.expected,
            rest=kept,
        )
        if self._stream is None:
            self._stream = self._stack.enter_context(whole_file(self.path, _PRIVATE))
        self._stream.write(msgspec.json.encode(entry) + b"\n")
        self.count += 1
        reason = f"{bad.path}: {bad.reason}" if bad.path else bad.reason
        many = reason not in self.reasons and len(self.reasons) >= _REASONS
        self.reasons["of other kinds" if many else reason] += 1

    def _keep(self, bad: Bad, rest: Iterable[bytes]) -> tuple[str, int]:
        path = self.path.with_name(f"{self.path.name}.rest")
        size = 0
        with whole_file(path, _PRIVATE) as stream:
            stream.write(bad.body)
            for chunk in rest:
                size += stream.write(chunk)
        return str(path.resolve()), size


def read_quarantine(path: Path) -> Iterator[Entry]:
    """Give the entries of a quarantine file. Raises ``InputError`` for a line that is none."""
    decoder = msgspec.json.Decoder(Entry)
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                entry = decoder.decode(line)
                bytes.fromhex(entry.hex)
                yield entry
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise InputError(
            f"not a line of a quarantine: {error}",
            place=f"{path}: line {number}",
            expected="what 'fig copybook decode' wrote",
        ) from error
