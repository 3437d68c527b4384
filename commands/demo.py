"""``fig demo``: the main job, on one screen."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

import click
from rich.markup import escape

from ..demo.curve import curve
from ..demo.data import Message, read_messages, split
from ..demo.plot import plot
from ..demo.report import stretch_marks, write_report
from ..demo.screen import StoryScreen, stretch_table, summary_lines
from ..demo.story import Story
from ..demo.workspace import make
from ..errors import InputError
from .screen import Screen

__all__ = ["demo"]

_LEARN_SHARE = 0.6
"""Of the demo's few messages; of somebody's many, more can be learnt from."""

_LEARN_SHARE_OF_MANY = 0.75


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Traffic of your own: a CSV with the columns text,category.",
)
@click.option(
    "--learn-from",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What to learn from, same columns; default: a part of the traffic, taken out of it.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page for the browser.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the workspace in this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON, one a line.")
@click.pass_obj
def demo(
    screen: Screen,
    *,
    data: Path | None,
    learn_from: Path | None,
    report: Path | None,
    keep: Path | None,
    as_json: bool,
) -> None:
    """Move an endpoint of a legacy SOAP service onto a model: real sockets, honest numbers."""
    learn, traffic = _messages(data, learn_from)
    with ExitStack() as stack:
        root = _folder(stack, keep)
        places = make(root, learn, traffic, python=sys.executable, foreign=data is not None)
        listener = screen.json if as_json else _drawing(screen, stack)
        listener(
            {
                "event": "data",
                "learn": len(learn),
                "traffic": len(traffic),
                "categories": len({message.category for message in traffic}),
            }
        )
        story = Story(places, traffic, sys.executable, listener)
        summary = story.run()
        drawn = curve(story.tally.points, story.tally.served)
        if report is not None:
            write_report(report, summary, story.tally, drawn, story.history)
    if as_json:
        screen.json(summary)
        return
    screen.out.print(stretch_table(story.tally))
    marks = stretch_marks(story.tally)
    width = min(screen.out.width, 110)
    colours = screen.out.is_terminal and not screen.out.no_color
    click.echo(plot(drawn, marks, width, colours=colours), color=colours)
    for line in summary_lines(summary):
        screen.say(line)
    if report is not None:
        screen.note(f"the report is in {escape(str(report))}")
    if keep is not None:
        screen.note(
            f"the workspace is in {escape(str(keep))}: fig -w {escape(str(keep))} route list"
        )


def _messages(data: Path | None, learn_from: Path | None) -> tuple[list[Message], list[Message]]:
    share = _LEARN_SHARE if data is None else _LEARN_SHARE_OF_MANY
    if data is None:
        if learn_from is not None:
            raise click.UsageError("--learn-from goes with --data")
        data = Path(str(files("stranglerfig").joinpath("fixtures", "messages.csv")))
    traffic = read_messages(data)
    if learn_from is None:
        return split(traffic, share)
    learn = read_messages(learn_from)
    known = {message.text for message in learn}
    fresh = [message for message in traffic if message.text not in known]
    if len(fresh) < 50:
        raise InputError(
            "too few messages that were not learnt from",
            place=str(data),
            value=f"{len(fresh)} messages",
            expected="at least 50",
            remedy="give traffic that does not stand in --learn-from",
        )
    return learn, fresh


def _folder(stack: ExitStack, keep: Path | None) -> Path:
    if keep is None:
        folder = Path(tempfile.mkdtemp(prefix="fig-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder
    if keep.exists() and any(keep.iterdir()):
        raise InputError(
            "the folder is not empty", place=str(keep), remedy="name an empty or a new one"
        )
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _drawing(screen: Screen, stack: ExitStack) -> Callable[[Mapping[str, object]], None]:
    return stack.enter_context(StoryScreen(screen.out)).take
