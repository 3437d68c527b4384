"""From values back to a file of records."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from ...errors import FigError, InputError, MappingError
from ..copybook.codec.codec import Codec
from ..copybook.codec.correction import Corrections, from_text
from .format import RecordFormat
from .lines import BYTES, FRAME, NUMBER, Framing
from .record import Frame
from .writer import Writer

__all__ = ["encode_lines"]

_SHOWN = 20


def encode_lines(lines: Iterable[bytes], codec: Codec, writer: Writer, form: RecordFormat) -> None:
    """Write a record for each line of JSON. The caller closes nothing: the last block is written.

    A file that goes back to a legacy system is whole or is not there: the first wrong line ends
    the writing, the next ones are only looked at, and ``MappingError`` names up to 20 of them.
    """
    decoder = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)
    framing = Framing(form.end)
    problems: list[FigError] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            body, frame = _record(decoder, line, codec, framing, number)
            if problems:
                continue
            if body is None:
                writer.around(frame)
            else:
                writer.write(body, frame)
        except FigError as error:
            problems.append(_placed(error, number))
            if len(problems) >= _SHOWN:
                break
    if problems:
        raise MappingError(
            f"{len(problems)} lines cannot be written" if len(problems) > 1 else "a line cannot be",
            expected="values as 'fig copybook decode --json' gives them",
            remedy="mend the lines; nothing was written",
            problems=tuple(problems),
        )
    writer.close()


def _record(
    decoder: msgspec.json.Decoder[dict[str, object]],
    line: bytes,
    codec: Codec,
    framing: Framing,
    number: int,
) -> tuple[bytes | None, Frame]:
    try:
        values = decoder.decode(line)
    except (ValueError, ArithmeticError, RecursionError) as error:
        # Beside what msgspec says: bytes that are no UTF-8, and exponents that no Decimal has.
        reason = str(error) if isinstance(error, ValueError) else "a number or a nesting too large"
        raise InputError(
            f"no JSON object: {reason}",
            value=line[:80].decode("utf-8", "replace"),
            expected="one JSON object a line",
        ) from error
    frame = framing.hear(values.pop(FRAME, None), f"line {number}: {FRAME}")
    values.pop(NUMBER, None)
    if not values and (frame.header or frame.footer):
        return None, frame
    corrections = _corrections(values.pop(BYTES, None), f"line {number}: {BYTES}")
    return codec.encode(values, corrections), frame


def _corrections(told: object, place: str) -> Corrections:
    if told is None:
        return {}
    try:
        return from_text(msgspec.convert(told, dict[str, str]))
    except ValueError as error:
        raise InputError(
            f"this is no {BYTES}",
            place=place,
            value=str(told)[:80],
            expected=str(error),
            remedy="leave it as 'fig copybook decode' wrote it, or take it out",
        ) from None


def _placed(error: FigError, number: int) -> FigError:
    if not error.place.startswith("line "):
        error.place = f"line {number}{': ' + error.place if error.place else ''}"
    return error
