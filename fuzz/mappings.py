"""Mapping files, and the messages that they read."""

from __future__ import annotations

from typing import Final

from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation, parse_operation
from stranglerfig.fuzz.seeds import (
    DOCUMENT,
    HELPDESK,
    MAPPING,
    MAPPING_WORDS,
    OPERATION,
    TOML_WORDS,
    toml,
    unproblematic,
)
from stranglerfig.fuzz.target import Target, folder

__all__ = ["mappings"]

_TINY: Final = """name = "tiny"
version = 1
effect = "read"
[input]
a = { type = "text" }
n = { type = "integer", required = false }
"l[].x" = { type = "text", required = false }
[output]
b = { type = "text", required = false }
"""


_SMALL: Final = (
    (
        'operation = "tiny@1"\nfrom = { kind = "json", fields = ["A", "N?: integer", "L[].X?"] }\n'
        'fields = [{ src = "A", dst = "a" }, { src = "N", dst = "n", as = "integer" },'
        ' { src = "L[].X", dst = "l[].x", as = "text(trim)" }]\n'
    ),
    (
        'operation = "tiny@1"\nfrom = { kind = "delimited", columns = ["A", "B?"], delimiter = ";" }\n'
        'fields = [{ src = "A", dst = "a" }]\nreply = [{ src = "b", dst = "B", null = [""] }]\n'
    ),
    (
        'operation = "tiny@1"\nfrom = { kind = "form", fields = ["A", "X[]"] }\n'
        'fields = [{ src = "A", dst = "a" }, { src = "X[]", dst = "l[].x" }]\n'
    ),
    (
        'operation = "tiny@1"\nfields = [{ src = "A", dst = "a", as = "code(c)" }, { value = 7, dst = "n" }]\n'
        '[from]\nkind = "headers"\nheaders = ["A", "Z?"]\n[ignore]\nZ = "no use"\n[codes.c]\n1 = "one"\n'
    ),
    (
        'operation = "tiny@1"\nfrom = { kind = "xml", root = "r", leaves = ["A", "L[].@X"], answer_root = "s", answer_leaves = ["B"] }\n'
        'fields = [{ src = "A", dst = "a" }, { src = "L[].@X", dst = "l[].x", one_way = "no" }]\nreply = [{ src = "b", dst = "B" }]\n'
    ),
    (
        'operation = "tiny@1"\nfrom = { kind = "copybook", schema = "c.cpy", headers = ["h?"] }\n'
        'fields = [{ src = "A", dst = "a" }, { src = "N", dst = "n", as = "integer(lax)" }]\n'
        'ignore = { "header:h" = "no use" }\n'
    ),
)


_MESSAGES: Final = {
    "json": b'{"A":"x","N":1,"L":[{"X":"y"},{}]}',
    "delimited": b"x;y\n",
    "form": b"A=x&X=1&X=2",
    "r": b'<r><A>x</A><L X="1"/></r>',
    "R": b"\xa7\x40\xf7",
}


def mappings() -> Target:
    """Mapping files of an operation, each tried on a message."""
    place = folder()
    (place / "acl").mkdir()
    (place / "legacy").mkdir()
    (place / "legacy" / "helpdesk.wsdl").write_bytes(
        (HELPDESK / "legacy" / "helpdesk.wsdl").read_bytes()
    )
    order = parse_operation(toml(place, OPERATION), "order.check@1.toml")
    (place / "c.cpy").write_text(
        "       01 R.\n          05 A PIC X(2).\n          05 N PIC 9.\n", "utf-8"
    )
    ticket = load_operation(HELPDESK, "ticket.triage@1")
    tiny = parse_operation(toml(place, _TINY), "tiny@1.toml")
    file = place / "acl" / "case.toml"

    def read(case: bytes) -> None:
        file.write_bytes(case)
        operation = ticket if b"ticket.triage@1" in case else tiny if b"tiny@1" in case else order
        mapping = load_mapping(file, operation, place)
        assert len(mapping.digest) == 64
        if operation is order:
            unproblematic(mapping, DOCUMENT)
        elif operation is tiny:
            unproblematic(mapping, _MESSAGES.get(mapping.request.shape.name, b'{"A":"x"}'))

    seeds = [
        *(text.encode() for text in _SMALL),
        MAPPING.encode(),
        *(one.read_bytes() for one in sorted(HELPDESK.glob("acl/*.toml"))),
    ]
    return Target(seeds, (*TOML_WORDS, *MAPPING_WORDS), read)
