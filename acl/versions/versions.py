"""The versions of an operation: old inputs go up to the latest, its replies come down to theirs.

Handlers know the latest version only. Which one that is depends on where a caller starts: the steps
lead from its version as far as there are files for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ...errors import ConfigError, ContractError
from ...model import Payload
from ..operations.operation import Operation, load_operation
from .step import Step, load_step, versions_of

__all__ = ["Versions", "load_versions"]


class Versions:
    """The operation as somebody speaks it, and the steps from there to the latest version."""

    def __init__(self, spoken: Operation, steps: Sequence[Step]) -> None:
        self.spoken = spoken
        self.steps = tuple(steps)
        self.latest = steps[-1].new if steps else spoken
        self._by_version = {spoken.version: spoken} | {one.new.version: one.new for one in steps}
        self._starts = {step.old.version: at for at, step in enumerate(self.steps)}
        self._starts[self.latest.version] = len(self.steps)
        made_of = hashlib.sha256(self.latest.digest.encode())
        for step in self.steps:
            made_of.update(step.old.digest.encode())
            made_of.update(msgspec.json.encode(step.decides, order="deterministic"))
        self.digest = made_of.hexdigest()
        """The SHA-256 of all that decides what comes up and goes down: part of a revision."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Give the versions there are, the oldest first."""
        return tuple(self._by_version)

    def at(self, version: int) -> Operation:
        """Give the operation of a version. Raises ``ContractError`` where there is none."""
        found = self._by_version.get(version)
        if found is None:
            raise ContractError(
                "no such version",
                place=self.latest.name,
                value=str(version),
                expected="one of " + ", ".join(str(one) for one in self.numbers),
            )
        return found

    def upcast(self, payload: Payload, version: int | None = None) -> dict[str, object]:
        """Carry an input up to the latest version; ``version`` is the spoken one unless given.

        It is checked as what it is and as what it becomes. Raises ``ContractError``.
        """
        operation = self.at(self.spoken.version if version is None else version)
        operation.check_input(payload)
        found = dict(payload)
        for step in self.steps[self._starts[operation.version] :]:
            found = step.up(found)
            step.new.check_input(found)
        return found

    def downcast(self, reply: Payload, version: int | None = None) -> dict[str, object]:
        """Carry a reply of the latest version down; ``version`` is the spoken one unless given.

        It is checked as what it is and as what it becomes. Raises ``ContractError``.
        """
        operation = self.at(self.spoken.version if version is None else version)
        self.latest.check_output(reply)
        found = dict(reply)
        for step in reversed(self.steps[self._starts[operation.version] :]):
            found = step.down(found)
            step.old.check_output(found)
        return found


def load_versions(root: Path, ident: str) -> Versions:
    """Read an operation of a workspace, ``name@version``, and the steps that lead up from it.

    Called once an endpoint, at start: an endpoint whose mapping speaks an older version works with
    handlers of the latest. Raises ``ConfigError`` with file and key.
    """
    spoken = load_operation(root, ident)
    steps: list[Step] = []
    at = spoken
    while (file := _next(root, at)) is not None:
        _, number = versions_of(file)
        new = load_operation(root, f"{at.name}@{number}")
        steps.append(load_step(file, at, new, root))
        at = new
    return Versions(spoken, steps)


def _next(root: Path, operation: Operation) -> Path | None:
    files = sorted((root / "operations").glob(f"{operation.id}-*.toml"))
    if len(files) > 1:
        raise ConfigError(
            "several ways up from one version",
            place=operation.id,
            value=", ".join(file.name for file in files),
            expected="one step from each version",
        )
    return files[0] if files else None
