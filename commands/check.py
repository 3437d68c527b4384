"""``fig check``: whether everything in the workspace is right, before anything is started."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import click
from rich.markup import escape

from .. import app
from ..config import Workspace
from ..errors import FigError, StoreError
from ..judging import check_comparison
from ..migrations.schema.upgrade import current, head, upgrade
from ..ports import Installable
from ..routing.guardrails.meters import check_source
from ..running.columns import unfit
from .chain import Stop, chain, route_of
from .runbook_parts import names, told
from .screen import Screen, json_option

__all__ = ["check"]


@click.command()
@click.option("--migrate", is_flag=True, help="Bring the store's tables to this version first.")
@click.option("--explain", is_flag=True, help="Show the chain that each endpoint goes through.")
@json_option
@click.pass_obj
def check(screen: Screen, migrate: bool, explain: bool, as_json: bool) -> None:
    """Check fig.toml and all that it names: contracts, mappings, adapters, models, the store.

    With --explain it shows instead, for every endpoint, what its requests go through, each guard
    and bound with its figures, and what is done about which error.
    """
    workspace = screen.load()
    if explain:
        _explain(screen, workspace, as_json)
        return
    if migrate:
        upgrade(workspace.store_url)
    found = [(what, *_try(look)) for what, look in _looks(workspace)]
    if as_json:
        for what, text, error in found:
            says = text if error is None else error.message
            parts = {} if error is None else error.as_dict()
            screen.json({"part": what, "ok": error is None, "says": says, **parts})
    else:
        rows = [
            [
                "[green]ok[/]" if error is None else "[red]wrong[/]",
                escape(what),
                escape(text if error is None else error.message.partition("\n")[0].rstrip(":")),
            ]
            for what, text, error in found
        ]
        screen.table(["", "part", "says"], rows)
        for _, _, error in found:
            if error is not None:
                screen.error(error)
    worst = next((error for _, _, error in found if error is not None), None)
    sys.exit(worst.exit_status if worst else 0)


def _explain(screen: Screen, workspace: Workspace, as_json: bool) -> None:
    for name in workspace.endpoint:
        found = chain(workspace, name, route_of(workspace, name))
        if as_json:
            screen.json(found)
            continue
        # By hand: a tree of rich's cuts its lines off where they do not fit.
        screen.say(f"[bold]{escape(name)}[/]")
        for stop in found.stops:
            screen.say(f"├── {_words(stop)}")
        screen.say("└── on an error")
        for last, stop in enumerate(found.errors, 1 - len(found.errors)):
            screen.say(f"    {'├' if last else '└'}── {_words(stop)}")


def _words(stop: Stop) -> str:
    figures = ", ".join(f"{name} = {value}" for name, value in stop.figures.items())
    shown = f"  [cyan]{escape(figures)}[/]" if figures else ""
    return f"[bold]{escape(stop.name)}[/]  {escape(stop.says)}{shown}"


def _try(look: Callable[[], str]) -> tuple[str, FigError | None]:
    try:
        return look(), None
    except FigError as error:
        return "", error


def _looks(workspace: Workspace) -> list[tuple[str, Callable[[], str]]]:
    return [
        (workspace.file.name, lambda: f"{len(workspace.endpoint)} endpoints"),
        ("store", partial(_store, workspace)),
        *([("masking", partial(_masking, workspace))] if app.masks(workspace) else []),
        *((f"legacy.{name}", partial(_legacy, workspace, name)) for name in workspace.legacy),
        *(
            (f"replacement.{name}", partial(_replacement, workspace, name))
            for name in workspace.replacement
        ),
        *(
            (f"metrics.{name}", partial(check_source, one))
            for name, one in workspace.metrics.items()
        ),
        *((f"endpoint.{name}", partial(_endpoint, workspace, name)) for name in workspace.endpoint),
        *((f"runbook.{name}", partial(told, workspace, name)) for name in names(workspace.root)),
    ]


def _store(workspace: Workspace) -> str:
    version = current(workspace.store_url)
    if version != head():
        raise StoreError(
            "its tables are of another version" if version else "there is no store",
            place=workspace.store,
            value=version or "",
            expected=head(),
            remedy="fig check --migrate",
        )
    return f"version {version}"


def _masking(workspace: Workspace) -> str:
    ring = app.Masking(workspace).needed_keys()
    return f"{len(ring.ids)} keys, {ring.first} writes" if ring else "needs no keys"


def _legacy(workspace: Workspace, name: str) -> str:
    part = app.adapter(workspace, name)
    for ask in (False, True):
        wrong = unfit(workspace, name, part, ask=ask)
        if wrong is not None:
            raise wrong
    if isinstance(part, Installable):
        waiting = len(part.install_plan())
        return f"fig adapter install {name}: {waiting} statements to run" if waiting else "in place"
    return workspace.legacy[name].adapter


def _replacement(workspace: Workspace, name: str) -> str:
    part = app.provider(workspace, name)
    return f"revision {part.revision}" if part.revision else "no model yet: fig learn"


def _endpoint(workspace: Workspace, name: str) -> str:
    endpoint = app.endpoint_of(workspace, name)
    versions, mapping = app.contract(workspace, endpoint)
    operation = versions.spoken
    golden = app.golden(workspace, endpoint, operation)
    compared = check_comparison(endpoint, operation, app.Masking(workspace))
    labels = f", {len(golden)} golden labels" if golden is not None else ""
    newer = f", the replacement knows {versions.latest.id}" if versions.steps else ""
    outside = ", masked" if endpoint.replacement and app.masked(workspace, endpoint) else ""
    mapped = f"mapping {mapping.digest[:8]}"
    return f"{operation.id} ({operation.effect}), {mapped}{newer}{labels}{outside}{compared}"
