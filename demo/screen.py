"""The story, live on the screen, and its table and plot at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .summary import Summary
from .tally import StageCount, Tally

__all__ = ["StoryScreen", "model_of", "stretch_table", "summary_lines"]

_COLOURS = {"legacy": "yellow", "shadow": "cyan", "canary": "magenta", "live": "green"}


class StoryScreen:
    """Draws events as they come: a line for what happened, a bar for what goes on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, note="")
        self._drawers: Mapping[str, Callable[[Mapping[str, object]], None]] = {
            "data": self._data,
            "started": self._started,
            "learning": self._learning,
            "embedding": self._embedding,
            "learnt": self._learnt,
            "phase": self._phase,
            "progress": self._requests,
            "deploy": self._deploy,
            "failure": self._failure,
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def take(self, event: Mapping[str, object]) -> None:
        """Draw one event of the story."""
        draw = self._drawers.get(str(event["event"]))
        if draw is not None:
            draw(event)

    def _line(self, style: str, word: str, text: str) -> None:
        self._progress.console.print(f"[{style}]{word:<12}[/] {escape(text)}", soft_wrap=True)

    def _bar(self, text: str, done: object, total: object, note: str = "") -> None:
        completed = int(done) if isinstance(done, int) else 0
        most = int(total) if isinstance(total, int) else None
        self._progress.update(
            self._task, description=text, completed=completed, total=most, note=note
        )

    def _data(self, event: Mapping[str, object]) -> None:
        text = f"{event['learn']} to learn from, {event['traffic']} as traffic"
        self._line("dim", "messages", f"{text}, {event['categories']} categories")

    def _started(self, event: Mapping[str, object]) -> None:
        self._line("dim", "started", f"{event['process']}, process {event['pid']}")

    def _learning(self, event: Mapping[str, object]) -> None:
        self._bar(f"learning, {event['from']} revision", 0, None)

    def _embedding(self, event: Mapping[str, object]) -> None:
        self._bar("learning", event["done"], event["of"])

    def _learnt(self, event: Mapping[str, object]) -> None:
        text = f"revision {event['revision']} from {event['examples']} messages"
        right = f"cross-validated accuracy {_percent(event['accuracy'])}"
        self._line("dim", "learnt", f"{text}, {right}")

    def _phase(self, event: Mapping[str, object]) -> None:
        stage = str(event["stage"])
        colour = _COLOURS.get(stage.split(maxsplit=1)[0], "white")
        self._line(f"bold {colour}", stage, str(event["what"]))

    def _requests(self, event: Mapping[str, object]) -> None:
        colour = {"pass": "green", "fail": "red"}.get(str(event["verdict"]), "yellow")
        note = f"[{colour}]{event['verdict']}[/] on {event['pairs']} pairs"
        if event["missing"]:
            note += f" [dim]{escape(str(event['missing']))}[/]"
        done = event["requests"]
        # Once all messages were sent, they come again from other customers.
        total = event["of"] if int(str(event["of"])) > int(str(done)) else done
        self._bar("requests", done, total, note)

    def _deploy(self, event: Mapping[str, object]) -> None:
        revision = model_of(str(event["revision"]))
        self._line("red", "deployed", f"revision {revision}: its labels slipped by one row")

    def _failure(self, event: Mapping[str, object]) -> None:
        self._line("red", str(event["signal"]), f"to the model's process, {event['process']}")


def stretch_table(tally: Tally) -> Table:
    """Give the table of what happened, stretch by stretch; "it" is the replacement."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("stage", "model"):
        table.add_column(name, no_wrap=True)
    for name in ("calls", "it served", "fell back", "legacy right", "it right", "median ms"):
        table.add_column(name, justify="right")
    for one in tally.stretches:
        table.add_row(*_row(one))
    return table


def _row(one: StageCount) -> Sequence[str]:
    stage = f"canary {one.percent:g} %" if one.stage == "canary" else one.stage
    return (
        f"[{_COLOURS.get(one.stage, 'white')}]{stage}[/]",
        model_of(one.revision)[:8],
        str(one.requests),
        str(one.by_replacement),
        str(one.fallbacks.total()) if one.fallbacks else "-",
        _share(one.legacy_right, one.compared),
        _share(one.replacement_right, one.compared),
        f"{median(one.milliseconds):.1f}" if one.milliseconds else "-",
    )


def summary_lines(summary: Summary) -> list[str]:
    """Give the summary in words."""
    errors = "[green]none[/]" if not summary.caller_errors else f"[red]{summary.caller_errors}[/]"
    lost = "[green]none[/]" if not summary.lost else f"[red]{summary.lost}[/]"
    ends = (
        f"[bold]{summary.endpoint}[/] ends [bold green]{summary.final_stage}[/] after "
        f"{summary.requests} requests in {summary.seconds:g} s; lost: {lost}; "
        f"errors that callers met: {errors}"
    )
    right = (
        f"right answers: legacy {summary.legacy_accuracy:.1%}, replacement "
        f"[green]{summary.replacement_accuracy:.1%}[/] of the {summary.coverage:.1%} of messages "
        "that it did not abstain from"
    )
    lines = [ends, right]
    if summary.fallbacks:
        why = ", ".join(f"{count} {reason}" for reason, count in sorted(summary.fallbacks.items()))
        lines.append(f"legacy answered in its place, so that no caller waited in vain: {why}")
    if summary.rollback is not None:
        back = summary.rollback
        lines.append(
            f"the bad revision {model_of(back.revision)} was taken back after "
            f"{back.after_requests} requests, {back.accuracy:.1%} of its answers right"
        )
    lines.append(
        f"tickets written by legacy: {summary.tickets}, each caught by the trigger and triaged "
        f"beside legacy's own decision: {summary.events}"
    )
    return lines


def model_of(revision: str) -> str:
    """Give the part of a revision that names the learnt model."""
    return revision.partition(".")[0].partition("-")[0] or "-"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _percent(value: object) -> str:
    return f"{value:.1%}" if isinstance(value, float) else "?"
