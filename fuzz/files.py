"""Files of records, lines of JSON that become such files, and what was kept of bad ones."""

from __future__ import annotations

import io
from collections.abc import Iterator
from zlib import crc32

import msgspec

from stranglerfig.acl.copybook import parse_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.options import CodecOptions
from stranglerfig.acl.records import Bad, Measure, RecordFormat, Writer, read_records
from stranglerfig.acl.records.decoding import Decoding
from stranglerfig.acl.records.encoding import encode_lines
from stranglerfig.acl.records.measures import by_counts, by_field
from stranglerfig.acl.records.quarantine import Quarantine, read_quarantine
from stranglerfig.acl.records.replaying import Replay
from stranglerfig.errors import FigError
from stranglerfig.fuzz.copybooks import PIECES, made
from stranglerfig.fuzz.target import Target, folder

__all__ = ["lines", "quarantines", "record_files"]


class _Case(msgspec.Struct):
    """A format, and the codec that its records are for."""

    form: RecordFormat
    codec: Codec
    measure: Measure | None = None


def _formats() -> list[_Case]:
    every = made()
    order, small = (
        every[4],
        parse_copybook("01 R.\n 05 LEN PIC 9(2).\n 05 BODY PIC X(3).", form="free"),
    )
    options = CodecOptions(encoding="ascii")
    tiny, shifted = Codec(small, options), every[5]
    found = [
        _Case(RecordFormat(kind="rdw", endian=endian, adjust=adjust, counted=counted), order)
        for endian in ("big", "little")
        for adjust, counted in ((0, False), (0, True), (-4, False), (3, True))
    ]
    found += [
        _Case(RecordFormat(kind="vb", counted=counted, block_counted=True, start=start), tiny)
        for counted in (True, False)
        for start in (0, 1)
    ]
    found += [
        _Case(RecordFormat(kind="fixed", length=5, header=header, footer=footer, stop=1), tiny)
        for header, footer in ((0, 0), (3, 2))
    ]
    found += [
        _Case(RecordFormat(kind="line"), tiny),
        _Case(RecordFormat(kind="line", header=2, footer=3, longest=64), tiny),
        _Case(RecordFormat(kind="delimited", end=b"|~|"), tiny),
        _Case(RecordFormat(kind="measured"), tiny, by_field(small, options, "LEN", 2)),
        _Case(
            RecordFormat(kind="measured", start=1),
            shifted,
            by_counts(shifted.copybook, shifted.options),
        ),
    ]
    return found


def _all(case: _Case, data: bytes) -> tuple[bytes, bool]:
    """Read a file's records and write them; say whether there was a bad one."""
    reader = read_records(io.BytesIO(data), case.form, case.measure)
    out, bad = io.BytesIO(), False
    writer = Writer(out, case.form)
    for found in reader:
        if isinstance(found, Bad):
            bad = True
            assert found.length >= len(found.body)
        else:
            assert data[found.offset :].startswith(found.body)
            writer.write(found.body, found.frame)
    writer.close()
    return reader.header + out.getvalue() + reader.footer, bad


def record_files() -> Target:
    """Files of records; the first byte says their format."""
    cases = _formats()
    place = folder()
    encode = msgspec.json.Encoder(decimal_format="number").encode

    def decoded(case: _Case, data: bytes) -> tuple[list[bytes], int]:
        with Quarantine(place / "bad.jsonl", "-", len(data)) as quarantine:
            reader = read_records(io.BytesIO(data), case.form, case.measure)
            found = Decoding(reader, case.form, case.codec, quarantine)
            lines = [encode(one.values) for one in found]
        return lines, quarantine.count

    def read(case: bytes) -> None:
        if not case:
            return
        chosen, data = cases[case[0] % len(cases)], case[1:]
        written, bad = _all(chosen, data)
        assert bad or written == data
        lines, count = decoded(chosen, data)
        if not count:
            out = io.BytesIO()
            try:
                encode_lines(lines, chosen.codec, Writer(out, chosen.form), chosen.form)
            except FigError as error:
                raise AssertionError("what was read is refused") from error
            assert out.getvalue() == data, "not by way of JSON"

    seeds = [bytes([number]) + _file(case) for number, case in enumerate(cases)]
    words = (
        b"\x00\x00",
        b"\x00\x09\x00\x00",
        b"\xff\xff\xff\xff",
        b"\x80\x00\x00\x01",
        b"\x7f\xff",
    )
    return Target(seeds, (*PIECES, *words, b"\n", b"\r\n", b"|~|", b"02ab"), read)


def _file(case: _Case) -> bytes:
    """Give a good file of a format."""
    form = case.form
    tiny = case.codec.size == 5
    body = b"03abc" if tiny else (b"\xf0\xf1\xf2\xf3\xf0\xf2" + b"\xf1" * 400)[: case.codec.size]
    if form.kind == "measured" and not tiny:
        body = b"\xf0\xf1\xf2\xf3\xf0\xf2" + b"\xc1\xc2\xc3\xc4\x12\x3c\x12\x34" * 2 + b"\x40" * 11
    out = io.BytesIO()
    writer = Writer(out, msgspec.structs.replace(form, start=0, stop=0, length=form.whole))
    for _ in range(3):
        writer.write(b"s" * form.start + body + b"e" * form.stop)
    writer.close()
    return b"h" * form.header + out.getvalue() + b"f" * form.footer


def lines() -> Target:
    """Lines of JSON that are to become records; the first byte says which codec writes them."""
    every = made()
    form = RecordFormat(kind="rdw")
    encode = msgspec.json.Encoder(decimal_format="number").encode

    def told() -> Iterator[bytes]:
        for number, codec in enumerate(every):
            for fill in (b"\x40", b"\xf1", bytes(range(64, 256))):
                try:
                    values, corrections = codec.exact((fill * codec.size)[: codec.size])
                except FigError:
                    continue
                shown = {str(at): raw.hex() for at, raw in corrections.items()}
                yield bytes([number]) + encode(
                    {**values, "$bytes": shown, "$frame": {"rdw": "0001"}}
                )

    def read(case: bytes) -> None:
        if not case:
            return
        out = io.BytesIO()
        codec = every[case[0] % len(every)]
        encode_lines(case[1:].splitlines(), codec, Writer(out, form), form)
        # What was written can be read.
        for found in read_records(io.BytesIO(out.getvalue()), form):
            assert not isinstance(found, Bad) or found.reason
            if not isinstance(found, Bad):
                codec.problems(found.body)

    words = (
        *(
            b'"$bytes":{"0":"00*16777216"}',
            b'{"28":"40"}',
            b'"$frame":{"end":"0a"}',
            b"null",
            b"[]",
        ),
        *(
            b"[{}]",
            b'{"',
            b'":',
            b"12.50",
            b"-1",
            b"1e400",
            b'"\\u0000"',
            b'"\\ud800"',
            b"true",
            b"\n",
        ),
        *(b'"99999999"', b'"ff*99999999"', b'"header"', b'"footer"', b'"FILLER"', b'"LINES"'),
    )
    return Target(list(told()), words, read)


def quarantines() -> Target:
    """Quarantine files, read and replayed."""
    place = folder()
    file = place / "bad.jsonl"
    cases = _formats()
    good = (
        b'{"file":"-","number":1,"offset":4,"length":5,"kind":"record","reason":"x","hex":"3033616263"}\n'
        b'{"file":"-","number":2,"offset":9,"length":4,"kind":"border","reason":"x","hex":"00000000"}\n'
        b'{"file":"gone","number":3,"offset":13,"length":99,"kind":"stop","reason":"x","hex":"ffffffff"}\n'
    )
    words = (
        b'"kind"',
        b'"record"',
        b'"border"',
        b'"stop"',
        b'"hex":"',
        b"\n",
        b"-1",
        b'"path":"A"',
        b'"',
    )

    def read(case: bytes) -> None:
        chosen = cases[crc32(case) % len(cases)]
        file.write_bytes(case)
        with Quarantine(place / "again.jsonl", "-", None) as again:
            replay = Replay(read_quarantine(file), chosen.form, again, chosen.measure)
            for one in Decoding(replay, chosen.form, chosen.codec, again):
                assert isinstance(one.values, dict)

    return Target([good, good.splitlines()[0]], words, read)
