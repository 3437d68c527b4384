"""How ``fig runbook status`` looks: every state is drawn, and texts of others are never markup."""

from __future__ import annotations

import io

from hypothesis import given, settings
from rich.console import Console

from stranglerfig.commands.runbook_view import shown
from stranglerfig.migrations.render.blocks import one_line
from stranglerfig.tests.migrations.render.boards import RUN_STATES


def drawn(state, **options):
    console = Console(file=io.StringIO(), width=100, highlight=False, **options)
    console.print(shown(state))
    return console.file.getvalue()


@settings(max_examples=30, deadline=None)
@given(RUN_STATES)
def test_any_state_is_drawn_and_nothing_that_it_waits_for_is_left_out(state):
    told = "".join(drawn(state).split())
    for one in state.steps:
        assert one.step.name in told
    for text in (*(one.reason for one in state.waits), state.command):
        assert "".join(one_line(text).split()) in told


@settings(max_examples=30, deadline=None)
@given(RUN_STATES)
def test_no_text_is_obeyed_by_a_terminal(state):
    said = drawn(state, color_system=None)
    assert all(letter.isprintable() or letter in "\n " for letter in said if ord(letter) < 160)
