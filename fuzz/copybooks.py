"""Copybooks, and the records that they describe."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Final

import msgspec

from stranglerfig.acl.copybook import Copybook, layout, parse_copybook, read_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.options import CodecOptions, Policies
from stranglerfig.errors import FigError
from stranglerfig.fuzz.target import Target, folder

__all__ = ["PIECES", "any_codecs", "books", "codecs", "made", "rules"]

_ACCOUNT: Final = """\
000100* An account, as the ledger writes it                              LEDGER
000200 01  ACCOUNT.                                                      LEDGER
000300     05  ACC-ID              PIC X(6).
000400     05  ACC-TYPE            PIC X.
000500         88  IS-PERSON       VALUE 'P' 'E'.
000600         88  IS-COMPANY      VALUE 'A' THRU 'C'.
000700     05  BALANCE             PIC S9(7)V99 COMP-3.
000800     05  PERSON.
000900         10  NAME            PIC X(10).
001000         10  BORN            PIC 9(8).
001100     05  COMPANY REDEFINES PERSON.
001200         10  REGISTER        PIC S9(9) COMP.
001300         10  SHARE-PCT       PIC SV9(4).
001400         10  FILLER          PIC X(10).
001500     05  RATE                COMP-2.
001600     05  LIMITS OCCURS 3 TIMES INDEXED BY IX.
001700         10  LIMIT-AMT       PIC S9(5) SIGN TRAILING SEPARATE.
001800     66  HEAD RENAMES ACC-ID THRU ACC-TYPE.
"""
_ORDER: Final = """
       01 ORDER-REC.
          05 ORDER-NO PIC 9(4).
          05 LINE-COUNT PIC 99.
          05 LINES OCCURS 1 TO 5 TIMES DEPENDING ON LINE-COUNT.
             10 SKU PIC X(4).
             10 QTY PIC S9(3) COMP-3.
             10 PARTS OCCURS 2.
                15 PART-NO PIC 9(2) COMP-6.
          05 TAIL PIC $ZZ,ZZ9.99CR.
"""
_WIDE: Final = """
       01 WIDE.
          05 A1 PIC S9(4)V9(2).
          05 A2 PIC S9(5) SIGN IS LEADING SEPARATE CHARACTER.
          05 A3 PIC S9(3) SIGN LEADING.
          05 B1 PIC S9(4) COMP-5 SYNC.
          05 B2 PIC 9(18) BINARY.
          05 B3 PIC S9(9) COMP-9.
          05 P1 PIC 9(5) COMP-6.
          05 P2 PIC S9(15)V99 PACKED-DECIMAL.
          05 F1 COMP-1.
          05 F2 COMP-2.
          05 E1 PIC -(4)9.99.
          05 E2 PIC **,**9.
          05 E3 PIC +Z,ZZ9BB/99.
          05 J1 PIC X(8) JUSTIFIED RIGHT.
          05 Z1 PIC 9(4) BLANK WHEN ZERO.
          05 S1 PIC SPP9(3).
          05 S2 PIC 9(3)PP.
          05 N1 PIC N(3) USAGE NATIONAL.
          05 T1 PIC A(5) VALUE 'ABC'.
          05 PTR POINTER.
          05 IDX INDEX.
"""
_COPYING: Final = """
       01 OUTER.
          COPY INNER REPLACING ==:TAG:== BY ==NEW==
               LEADING ==OLD== BY ==FRESH==.
          05 TEXT-1 PIC X(40) VALUE 'A literal that goes on
      -    'over the line'.
          05 HEX-1 PIC X(4) VALUE X'C1C2C3C4'.
          05 NAT-1 PIC N(2) VALUE N'AB'.
          05 SW PIC 9 VALUE ZERO.
             88 ON-IT VALUE 1. 88 OFF-IT VALUES ARE 0, 2 THRU 9.
       REPLACE ==X(9)== BY ==X(3)==.
       01 SECOND REDEFINES OUTER.
          05 ALL-OF-IT PIC X(9).
       REPLACE OFF.
       77 ALONE PIC S9(4) COMP VALUE -1.
"""
_FREE: Final = """>>SOURCE FORMAT IS FREE
01 free-rec. *> a remark
  03 filler pic x(2).
  03 counter pic 9(2).
  03 group-1 occurs 2 to 4 depending on counter.
    05 x pic 9(2)v9 usage is display.
    05 y pic s9(4) comp-3 value is +12.
"""
_INNER: Final = "          05 :TAG:-ID PIC 9(4).\n          05 OLD-NAME PIC X(9).\n"
_BOOKS: Final = (_ACCOUNT, _ORDER, _WIDE, _COPYING, _FREE)
_WORDS: Final = tuple(
    word.encode()
    for word in (
        *("PIC", "PICTURE IS", "OCCURS", "OCCURS 999999999", "TIMES", "TO", "DEPENDING ON", "BY"),
        *("REDEFINES", "RENAMES", "THRU", "USAGE", "COMP-1", "COMP-2", "COMP-3", "COMP-5", "COMP"),
        *("COMP-6", "COMP-9", "INDEX", "POINTER", "NATIONAL", "DISPLAY", "SYNC", "JUST", "SIGN"),
        *("BLANK WHEN ZERO", "VALUE", "VALUES ARE", "ALL", "SPACES", "LOW-VALUES", "COPY INNER."),
        *("COPY", "REPLACING", "REPLACE", "OFF", "==", ":TAG:", "LEADING", "TRAILING", "SEPARATE"),
        *(
            "01",
            "05",
            "49",
            "50",
            "66",
            "77",
            "88",
            "00",
            ".",
            ". ",
            ",",
            ";",
            "'",
            '"',
            "X'",
            "(",
            ")",
        ),
        *("FILLER", "S9(5)V99", "X(16777216)", "9(1000)", "P", "PPP", "Z", "$$", "+", "CR", "DB"),
        *("*>", "      *", "      -    ", "      D", ">>SOURCE FORMAT IS FIXED", "EJECT", "SKIP1"),
        *("IX", "INDEXED BY", "ASCENDING KEY IS", "EXTERNAL", "GLOBAL", "CURRENCY", "IN", "OF"),
    )
)


def books() -> Target:
    """Copybooks as text, with one that they may copy beside them."""
    place = folder()
    (place / "INNER.cpy").write_text(_INNER, "utf-8")
    file = place / "book.cpy"

    def read(case: bytes) -> None:
        file.write_bytes(case)
        book = read_copybook(file)
        assert sum(record.size for record in book.records) >= 0
        assert len(layout(book)) >= len(book.records)

    return Target([book.encode() for book in (*_BOOKS, _INNER)], _WORDS, read)


_FILLS: Final = (b"\x00", b"\x40", b"\xf0", b"\xf1", b"\x0c", b"\xff", b"\x12\x34\x5c")


def any_codecs() -> Target:
    """Copybooks as text, each made into a codec that reads and writes records of its own size."""
    choices = [
        CodecOptions(),
        CodecOptions(encoding="ascii", occurs="shift", endian="little", trim="none"),
        CodecOptions(encoding="cp1047", occurs="pad", floats="ibm", controls="keep", root="keep"),
    ]

    def read(case: bytes) -> None:
        book = parse_copybook(case.decode("utf-8", "replace"))
        if sum(record.size for record in book.records) > 4000 or len(layout(book)) > 200:
            return
        for options in choices:
            codec = Codec(book, options)
            for fill in _FILLS:
                _there_and_back(codec, (fill * codec.size)[: codec.size])

    return Target([book.encode() for book in (_ACCOUNT, _ORDER, _WIDE, _FREE)], _WORDS, read)


def _there_and_back(codec: Codec, record: bytes) -> None:
    codec.problems(record)
    values, corrections = codec.exact(record)
    try:
        written = codec.encode(values, corrections)
        line = msgspec.json.Encoder(decimal_format="number").encode(values)
        told = msgspec.json.Decoder(dict[str, object], float_hook=Decimal).decode(line)
        by_json = codec.encode(told, corrections)
    except FigError as error:
        raise AssertionError("what was read is refused") from error
    assert written == record
    assert by_json == record, "not by way of JSON"


@cache
def made() -> Sequence[Codec]:
    """Give codecs of every kind of field, code page and option."""
    account, order, wide = (parse_copybook(book) for book in (_ACCOUNT, _ORDER, _WIDE))
    free = parse_copybook(_FREE)
    rules = {"PERSON": "ACC-TYPE in ('P','E')", "COMPANY": "not IS-PERSON or BALANCE = 1.50"}
    stern = Policies(blank="error", low="error", invalid="error", zero="null")
    return (
        Codec(account, CodecOptions(rules=rules)),
        Codec(account, CodecOptions(encoding="ascii", floats="ibm", overpunch="p-y")),
        Codec(account, CodecOptions(policies=Policies(blank="zero", low="zero", invalid="zero"))),
        Codec(account, CodecOptions(policies=stern, rules=rules)),
        Codec(order, CodecOptions()),
        Codec(order, CodecOptions(occurs="shift", encodings={"SKU": "hex"})),
        Codec(order, CodecOptions(occurs="pad", encoding="cp1047")),
        Codec(wide, CodecOptions()),
        Codec(wide, CodecOptions(encoding="latin-1", endian="little", trim="right")),
        Codec(wide, CodecOptions(encoding="cp273", trim="none", controls="keep", floats="ibm")),
        Codec(wide, CodecOptions(encoding="common", encodings={"T1": "utf-8", "J1": "shift_jis"})),
        Codec(free, CodecOptions(occurs="shift", encoding="cp500")),
    )


PIECES: Final = (
    *(
        b"\x00" * 8,
        b"\x40" * 8,
        b"\xf0" * 8,
        b"\xff" * 8,
        b"\x12\x34\x5c",
        b"\x12\x34\x5d",
        b"\x0f",
    ),
    *("P".encode("cp037"), "A".encode("cp037"), "03".encode("cp037"), "-12".encode("cp037")),
    *(b"    ", b"00012", b"0001}", b"-0012", b"12.50-", b"\x7f\xf0\x00\x00", b"\x80\x00", b"\xd0"),
    *(
        b"\x00\x00\x00\x0c",
        b"\xf9\xf9",
        b"\xf0\xf5",
        b"\xf1\xf2\xd3",
        b"\x25",
        b"\x15",
        b"\x0d\x25",
    ),
)


def codecs() -> Target:
    """Records; the first byte says which codec reads them."""
    every = made()
    seeds = [
        bytes([number]) + (fill * codec.size)[: codec.size]
        for number, codec in enumerate(every)
        for fill in (*_FILLS, bytes(range(256)))
    ]

    def read(case: bytes) -> None:
        _there_and_back(every[case[0] % len(every)] if case else every[0], case[1:])

    return Target(seeds, PIECES, read)


def rules() -> Target:
    """Rules of REDEFINES, and names of code pages, as options say them: two lines."""
    book: Copybook = parse_copybook(_ACCOUNT)
    record = b"\xc1" * sum(one.size for one in book.records)
    seeds = (
        b"ACC-TYPE in ('P', 'E')\ncp037",
        b"not (ACC-TYPE = 'P' or BALANCE != -12.50) and IS-COMPANY\nlatin-1",
        b"ACCOUNT.ACC-TYPE not in (\"P\", 'it''s')\nascii",
        b"IS-PERSON\ncp1047",
    )
    words = (
        *(b"and", b"or", b"not", b"in", b"(", b")", b"=", b"!=", b"<>", b"==", b"'P'", b'"', b"''"),
        *(b" or ACC-TYPE = 'P'", b" and IS-PERSON", b"BALANCE", b"LIMIT-AMT", b"RATE", b"PERSON"),
        *(
            b"\n",
            b"utf-16",
            b"utf-7",
            b"shift_jis",
            b"hex",
            b"rot13",
            b"base64",
            b"idna",
            b"common",
        ),
        *(b"punycode", b"cp1140", b"zlib", b"unicode_escape", b"undefined", b"mbcs", b"utf-8-sig"),
    )

    def read(case: bytes) -> None:
        rule, _, page = case.decode("utf-8", "replace").partition("\n")
        codec = Codec(book, CodecOptions(rules={"PERSON": rule}, encodings={"NAME": page}))
        _there_and_back(codec, record)

    return Target(seeds, words, read)
