"""What must be put into written bytes so that they are those that were read.

Fields alone do not always give a record's bytes back: FILLER holds something, a text begins with a
blank, a number was none, a sign was F where C is written. Corrections are those bytes, by offset;
no bytes at an offset say that the record ends there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["Corrections", "apply", "as_text", "covers", "difference", "from_text"]

Corrections = Mapping[int, bytes]

_RUN: Final = 16
_MOST: Final = 1 << 24
"""Bytes that runs may have in one record, all together."""
_TEXT: Final = re.compile(r"((?:[0-9A-Fa-f]{2})*)|([0-9A-Fa-f]{2})\*([0-9]{1,8})")


def difference(wanted: bytes, made: bytes, kept: Iterable[tuple[int, int]] = ()) -> Corrections:
    """Give what turns ``made`` into ``wanted``; ``kept`` are ranges that are said in any case."""
    kept = list(kept)
    spans = [(start, min(end, len(wanted))) for start, end in kept if start < len(wanted)]
    if wanted != made:
        spans += _unlike(wanted, made)
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    found = {start: wanted[start:end] for start, end in merged}
    if len(made) > len(wanted) or any(end > len(wanted) for _, end in kept):
        found[len(wanted)] = b""
    return found


def _unlike(wanted: bytes, made: bytes) -> list[tuple[int, int]]:
    both = min(len(wanted), len(made))
    first, second = int.from_bytes(wanted[:both]), int.from_bytes(made[:both])
    unlike = (first ^ second).to_bytes(both)
    spans = [found.span() for found in re.finditer(rb"[^\0]+", unlike)]
    if len(wanted) > both:
        spans.append((both, len(wanted)))
    return spans


def apply(made: bytes, corrections: Corrections) -> bytes:
    """Put corrections into written bytes. Raises ``ValueError`` where they leave a hole."""
    whole = bytearray(made)
    for at, raw in sorted(corrections.items()):
        if at > len(whole) or at < 0:
            raise ValueError(f"an offset of at most {len(whole)}, where the record ends")
        if raw:
            whole[at : at + len(raw)] = raw
        else:
            del whole[at:]
    return bytes(whole)


def covers(corrections: Corrections, start: int, end: int) -> bool:
    """Say whether they say every byte from ``start`` to ``end``, or end the record before."""
    for at, raw in sorted(corrections.items()):
        if not raw and at <= start:
            return True
        if at <= start < at + len(raw):
            start = at + len(raw)
    return start >= end


def as_text(corrections: Corrections) -> dict[str, str]:
    """Give them for JSON: ``{"28": "40"}``; many times one byte is ``40*2133``."""
    return {str(at): _shown(raw) for at, raw in corrections.items()}


def _shown(raw: bytes) -> str:
    if len(raw) >= _RUN and raw.count(raw[0]) == len(raw):
        return f"{raw[0]:02X}*{len(raw)}"
    return raw.hex().upper()


def from_text(table: Mapping[str, object]) -> Corrections:
    """Read what ``as_text`` gives. Raises ``ValueError`` with what was expected."""
    found: dict[int, bytes] = {}
    room = _MOST
    for at, text in table.items():
        read = _TEXT.fullmatch(text) if isinstance(text, str) else None
        if read is None or not at.isascii() or not at.isdecimal() or len(at) > 10:
            raise ValueError('{"OFFSET": "HEX"}, as in {"28": "40", "61": "00*8"}')
        if read[2]:
            room -= int(read[3])
            if room < 0:
                raise ValueError(f"at most {_MOST >> 20} MiB")
            found[int(at)] = bytes.fromhex(read[2]) * int(read[3])
        else:
            found[int(at)] = bytes.fromhex(read[1])
    return found
