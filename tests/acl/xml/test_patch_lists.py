"""Patching lists: entries that stay keep their bytes."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stranglerfig.errors import EnvelopeError

LINES = "lines.line[]"


def lines(order: SimpleNamespace) -> list[dict[str, object]]:
    return copy.deepcopy(order.values[LINES])


def patched(order: SimpleNamespace, **changes: object) -> str:
    named = {name.replace("__", "[]").replace("_", "."): value for name, value in changes.items()}
    return order.xml.patch(named, order.record(order.message)).decode()


def test_a_list_that_is_the_same_keeps_every_byte(order: SimpleNamespace):
    assert patched(order, lines_line__=lines(order), tag__=["a", ""]) == order.message


def test_one_value_in_an_entry_is_all_that_changes(order: SimpleNamespace):
    changed = lines(order)
    changed[1]["part[]"][1]["weight"] = "0.75"
    assert patched(order, lines_line__=changed) == order.message.replace("0.5", "0.75")
    changed = lines(order)
    changed[0]["@id"] = 'a"b'
    expected = order.message.replace('id="x"', 'id="a&quot;b"')
    assert patched(order, lines_line__=changed) == expected


def test_what_an_entry_lacks_is_taken_away(order: SimpleNamespace):
    changed = lines(order)
    del changed[0]["quantity"]
    assert patched(order, lines_line__=changed) == order.message.replace(
        "<quantity>2</quantity>", ""
    )
    del changed[0]["@id"]
    assert "<line><sku>A</sku></line>" in patched(order, lines_line__=changed)


def test_an_entry_that_goes_takes_its_line_along(order: SimpleNamespace):
    first = '\n    <line id="x"><sku>A</sku><quantity>2</quantity></line>'
    assert patched(order, lines_line__=lines(order)[1:]) == order.message.replace(first, "")
    left = patched(order, lines_line__=[])
    assert "<!-- the first -->\n  </lines>" in left


def test_an_entry_that_comes_stands_as_the_others_do(order: SimpleNamespace):
    new = {"sku": "C & D", "part[]": [{"@no": "3", "weight": None}]}
    after = patched(order, lines_line__=[*lines(order), new])
    added = """
    <line>
      <sku>C &amp; D</sku>
      <part no="3">
        <weight xsi:nil="true"/>
      </part>
    </line>
  </lines>"""
    assert after == order.message.replace("\n  </lines>", added)
    assert order.valid(after.replace(" 1980-02-29 ", "1980-02-29"))
    before = patched(order, lines_line__=[{"sku": "0"}, *lines(order)])
    added = "<!-- the first -->\n    <line>\n      <sku>0</sku>\n    </line>"
    assert before == order.message.replace("<!-- the first -->", added)


def test_interleaved_lists_stay_where_they_are(order: SimpleNamespace):
    assert "<up>1</up><down>2</down><up>4</up>" in patched(order, up__=["1", "4"])
    assert "<up>1</up><down>2</down><up>3</up><up>4</up>" in patched(order, up__=["1", "3", "4"])
    assert "<up>1</up><up>3</up>" in patched(order, down__=[])


def test_lists_that_were_not_there_are_put_where_the_schema_wants_them(order: SimpleNamespace):
    text = order.message
    start, end = text.index("  <lines>"), text.index("  <extra>")
    bare = text[:start] + text[end:]
    after = order.xml.patch({LINES: [{"sku": "N"}]}, order.record(bare)).decode()
    written = "\n  <lines>\n    <line>\n      <sku>N</sku>\n    </line>\n  </lines>"
    assert after == bare.replace("\n  <extra>", f"{written}\n  <extra>")


def test_plain_entries_and_nil(order: SimpleNamespace):
    assert '<mark xsi:nil="true"></mark><mark xsi:nil="1"/>' in patched(order, mark__=[None, None])
    assert "<mark>1</mark><mark>2</mark>" in patched(order, mark__=["1", "2"])
    with pytest.raises(ValueError, match="a value"):
        patched(order, tag__=[None, ""])
    with pytest.raises(ValueError, match="a value"):
        patched(order, tag__=["a", "", None])


def test_entries_with_attributes_and_text(order: SimpleNamespace):
    changed = patched(order, note__=[{"@lang": "en", "#text": "gut"}])
    assert changed == order.message.replace('"de"', '"en"')
    more = patched(order, note__=[{"@lang": "de", "#text": "gut"}, {"@lang": "en", "#text": "ok"}])
    assert '<note xml:lang="de">gut</note>\n  <note xml:lang="en">ok</note>\n' in more


def test_an_optional_group_goes_with_all_that_it_holds(order: SimpleNamespace):
    text = order.message.replace("</quantity>", "</quantity><gift><card>c</card></gift>")
    record = order.record(text)
    changed = lines(order)
    changed[0]["gift.card"] = None
    assert order.xml.patch({LINES: changed}, record).decode() == order.message
    kept = text.replace("<gift>", "<gift><!-- ask -->")
    after = order.xml.patch({LINES: changed}, order.record(kept)).decode()
    assert "<gift><!-- ask --></gift>" in after


def test_a_soap_message_is_patched_in_its_envelope(order: SimpleNamespace):
    body = order.wrapped(order.message)
    after = order.soap.patch({"up[]": ["1", "9"]}, order.record(body)).decode()
    assert after == body.replace("<up>3</up>", "<up>9</up>")


def test_a_foreign_prefix_is_used_again(order: SimpleNamespace):
    text = '<z:Order xmlns:z="urn:o" version="1.0"><z:number>1</z:number></z:Order>'
    after = order.xml.patch({"tag[]": ["a"], "buyer.name": "B"}, order.record(text)).decode()
    buyer = '<n1:buyer xmlns:n1="urn:p"><name>B</name></n1:buyer>'
    added = f"<z:number>1</z:number>{buyer}<z:tag>a</z:tag>"
    assert after == text.replace("<z:number>1</z:number>", added)


def test_a_doctype_is_not_patched(order: SimpleNamespace):
    with pytest.raises(EnvelopeError):
        order.xml.patch({"number": "1"}, order.record("<!DOCTYPE x>" + order.message))


ENTRY = st.fixed_dictionaries(
    {"sku": st.sampled_from(["A", "B", "C"])},
    optional={
        "@id": st.sampled_from(["x", "y&"]),
        "quantity": st.sampled_from(["1", "2"]),
        "part[]": st.lists(
            st.fixed_dictionaries(
                {"@no": st.just("1"), "weight": st.sampled_from([None, "1"])},
                optional={"serial[]": st.lists(st.just("s"), min_size=1, max_size=2)},
            ),
            min_size=1,
            max_size=2,
        ),
        "gift.card": st.just("c"),
        "gift.paper": st.just("p"),
    },
)
ENTRIES = st.lists(ENTRY, min_size=1, max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(before=ENTRIES, after=ENTRIES, up=st.lists(st.sampled_from("12"), max_size=3))
def test_after_any_change_the_list_is_what_it_should_be(order: SimpleNamespace, before, after, up):
    values = {**order.values, LINES: before}
    original = order.record(order.xml.write(values, order.record("")))
    changed = order.xml.patch({LINES: after, "up[]": up}, original)
    found, strays = order.xml.read(order.record(changed))
    assert list(strays) == []
    assert found[LINES] == after
    assert found.get("up[]", []) == up
    assert order.valid(changed), (changed, order.why.error_log)
    kept = {key for key in order.values if key not in (LINES, "up[]")}
    assert {key: found[key] for key in kept} == {key: values[key] for key in kept}
