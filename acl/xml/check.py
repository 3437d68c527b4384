"""Checking messages against their XML Schema, by libxml2: an option, for those who want it."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, Protocol, cast
from xml.sax.saxutils import quoteattr

from lxml import etree

from ...errors import ConfigError
from ..formats.shape import Stray
from .component import XS, Schema
from .node import Node

__all__ = ["Check", "check_of"]

_MOST_PROBLEMS: Final = 20
_SPACE: Final = "http://www.w3.org/2001/XMLSchema"
_ALL: Final = "urn:stranglerfig:all"
_LINKS: Final = (f"{XS}include", f"{XS}import")
# What libxml2 says quotes the value, which may be anybody's secret: of what it says, only what
# stands behind the value and comes from the schema is repeated.
_SAID: Final = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r".*is not a valid value of (?P<what>the [a-z ]*type '[^']*')(?: of .*)?\.",
        r".*is not (?P<what>an element of the set \{.*\})\.",
        r".*is not accepted by (?P<what>the pattern '.*')\.",
        r".*(?:exceeds|differs from|underruns|is less than|is greater than) (?P<what>the .*)\.",
        r"(?P<whole>(?:This element is not expected|Missing child element\(s\))\..*)",
        r"(?P<whole>The attribute '[^']*' is (?:required but missing|not allowed)\.)",
        r"(?P<whole>(?:Character content|Element content) .*is not allowed.*)",
    )
)
_HEAD: Final = re.compile(r"Element '([^']*)'(?:, attribute '([^']*)')?: (?:\[facet '\w+'\] )?")


class _Entry(Protocol):
    """What libxml2 found."""

    message: str
    line: int


class Check:
    """A compiled schema; any thread may use it. ``digest`` changes when the schema does."""

    def __init__(self, compiled: etree.XMLSchema, digest: bytes) -> None:
        self._compiled = compiled
        self._lock = threading.Lock()
        self.digest = digest

    def problems(self, element: Node) -> list[Stray]:
        """Give what in an element does not fit. Values are not repeated."""
        # The list of errors belongs to the schema, not to the call.
        with self._lock:
            if self._compiled.validate(element):
                return []
            log = cast("Iterable[_Entry]", self._compiled.error_log)
            entries = list(islice(log, _MOST_PROBLEMS))
        return [_stray(entry) for entry in entries]


def _stray(entry: _Entry) -> Stray:
    head = _HEAD.match(entry.message)
    rest = entry.message[head.end() :] if head else entry.message
    message, expected = _said(rest)
    name = head[1].rpartition("}")[2] if head else ""
    if head is not None and head[2]:
        name += f".@{head[2].rpartition('}')[2]}"
    return Stray(name, message, expected, f"line {entry.line}" if entry.line else "", broken=True)


def _said(rest: str) -> tuple[str, str]:
    for pattern in _SAID:
        found = pattern.fullmatch(rest.strip())
        if found is not None:
            parts = found.groupdict()
            if parts.get("whole"):
                return f"does not fit the schema: {parts['whole'][:300].rstrip('.')}", ""
            return "does not fit the schema", parts["what"][:300]
    return "does not fit the schema", "what its type in the schema allows"


def check_of(schema: Schema) -> Check:
    """Compile all documents of a schema. Called once a mapping. Raises ``ConfigError``."""
    try:
        return _compiled(schema)
    except etree.LxmlError as error:
        first = str(error).partition("\n")[0]
        raise ConfigError(
            f"the schema cannot be compiled: {first}",
            place=schema.file,
            expected="a schema without mistakes, all of it in files",
            remedy="mend it, or take 'validate' out of the mapping",
        ) from error


def _compiled(schema: Schema) -> Check:
    digest = hashlib.sha256()
    spaces = list(dict.fromkeys(document.namespace for document in schema.documents))
    texts: dict[str, bytes] = {}
    for place, space in enumerate(spaces):
        parts: list[str] = []
        for number, document in enumerate(schema.documents):
            if document.namespace == space:
                parts.append(f"fig:{number}.xsd")
                texts[parts[-1]] = _alone(document.node, spaces, space)
                digest.update(texts[parts[-1]])
        texts[f"fig:space{place}.xsd"] = _including(parts, space)
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(_Own(texts))
    root = etree.fromstring(_importing(spaces, _ALL), parser, base_url="fig:all.xsd")
    return Check(etree.XMLSchema(root), digest.digest())


class _Own(etree.Resolver):
    """Gives the documents that were read already, and nothing else: no file, no network."""

    def __init__(self, texts: dict[str, bytes]) -> None:
        self._texts = texts

    def resolve(self, system_url: str, public_id: str, context: object) -> object:  # type: ignore[override]
        del public_id
        text = self._texts.get(system_url, b"")
        return self.resolve_string(text, context, base_url=system_url)


def _alone(node: Node, spaces: list[str], own: str) -> bytes:
    """Give a document that imports all namespaces by our own names, and includes nothing."""
    # In ASCII, its default, lxml writes names with other letters so that nothing reads them.
    copy = etree.fromstring(etree.tostring(node, encoding="utf-8"))
    for link in [child for child in copy if child.tag in _LINKS]:
        copy.remove(link)
    for place, element in enumerate(_imports(spaces, own)):
        copy.insert(place, etree.fromstring(element))
    return etree.tostring(copy, encoding="utf-8")


def _imports(spaces: list[str], own: str) -> Iterator[str]:
    for place, space in enumerate(spaces):
        if space != own:
            named = f" namespace={quoteattr(space)}" if space else ""
            yield f'<xs:import xmlns:xs="{_SPACE}"{named} schemaLocation="fig:space{place}.xsd"/>'


def _importing(spaces: list[str], own: str) -> str:
    imports = "".join(_imports(spaces, own))
    return f'<xs:schema xmlns:xs="{_SPACE}" targetNamespace={quoteattr(own)}>{imports}</xs:schema>'


def _including(parts: list[str], space: str) -> bytes:
    target = f" targetNamespace={quoteattr(space)}" if space else ""
    inner = "".join(f"<xs:include schemaLocation={quoteattr(part)}/>" for part in parts)
    return f'<xs:schema xmlns:xs="{_SPACE}"{target}>{inner}</xs:schema>'.encode()
