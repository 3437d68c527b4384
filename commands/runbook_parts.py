"""What a runbook's acts and gates reach in the floors above them, and where its commands begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from .. import app, config
from ..config import Workspace
from ..errors import ConfigError, FigError
from ..migrations.loader import FOLDER, file_of, load, parse
from ..migrations.runbook import Runbook
from ..migrations.site import Said, Site
from ..ports import Installable
from ..routing.operator import Operator
from ..running.fleet import Adoption, adoption
from ..store.run import Run
from ..store.store import Store

__all__ = [
    "WorkspaceParts",
    "file",
    "found",
    "name_of",
    "names",
    "runbook_argument",
    "site",
    "told",
]

_Function = TypeVar("_Function", bound=Callable[..., object])


class WorkspaceParts:
    """``migrations.ports.Parts`` for a workspace."""

    def __init__(self, workspace: Workspace, store: Store) -> None:
        self._workspace, self._store = workspace, store

    def operator(self, endpoint: str, who: str) -> Operator:
        """Give who changes an endpoint's route."""
        return app.operator(self._workspace, self._store, endpoint, who=who)

    def adapter(self, system: str) -> object:
        """Build a legacy system's adapter, of whatever kind."""
        return app.adapter(self._workspace, system)

    def installable(self, system: str) -> Installable:
        """Build an adapter that installs something."""
        return app.installable(self._workspace, system)

    def learn(self, endpoint: str, file: Path, columns: tuple[str, str] | None) -> str:
        """Train a replacement from examples; give the endpoint's new revision."""
        app.learn(self._workspace, endpoint, file, columns=columns)
        return self.revision(endpoint)

    def revision(self, endpoint: str) -> str:
        """Give the newest revision of a replacement."""
        return app.full_revision(self._workspace, endpoint)

    def adopted(self, endpoint: str, version: int) -> Adoption:
        """Say which processes have adopted a version of a route."""
        return adoption(self._store.database, endpoint, version)


def _quiet(said: Said) -> None:
    del said


@contextmanager
def site(workspace: Workspace, who: str, tell: Callable[[Said], None] = _quiet) -> Iterator[Site]:
    """Open a workspace's store, and give where its runbooks are worked on."""
    with app.store(workspace) as store:
        parts = WorkspaceParts(workspace, store)
        yield Site(workspace=workspace, store=store, parts=parts, who=who, tell=tell)


def file(workspace: Workspace, name: str) -> Runbook:
    """Read a runbook's file, by name or path. Raises ``ConfigError`` with those there are."""
    path = file_of(workspace.root, name)
    if not path.exists():
        raise ConfigError(
            "there is no such runbook",
            place=str(path),
            expected="one of " + (", ".join(names(workspace.root)) or "none yet"),
            remedy="write one: fig new runbook ENDPOINT",
        )
    return load(path)


def found(site: Site, name: str) -> tuple[Runbook, Run | None]:
    """Give a runbook and its newest run: one under way as it began, any other as its file says."""
    known = name_of(name)
    run = site.store.runs.last(known)
    if run is not None and not run.finished:
        return parse(run.text, f"{known}.toml"), run
    runbook = file(site.workspace, name)
    # One that has ended with another text tells nothing of this one.
    return runbook, run if run is not None and run.digest == runbook.digest else None


def told(workspace: Workspace, name: str) -> str:
    """Check a runbook, and tell of it in a line. Raises ``ConfigError``."""
    runbook = file(workspace, name)
    if runbook.endpoint not in workspace.endpoint:
        raise ConfigError(
            "there is no such endpoint",
            place=f"{runbook.file}: runbook.endpoint",
            value=runbook.endpoint,
            expected="one of " + (", ".join(workspace.endpoint) or "none yet"),
        )
    late = runbook.expires is not None and runbook.expires < datetime.now(UTC).date()
    until = f", was to have ended by {runbook.expires}: ask {runbook.owner}" if late else ""
    return f"{runbook.endpoint}, {len(runbook.steps)} steps{until}"


def runbook_argument(command: _Function) -> _Function:
    """Add the argument RUNBOOK, completed in the shell from the folder of runbooks."""
    return click.argument("runbook", shell_complete=_complete)(command)


def names(root: Path) -> list[str]:
    """Give the runbooks of a workspace by name."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.toml"))


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    del param
    root = ctx.find_root().params.get("workspace") or Path()
    try:
        known = names(config.load(root).root)
    except FigError:
        return []
    return [name for name in known if name.startswith(incomplete)]


def name_of(runbook: str) -> str:
    """Give the name by which the store knows a runbook."""
    return Path(runbook).name.removesuffix(".toml")
