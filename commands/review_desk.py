"""The reviewer's desk: one item after the other, its two answers side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import click
from rich.markup import escape

from ..acl.operations.value import to_text
from ..model import Comparison, Payload
from ..routing.adjudication.blind import Item, Marked, meant
from ..store.reviews import Review, Reviews
from .screen import Screen

__all__ = ["Desk"]

_KEYS: Final = ("a", "b", "both", "neither", "unsure", "skip", "quit")
_SHORT: Final = {"=": "both", "n": "neither", "u": "unsure", "s": "skip", "q": "quit"}
_GONE: Final = "[dim]—[/]"


class Desk:
    """Walks items for one reviewer. What is said is durable at once: stop and go on as you like."""

    def __init__(
        self,
        screen: Screen,
        reviews: Reviews,
        items: Sequence[tuple[Comparison, Item]],
        *,
        reviewer: str,
        agreeing: int,
    ) -> None:
        self._screen = screen
        self._reviews = reviews
        self._items = items
        self._reviewer = reviewer
        self._agreeing = agreeing

    def run(self, *, as_json: bool) -> None:
        """Ask about each item, or print them all."""
        if as_json:
            for _, seen in self._items:
                self._screen.json({**_plain(seen), "reviewer": self._reviewer})
            return
        if not self._items:
            self._screen.say(f"nothing waits for {escape(self._reviewer)}")
            return
        said = decided = 0
        for number, (comparison, seen) in enumerate(self._items, 1):
            self._show(seen, number)
            answer, note = self._ask()
            if answer == "quit":
                break
            if answer == "skip":
                continue
            review = Review(
                endpoint=comparison.endpoint,
                revision=comparison.revision,
                unit=comparison.unit,
                reviewer=self._reviewer,
                choice=meant(answer, self._reviewer, comparison),
                note=note,
            )
            said += 1
            decided += self._reviews.add(review, self._agreeing) != "open"
        self._screen.say(
            f"{said} reviewed by {escape(self._reviewer)}, {decided} of them decided, "
            f"{len(self._items) - said} left"
        )

    def _ask(self) -> tuple[str, str]:
        while True:
            try:
                line = click.prompt(", ".join(_KEYS), prompt_suffix=": ").strip()
            except click.Abort:  # the input has ended
                return "quit", ""
            word, _, note = line.partition(" ")
            answer = _SHORT.get(word.lower(), word.lower())
            if answer in _KEYS:
                return answer, note.strip()
            self._screen.note(f"one of {', '.join(_KEYS)}; a note may follow it")

    def _show(self, seen: Item, number: int) -> None:
        self._screen.say("")
        self._screen.say(f"[bold]{number} of {len(self._items)}[/]  [dim]{seen.unit}[/]")
        if seen.request is None:
            self._screen.note("its request was not kept: adjudication.review.request")
        else:
            rows = [[escape(name), escape(_text(value))] for name, value in _flat(seen.request)]
            self._screen.table(["request", ""], rows)
        rows = [
            [f"[bold yellow]▸ {escape(one.path)}[/]", f"[bold]{_cell(one.a)}[/]", _bold(one)]
            for one in seen.differs
        ]
        rows += [[f"▸ {escape(path)}", "[dim]not shown[/]", ""] for path in seen.hidden]
        marked = {one.path for one in seen.differs}
        rows += [
            [f"  {escape(name)}", escape(_text(value)), escape(_text(value))]
            for name, value in _flat(seen.a)
            if name not in marked and dict(_flat(seen.b)).get(name) == value
        ]
        self._screen.table(["", "A", "B"], rows)


def _bold(one: Marked) -> str:
    return f"[bold]{_cell(one.b)}[/]"


def _cell(value: object) -> str:
    return _GONE if value is None else escape(_text(value))


def _flat(payload: Payload, before: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, value in payload.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{before}{name}.")
        elif value is not None:
            found.append((f"{before}{name}", value))
    return found


def _text(value: object) -> str:
    try:
        return to_text(value)
    except ValueError:
        return str(value)


def _plain(seen: Item) -> dict[str, object]:
    return {
        "unit": seen.unit,
        "request": seen.request,
        "a": seen.a,
        "b": seen.b,
        "differs": [{"path": one.path, "a": one.a, "b": one.b} for one in seen.differs],
        "hidden": seen.hidden,
    }
