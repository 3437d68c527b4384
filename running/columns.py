"""Mappings held against the columns of their sources: before a night of dead letters, not after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..acl.mapping.columns import Read, misfits
from ..config import Endpoint, Workspace
from ..errors import ConfigError, FigError
from ..ports import Tabular

__all__ = ["unfit"]


def unfit(
    workspace: Workspace, source: str, part: object, *, ask: bool, compared: bool = True
) -> ConfigError | None:
    """Say what would refuse every row of a source; None: nothing would, or nobody knows.

    ``problems`` of it name each by mapping file, row and column. With ``ask`` the legacy system is
    asked for its columns, else ``fig.toml``. Not ``compared``: rows that only read legacy's own
    decision, to compare it, are left out. Called by ``fig check`` and ``fig adapter doctor``, and
    by a bridge. Blocks where it asks. Raises ``LegacyError``, and ``ConfigError`` for a mapping
    that cannot be read.
    """
    columns = part.columns(ask=ask) if isinstance(part, Tabular) else None
    if columns is None:
        return None
    return _misfit(workspace, source, columns, compared=compared)


def _misfit(
    workspace: Workspace, source: str, columns: Sequence[str], *, compared: bool
) -> ConfigError | None:
    found = [
        one
        for file, read in _files(workspace, source, compared=compared).items()
        for one in misfits(workspace.path(file), columns, read)
    ]
    problems: list[FigError] = [*found, *_outcomes(workspace, source, columns)]
    if not problems:
        return None
    first = problems[0]
    count = f"{len(problems)} problems, first: " if len(problems) > 1 else ""
    error = ConfigError(
        f"every row of legacy.{source} would be refused: {count}{first.message}",
        place=first.place,
        value=first.value,
        expected=first.expected,
        remedy=first.remedy,
    )
    error.problems = tuple(problems)
    return error


def _files(workspace: Workspace, source: str, *, compared: bool) -> Mapping[str, set[Read]]:
    found: dict[str, set[Read]] = {}
    for endpoint in workspace.endpoint.values():
        outcome = endpoint.outcome
        if endpoint.listen.source == source:
            reads = found.setdefault(endpoint.mapping, set())
            reads.add("fields")
            if compared and outcome is None and not endpoint.send:
                reads.add("reply")
        if outcome is not None and outcome.source == source:
            found.setdefault(outcome.mapping or endpoint.mapping, set()).add("reply")
    return found


def _outcomes(workspace: Workspace, source: str, columns: Sequence[str]) -> Iterator[ConfigError]:
    for name, endpoint in workspace.endpoint.items():
        for key, column in _joining(endpoint, source):
            if column not in columns:
                yield ConfigError(
                    "reads a column that never comes",
                    place=workspace.place("endpoint", name, "outcome", key),
                    value=repr(column),
                    expected="one of " + ", ".join(columns),
                )


def _joining(endpoint: Endpoint, source: str) -> Iterator[tuple[str, str]]:
    outcome = endpoint.outcome
    if outcome is not None and outcome.source == source:
        if outcome.key:
            yield "key", outcome.key
        yield from (("when", column) for column in outcome.when)
