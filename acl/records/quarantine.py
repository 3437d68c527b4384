"""Records that could not be taken, kept so that nothing is lost and all can be read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from ...errors import InputError
from .output import whole_file
from .record import Bad, BadKind

__all__ = ["Entry", "Quarantine", "read_quarantine"]

_PRIVATE = 0o600
"""What is kept are customers' data, and nobody said who else may read them."""
_REASONS = 50
_SHOWN = 4096


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a quarantine file.

    ``offset`` and ``length`` say where in ``file`` the bytes stand, ``hex`` which they are; ``-``
    is standard input. Where ``hex`` is shorter, they are in ``file`` only: for a ``stop``, with
    all that follows; what was unread of a pipe is in a file of its own that was made for it.
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

    @property
    def body(self) -> bytes:
        """Give the bytes of ``hex``."""
        return bytes.fromhex(self.hex)


class Quarantine:
    """Takes bad records; used as a context manager.

    ``file`` names the file they come from, ``size`` is its size, None for a pipe: then what is
    unread is copied, for nobody could read it again. The quarantine's own file is made when the
    first record comes, and stands under its name when the block ends. ``count`` counts entries and
    ``reasons`` what was wrong, for the summary.
    """

    def __init__(self, path: Path, file: str, size: int | None) -> None:
        self.path = path
        self.file = file
        self.size = size
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self._stream: BinaryIO | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, bad: Bad, rest: Iterable[bytes] = ()) -> None:
        """Keep one. ``rest``: what follows a ``stop`` and can be read only now.

        Raises ``InputError`` where the quarantine cannot be written: then nothing may go on.
        """
        file, offset, length, reason = self.file, bad.offset, bad.length, bad.reason
        if bad.kind == "stop" and self.size is not None:
            length = self.size - offset
        elif bad.kind == "stop":
            reason = f"{reason} (byte {offset} of the input)"
            file, offset, length = self._keep(bad.body, rest)
        entry = Entry(
            file=file,
            number=bad.number,
            offset=offset,
            length=length,
            kind=bad.kind,
            reason=reason,
            hex=self._shown(bad).hex().upper(),
            path=bad.path,
            expected=bad.expected,
        )
        if self._stream is None:
            self._stream = self._stack.enter_context(whole_file(self.path, _PRIVATE))
        self._stream.write(msgspec.json.encode(entry) + b"\n")
        self._counted(f"{bad.path}: {bad.reason}" if bad.path else bad.reason)

    def _shown(self, bad: Bad) -> bytes:
        """Give the bytes that are kept here; all of them where they are nowhere else."""
        return bad.body if bad.kind == "record" or self.size is None else bad.body[:_SHOWN]

    def _counted(self, reason: str) -> None:
        self.count += 1
        many = reason not in self.reasons and len(self.reasons) >= _REASONS
        self.reasons["of other kinds" if many else reason] += 1

    def _keep(self, first: bytes, rest: Iterable[bytes]) -> tuple[str, int, int]:
        path = self.path.with_name(f"{self.path.name}.{self.count + 1}.rest")
        size = len(first)
        with whole_file(path, _PRIVATE) as stream:
            stream.write(first)
            for chunk in rest:
                size += stream.write(chunk)
        return str(path.resolve()), 0, size


def read_quarantine(path: Path) -> Iterator[Entry]:
    """Give the entries of a quarantine file. Raises ``InputError`` for a line that is none."""
    decoder = msgspec.json.Decoder(Entry)
    number = 0
    try:
        with path.open("rb") as stream:
            for line in stream:
                number += 1
                entry = decoder.decode(line)
                bytes.fromhex(entry.hex)
                yield entry
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"not a line of a quarantine: {error}",
            place=f"{path}: line {number}",
            expected="what 'fig copybook decode' wrote",
        ) from error
