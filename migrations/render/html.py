"""A document as HTML: one file that needs nothing else, on a screen and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lxml import etree

from .blocks import (
    Block,
    Bullets,
    Code,
    Document,
    Facts,
    Heading,
    Line,
    Paragraph,
    Plot,
    Table,
    one_line,
    visible,
)
from .plot import drawing

__all__ = ["html"]

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 15px/1.5 "Source Sans 3", "Segoe UI", Helvetica, Arial, sans-serif; color: #1c1c1c;
  background: #fff; max-width: 60em; margin: 2em auto; padding: 0 1.5em; }
h1 { font-size: 1.7em; margin-bottom: 0; }
h2 { font-size: 1.25em; margin-top: 2em; border-bottom: 1px solid #999; }
h3 { font-size: 1.05em; margin-bottom: 0.3em; }
.beneath { color: #555; margin-top: 0; }
table { border-collapse: collapse; width: 100%; margin: 0.8em 0; }
th, td { text-align: left; vertical-align: top; padding: 0.3em 0.6em; border: 1px solid #ccc; }
thead th { background: #f0f0f0; }
table.facts th { width: 12em; font-weight: 600; background: #f7f7f7; }
td, p, li { overflow-wrap: anywhere; }
td strong { overflow-wrap: normal; }
code, pre { font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; }
pre { background: #f7f7f7; border: 1px solid #ccc; padding: 0.8em; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.good { color: #116329; font-weight: 600; }
.bad { color: #a40e26; font-weight: 600; }
.waits { color: #7a4b00; font-weight: 600; }
.quiet { color: #666; }
.warns { border-left: 4px solid #a40e26; padding: 0.4em 0.8em; background: #fdf1f2; }
svg.plot { width: 100%; max-width: 44em; height: auto; font: 12px sans-serif; }
svg.plot polyline { fill: none; stroke-width: 1.8; }
svg.plot .grid { stroke: #e2e2e2; stroke-width: 1; }
svg.plot .goal { stroke: #444; stroke-width: 1.2; }
svg.plot .worse { stroke: #a40e26; }
svg.plot .within { stroke: #116329; }
@page { size: A4; margin: 18mm 16mm; }
@media print {
  body { max-width: none; margin: 0; padding: 0; font-size: 10.5pt; }
  h2, h3 { break-after: avoid; }
  tr, svg, .warns { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""

# Nothing is fetched and nothing is run, even where a browser finds something to.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def html(document: Document) -> str:
    """Write a document. Never fails, whatever stands in it: elements are made, not concatenated."""
    page = etree.Element("html", lang="en")
    head = etree.SubElement(page, "head")
    etree.SubElement(head, "meta", charset="utf-8")
    policy = etree.SubElement(head, "meta", content=_POLICY)
    policy.set("http-equiv", "Content-Security-Policy")
    etree.SubElement(head, "meta", name="viewport", content="width=device-width")
    _add(head, "title", document.title)
    etree.SubElement(head, "style").text = _STYLE
    body = etree.SubElement(page, "body")
    _add(body, "h1", document.title)
    _add(body, "p", document.beneath, "beneath")
    for block in document.blocks:
        _block(body, block)
    written: str = etree.tostring(
        page, method="html", doctype="<!DOCTYPE html>", encoding="unicode"
    )
    return written + "\n"


def _block(body: etree._Element, block: Block) -> None:
    match block:
        case Heading():
            _add(body, f"h{block.level}", block.text)
        case Paragraph():
            _fill(_add(body, "p", "", "warns" if block.warns else ""), block.line)
        case Facts():
            _facts(body, block)
        case Table():
            _table(body, block.columns, block.rows)
        case Bullets():
            entries = _add(body, "ol" if block.numbered else "ul")
            for entry in block.entries:
                _fill(_add(entries, "li"), entry)
        case Code():
            # Not as one line, as the others are; a browser drops a newline that begins it.
            _add(body, "pre").text = "\n" + visible(block.text)
        case Plot():
            if block.course:
                body.append(drawing(block.course, block.alpha))


def _facts(body: etree._Element, block: Facts) -> None:
    rows = _add(_add(body, "table", "", "facts"), "tbody")
    for name, told in block.rows:
        row = _add(rows, "tr")
        _add(row, "th", name)
        _fill(_add(row, "td"), told)


def _table(body: etree._Element, columns: Sequence[str], rows: Sequence[Sequence[Line]]) -> None:
    if not rows:
        return
    table = _add(body, "table")
    head = _add(_add(table, "thead"), "tr")
    for column in columns:
        _add(head, "th", column)
    inner = _add(table, "tbody")
    for row in rows:
        cells = _add(inner, "tr")
        for cell in row:
            _fill(_add(cells, "td"), cell)


def _add(parent: etree._Element, tag: str, text: str = "", name: str = "") -> etree._Element:
    made = etree.SubElement(parent, tag)
    made.text = one_line(text) or None
    if name:
        made.set("class", name)
    return made


def _fill(parent: etree._Element, parts: Line) -> None:
    """Put the parts of a line into an element, a blank between them."""
    made: etree._Element | None = None
    for number, part in enumerate(parts):
        if made is not None and number:
            made.tail = " "
        if part.mark == "code":
            made = _add(parent, "code", part.text)
        elif part.mark == "strong":
            made = _add(parent, "strong", part.text)
        else:
            made = _add(parent, "span", part.text, part.mark)
