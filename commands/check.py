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
from ..migrations.schema.upgrade import standing, upgrade
from ..model import Route
from ..ports import Installable
from ..routing.expiry import LATE, expiry
from ..routing.guardrails.meters import check_source
from ..running.columns import unfit as unfit_columns
from ..store.tables import HEAD
from ..store.version import unfit
from .chain import Stop, chain, route_of
from .runbook_parts import names, told
from .screen import Screen, json_option

__all__ = ["check"]


@click.command()
@click.option("--migrate", is_flag=True, help="Bring the store's tables to this version first.")
@click.option("--contract", is_flag=True, help="With --migrate: shut out processes of older code.")
@click.option("--explain", is_flag=True, help="Show the chain that each endpoint goes through.")
@json_option
@click.pass_obj
def check(screen: Screen, migrate: bool, contract: bool, explain: bool, as_json: bool) -> None:
    """Check fig.toml and all that it names: contracts, mappings, adapters, models, the store.

    --migrate only adds to the store, so that processes of the version before run on beside those of
    this one, and may come back. Once they are gone for good, --migrate --contract shuts them out;
    it is refused while one of them lives.

    With --explain it shows instead, for every endpoint, what its requests go through, each guard
    and bound with its figures, and what is done about which error.
    """
    if contract and not migrate:
        raise click.UsageError("--contract goes with --migrate")
    workspace = screen.load()
    if explain:
        _explain(screen, workspace, as_json)
        return
    if migrate:
        upgrade(workspace.store_url, contract=contract)
    found = [(what, *_try(look)) for what, look in _looks(workspace)]
    if as_json:
        for what, text, error in found:
            says = text if error is None else error.message
            parts = {} if error is None else error.as_dict()
            screen.json({"part": what, "ok": error is None, "says": says, **parts})
    else:
        rows = [
            [
                _state(text, error),
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


def _state(text: str, error: FigError | None) -> str:
    if error is not None:
        return "[red]wrong[/]"
    return "[yellow]late[/]" if text.startswith(LATE) else "[green]ok[/]"


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
        *(
            (f"endpoint.{name}.expires", partial(_expires, workspace, name))
            for name, one in workspace.endpoint.items()
            if one.expires is not None
        ),
    ]


def _store(workspace: Workspace) -> str:
    found = standing(workspace.store_url)
    if found is None:
        remedy = "fig check --migrate"
        raise StoreError("there is no store", place=workspace.store, expected=HEAD, remedy=remedy)
    wrong = unfit(found, workspace.store)
    if wrong is not None:
        raise wrong
    if found.tables < HEAD:
        return f"version {found.tables}: what {HEAD} added is left out until fig check --migrate"
    beside = f", open to {found.oldest}: fig check --migrate --contract ends that"
    return f"version {found.tables}{beside if found.open else ''}"


def _masking(workspace: Workspace) -> str:
    ring = app.Masking(workspace).needed_keys()
    return f"{len(ring.ids)} keys, {ring.first} writes" if ring else "needs no keys"


def _legacy(workspace: Workspace, name: str) -> str:
    part = app.adapter(workspace, name)
    for ask in (False, True):
        wrong = unfit_columns(workspace, name, part, ask=ask)
        if wrong is not None:
            raise wrong
    if isinstance(part, Installable):
        waiting = len(part.install_plan())
        return f"fig adapter install {name}: {waiting} statements to run" if waiting else "in place"
    return workspace.legacy[name].adapter


def _replacement(workspace: Workspace, name: str) -> str:
    part = app.provider(workspace, name)
    return f"revision {part.revision}" if part.revision else "no model yet: fig learn"


def _expires(workspace: Workspace, name: str) -> str:
    route = route_of(workspace, name) or Route(endpoint=name)
    return expiry(workspace.endpoint[name], route) or "is not under way"


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
