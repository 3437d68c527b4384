"""Documents as HTML and as Markdown: no text of others is ever markup, and none of it is lost."""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from stranglerfig.migrations.render.blocks import (
    Bullets,
    Code,
    Document,
    Facts,
    Heading,
    Paragraph,
    Plot,
    Span,
    Table,
    line,
    one_line,
    visible,
)
from stranglerfig.migrations.render.html import html
from stranglerfig.migrations.render.markdown import markdown
from stranglerfig.migrations.render.plot import drawing, some
from stranglerfig.routing.guardrails.course import Point

HOSTILE = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "]]><!-- --><b>",
    "[x](javascript:alert(1)) ![y](https://evil.example/y.png)",
    "<https://evil.example>",
    "[x]: https://evil.example",
    "a | b || c \\| d \\",
    "``` `` ` ~~~",
    "# h\n## h\n---\n===\n",
    "- a",
    "+ b",
    "* c",
    "1. d",
    "12) e",
    "> f",
    "    g",
    "\tg",
    "**b** __b__ *i* _i_ ~~s~~ $m$ &amp; &#60;",
    "paid \u202eoof\u202c by \u2066x\u2069, nul \x00, bell \x07, half \ud800",
    "[bold red]rich[/]",
    "",
    " ",
)
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(), max_size=40),
    st.text("<>&\"'`|\\*_[](){}#+-.!~$1 \n=:", max_size=20),
)
MARKS = st.sampled_from(("", "strong", "code", "good", "bad", "waits", "quiet"))
LINES = st.lists(st.builds(Span, TEXTS, MARKS), max_size=3).map(lambda spans: line(*spans))
POWERS = st.one_of(st.floats(-50, 50), st.sampled_from((inf, -inf, nan)))
POINTS = st.builds(Point, pairs=st.integers(1, 10**9), worse=POWERS, not_worse=POWERS)
ALLOWED = set(
    "html head meta title style body h1 h2 h3 p table thead tbody tr th td ul ol li pre code"  # noqa: SIM905
    " strong span svg polyline text".split()
)
MEANT = {"html_inline", "html_block", "link_open", "image", "em_open", "s_open", "hr"}


def rows(columns):
    return st.lists(st.tuples(*[LINES] * columns), max_size=3)


BLOCKS = st.one_of(
    st.builds(Heading, TEXTS, st.sampled_from((2, 3))),
    st.builds(Paragraph, LINES, st.booleans()),
    st.builds(Facts, st.lists(st.tuples(TEXTS, LINES), max_size=3)),
    st.builds(Table, st.tuples(TEXTS, TEXTS), rows(2)),
    st.builds(Bullets, st.lists(LINES, max_size=3), st.booleans()),
    st.builds(Code, TEXTS),
    st.builds(Plot, st.lists(POINTS, max_size=5), st.floats(1e-6, 0.5)),
)
DOCUMENTS = st.builds(Document, TEXTS, TEXTS, st.lists(BLOCKS, max_size=5))


def parsed(document):
    return lxml.html.document_fromstring(html(document))


def tokens(text):
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        yield token
        yield from token.children or ()


@given(DOCUMENTS)
def test_in_html_no_text_is_an_element_or_an_attribute(document):
    page = parsed(document)
    assert {one.tag for one in page.iter()} <= ALLOWED
    names = {name for one in page.iter() for name in one.attrib}
    assert not [name for name in names if name.startswith("on") or name in {"href", "src", "style"}]
    assert len(page.findall(".//style")) == 1


@given(DOCUMENTS)
def test_in_markdown_no_text_is_markup(document):
    found = list(tokens(markdown(document)))
    assert not MEANT & {token.type for token in found}
    tables = [one for one in document.blocks if isinstance(one, Facts | Table) and one.rows]
    tables += [one for one in document.blocks if isinstance(one, Plot) and one.course]
    assert sum(token.type == "table_open" for token in found) == len(tables)
    headings = [one for one in document.blocks if isinstance(one, Heading)]
    assert sum(token.type == "heading_open" for token in found) == 1 + len(headings)
    fences = [one for one in document.blocks if isinstance(one, Code)]
    assert [token.type in {"fence", "code_block"} for token in found].count(True) == len(fences)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3), TEXTS)
def test_nothing_of_a_table_or_a_text_is_lost(cells, title):
    table = Table(("a", "b"), [(line(one), line(two)) for one, two in cells])
    document = Document(title, "", [table, Code(title)])
    told = [one_line(text) for pair in cells for text in pair]
    page = parsed(document)
    assert [one.text_content() for one in page.findall(".//td")] == told
    assert page.find(".//h1").text_content() == one_line(title)
    # A browser takes away the newline that begins it; this parser does not.
    assert page.find(".//pre").text_content() == "\n" + visible(title)
    found = list(tokens(markdown(document)))
    inside = [after for before, after in pairwise(found) if before.type == "td_open"]
    assert ["".join(part.content for part in one.children) for one in inside] == told
    fence = next(token for token in found if token.type == "fence")
    assert fence.content.rstrip("\n") == visible(title).rstrip("\n")


@given(LINES)
def test_a_line_reads_the_same_in_both(parts):
    document = Document("t", "", [Bullets([parts]), Paragraph(parts), Paragraph(parts, warns=True)])
    told = " ".join(filter(None, (one_line(span.text) for span in parts)))
    for element in parsed(document).xpath("//body//li | //body/p[not(@class='beneath')]"):
        assert " ".join(element.text_content().split()) == told
    inline = [token for token in tokens(markdown(document)) if token.type == "inline"]
    said = ["".join(part.content for part in token.children) for token in inline[1:]]
    assert all(one.removeprefix("Mind:").strip() == told for one in said)


@pytest.mark.parametrize("text", ["\u202eabc", "a\x00b", "\x1b[31m", "\ufeff", "\u2028"])
def test_what_would_be_obeyed_is_shown(text):
    shown = visible(text)
    assert "⟨U+" in shown
    assert not set(text) & set(shown) - set("abc[31m")


def test_lines_may_end_as_on_any_system():
    assert visible("a\r\nb\rc\nd") == "a\nb\nc\nd"
    assert one_line("a\r\n b\t\tc ") == "a b c"


def test_a_plot_has_both_courses_and_where_they_decide():
    course = [Point(pairs=n, worse=-n / 100, not_worse=n / 40) for n in range(1, 101)]
    drawn = drawing(course, 0.01)
    lines = {one.get("class"): one for one in drawn.iter("polyline") if one.get("class") != "grid"}
    assert set(lines) == {"worse", "within", "goal"}
    heights = [float(place.split(",")[1]) for place in lines["goal"].get("points").split()]
    labels = {one.text: float(one.get("y")) - 4 for one in drawn.iter("text")}
    assert heights == [pytest.approx(labels["10^2"], abs=0.1)] * 2
    assert "e-values" in drawn.findtext("title")


def test_of_many_points_some_are_told_the_last_among_them():
    assert some(range(5), 12) == [0, 1, 2, 3, 4]
    found = some(range(1000), 12)
    assert (len(found), found[0], found[-1]) == (12, 0, 999)
