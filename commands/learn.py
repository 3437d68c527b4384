"""``fig learn``: train an endpoint's replacement, and see how good it is before it answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .. import app
from .screen import Screen, endpoint_argument, json_option

if TYPE_CHECKING:  # it needs the extra that learning needs
    from ..ai.report import Report

__all__ = ["learn"]

_BAR = 30


@click.command()
@endpoint_argument
@click.option(
    "--from",
    "file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A CSV with a text and a label column, or recorded pairs as JSON lines.",
)
@click.option(
    "--columns",
    metavar="TEXT,LABEL",
    help="The CSV's columns, where they are not named like the operation's fields.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, max_open=True),
    help="Abstain under this confidence; default: chosen from the examples.",
)
@json_option
@click.pass_obj
def learn(
    screen: Screen,
    endpoint: str,
    file: Path,
    columns: str | None,
    margin: float | None,
    as_json: bool,
) -> None:
    """Train ENDPOINT's replacement from labelled examples; nothing is deployed by it."""
    workspace = screen.load()
    with Progress(
        TextColumn("embedding"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=screen.err,
        transient=True,
        disable=not screen.err.is_terminal,
    ) as progress:
        task = progress.add_task("", total=None)
        report = app.learn(
            workspace,
            endpoint,
            file,
            columns=_pair(columns),
            margin=margin,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if as_json:
        screen.json(report)
        return
    _print(screen, endpoint, report)


def _pair(columns: str | None) -> tuple[str, str] | None:
    if columns is None:
        return None
    text, comma, label = columns.partition(",")
    if not comma or not text or not label:
        raise click.UsageError("--columns takes two names with a comma between: text,category")
    return text, label


def _print(screen: Screen, endpoint: str, report: Report) -> None:
    screen.say(
        f"learnt from {report.examples} examples of {report.classes} classes "
        f"({report.duplicates} duplicates left out, {report.contradictions} contradictions)"
    )
    screen.say(
        f"accuracy [bold]{report.accuracy:.1%}[/] on examples it had not seen "
        f"({report.folds} folds; 95 % interval {report.accuracy_low:.1%} to "
        f"{report.accuracy_high:.1%})"
    )
    screen.say(
        f"abstains under a confidence of {report.margin:.2f}: answers {report.coverage:.1%}, "
        f"[bold]{report.selective_accuracy:.1%}[/] of them right"
    )
    _curve(screen, report)
    _calibration(screen, report)
    if report.confused:
        rows = [[escape(one.truth), escape(one.told), str(one.count)] for one in report.confused]
        screen.table(["is", "was called", ">times"], rows, title="most confused")
    worst = sorted(report.per_class, key=lambda one: one.recall)[:8]
    rows = [
        [escape(one.name), str(one.examples), f"{one.recall:.0%}", f"{one.precision:.0%}"]
        for one in worst
    ]
    screen.table(["class", ">examples", ">found", ">right when named"], rows, title="weakest")
    screen.say(f"[green]revision {report.revision}[/] in {escape(report.folder)}")
    screen.note(
        f"it answers nothing yet: fig route advance {escape(endpoint)} (from legacy), "
        f"or fig route deploy {escape(endpoint)} (beyond)"
    )


def _curve(screen: Screen, report: Report) -> None:
    rows = [
        [f"{one.margin:.2f}", f"{one.coverage:.1%}", f"{one.accuracy:.1%}", _bar(one.accuracy)]
        for one in report.curve
    ]
    columns = [">abstain under", ">answers", ">right", ""]
    screen.table(columns, rows, title="what abstaining buys")


def _calibration(screen: Screen, report: Report) -> None:
    rows = [
        [
            f"{one.low:.1f} to {one.high:.1f}",
            str(one.count),
            f"{one.confidence:.1%}" if one.count else "-",
            f"{one.accuracy:.1%}" if one.count else "-",
            _bar(one.accuracy) if one.count else "",
        ]
        for one in report.bins
    ]
    title = f"calibration (expected error {report.calibration_error:.1%})"
    screen.table(["confidence", ">examples", ">said", ">right", ""], rows, title=title)


def _bar(share: float) -> str:
    return "[green]" + "█" * round(share * _BAR) + "[/]"
