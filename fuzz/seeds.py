"""What several targets begin with: an operation, its mapping, the words of their files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from stranglerfig.acl.mapping.mapping import CompiledMapping
from stranglerfig.model import Record
from stranglerfig.options import read_toml

__all__ = [
    "DOCUMENT",
    "HELPDESK",
    "MAPPING",
    "MAPPING_WORDS",
    "OPERATION",
    "REPLY",
    "TOML_WORDS",
    "toml",
    "unproblematic",
]

HELPDESK: Final = Path(__file__).parents[1] / "examples" / "helpdesk"


OPERATION: Final = """name = "order.check"
version = 1
effect = "read"
owner = "o"
description = "d"
[input]
id = { type = "integer", min = 1, max = 99999, unit = "no", description = "d" }
"name.family" = { type = "text", tag = "pii.name", max_length = 40 }
"name.given" = { type = "text", required = false }
address = { type = "group", required = false }
"address.city" = { type = "text" }
"lines[]" = { type = "group", min_items = 1, max_items = 50 }
"lines[].sku" = { type = "text", enum = ["A", "B"] }
"lines[].price" = { type = "decimal", required = false, min = "0.01" }
"lines[].parts[].no" = { type = "integer" }
"tags[]" = { type = "text", required = false, max_items = 3 }
opened = { type = "timestamp", zone = "none", required = false, max = "2030-01-01T00:00:00" }
day = { type = "date", required = false, min = 1990-01-01 }
at = { type = "time", required = false }
took = { type = "duration", required = false, max = "P30D" }
raw = { type = "bytes", required = false }
extra = { type = "json", required = false }
kind = { type = "text", enum = ["person", "company"] }
[output.decision]
type = "text"
[output."notes[].text"]
type = "text"
[output.sure]
type = "boolean"
required = false
"""


MAPPING: Final = """operation = "order.check@1"
unmapped = "report"
fields = [
  { src = "ID", dst = "id", as = "integer" },
  { src = "NAME", dst = ["name.family", "name.given"], as = "split(', ')" },
  { src = "ADR.CITY", dst = "address.city" },
  { src = "LINE[].SKU", dst = "lines[].sku", as = "text(trim) | text(upper)" },
  { src = "LINE[].PRICE", dst = "lines[].price", as = "decimal(2)", null = ["-"] },
  { src = "LINE[].PART[].NO", dst = "lines[].parts[].no", as = "integer" },
  { src = "TAG[]", dst = "tags[]" },
  { src = ["OPEN-DATE", "OPEN-TIME"], dst = "opened", as = "join(T) | timestamp(YYYYMMDDTHHmm)", null = ["0"] },
  { src = "ATTR[K=SIZE].V", dst = "took", as = "duration(iso)", one_way = "legacy's own", null = ["", "none"] },
  { value = "person", dst = "kind", when = { TYPE = ["P", "E"] } },
  { value = "company", dst = "kind", when = { TYPE = "C" } },
  { src = "RAW", dst = "raw", as = "bytes(base64)", optional = true },
]
[from]
kind = "json"
fields = ["ID", "NAME", "ADR.CITY?", "LINE[].SKU", "LINE[].PRICE?: decimal", "LINE[].PART[].NO: integer", "TAG[]?",
  "ATTR[].K", "ATTR[].V?", "OPEN-DATE?", "OPEN-TIME?", "TYPE", "RAW?", "MEMO?"]
answer = ["CD", "TXT", "LINES[].T"]
[ignore]
MEMO = "for people"
[[reply]]
src = "decision"
dst = "CD"
as = "code(decision)"
else = "90"
[[reply]]
value = "00"
dst = "TXT"
[[reply]]
src = "notes[].text"
dst = "LINES[].T"
as = "text(max=5)"
[codes.decision]
"10" = "refer"
"20" = "pay"
"""


DOCUMENT: Final = (
    json.dumps(
        {
            "ID": "7",
            "NAME": "Meier, Anna",
            "ADR": {"CITY": "Bonn"},
            "TYPE": "P",
            "MEMO": "m",
            "LINE": [{"SKU": "a", "PRICE": 1.5, "PART": [{"NO": 1}]}, {"SKU": "b", "PART": []}],
            "TAG": ["x"],
            "ATTR": [{"K": "SIZE", "V": "P1D"}, {"K": "OTHER", "V": ""}],
            "OPEN-DATE": "20240131",
            "OPEN-TIME": "1259",
            "RAW": "AAE=",
        }
    )
    .replace("1.5,", "1.50,")
    .encode()
)


REPLY: Final = {"decision": "refer", "notes": [{"text": "abc"}], "sure": True}


TOML_WORDS: Final = tuple(
    word.encode()
    for word in (
        *(
            "[",
            "]",
            "{",
            "}",
            "[[",
            "]]",
            "=",
            ",",
            "\n",
            '"',
            "'",
            '"""',
            "'''",
            "#",
            ".",
            "\\u0000",
            "\\",
        ),
        *(
            "1979-05-27T07:32:00Z",
            "07:32:00",
            "inf",
            "nan",
            "0xff",
            "1e9",
            "true",
            "[]",
            "{}",
            '""',
            "a.b = 1",
        ),
    )
)


MAPPING_WORDS: Final = tuple(
    word.encode()
    for word in (
        *(
            'as = "text"',
            'as = "integer"',
            'as = "decimal(2)"',
            'as = "date(YYYYMMDD)"',
            'as = "list(;, integer)"',
        ),
        *(
            'as = "code(decision)"',
            "as = \"split(', ')\"",
            'as = "join(T)"',
            'as = "py:os.path:join"',
            "else = ",
        ),
        *(
            'null = [""]',
            "one_way = ",
            "optional = true",
            'src = "LINE[].SKU"',
            'dst = "lines[].sku"',
            "when = ",
        ),
        *(
            'kind = "soap"',
            'kind = "xml"',
            'kind = "row"',
            'kind = "form"',
            'kind = "headers"',
            'kind = "delimited"',
        ),
        *(
            "columns = ",
            "headers = ",
            "schema = ",
            "leaves = ",
            "[[fields]]",
            "[codes.decision]",
            "[ignore]",
            "[]",
        ),
        *(
            "ATTR[K=SIZE].V",
            "ATTR[K=]",
            "LINE[].PART[]",
            "tag = ",
            "unit = ",
            "value = ",
            "file = ",
            '"error"',
        ),
    )
)


def unproblematic(mapping: CompiledMapping, body: bytes) -> None:
    """Carry a message there and back."""
    headers = (("A", "1"),)
    record = Record(source="fuzz", position="1", kind="json", body=body, headers=headers)
    payload = mapping.decode_request(record)
    back = mapping.encode_request(payload, record)
    again = mapping.decode_request(msgspec.structs.replace(record, body=back))
    assert again == payload, "there and back is another payload"
    if mapping.reply is not None:
        mapping.encode_reply(REPLY, record)
        mapping.unmapped()


def toml(place: Path, text: str) -> Mapping[str, object]:
    """Read a text as a TOML file of a workspace."""
    file = place / "read.toml"
    file.write_text(text, "utf-8")
    return read_toml(file)
