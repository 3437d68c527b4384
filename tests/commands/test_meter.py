"""The bar of what takes long: on terminals, after two seconds, and gone at the end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from stranglerfig.commands import meter
from stranglerfig.commands.screen import Screen


class Place:
    offset = 0


def shown(monkeypatch, *, terminal: bool, seconds: float) -> str:
    """Go over many items, each of which takes a part of some seconds."""
    out = io.StringIO()
    now = iter(step * seconds / 20 for step in range(10_000))
    monkeypatch.setattr(meter.time, "monotonic", lambda: next(now))
    screen = Screen(Path(), err=Console(file=out, force_terminal=terminal, width=100))
    items, place = range(5000), Place()

    def read():
        for item in items:
            place.offset = item
            yield item

    assert list(meter.Meter(screen, "decoding", len(items)).over(read(), place)) == list(items)
    return out.getvalue()


def test_a_bar_comes_after_two_seconds(monkeypatch):
    said = shown(monkeypatch, terminal=True, seconds=10)
    assert "decoding" in said
    assert "5.0 kB" in said


@pytest.mark.parametrize(("terminal", "seconds"), [(False, 10), (True, 1)])
def test_no_bar_where_it_is_quick_or_nobody_looks(monkeypatch, terminal, seconds):
    assert shown(monkeypatch, terminal=terminal, seconds=seconds) == ""
