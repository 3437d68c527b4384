"""Code tables: in the mapping or in files, unknown codes, several codes for one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from stranglerfig.acl.converters import code
from stranglerfig.acl.converters.codes import described, load_codes
from stranglerfig.acl.converters.traits import traits_of
from stranglerfig.errors import ConfigError, MappingError

INLINE = {"07": "active", "08": "closed", "09": "closed"}
FILE = "code,value,preferred,note\n07,active,,\n08,closed,yes,\n09,closed,no,old\n"
VERSIONS = "version,code,value\n2025,1,old\n2026,1,new\n2026,2,newer\n"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Mapping[str, str]]:
    def loaded(text: str | bytes, **more: str) -> Mapping[str, str]:
        (tmp_path / "codes.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        tables = {"status": {"file": "codes.csv", **more}}
        return load_codes(tables, tmp_path, "acl/x.toml: codes")["status"]

    return loaded


def test_a_table_in_a_file(load: Callable[..., Mapping[str, str]]):
    table = load("\ufeff" + FILE)
    assert table == INLINE
    converter = code(["status"], {"status": table})
    assert converter.decode("09") == "closed"
    assert converter.encode("closed") == "08"
    assert traits_of(converter).settled
    assert described(table) == (INLINE, ["08"])


def test_a_version_of_it(load: Callable[..., Mapping[str, str]]):
    assert load(VERSIONS, version="2025") == {"1": "old"}
    assert load(VERSIONS, version="2026") == {"1": "new", "2": "newer"}


def test_a_table_in_the_mapping_is_as_it_is(tmp_path: Path):
    tables = {"status": INLINE, "odd": {"file": "f", "folder": "g"}}
    assert load_codes(tables, tmp_path, "x") == tables


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("", {}, "not a table"),
        ("code;value\n1;2\n", {}, "not a table"),
        ("code,value,worth\n", {}, "unknown column"),
        ("code,value\n", {}, "no codes"),
        ("code,value\n1\n", {}, "1 values for 2 columns"),
        ("code,value\n1,a\n1,b\n", {}, "a code twice"),
        ("code,value,preferred\n1,a,maybe\n", {}, "neither yes"),
        ("code,value\n1,a\n", {"version": "2026"}, "no column of versions"),
        (VERSIONS, {}, "no version asked"),
        (VERSIONS, {"version": "2027"}, "no codes of that version"),
        (b"code,value\n\xff,a\n", {}, "cannot be read"),
        ('code,value\n"1,a\n', {}, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    load: Callable[..., Mapping[str, str]], text: str | bytes, more: dict[str, str], words: str
):
    with pytest.raises(ConfigError, match=words) as caught:
        load(text, **more)
    assert "acl/x.toml: codes.status" in caught.value.place


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_codes({"status": {"file": "none.csv"}}, tmp_path, "x")


def test_what_is_preferred_is_written():
    converter = code(["status", "preferred=09"], {"status": INLINE})
    assert converter.encode("closed") == "09"
    assert converter.decode("08") == "closed"
    assert traits_of(converter).settled
    assert not traits_of(code(["status"], {"status": INLINE})).settled
    for wrong in (["preferred=10"], ["preferred=08", "preferred=09"]):
        with pytest.raises(ValueError, match="preferred="):
            code(["status", *wrong], {"status": INLINE})


def test_an_unknown_code_passes_and_is_counted():
    converter = code(["status", "pass"], {"status": {"07": "active"}})
    assert [converter.decode(text) for text in ("07", "xx", "xx")] == ["active", "xx", "xx"]
    assert converter.encode("xx") == "xx"
    passed = traits_of(converter).passed
    assert passed is not None
    assert passed() == {"xx": 2}
    with pytest.raises(ValueError, match="a code of table status"):
        converter.decode("active")
    with pytest.raises(ValueError, match="a value of table status"):
        converter.encode("07")


def test_what_passed_does_not_fill_the_memory():
    converter = code(["status", "pass"], {"status": {"07": "active"}})
    for number in range(3000):
        converter.decode("x" * 100 + str(number))
    counts = traits_of(converter).passed()  # type: ignore[misc]
    assert sum(counts.values()) == 3000
    assert len(counts) <= 1001
    assert max(map(len, counts)) <= 80


def test_a_mapping_reads_its_codes_from_a_file(desk: SimpleNamespace):
    (desk.root / "acl/channel.csv").write_text("code,value\nP,phone\nM,mail\n")
    change = (
        'channel = { P = "phone", M = "mail" }\n',
        'channel = { file = "acl/channel.csv" }\n',
    )
    mapping = desk.load("soap", change)
    record = desk.record(desk.envelope(desk.ask))
    assert mapping.decode_request(record)["channel"] == "phone"
    (desk.root / "acl/channel.csv").write_text("code,value\nP,mail\nM,phone\n")
    assert desk.load("soap").digest != mapping.digest
    (desk.root / "acl/channel.csv").write_text("code,value\nM,mail\n")
    with pytest.raises(MappingError, match="channel"):
        desk.load("soap").decode_request(record)
