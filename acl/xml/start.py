"""Start tags written anew, in the prefixes of the document that they stand in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from .names import XSI
from .scan import Spot, tag_at
from .text import attribute

__all__ = ["attributes_at", "prefixes_at", "restarted"]

_ONE: Final = re.compile(r"""\s+([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def prefixes_at(document: bytes, spot: Spot) -> dict[str, str]:
    """Give the namespaces that are in force inside an element, by prefix; "" is the default."""
    found = {"": "", "xml": "http://www.w3.org/XML/1998/namespace"}
    for start in spot.around:
        for one in _ONE.finditer(tag_at(document, start)[2].decode("utf-8")):
            first, _, rest = one[1].partition(":")
            if first == "xmlns":
                space = one[2] if one[3] is None else one[3]
                # A namespace with references in it is nobody's: it is declared anew where needed.
                found[rest] = "&" if "&" in space else space
    return found


def attributes_at(document: bytes, spot: Spot) -> list[str]:
    """Name the attributes that an element has, but declarations and those of XML Schema itself."""
    prefixes = prefixes_at(document, spot)
    found: list[str] = []
    for one in _ONE.finditer(tag_at(document, spot.start)[2].decode("utf-8")):
        prefix, _, local = one[1].rpartition(":")
        if "xmlns" not in (prefix, local) and prefixes.get(prefix) != XSI:
            found.append(f"{{{prefixes.get(prefix)}}}{local}" if prefix else local)
    return found


def restarted(
    document: bytes, spot: Spot, attributes: Mapping[str, str | None], *, nil: bool | None
) -> str:
    """Give a start tag with these attributes changed, by ``{namespace}local``; without its end.

    ``nil`` says what becomes of ``xsi:nil``; None leaves it alone.
    """
    tag = tag_at(document, spot.start)
    held = tag[2].decode("utf-8")
    prefixes = prefixes_at(document, spot)
    changes = dict(attributes)
    if nil is not None:
        changes[f"{{{XSI}}}nil"] = "true" if nil else None
    for number, (name, value) in enumerate(changes.items(), 1):
        space, _, local = name.rpartition("}")
        known = [p for p, s in prefixes.items() if s == space[1:] and p] if space else [""]
        held = _without(held, {f"{p}:{local}" if p else local for p in known})
        if value is None:
            continue
        if not known:
            fresh = next(p for n in range(number, 1000) if (p := f"a{n}") not in prefixes)
            held += f' xmlns:{fresh}="{attribute(space[1:])}"'
            prefixes[fresh] = space[1:]
            known = [fresh]
        held += (
            f' {known[0]}:{local}="{attribute(value)}"'
            if space
            else (f' {local}="{attribute(value)}"')
        )
    return f"<{tag[1].decode('utf-8')}{held}"


def _without(held: str, names: set[str]) -> str:
    return _ONE.sub(lambda found: "" if found[1] in names else found[0], held)
