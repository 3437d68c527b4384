"""Converters and tables of codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from stranglerfig.acl.converters import find_converter
from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.acl.path import parse_path
from stranglerfig.acl.rows import parse_forms
from stranglerfig.errors import InputError
from stranglerfig.fuzz.seeds import HELPDESK
from stranglerfig.fuzz.target import Target, folder

__all__ = ["codes", "converters"]

_FORMS: Final = (
    *(
        "text(trim)",
        "text(max=5, pad=right)",
        "integer",
        "integer(width=5)",
        "decimal(2)",
        "decimal(2, comma)",
    ),
    *(
        "decimal(2, round=half_up)",
        "boolean(Y, N)",
        "boolean('1', '0')",
        "date(YYYYMMDD)",
        "date(YYMMDD, pivot=50)",
    ),
    *(
        "date(DD.MM.YYYY, sentinel='99999999')",
        "time(HHmmss)",
        "timestamp(YYYY-MM-DDTHH:mm:ss, zone=Europe/Berlin)",
    ),
    *(
        "duration(iso)",
        "duration(seconds)",
        "code(c)",
        "code(c, pass)",
        "unit(cent)",
        "enum(a, b)",
        "bytes(hex)",
    ),
    *(
        "bytes(base64)",
        "list(;, integer)",
        "list(comma, 'decimal(2)')",
        "json",
        "timestamp(epoch)",
        "text(upper)",
    ),
)


_TEXTS: Final = (
    "12.50",
    "20240131",
    "07",
    "Y",
    "a;b",
    "P1DT2H",
    '{"a":1}',
    "AAE=",
    "2024-01-31T12:59:00",
    "-1",
    "",
)


_FORM_WORDS: Final = tuple(
    word.encode()
    for word in (
        *(
            "(",
            ")",
            ",",
            "'",
            "''",
            "=",
            "|",
            " | text",
            "YYYY",
            "MM",
            "DD",
            "HH",
            "mm",
            "ss",
            "YY",
            "SSS",
            "JJJ",
        ),
        *(
            "pivot=",
            "zone=",
            "Europe/Berlin",
            "../../etc/passwd",
            "round=",
            "trim",
            "pad",
            "max=",
            "sentinel=",
        ),
        *(
            "2024-02-30",
            "99999999",
            "0001-01-01",
            "9999-12-31",
            '"0.5"',
            'type = "decimal"',
            '"' + "9" * 400 + '.5"',
            "+99:99",
            "P",
            "PT",
            "\u0663",
            "\u2212",
            "1e5",
        ),
        *("py:os:getcwd", "py:nothing:x", "py:json:loads", "true", "null", "ff", "====", "\n"),
    )
)


def converters() -> Target:
    """What stands behind ``as``, and a text for it: two lines."""
    seeds = [f"{form}\n{text}".encode() for form in _FORMS for text in _TEXTS]

    def read(case: bytes) -> None:
        said, _, text = case.decode("utf-8", "replace").partition("\n")
        if "py:" in said and not said.startswith(("py:os:getcwd", "py:nothing:x", "py:json:loads")):
            return  # importing whatever it happens to name is not for here
        try:
            forms = parse_forms(said)
            parse_path(text[:200])
        except ValueError as error:
            raise InputError("refused", expected=str(error)) from error
        _converted([(form.name, form.arguments) for form in forms], text)

    return Target(seeds, _FORM_WORDS, read)


def _converted(forms: Sequence[tuple[str, Sequence[str]]], text: str) -> None:
    """Take a text through converters; ``ValueError`` is how they refuse."""
    value: object = text
    for name, arguments in forms:
        if name.startswith("py:"):
            find_converter(name)
            return
        factory: Any = find_converter(name)
        try:
            converter = factory(arguments, {"c": {"1": "a", "2": "b"}})
            if not isinstance(value, str):
                return
            value = converter.decode(value)
        except ValueError as error:
            raise InputError("refused", expected=str(error)) from error
        try:
            written = converter.encode(value)
            again = converter.decode(written)
        except ValueError as error:
            raise AssertionError(f"{name} does not write what it read") from error
        assert again == value, f"{name} reads another value than it wrote"


_CODES: Final = b"code,value,preferred,note\n1,general,yes,x\n2,b,yes,\n3,b,no,\n"


def codes() -> Target:
    """Code tables in files."""
    place = folder()
    (place / "acl").mkdir()
    operation = load_operation(HELPDESK, "ticket.triage@1")
    table = (HELPDESK / "acl" / "ticket_row.toml").read_text("utf-8")
    head, _, _ = table.partition("[codes.category]")
    file = place / "acl" / "m.toml"
    file.write_text(head + '[codes.category]\nfile = "acl/c.csv"\n', "utf-8")

    def read(case: bytes) -> None:
        (place / "acl" / "c.csv").write_bytes(case)
        load_mapping(file, operation, place)

    return Target(
        (_CODES, b'code,value\r\n1,"a""b"\r\n'),
        (b",", b'"', b"\n", b"\r", b"code", b"value", b"yes"),
        read,
    )
