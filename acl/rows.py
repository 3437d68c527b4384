"""The rows of a mapping file, as they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

__all__ = ["Form", "MappingTable", "Row", "own_modules", "parse_forms"]

_FORM: Final = re.compile(r"\s*(py:[\w.]+:\w+|[A-Za-z_][\w-]*)")
_ARGUMENT: Final = re.compile(
    r"\s*(?P<name>[A-Za-z_]\w*=)?'(?P<quoted>(?:[^']|'')*)'\s*(?=[,)])|(?P<bare>[^(),|']*)(?=[,)])"
)


class Row(msgspec.Struct, frozen=True, kw_only=True, rename={"as_": "as", "else_": "else"}):
    """One row: from ``src`` to ``dst``, ``as`` converters with ``|`` between them.

    In ``fields`` the source is legacy's and the target ours, in ``reply`` the other way round.
    Several places on one side are split or joined. ``value`` is a constant in place of a source.
    ``when`` holds, by a place of legacy, the texts with which the row applies. ``null`` holds the
    legacy texts that mean nothing; ``optional`` allows legacy to leave the place out; ``else`` is
    what the target gets where the converter refuses; ``one_way`` is the reason why the row is not
    used backwards; ``tag`` and ``unit`` add to what the operation says.
    """

    src: str | tuple[str, ...] = ()
    dst: str | tuple[str, ...]
    as_: str = "text"
    value: object = None
    when: Mapping[str, str | tuple[str, ...]] = {}
    null: tuple[str, ...] = ()
    optional: bool = False
    else_: object = None
    one_way: str = ""
    tag: str = ""
    unit: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Give the places it reads, one or several; none for a constant."""
        return (self.src,) if isinstance(self.src, str) else self.src

    @property
    def targets(self) -> tuple[str, ...]:
        """Give the places it writes, one or several."""
        return (self.dst,) if isinstance(self.dst, str) else self.dst

    @property
    def from_text(self) -> str:
        """Name its source for people."""
        return ", ".join(self.sources) or (f"value {self.value!r}" if self.is_constant else "")

    @property
    def is_constant(self) -> bool:
        """Say whether its source is a constant."""
        return self.value is not None

    def conditions(self) -> Mapping[str, tuple[str, ...]]:
        """Give ``when`` with lists of texts throughout."""
        return {
            place: (texts,) if isinstance(texts, str) else texts
            for place, texts in self.when.items()
        }


class MappingTable(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A mapping file: its rows still as tables, so that each is checked with its own number."""

    operation: str
    from_: Mapping[str, object]
    unmapped: str = "error"
    fields: tuple[Mapping[str, object], ...] = ()
    ignore: Mapping[str, str] = {}
    reply: tuple[Mapping[str, object], ...] = ()
    reply_ignore: Mapping[str, str] = {}
    codes: Mapping[str, Mapping[str, str]] = {}


class Form(msgspec.Struct, frozen=True):
    """One converter behind ``as``: its name and its arguments."""

    name: str
    arguments: tuple[str, ...]


def parse_forms(text: str) -> tuple[Form, ...]:
    """Read ``decimal(2)``, or several through which a text goes in turn: ``text(trim) | date(…)``.

    An argument that holds ``,``, ``|``, brackets or blanks at its ends stands in single quotes:
    ``split(', ')``, ``sep='|'``. Raises ``ValueError`` with what was expected.
    """
    forms: list[Form] = []
    at = 0
    while True:
        found = _FORM.match(text, at)
        if found is None:
            raise ValueError(
                "a converter such as text, decimal(2), code(table) or py:package.module:name"
            )
        at = found.end()
        arguments: tuple[str, ...] = ()
        if text[at : at + 1] == "(":
            arguments, at = _arguments(text, at + 1)
        forms.append(Form(found[1], arguments))
        rest = text[at:].lstrip()
        if not rest:
            return tuple(forms)
        if rest[0] != "|":
            raise ValueError(f"| or the end behind {text[:at].strip()}")
        at = len(text) - len(rest) + 1


def own_modules(text: str) -> tuple[str, ...]:
    """Give the modules of the ``py:`` converters behind ``as``."""
    names = [form.name for form in parse_forms(text) if form.name.startswith("py:")]
    return tuple(name.removeprefix("py:").partition(":")[0] for name in names)


def _arguments(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """Read the arguments that begin at ``at``; give them, and where the text goes on."""
    arguments: list[str] = []
    while True:
        found = _ARGUMENT.match(text, at)
        if found is None or found.end() >= len(text):
            raise ValueError("a bracket that closes the arguments, and quotes that close")
        bare, name, quoted = found["bare"], found["name"] or "", found["quoted"]
        if quoted is not None:
            arguments.append(name + quoted.replace("''", "'"))
        elif bare.strip() or arguments or text[found.end()] == ",":
            arguments.append(bare.strip())
        at = found.end() + 1
        if text[found.end()] == ")":
            return tuple(arguments), at
