"""TOML as it must not be: refused in time, with the file's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from stranglerfig.errors import ConfigError
from stranglerfig.options import read_toml


def refused(file: Path, text: str | bytes) -> str:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as error:
        read_toml(file)
    assert str(file) in error.value.place
    assert len(str(error.value)) < 1000
    return str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "[" * 40 + "]" * 40,
        "a = " + "{a = " * 100_000,
        "a." * 100_000 + "a = 1",
        "a . " * 32 + "a = 1",
        "'a b'." * 32 + "a = 1",
        "[" + '"a.b" .' * 32 + "a]",
        "[[a]]\n" + "[" + "a." * 40 + "a]",
        "#" * (2 << 20) + "#",
        "a = [{b = 0x" + "f" * 5000 + "}]",
    ],
    ids=range(10),
)
def test_what_nobody_needs_is_too_much(tmp_path: Path, text: str) -> None:
    assert "too large or too deep" in refused(tmp_path / "x.toml", text)


@pytest.mark.parametrize("text", ["a = " + "9" * 5000, "a", "a = 1\na = 2", b"a = '\xff'", "\0"])
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str | bytes) -> None:
    assert "cannot be read" in refused(tmp_path / "x.toml", text)


def test_a_folder_and_a_name_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for file in (tmp_path, Path("a\0b")):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_toml(file)


def test_what_is_long_but_not_deep_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    dots = "." * 1000
    oid = ".".join(["1"] * 30)
    lines = (f"a = '{dots}'", f"b = '{oid}'", "c." * 30 + "d = 1", "f = 0x" + "f" * 100)
    file.write_bytes("\r\n".join((*lines, 'e = """x', 'y"""')).encode())
    found = read_toml(file)
    assert (found["a"], found["b"], found["e"]) == (dots, oid, "x\ny")
    assert found["f"] == 16**100 - 1
