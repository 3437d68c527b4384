"""What ``fig noise`` and ``fig evidence`` show of noise."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import cast

from rich.markup import escape

from ..routing.comparison.noise import FieldNoise
from .screen import Screen

__all__ = ["show_noise"]


def show_noise(
    screen: Screen,
    name: str,
    revision: str,
    found: Sequence[FieldNoise],
    excuses: Sequence[str],
) -> None:
    """Show each field of each side that was asked twice; ``excuses`` as in the settings."""
    rows = [
        [
            escape(one.field),
            one.side,
            f"{one.differs} of {one.asked}",
            f"{one.raw} of {one.pairs}" if one.pairs else "-",
            f"{min(exp(min(one.log_e_difference, 690)), 1e9):.3g}",
            f"{min(exp(min(one.log_e_noise, 690)), 1e9):.3g}",
            _state(one, excuses),
        ]
        for one in found
    ]
    if not rows:
        screen.say(f"{escape(name)}: nothing was asked twice in revision {revision[:12]}")
        return
    columns = ["field", "differs: side", ">itself", ">other", ">e: more", ">e: noise", "is"]
    screen.table(columns, rows, title=f"{escape(name)}, revision {revision[:12]}")
    screen.note(f"an e-value decides at {exp(found[0].needed):.3g}")


def _state(one: FieldNoise, excuses: Sequence[str]) -> str:
    words = {
        "quiet": "no noise",
        "unclear": "unclear: ask more",
        "difference": "[red]more than noise[/]",
        "noise": "[green]noise, taken out[/]" if one.side in excuses else "noise, not taken out",
    }
    return words[cast("str", one.state)]
