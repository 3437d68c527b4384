"""The bounds that sources share: of the whole process, and of each endpoint."""

from __future__ import annotations

from collections.abc import Iterable

from ..bridge.gate import Gate
from ..settings import BridgeSettings, EndpointLimits

__all__ = ["Gates"]


class Gates:
    """Keeps one gate for the process and one for each endpoint, whatever is reloaded."""

    def __init__(self, settings: BridgeSettings) -> None:
        self._process = Gate(settings.at_once)
        self._endpoints: dict[str, Gate] = {}
        self._settings = settings

    def adjust(self, settings: BridgeSettings) -> None:
        """Take other bounds: what is begun goes on, and what is begun next keeps to them."""
        self._settings = settings
        self._process.most = settings.at_once
        for name, gate in self._endpoints.items():
            gate.most = self._of(name)

    def of(self, endpoints: Iterable[str]) -> tuple[Gate, ...]:
        """Give the gates that a source of these endpoints goes through."""
        found = [self._process]
        for name in endpoints:
            if name not in self._endpoints:
                self._endpoints[name] = Gate(self._of(name))
            found.append(self._endpoints[name])
        return tuple(found)

    def _of(self, endpoint: str) -> int:
        return self._settings.endpoint.get(endpoint, EndpointLimits()).at_once
