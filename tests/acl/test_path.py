"""Paths: parted and put together again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.path import Hop, Path, numbered, parse_path


@pytest.mark.parametrize(
    ("text", "hops", "last"),
    [
        ("a", (), "a"),
        ("a.b-c.@id", (), "a.b-c.@id"),
        ("tag[]", (Hop("tag[]"),), ""),
        ("order.line[].part[].no", (Hop("order.line[]"), Hop("part[]")), "no"),
        ("entry[key=COLOUR].value", (Hop("entry[]", "key", "COLOUR"),), "value"),
        ("entry[key='A]''.B'].v.w", (Hop("entry[]", "key", "A]'.B"),), "v.w"),
        ("e[@k=].v", (Hop("e[]", "@k", ""),), "v"),
    ],
)
def test_a_path_is_parted(text: str, hops: tuple[Hop, ...], last: str):
    path = parse_path(text)
    assert path == Path(hops, last)
    assert str(path) == text


def test_a_path_says_which_leaves_it_needs():
    path = parse_path("order[].entry[key=A].tag[].x")
    assert path.leaf == "order[].entry[].tag[].x"
    assert path.depth == 2
    assert path.key_leaves == ("order[].entry[].key",)


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.", ".a", "a..b", "[]", "a[]b", "a[].", "a[", "a]", "a[k].v", "a[k=v]", "a[k=[].v"],
)
def test_what_is_no_path_is_refused(text: str):
    with pytest.raises(ValueError, match="name|dot|field"):
        parse_path(text)


def test_an_index_counts_from_nought():
    assert numbered("line[].part[].no", (2, 0)) == "line[2].part[0].no"
    assert numbered("line[].part[].no", (2,)) == "line[2].part[].no"
    assert numbered("a.b", ()) == "a.b"


NAMES = st.text("ab@-#", min_size=1, max_size=3)
HOPS = st.builds(
    lambda name, key, value: Hop(f"{name}[]", key, value if key else ""),
    NAMES,
    st.one_of(st.just(""), NAMES),
    st.text(max_size=4),
)


@given(st.lists(HOPS, max_size=3), NAMES)
def test_what_is_written_is_read_again(hops: list[Hop], last: str):
    path = Path(tuple(hops), last)
    assert parse_path(str(path)) == path
