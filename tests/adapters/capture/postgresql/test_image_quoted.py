"""Row images, with quotes and without: read back as they were, or refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.adapters.capture.postgresql.image import read_image

VALUES = st.one_of(
    st.none(),
    st.text(alphabet='ab 1,()"\\\n', max_size=6),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
)


def written(value):
    """Write a value as PostgreSQL's record_out does."""
    if value is None:
        return ""
    if value and not any(one in '"\\(),' or one.isspace() for one in value):
        return value
    doubled = value.replace("\\", "\\\\").replace('"', '""')
    return f'"{doubled}"'


def image(values):
    names = json.dumps([f"c{at}" for at in range(len(values))], separators=(",", ":"))
    return f"{'t' * len(values)}{names}({','.join(written(one) for one in values)})"


@given(st.lists(VALUES, min_size=1, max_size=6))
def test_every_value_comes_back(values):
    found = read_image(image(values))
    assert list(found.values.values()) == values
    assert found.kinds == "".join("n" if one is None else "t" for one in values)


@pytest.mark.parametrize(
    "values",
    ['(a,"b c)', '(a"b c",d)', '("b c"d,e)', '(a,"b c""d)', '("b"x"c d",e)', '(a b"c",d)'],
)
def test_what_no_trigger_wrote_is_refused(values):
    with pytest.raises(ValueError, match="not a row image"):
        read_image(f'tt["a","b"]{values}')
