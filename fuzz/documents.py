"""Documents without mark-up: JSON, lines, forms, headers, records of a copybook."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zlib import crc32

from stranglerfig.acl.formats.kinds import sides
from stranglerfig.fuzz.shapes import built, recorded, same
from stranglerfig.fuzz.target import Target, folder
from stranglerfig.model import Record

__all__ = ["copybook", "delimited", "forms", "headers", "json", "json_schemas"]

_FIELDS: Final = (
    *("id", "cust.name", "cust.note?", "amount: decimal", "count: integer", "active: boolean"),
    *("extra: json", "lines[].sku", "lines[].qty?: integer", "lines[].parts[]", "tags[]"),
)


_DOCUMENT: Final = (
    b'{ "id" : "7",\n  "cust":{"note":"x\\n", "name":"J\\u00fcrg"},"amount":12.50,"count": 3 ,'
    b'"active":true,"extra":{"a":[1.0,{}]},\n"lines":[ {"sku":"a","qty":1,"parts":["p"]} ,'
    b'{"sku":"b","parts":[]}],"tags":["x","y"]}\n'
)


_JSON_WORDS: Final = (
    *(
        b'{"',
        b'":',
        b'"',
        b"{}",
        b"[]",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b"null",
        b"true",
        b"1e400",
        b"-0.0",
    ),
    *(
        b'"\\u0000"',
        b'"\\ud83d\\ude00"',
        b'"\\ud800"',
        b"1E+5",
        b"0.1e-7",
        b'"id":"8",',
        b"\xef\xbb\xbf",
    ),
    *(
        b'"lines":[]',
        b'"extra":',
        b"\\",
        b'\\"',
        b" ",
        b"\t",
        b'"cust":null',
        b'"":1,',
        b'"a":{"b":[',
    ),
)


def json() -> Target:
    """JSON documents of listed places, and images of rows."""
    document = built({"kind": "json", "fields": _FIELDS, "answer": ["ok", "lines[].x"]}, (), ())
    row = built({"kind": "row", "columns": ["id", "na.me", "amount"]}, (), ())
    latin = built({"kind": "json", "fields": ["a", "b?"], "encoding": "latin-1"}, (), ())
    made = (document, document, row, latin)

    def read(case: bytes) -> None:
        made[crc32(case) % len(made)].read(case)

    seeds = (_DOCUMENT, b'{"id": 7, "na.me": null, "amount": 12.5}', '{"a":"ü"}'.encode("latin-1"))
    return Target(seeds, _JSON_WORDS, read)


_SCHEMA: Final = (
    b'{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"$ref":"#/$defs/B"},'
    b'"c":{"type":"array","items":{"type":"object","properties":{"d":{"enum":[1,2]},"e":{"type":["null","number"]}}}},'
    b'"f":{"anyOf":[{"type":"null"},{"type":"array","items":{"type":"integer"}}]}},'
    b'"$defs":{"B":{"properties":{"x":{"const":true},"again":{"$ref":"#/$defs/B"}}}}}'
)


def json_schemas() -> Target:
    """JSON Schemas, of which a mapping is made."""
    place = folder()
    file = place / "case.json"

    def read(case: bytes) -> None:
        file.write_bytes(case)
        made = sides({"kind": "json", "schema": "case.json"}, place, "from")
        assert made.request.describe()
        same(made.request, recorded(b'{"a":"1","c":[{"d":1}],"f":[1]}', "json"))

    words = (
        *(
            b'"$ref":"#/$defs/B"',
            b'"$ref":"#"',
            b'"$ref":"http://x"',
            b'"items"',
            b'"type":"array"',
            b"[]",
        ),
        *(
            b'"properties":{',
            b'"anyOf":[',
            b'"enum":[',
            b'"const":',
            b'"required":',
            b'"oneOf"',
            b"null",
        ),
        *(
            b'"type":["string","null"]',
            b'"type":',
            b'{"',
            b"}",
            b'"":{}',
            b'"a.b":{}',
            b'"#/$defs/~1~0"',
        ),
    )
    return Target((_SCHEMA,), (*words, *_JSON_WORDS), read)


def delimited() -> Target:
    """Lines of columns."""
    columns = {"kind": "delimited", "columns": ["id", "name", "note?"]}
    tables: list[dict[str, object]] = [
        {**columns, "delimiter": ";"},
        {**columns, "answer": ["x", "y"]},
        {**columns, "delimiter": "|", "quote": "", "encoding": "latin-1"},
        {**columns, "encoding": "utf-16"},
        {**columns, "encoding": "shift_jis", "quote": "'"},
    ]
    made = [built(table, (), ()) for table in tables]

    def read(case: bytes) -> None:
        made[crc32(case) % len(made)].read(case)

    seeds = (
        b'7;"Ann ""A""; x";n\r\n',
        b"7,a,b\n",
        b"7|a|",
        "7,ä,'b'".encode("utf-16"),
        b'"7","",""',
    )
    return Target(
        seeds, (b'"', b'""', b";", b",", b"|", b"\r", b"\n", b"'", b"\xa0", b"\x1a"), read
    )


def forms() -> Target:
    """Forms, percent-encoded and as JSON."""
    made = [
        built({"kind": "form", "fields": ["name", "note?", "tag[]"], **more}, (), ())
        for more in (
            {},
            {"answer": ["ok", "why[]"]},
            {"encoding": "latin-1"},
            {"encoding": "utf-16"},
        )
    ]

    def read(case: bytes) -> None:
        made[crc32(case) % len(made)].read(case)

    seeds = (
        b"tag=a+b&name=J%c3%BCrg&tag=c&note=",
        b'{"name": "a", "note": "b", "tag": ["c"]}',
        b"name=%FF",
    )
    return Target(
        seeds,
        (b"&", b"=", b"%", b"%2", b"+", b"tag=", b"name", b"%00", b"%C3", *_JSON_WORDS[:8]),
        read,
    )


def headers() -> Target:
    """Names and values, one a line, beside a body."""
    shapes = [
        sides(table, Path(), "from").request
        for table in (
            {
                "kind": "headers",
                "headers": ["X-Tenant", "x-tag[]", "x-note?"],
                "transport": ["host", "content-*"],
            },
            {"kind": "json", "fields": ["a"], "headers": ["x-tenant", "content-type?"]},
        )
    ]

    def read(case: bytes) -> None:
        head, _, body = case.partition(b"\n\n")
        lines = head.decode("utf-8", "surrogateescape").split("\n")
        pairs = tuple((name, value) for name, _, value in (line.partition(":") for line in lines))
        record = Record(source="fuzz", position="1", kind="x", body=body, headers=pairs)
        for shape in shapes:
            same(shape, record)

    seeds = (
        b'x-tenant:t\nX-TAG:a\nx-tag:b\nX-Note:\nContent-Length:8\n\n{"a": "1"}',
        b"X-Tenant:t\n\n{}",
    )
    return Target(
        seeds, (b"\n", b":", b"x-tag", b"Host:h", b"content-*", b"[!a", *_JSON_WORDS[:8]), read
    )


_BOOK: Final = """\
       01  CLAIM.
           05  NO        PIC 9(6).
           05  KIND      PIC X.
           05  AMOUNT    PIC S9(7)V99 COMP-3.
           05  PERSON.
               10  NAME  PIC X(8).
           05  FIRM REDEFINES PERSON.
               10  REG   PIC 9(8).
           05  LINE-CNT  PIC 9.
           05  FILLER    PIC X(2).
           05  LINES OCCURS 0 TO 3 TIMES DEPENDING ON LINE-CNT.
               10  SKU   PIC X(3).
               10  QTY   PIC S9(3) COMP.
"""


def copybook() -> Target:
    """Records of a copybook; the first byte says how they are read."""
    place = folder()
    (place / "c.cpy").write_text(_BOOK, "utf-8")
    plain: dict[str, object] = {"kind": "copybook", "schema": "c.cpy"}
    rules = {"PERSON": "KIND = 'P'", "FIRM": "KIND != 'P'"}
    made = [
        built({**plain, **more}, (), (), place, apart=False)
        for more in (
            {"rules": rules},
            {"encoding": "ascii", "digits": ["NO"], "rules": rules},
            {"occurs": "shift", "invalid": "error", "rules": rules},
            {"occurs": "pad", "trim": "none", "answer": "c.cpy"},
        )
    ]

    def read(case: bytes) -> None:
        if case:
            made[case[0] % len(made)].read(case[1:])

    text = "000017PxxxxxAnna    2  abc\0\1def\0\2xxxxx"
    amount = b"\x00\x01\x23\x45\x6c"
    seeds = [
        bytes([number]) + text.encode(page).replace("x".encode(page) * 5, amount, 1)
        for number, page in enumerate(("cp037", "ascii", "cp037", "cp037"))
    ]
    words = (
        b"\x40" * 4,
        b"\xf0",
        b"\xf3",
        b"\x00" * 5,
        b"\x12\x3d",
        b"3",
        b"P",
        b"\xd7",
        b"\xff\xff",
        b" ",
    )
    return Target(seeds, words, read)
