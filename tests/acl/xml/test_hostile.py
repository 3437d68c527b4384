"""What nobody means well: refused, in bounded memory and time."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from stranglerfig.acl.envelope import read
from stranglerfig.acl.xml.parse import parse
from stranglerfig.errors import EnvelopeError, FigError

LAUGHS = (
    "<!DOCTYPE x ["
    '<!ENTITY a "ha ha ha ha ha ha ha ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(14))
    + "]>"
)


def utf16(text: str) -> bytes:
    return text.encode("utf-16")


def utf7(text: str) -> bytes:
    return '<?xml version="1.0" encoding="UTF-7"?>'.encode("utf-7") + text.encode("utf-7")


BODIES = {
    "laughs": LAUGHS.encode() + b"<x>&o;</x>",
    "laughs in an attribute": LAUGHS.encode() + b'<x y="&o;"/>',
    "laughs in UTF-16": utf16(LAUGHS + "<x>&o;</x>"),
    "laughs in an attribute in UTF-16": utf16(LAUGHS + '<x y="&o;"/>'),
    "a doctype behind comments": b"<!-- a --><?b c?>\n<!DOCTYPE x><x/>",
    "a doctype with a lot in it": b"<!DOCTYPE x [" + b"<!ELEMENT y ANY>" * 200_000 + b"]><x/>",
    "the same in UTF-16": utf16("<!DOCTYPE x [" + "<!ELEMENT y ANY>" * 100_000 + "]><x/>"),
    "an external entity": b'<!DOCTYPE x [<!ENTITY o SYSTEM "file:///etc/passwd">]><x>&o;</x>',
    "UTF-7": utf7("<x/>"),
    "a doctype in UTF-7": utf7("<!DOCTYPE x><x/>"),
    "an entity of nobody's": b"<x>&o;</x>",
    "a million deep": b"<a>" * 1_000_000,
    "a million deep and back": b"<a>" * 1_000_000 + b"</a>" * 1_000_000,
    "300 deep": b"<a>" * 300 + b"</a>" * 300,
    "text beyond measure": b"<x>" + b"a" * 10_100_000 + b"</x>",
    "an attribute beyond measure": b'<x y="' + b"a" * 10_100_000 + b'"/>',
    "a name beyond measure": b"<" + b"a" * 10_000_000 + b"/>",
    "an attribute twice": b"<x " + b'a="1" ' * 1_000 + b"/>",
    "invalid UTF-8": b"<x>\xff\xfe</x>",
    "overlong UTF-8": b"<x>\xc0\xbc</x>",
    "a surrogate in UTF-8": b"<x>\xed\xa0\x80</x>",
    "half of UTF-16": utf16("<x/>")[:-1],
    "a NUL": b"<x>\0</x>",
    "a NUL reference": b"<x>&#0;</x>",
    "not in Unicode": b"<x>&#x110000;</x>",
    "two roots": b"<x/><x/>",
    "nothing": b"",
}


@pytest.mark.parametrize("name", BODIES)
def test_it_is_refused_with_a_reason(name: str):
    with pytest.raises(EnvelopeError) as caught:
        parse(BODIES[name], "", "send something else")
    assert len(str(caught.value)) < 500
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize("charset", ["utf-7", "UTF7", "hz-gb-2312", "iso-2022-jp", "x-utf-7"])
def test_charsets_that_shift_are_not_known(charset: str):
    with pytest.raises(EnvelopeError, match="charset"):
        parse(b"<x/>", charset, "")


@pytest.mark.parametrize(
    "body",
    [
        b"<x><![CDATA[<!DOCTYPE x>]]></x>",
        '<?xml version="1.0" encoding="utf-8"?><x/>'.encode("utf-16-le"),
        b"<!-- <!DOCTYPE x> --><x/>",
        b"<?y <!DOCTYPE x> ?><x/>",
        "<x>\u20ac</x>".encode("utf-16"),
        b'<?xml version="1.0" encoding="iso-8859-15"?><x>\xa4</x>',
        b"<x " + b" ".join(b'a%d="1"' % n for n in range(20_000)) + b"/>",
        b"<a>" * 250 + b"</a>" * 250,
    ],
)
def test_what_only_looks_like_it_is_read(body: bytes):
    assert parse(body, "", "").tag in ("x", "a")


def test_patching_is_as_careful(order: SimpleNamespace):
    for body in (BODIES["laughs"], BODIES["a million deep"], BODIES["invalid UTF-8"]):
        with pytest.raises(FigError):
            order.xml.patch({"number": "1"}, order.record(body))


def test_wide_messages_are_read_in_time(order: SimpleNamespace):
    """Half a million entries: whatever is done for each must not look at the others."""
    lines = "<line><sku>s</sku></line>" * 30_000
    text = order.message.replace("<!-- the first -->", lines)
    values, strays = order.xml.read(order.record(text))
    assert len(values["lines.line[]"]) == 30_002
    assert list(strays) == []
    changed = list(values["lines.line[]"])
    changed[5] = {"sku": "other"}
    after = order.xml.patch({"lines.line[]": changed}, order.record(text))
    assert len(after) == len(text.encode()) + 4
    del changed[100:200]
    after = order.xml.patch({"lines.line[]": changed}, order.record(text))
    assert order.xml.read(order.record(after))[0]["lines.line[]"] == changed


PROGRAM = """
import resource, sys
from stranglerfig.acl.xml.parse import parse
from stranglerfig.errors import EnvelopeError
sys.path.insert(0, {folder!r})
import test_hostile
parse(b"<x/>", "", "")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for body in test_hostile.BODIES.values():
    try:
        parse(body, "", "")
    except EnvelopeError:
        continue
    raise SystemExit("read")
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
largest = max(map(len, test_hostile.BODIES.values())) / 1024
print((after - before) / largest)
"""


@pytest.mark.process
def test_refusing_needs_little_more_memory_than_the_message():
    folder = __file__.rpartition("/")[0]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(folder=folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    # libxml2 holds a text twice while it grows; a laugh would be millions of times the message.
    assert float(done.stdout) < 12


def test_an_envelope_is_found_in_what_is_well_formed_only():
    with pytest.raises(EnvelopeError):
        read(BODIES["laughs in UTF-16"])
