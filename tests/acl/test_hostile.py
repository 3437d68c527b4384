"""What nobody sends by mistake: refused with an error of ours, in bounded memory and time.

Each group of attacks runs in a process of its own that may have one gigabyte, this file run as a
program: an attack that is let through, or ends in any other error, names itself.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import pytest

from stranglerfig.acl.converters import find_converter
from stranglerfig.acl.converters.codes import load_codes
from stranglerfig.acl.copybook import parse_copybook, read_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.options import CodecOptions
from stranglerfig.acl.formats.kinds import sides
from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.masking.keys import load_keys
from stranglerfig.acl.masking.policy import load_policy
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field
from stranglerfig.acl.operations.operation import load_operation, parse_operation
from stranglerfig.acl.operations.structured import restore
from stranglerfig.acl.records import Bad, RecordFormat, Writer, read_records
from stranglerfig.acl.records.encoding import encode_lines
from stranglerfig.acl.records.measures import by_field
from stranglerfig.acl.records.quarantine import read_quarantine
from stranglerfig.acl.rows import parse_forms
from stranglerfig.errors import ConfigError, FigError, InputError
from stranglerfig.fixtures.fixture import read_fixture
from stranglerfig.model import Record
from stranglerfig.tests.importable import importable

MEMORY = 1 << 30
DEEP = 1_000_000
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XS = "http://www.w3.org/2001/XMLSchema"
WSDL = f"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="{XS}"><types>
<xs:schema targetNamespace="urn:t" elementFormDefault="qualified"><xs:element name="a">
<xs:complexType><xs:sequence><xs:element name="b" type="xs:string"/></xs:sequence></xs:complexType>
</xs:element></xs:schema></types></definitions>"""

Attack = Callable[[], object]
Attacks = Iterator[tuple[str, Attack]]


def _written(content: str | bytes, name: str = "case", folder: Path | None = None) -> Path:
    folder = Path(mkdtemp(dir=os.environ.get("FIG_HOSTILE"))) if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


# XML.


def _soap(body: str | bytes, *, headers: tuple[tuple[str, str], ...] = ()) -> Attack:
    raw = body.encode() if isinstance(body, str) else body

    def attack() -> object:
        root = _written(WSDL, "t.wsdl").parent
        table = {"kind": "soap", "schema": "t.wsdl", "element": "{urn:t}a"}
        shape = sides(table, root, "from").request
        record = Record(source="s", position="1", kind="soap", body=raw, headers=headers)
        return shape.read(record)

    return attack


def _xml(body: str | bytes) -> Attack:
    raw = body.encode() if isinstance(body, str) else body

    def attack() -> object:
        shape = sides({"kind": "xml", "root": "{urn:t}a", "leaves": ["b"]}, Path(), "from").request
        return shape.read(Record(source="s", position="1", kind="xml", body=raw))

    return attack


def _schema(text: str | bytes, *, validate: bool = False) -> Attack:
    def attack() -> object:
        root = _written(text, "t.xsd").parent
        table = {"kind": "xml", "schema": "t.xsd", "element": "{urn:t}a", "validate": validate}
        return sides(table, root, "from")

    return attack


def _around(inner: str, before: str = "") -> str:
    body = f'<a xmlns="urn:t"><b>{inner}</b></a>'
    return f'{before}<s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'


def _laughs() -> str:
    lines = "".join(f'<!ENTITY l{n} "' + f"&l{n - 1};" * 10 + '">' for n in range(1, 10))
    return f'<!DOCTYPE a [<!ENTITY l0 "lol">{lines}]>'


def entities() -> Attacks:
    quadratic = '<!DOCTYPE a [<!ENTITY q "' + "q" * 100_000 + '">]>'
    remote = '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]>'
    prologs = {
        "billion laughs": (_laughs(), "&l9;"),
        "quadratic": (quadratic, "&q;" * 100_000),
        "external file": ('<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>', "&f;"),
        "external address": (remote, "x"),
        "external doctype": ('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">', "x"),
        "no doctype, an entity": ("", "&f;"),
    }
    for name, (prolog, inner) in prologs.items():
        yield f"soap, {name}", _soap(_around(inner, prolog))
        yield f"xml, {name}", _xml(f'{prolog}<a xmlns="urn:t"><b>{inner}</b></a>')
        schema = f'{prolog}<xs:schema xmlns:xs="{XS}"><xs:element name="{inner[:40]}"/></xs:schema>'
        yield f"schema, {name}", _schema(schema)
        declared = '<?xml version="1.0" encoding="utf-16"?>' + _around(inner, prolog)
        yield f"soap in UTF-16, {name}", _soap(declared.encode("utf-16"))
    shifted = b'<?xml version="1.0" encoding="utf-7"?>' + _around("x").encode()
    yield "soap in UTF-7", _soap(shifted)
    utf7 = (("content-type", "text/xml; charset=utf-7"),)
    yield "soap, UTF-7 by its header", _soap(_around("x"), headers=utf7)
    far = (
        f'<xs:schema xmlns:xs="{XS}"><xs:import schemaLocation="http://127.0.0.1:1/x"/></xs:schema>'
    )
    yield "a schema elsewhere", _schema(far)


def depth_of_xml() -> Attacks:
    for name, text in {
        "never closed": "<x>" * DEEP,
        "closed": "<x>" * DEEP + "</x>" * DEEP,
        "of one's own name": '<b xmlns="urn:t">' * DEEP,
    }.items():
        yield f"soap, {name}", _soap(_around(text))
        yield f"xml, {name}", _xml(f'<a xmlns="urn:t">{text}')
        yield f"schema, {name}", _schema(f'<xs:schema xmlns:xs="{XS}">{text}')
    attributes = " ".join(f'a{number}=""' for number in range(DEEP))
    yield "xml, attributes", _xml(f"<a {attributes} a1=''/>")
    inside = '<xs:group name="g"><xs:sequence><xs:group ref="g"/></xs:sequence></xs:group>'
    typed = (
        '<xs:complexType name="t"><xs:complexContent><xs:extension base="t"/></xs:complexContent>'
    )
    typed += "</xs:complexType>"
    for name, parts in {"a group inside itself": inside, "a type of itself": typed}.items():
        kind = '<xs:complexType><xs:group ref="g"/></xs:complexType>' if "group" in name else ""
        plain = '<xs:element name="a" type="t"/>'
        said = f'<xs:element name="a">{kind}</xs:element>' if kind else plain
        text = f'<xs:schema xmlns:xs="{XS}">{parts}{said}</xs:schema>'

        def attack(text: str = text) -> object:
            root = _written(text, "t.xsd").parent
            return sides({"kind": "xml", "schema": "t.xsd", "element": "a"}, root, "from")

        yield name, attack


# JSON.


def _json(body: bytes, table: dict[str, object] | None = None) -> Attack:
    def attack() -> object:
        said = {"kind": "json", "fields": ["a", "x: json"]} if table is None else table
        shape = sides(said, Path(), "from").request
        record = Record(source="s", position="1", kind="json", body=body)
        broken = [stray.message for stray in shape.read(record)[1] if stray.broken]
        if broken:  # a mapping refuses it then
            raise InputError(broken[0])
        shape.places(record)
        return shape.patch({"a": "1"}, record)

    return attack


def _contract() -> Contract:
    return Contract("x@1 input", (Field(name="a", type="text"), Field(name="x", type="json")))


def _codec() -> Codec:
    return Codec(parse_copybook("01 R.\n 05 A PIC X(5).", form="free"))


def _lines(line: bytes) -> Attack:
    form = RecordFormat(kind="rdw")
    return lambda: encode_lines([line], _codec(), Writer(io.BytesIO(), form), form)


def depth_of_json() -> Attacks:
    for name, deep in {
        "lists": b"[" * DEEP,
        "lists, closed": b"[" * DEEP + b"]" * DEEP,
        "objects": b'{"x":' * DEEP,
        "objects, closed": b'{"x":' * DEEP + b"1" + b"}" * DEEP,
    }.items():
        body = b'{"a":"1","x":' + deep + b"}"
        yield f"json, {name}", _json(body)
        yield f"json, a stray, {name}", _json(body.replace(b'"x":', b'"y":', 1))
        yield f"row, {name}", _json(body, {"kind": "row", "columns": ["a"]})
        yield f"form, {name}", _json(body, {"kind": "form", "fields": ["a"]})
        yield f"payload, {name}", lambda body=body: _contract().decode(body)
        yield f"structured output, {name}", lambda body=body: restore(_contract(), body)
        yield f"a line of records, {name}", _lines(body)
        yield f"quarantine, {name}", lambda body=body: list(read_quarantine(_written(body)))
        table = {"kind": "json", "schema": "s.json"}

        def attack(body: bytes = body, table: dict[str, object] = table) -> object:
            return sides(table, _written(body, "s.json").parent, "from")

        yield f"JSON Schema, {name}", attack
    yield "corrections without an end", _lines(_corrections())
    yield "a number without an end", _json(b'{"a":"1","x":' + b"9" * 20_000_000 + b"e}")
    beyond = b'{"a":"1","x":1e99999999999999999999}'
    yield "an exponent in a payload", lambda: _contract().decode(beyond)
    yield "an exponent in structured output", lambda: restore(_contract(), beyond)
    yield "an exponent in a line", _lines(b'{"A":1e99999999999999999999}')


def _corrections() -> bytes:
    parts = ",".join(f'"{n << 24}":"00*{1 << 24}"' for n in range(200))
    return f'{{"A":"1","$bytes":{{{parts}}}}}'.encode()


# TOML.


def _files(text: str | bytes) -> dict[str, Attack]:
    def mapping() -> object:
        operation = parse_operation(
            {"name": "a", "version": 1, "effect": "read", "input": {"a": {"type": "text"}}}, "a@1"
        )
        file = _written(text, "m.toml")
        return load_mapping(file, operation, file.parent)

    def operation() -> object:
        folder = Path(mkdtemp(dir=os.environ.get("FIG_HOSTILE")))
        _written(text, "a@1.toml", folder / "operations")
        return load_operation(folder, "a@1")

    return {
        "mapping": mapping,
        "operation": operation,
        "policy": lambda: load_policy(_written(text, "masking.toml").parent),
        "fixture": lambda: read_fixture(_written(text)),
    }


def depth_of_toml() -> Attacks:
    for name, text in {
        "lists": "a = " + "[" * DEEP,
        "lists, closed": "a = " + "[" * DEEP + "]" * DEEP,
        "tables": "a = " + "{a = " * (DEEP // 5),
        "a key": "a." * DEEP + "a = 1",
        "a quoted key": '"a b".' * (DEEP // 5) + "a = 1",
        "a head": "[" + "a." * DEEP + "a]\nb = 1",
        "heads": "\n".join(f"[{'a.' * n}a]" for n in range(1, 1000)),
        "less deep than Python": "a = " + "[" * 300 + "]" * 300,
        "a number": "a = " + "9" * DEEP,
        "a file": "#" * (8 << 20),
    }.items():
        for kind, attack in _files(text).items():
            yield f"{kind}, {name}", attack
    converter = "list(;, 'list(,, " * 1000
    yield "converters", lambda: [find_converter(one.name) for one in _forms(converter)]


def _forms(text: str) -> object:
    try:
        return parse_forms(text)
    except ValueError as error:
        raise ConfigError(str(error)) from error


# Copybooks.


def copybooks() -> Attacks:
    head = "01 R.\n"
    sources = {
        "a gigantic table": head + " 05 A OCCURS 999999999 PIC X.",
        "a table beyond all numbers": head + f" 05 A OCCURS {'9' * 5000} PIC X.",
        "tables in tables": head
        + "".join(f" {n:02} G{n} OCCURS 9999.\n" for n in range(5, 45, 5))
        + " 45 A PIC X.",
        "a gigantic picture": head + " 05 A PIC X(999999999).",
        "a picture written out": head + f" 05 A PIC {'X' * DEEP}.",
        "pictures in brackets": head + f" 05 A PIC 9{'(' * DEEP}.",
        "a number of digits": head + " 05 A PIC 9(99999999) COMP-3.",
        "a name": f"01 {'A' * DEEP}.",
        "a literal": head + f" 05 A PIC X VALUE '{'A' * (20 << 20)}'.",
        "entries": head + " 05 A PIC X.\n" * DEEP,
        "groups": "".join(f"{n % 48 + 1:02} A.\n" for n in range(DEEP)),
        "levels that never end": "01 A.\n" + "02 B.\n 03 C.\n" * 200_000,
        "conditions": head + " 05 A PIC X.\n" + "  88 C VALUE 'A'.\n" * DEEP,
        "itself redefined": head + " 05 A REDEFINES A PIC X.",
        "a circle of redefinitions": head + " 05 A REDEFINES B PIC X.\n 05 B REDEFINES A PIC X.",
        "a redefinition of what is around": head + " 05 A.\n  10 B REDEFINES A PIC X.",
        "a record redefined by itself": "01 R REDEFINES R.\n 05 A PIC X.",
        "a table that counts itself": head + " 05 A OCCURS 1 TO 5 DEPENDING ON A PIC 9.",
        "counters in a circle": head
        + " 05 A OCCURS 1 TO 5 DEPENDING ON B PIC 9.\n 05 B OCCURS 1 TO 5 DEPENDING ON A PIC 9.",
        "a renaming of itself": head + " 05 A PIC X.\n 66 B RENAMES B.",
        "words replaced by more words": "REPLACE ==A== BY ==A A A A A A A A A A==.\n"
        + head
        + " 05 "
        + "A " * 400_000
        + ".",
        "a replacement that never ends": head + " COPY X REPLACING ==A== BY ==" + "A " * DEEP,
    }
    for name, text in sources.items():
        yield name, lambda text=text: parse_copybook(text, form="free")

    def copying(*books: str) -> Attack:
        def attack() -> object:
            folder = Path(mkdtemp(dir=os.environ.get("FIG_HOSTILE")))
            files = [_written(text, f"B{n}.cpy", folder) for n, text in zip(count(), books)]
            return read_copybook(files[0], form="free")

        return attack

    yield "a book that copies itself", copying("01 R.\n COPY B0.\n")
    yield "books in a circle", copying("01 R.\n COPY B1.\n", "COPY B0.\n")
    doubling = [f"COPY B{n + 1}. COPY B{n + 1}.\n" for n in range(25)]
    yield "books that double", copying(f"01 R.\n {doubling[0]}", *doubling[1:], " 05 A PIC X.\n")
    yield "a book outside", copying("01 R.\n COPY '/etc/passwd'.\n")
    yield "a book above", copying("01 R.\n COPY '../../../../../../etc/passwd'.\n")
    book = parse_copybook(
        "01 R.\n 05 T PIC X.\n 05 A PIC X.\n 05 B REDEFINES A PIC 9.", form="free"
    )
    for name, rule in {
        "brackets": "(" * DEEP + "T = 'A'" + ")" * DEEP,
        "words": "T = 'A'" + " or T = 'B'" * 100_000,
        "nots": "not " * DEEP + "T = 'A'",
    }.items():
        yield f"a rule of {name}", lambda rule=rule: Codec(book, CodecOptions(rules={"B": rule}))


# Bytes that are no text.


def broken_text() -> Attacks:
    for name, raw in {
        "a byte of its own": b"\xff",
        "a half": b"\xc3",
        "a surrogate": b"\xed\xa0\x80",
        "overlong": b"\xc0\xaf",
        "beyond Unicode": b"\xf5\x80\x80\x80",
    }.items():
        book = b"       01 R.\n          05 A PIC X VALUE '" + raw + b"'.\n"
        yield f"copybook, {name}", lambda book=book: read_copybook(_written(book))
        for kind, attack in _files(b'a = "' + raw + b'"\n').items():
            yield f"{kind}, {name}", attack
        yield f"json, {name}", _json(b'{"a":"' + raw + b'"}')
        yield f"json, a name, {name}", _json(b'{"' + raw + b'":1,"a":"1"}')
        yield f"payload, {name}", lambda raw=raw: _contract().decode(b'{"a":"' + raw + b'"}')
        yield f"a line of records, {name}", _lines(b'{"A":"' + raw + b'"}')
        yield f"quarantine, {name}", lambda raw=raw: list(read_quarantine(_written(raw)))
        yield f"soap, {name}", _soap(_around("?").encode().replace(b"?", raw))
        yield f"xml, {name}", _xml(b'<a xmlns="urn:t"><b>' + raw + b"</b></a>")
        yield f"schema, {name}", _schema(WSDL.encode().replace(b'"b"', b'"' + raw + b'"'))
        yield f"delimited, {name}", _json(b"a," + raw, {"kind": "delimited", "columns": ["a", "b"]})
        yield (
            f"form, {name}",
            _json(b"a=%" + raw.hex().encode()[:2], {"kind": "form", "fields": ["a"]}),
        )


def names_of_files() -> Attacks:
    tables = {
        "soap": {"kind": "soap", "element": "a"},
        "xml": {"kind": "xml", "element": "a"},
        "json": {"kind": "json"},
        "copybook": {"kind": "copybook"},
    }
    book = "01 R.\n COPY B.\n 05 A PIC X."
    for what, name in {
        "a NUL": "a\0b",
        "half a character": "\ud800",
        "a long one": "x" * 600,
    }.items():
        for kind, table in tables.items():
            said = {**table, "schema": name}
            yield f"{kind}, {what}", lambda said=said: sides(said, Path(), "from")
        said = {"c": {"file": name}}
        yield f"codes, {what}", lambda said=said: load_codes(said, Path(), "codes")
        yield f"keys, {what}", lambda name=name: load_keys(Path(name), {})
        folders = [Path(name)]
        yield f"copies, {what}", lambda at=folders: parse_copybook(book, form="free", copies=at)


# Lengths.


class _Endless(io.RawIOBase):
    """A stream that goes on for so many bytes, whatever it begins with."""

    def __init__(self, first: bytes, byte: bytes, size: int) -> None:
        self._first, self._byte, self._left = first, byte, size

    def read(self, size: int = -1) -> bytes:
        if self._first:
            found, self._first = self._first, b""
            return found
        assert size > 0, "all of it at once"
        give = min(size, self._left)
        self._left -= give
        return self._byte * give


def _stopped(
    form: RecordFormat, first: bytes, byte: bytes = b"\x01", size: int = 4 << 30
) -> Attack:
    """Read a file; where nothing tells where a record ends, reading stops there."""

    def attack() -> object:
        measure = None
        if form.kind == "measured":
            book = parse_copybook("01 R.\n 05 L PIC S9(9) COMP.\n 05 A PIC X(4).", form="free")
            measure = by_field(book, CodecOptions(), "L")
        for number, found in enumerate(read_records(_Endless(first, byte, size), form, measure)):
            if isinstance(found, Bad):
                assert len(found.body) <= (1 << 20) + 4, "all of it is held"
                raise InputError(found.reason, place=f"offset {found.offset}")
            assert number < 1000, "taken for records"
        return None

    return attack


def lengths() -> Attacks:
    two = (2 << 30) - 1
    for endian in ("big", "little"):
        block = (two | 1 << 31).to_bytes(4, "big")
        ordered = block if endian == "big" else block[::-1]
        form = RecordFormat(kind="vb", endian=endian, counted=True, block_counted=True)
        yield f"a block of 2 GB, {endian}", _stopped(form, ordered, size=100)
        longest = RecordFormat(kind="vb", endian=endian, adjust=two, block_counted=True)
        yield f"a record of 2 GB in a block of 2 GB, {endian}", _stopped(longest, ordered)
        inner = b"\xff\xff\x00\x00" if endian == "big" else b"\x00\x00\xff\xff"
        short = b"\x00\x20\x00\x00" if endian == "big" else b"\x00\x00\x20\x00"
        yield f"a record longer than its block, {endian}", _stopped(form, short + inner)
        for name, word in {"least": b"\x00\x00\x00\x01", "most": b"\xff\xff\xff\xff"}.items():
            adjusted = RecordFormat(kind="rdw", endian=endian, adjust=two)
            yield f"a record of 2 GB, {endian}, {name}", _stopped(adjusted, word)
    for name, told in {"2 GB": two, "nothing": 0, "less than nothing": -two - 1}.items():
        raw = told.to_bytes(4, "big", signed=True)
        yield f"a record that says {name}", _stopped(RecordFormat(kind="measured"), raw)
    yield "a line without an end", _stopped(RecordFormat(kind="line"), b"x")
    yield "a record of zeros", _stopped(RecordFormat(kind="rdw"), b"\0\0\0\0", b"\x00\x02")
    yield "a fixed length of 2 GB", _stopped(RecordFormat(kind="fixed", length=two), b"x")


GROUPS: dict[str, Callable[[], Attacks]] = {
    one.__name__: one
    for one in (
        entities,
        depth_of_xml,
        depth_of_json,
        depth_of_toml,
        copybooks,
        broken_text,
        names_of_files,
        lengths,
    )
}


@pytest.mark.process
@pytest.mark.parametrize("group", GROUPS)
def test_attacks_are_refused_in_bounded_memory(group: str, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": importable(), "FIG_HOSTILE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, __file__, group], env=env, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout)
    assert len(found) >= 10
    assert {name: said for name, said in found.items() if said != "refused"} == {}


def main(group: str) -> None:
    """Run a group's attacks, and say what became of each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    found: dict[str, str] = {}
    for name, attack in GROUPS[group]():
        started = time.monotonic()
        try:
            attack()
            found[name] = "let through"
        except FigError as error:
            # What is said fits on a screen, whatever was sent.
            found[name] = "refused" if len(str(error)) < 5000 else f"{len(str(error))} characters"
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            found[name] = f"{type(error).__name__}: {error}"[:300]
        print(f"{time.monotonic() - started:6.1f} s  {name}", file=sys.stderr, flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
