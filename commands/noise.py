"""``fig noise``: how often a side differs from itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import click

from .. import app
from ..config import Workspace
from ..errors import ConfigError, FigError
from ..judging import noise_of
from ..model import Payload
from ..routing.adjudication.noise import settle_noise
from ..routing.asking import ask_replacement
from ..routing.comparison.compare import unit_of
from ..routing.comparison.noise import excused
from ..routing.comparison.twice import again
from ..routing.endpoint import Endpoint
from ..running.bench import bench
from ..store.noise import count_doubled, keep_doubled
from ..store.store import Store
from .noise_samples import Sample, from_file, from_fixtures
from .noise_view import show_noise
from .screen import Screen, endpoint_argument, json_option

__all__ = ["noise"]

_SIDES = ("replacement", "legacy")


@click.command()
@endpoint_argument
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help='JSON lines of {"request": {…}, "reply": {…}}; the reply, legacy\'s, may be left out.',
)
@click.option(
    "--fixtures",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of recorded exchanges.",
)
@click.option(
    "--shadow", type=click.IntRange(1), metavar="N", help="The next N that the shadow asks twice."
)
@click.option("--side", type=click.Choice(_SIDES), default="replacement", show_default=True)
@click.option("--revision", default="", help="Of the replacement.  [default: the route's]")
@json_option
@click.pass_obj
def noise(
    screen: Screen,
    endpoint: str,
    file: Path | None,
    fixtures: Path | None,
    shadow: int | None,
    side: Literal["legacy", "replacement"],
    revision: str,
    as_json: bool,
) -> None:
    """Ask a side of ENDPOINT everything twice, and note how often fields differ.

    Legacy is asked twice only where the operation's effect is read. Without --from, --fixtures or
    --shadow nothing is asked: what is known is shown. A field's differences are taken out of the
    verdict once they are shown to be noise of a side in comparison.noise.excuses.
    """
    if sum(one is not None for one in (file, fixtures, shadow)) > 1:
        raise click.UsageError("--from, --fixtures and --shadow exclude each other")
    workspace = screen.load()
    with app.store(workspace) as store:
        route = app.operator(workspace, store, endpoint, who="").route()
        revision = revision or route.revision or app.full_revision(workspace, endpoint)
        if shadow is not None:
            _wait(screen, workspace, store, endpoint, (side, revision, shadow))
        elif file is not None or fixtures is not None:
            asked = _Asking(workspace, store, endpoint, side, revision)
            asyncio.run(asked.run(file, fixtures))
            if not as_json:
                screen.note(asked.told())
        found = noise_of(workspace, store.database, endpoint, revision)
        excuses = excused(found, workspace.endpoint[endpoint].comparison.noise)
        settled = settle_noise(store, endpoint, revision, excuses)
    if settled and not as_json:
        screen.note(f"{settled} differences that stood open were only noise")
    if as_json:
        for one in found:
            screen.json(one)
        return
    excuses_of = workspace.endpoint[endpoint].comparison.noise.excuses
    show_noise(screen, endpoint, revision, found, excuses_of)


class _Asking:
    """Asks a side everything twice, one request after the other: legacy is not to be hurried."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        name: str,
        side: Literal["legacy", "replacement"],
        revision: str,
    ) -> None:
        self._workspace, self._store, self._name = workspace, store, name
        self._side: Literal["legacy", "replacement"] = side
        self._revision = revision
        self._asked = self._silent = self._again = 0

    async def run(self, file: Path | None, fixtures: Path | None) -> None:
        async with bench(self._workspace, self._name, self._revision) as endpoint:
            self._check(endpoint)
            samples: Iterable[Sample] = ()
            if fixtures is not None:
                samples = from_fixtures(endpoint, fixtures)
            elif file is not None:
                samples = from_file(self._workspace, endpoint, file)
            seen: set[str] = set()
            for one in samples:
                unit = unit_of(one.request.payload, endpoint.golden)
                if unit in seen:
                    self._again += 1
                    continue
                seen.add(unit)
                await self._ask(endpoint, one)
        self._store.journal.flush(30)

    def told(self) -> str:
        parts = [f"{self._asked} requests were put to the {self._side} twice"]
        if self._again:
            parts.append(f"{self._again} came again and were left out")
        if self._silent:
            parts.append(f"{self._silent} got no answer, or not twice")
        return "; ".join(parts)

    def _check(self, endpoint: Endpoint) -> None:
        if self._side == "legacy" and endpoint.operation.effect != "read":
            raise ConfigError(
                "legacy would do everything twice",
                place=f"{endpoint.operation.id}: effect",
                value=endpoint.operation.effect,
                expected="read",
                remedy="measure the replacement's noise: --side replacement",
            )
        if self._side == "legacy" and endpoint.legacy is None:
            raise ConfigError("there is no legacy to ask", place=f"endpoint.{self._name}.legacy")

    async def _ask(self, endpoint: Endpoint, one: Sample) -> None:
        request, legacy = one.request, one.legacy
        if self._side == "legacy":
            legacy = await self._legacy(endpoint, one)
        replacement = await self._replacement(endpoint, one)
        twice = await again(
            endpoint, request, self._revision, self._side, legacy=legacy, replacement=replacement
        )
        if twice is None:
            self._silent += 1
            return
        self._asked += 1
        self._store.journal.append(keep_doubled(twice, request.id))

    async def _legacy(self, endpoint: Endpoint, one: Sample) -> Payload | None:
        record = one.request.record
        if record is None or endpoint.legacy is None:
            raise ConfigError(
                "legacy's message cannot be made",
                place=f"endpoint.{self._name}",
                expected=f"a fixture of {endpoint.config.mapping}, as which messages are written",
            )
        try:
            answer = await endpoint.legacy(record, time.time() + endpoint.timeout)
            return endpoint.mapping.decode_reply(answer)
        except FigError:
            return None

    async def _replacement(self, endpoint: Endpoint, one: Sample) -> Payload | None:
        try:
            reply = await ask_replacement(endpoint, one.request, self._revision)
        except FigError:
            return None
        return reply.payload if reply.status == "ok" else None


def _wait(
    screen: Screen,
    workspace: Workspace,
    store: Store,
    name: str,
    wanted: tuple[str, str, int],
) -> None:
    """Wait until the running processes have asked so many more requests twice."""
    side, revision, count = wanted
    share = getattr(app.endpoint_of(workspace, name).comparison.noise, side)
    if not share:
        raise ConfigError(
            f"no request is put to the {side} twice",
            place=workspace.place("endpoint", name, "comparison", "noise", side),
            expected="a percent of the shadowed requests, such as 5",
        )
    before = count_doubled(store.database, name, revision, side)
    screen.note(f"waiting for {count} requests; {share:g} % of the shadowed ones are asked twice")
    while (now := count_doubled(store.database, name, revision, side) - before) < count:
        if screen.err.is_terminal:
            screen.err.print(f"{now} of {count}", end="\r")
        time.sleep(0.25)
