"""``fig review``: decide what two sides differ in, not knowing which of them is which."""

from __future__ import annotations

import asyncio
import getpass
import os
from pathlib import Path

import click
from rich.markup import escape

from .. import app
from ..config import Workspace
from ..errors import ConfigError
from ..judging import sealing_of
from ..routing.adjudication.blind import item
from ..routing.adjudication.judging import Judging
from ..running.bench import judge_bench
from ..store.reviews import Reviews
from ..store.store import Store
from .review_decisions import take
from .review_desk import Desk
from .review_stats import stats
from .screen import Screen, endpoint_argument, json_option

__all__ = ["review"]


def _who() -> str:
    return os.environ.get("FIG_WHO") or getpass.getuser()


@click.command()
@endpoint_argument
@click.option("--reviewer", default=_who, show_default="you", help="Who decides.")
@click.option("--revision", default="", help="Of the replacement.  [default: the route's]")
@click.option("--second", is_flag=True, help="What others decided, without saying what.")
@click.option("--most", type=click.IntRange(1), help="End after so many.")
@click.option(
    "--import",
    "decisions",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take decisions from a CSV or JSON lines: unit, choice, note and reviewer.",
)
@click.option("--judge", is_flag=True, help="Have the judge decide, within its budget.")
@click.option("--stats", "shows_stats", is_flag=True, help="How reviewers agree, and the judge.")
@json_option
@click.pass_obj
def review(
    screen: Screen,
    /,
    endpoint: str,
    reviewer: str,
    revision: str,
    second: bool,
    most: int | None,
    decisions: Path | None,
    judge: bool,
    shows_stats: bool,
    as_json: bool,
) -> None:
    """Decide, without knowing which side is which, what ENDPOINT differs in.

    Answer a, b, both (right), neither, unsure, skip or quit; what follows it is a note. The same
    reviewer sees an item the same way again. --json prints the queue instead, blind as well, for
    'fig review --import'.
    """
    if sum((decisions is not None, judge, shows_stats)) > 1:
        raise click.UsageError("--import, --judge and --stats exclude each other")
    workspace = screen.load()
    with app.store(workspace) as store:
        route = app.operator(workspace, store, endpoint, who="").route()
        revision = revision or route.revision
        reviews = Reviews(store.database, store.inserts, endpoint, revision)
        if judge:
            asyncio.run(_judge(screen, workspace, store, endpoint, revision, most, as_json=as_json))
            return
        settings = workspace.endpoint[endpoint].adjudication.review
        if shows_stats:
            stats(screen, store, reviews, endpoint, revision, settings.agreeing, as_json=as_json)
            return
        if decisions is not None:
            taken = take(reviews, decisions, reviewer, settings.agreeing)
            screen.json(taken) if as_json else screen.say(_told(endpoint, taken))
            return
        _desk(screen, workspace, reviews, endpoint, reviewer, second=second, most=most).run(
            as_json=as_json
        )


def _desk(
    screen: Screen,
    workspace: Workspace,
    reviews: Reviews,
    name: str,
    reviewer: str,
    *,
    second: bool,
    most: int | None,
) -> Desk:
    one = workspace.endpoint[name]
    if "people" not in one.adjudication.order:
        raise ConfigError(
            "people decide nothing here",
            place=workspace.place("endpoint", name, "adjudication", "order"),
            expected="people among those who adjudicate",
        )
    versions, _ = app.contract(workspace, one)
    sealing = sealing_of(one, versions.spoken, app.Masking(workspace))
    done = {said.unit for said in reviews.all() if said.reviewer == reviewer}
    waiting = [
        found for found in reviews.queue(decided=second) if found.comparison.unit not in done
    ]
    return Desk(
        screen,
        reviews,
        [(found.comparison, item(reviewer, found.comparison, sealing)) for found in waiting[:most]],
        reviewer=reviewer,
        agreeing=one.adjudication.review.agreeing,
    )


async def _judge(
    screen: Screen,
    workspace: Workspace,
    store: Store,
    name: str,
    revision: str,
    most: int | None,
    *,
    as_json: bool,
) -> None:
    async with judge_bench(workspace, name) as judge:
        if judge is None:
            raise ConfigError(
                "has no judge",
                place=workspace.place("endpoint", name, "adjudication"),
                remedy="name one: [endpoint.NAME.adjudication.judge] with replacement = …",
            )
        sitting = await Judging(store, judge, name, revision).sit(most)
    if as_json:
        screen.json(sitting)
        return
    screen.say(
        f"{escape(name)}: {sitting.asked} asked, {sitting.decided} decided, "
        f"{sitting.unsure} unsure, {sitting.failed} failed; {sitting.left} calls left today"
    )


def _told(name: str, taken: dict[str, int]) -> str:
    return f"{escape(name)}: " + ", ".join(f"{count} {what}" for what, count in taken.items())
