"""Whether a dead letter would be taken now: its record is decoded, and nothing is changed."""

from __future__ import annotations

from .. import app, config
from ..config import Workspace
from ..errors import ConfigError, FigError, InputError
from ..model import Record
from ..routing.endpoint import Endpoint
from ..routing.observed import load_observed
from ..store.dead_letters import Kept

__all__ = ["Rehearsal"]


class Rehearsal:
    """Runs records through the mappings and contracts of a workspace as they are now."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._loaded: dict[str, Endpoint] = {}

    def refusal(self, one: Kept) -> FigError | None:
        """Give the error by which it would be refused; None where it would be taken.

        Whether the replacement would answer is not asked.
        """
        try:
            for name in self._listening(one):
                self._read(self._endpoint(name), one.letter.record)
        except InputError as error:
            return error
        return None

    def _read(self, endpoint: Endpoint, record: Record) -> None:
        if endpoint.config.listen.source == record.source:
            endpoint.request(record)
        elif endpoint.observed is not None and endpoint.observed.decision(record) is not None:
            endpoint.observed.outcome_key(record)

    def _listening(self, one: Kept) -> list[str]:
        """Name the endpoints that it would come to. Raises ``ConfigError`` where there is none."""
        source, endpoints = one.letter.source, self._workspace.endpoint
        found = [name for name, given in endpoints.items() if _listens(given, source)]
        if one.letter.endpoint in found:
            return [one.letter.endpoint]
        if not found:
            raise ConfigError(
                "no endpoint listens to its source any more",
                place=f"dead letter {one.id}",
                value=source,
                remedy="have one listen to it, or drop the dead letter",
            )
        return found

    def _endpoint(self, name: str) -> Endpoint:
        if name not in self._loaded:
            given = self._workspace.endpoint[name]
            versions, mapping = app.contract(self._workspace, given)
            root = self._workspace.root
            self._loaded[name] = Endpoint(
                config=given,
                operation=versions.spoken,
                versions=versions,
                mapping=mapping,
                observed=load_observed(given, versions.spoken, mapping, root),
            )
        return self._loaded[name]


def _listens(endpoint: config.Endpoint, source: str) -> bool:
    outcome = endpoint.outcome
    return source in (endpoint.listen.source, outcome.source if outcome else "")
