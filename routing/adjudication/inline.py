"""What is decided as soon as two answers have been compared: by golden labels, and by rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from ...acl.operations.contract import Contract, dig
from ...acl.operations.value import from_text
from ...model import Payload
from ...telemetry import log
from ..comparison.comparing import Comparing
from ..comparison.path import field_of
from .rules import Rule

__all__ = ["By", "Case", "Inline", "Ruling", "Winner"]

Winner = Literal["both", "legacy", "replacement", "neither", "open"]
By = Literal["agreement", "golden", "rule", "noise", "outcome", "judge", "people", "none"]


class Case(NamedTuple):
    """Two answers and where they differ. ``request`` is None where it is gone already.

    ``noise`` are paths that differ and that noise explains; ``broken`` those of ``differs`` whose
    function failed.
    """

    names: tuple[str, ...]
    differs: tuple[str, ...]
    noise: tuple[str, ...]
    broken: Mapping[str, str]
    legacy: Payload
    replacement: Payload
    label: Payload | None
    request: Payload | None


class Ruling(NamedTuple):
    """Who was right, who says so, and why."""

    winner: Winner
    by: By
    why: str = ""


_AGREED: Final = Ruling("both", "agreement")
_OPEN: Final = Ruling("open", "none")
_OUTCOMES: Final[Mapping[tuple[bool, bool], Winner]] = {
    (True, True): "both",
    (True, False): "legacy",
    (False, True): "replacement",
    (False, False): "neither",
}


class Inline:
    """Decides by labels and rules, in the endpoint's order. Pure, and never raises."""

    def __init__(
        self, order: Sequence[str], comparing: Comparing, rules: Sequence[Rule], output: Contract
    ) -> None:
        self._steps = tuple(step for step in order if step in ("golden", "rule"))
        self._comparing = comparing
        self._rules = tuple(rules)
        self._output = output

    def decide(self, case: Case) -> Ruling:
        """Decide; ``open`` where neither labels nor rules can."""
        if case.label is None and not case.differs:
            return Ruling("both", "noise", _noise(case)) if case.noise else _AGREED
        if case.broken:
            how = ", ".join(f"{path}: {error}" for path, error in case.broken.items())
            return Ruling("open", "none", f"a comparison's function failed: {how}")
        for step in self._steps:
            ruling = self._golden(case) if step == "golden" else self._rule(case)
            if ruling is not None:
                return ruling
        if case.differs:
            return _OPEN
        return Ruling("both", "noise", _noise(case)) if case.noise else _AGREED

    def against(
        self, right: Payload, legacy: Payload, replacement: Payload, differs: Sequence[str]
    ) -> Winner:
        """Say who was right, by what turned out to be right; open where that does not say it.

        Only fields in which the two differ count, and all of these must stand in ``right``.
        """
        names = {field_of(path).split(".")[0].removesuffix("[]") for path in differs}
        if any(right.get(name) is None for name in names):
            return "open"

        def fits(side: Payload) -> bool:
            told = {name: right[name] for name in names}
            found = self._comparing.differences(told, {name: side.get(name) for name in names})
            fields = {field_of(path) for path in differs}
            return not any(field_of(path) in fields for path in found.paths)

        return _OUTCOMES[fits(legacy), fits(replacement)]

    def _golden(self, case: Case) -> Ruling | None:
        label = case.label
        if label is None:
            return None
        judged = [name for name in label if name.split(".")[0] in case.names]
        if not judged or any(field_of(path) not in label for path in case.differs):
            return None
        old = all(self._right(name, case.legacy, label[name]) for name in judged)
        new = all(self._right(name, case.replacement, label[name]) for name in judged)
        return Ruling(_OUTCOMES[old, new], "golden")

    def _right(self, name: str, payload: Payload, label: object) -> bool:
        # Labels come from a CSV, so they are text whatever the field's type.
        value = dig(payload, tuple(name.split(".")))
        if value == label or str(value) == str(label):
            return True
        field = self._output.by_name.get(name)
        if field is None or value is None:
            return False
        try:
            meant = from_text(field.type, str(label))
        except ValueError:
            return False
        return self._comparing.alike(name, value, meant)

    def _rule(self, case: Case) -> Ruling | None:
        if not case.differs:
            return None
        for rule in self._rules:
            try:
                winner = rule.decide(case.request, case.legacy, case.replacement, case.differs)
            except Exception as error:  # noqa: BLE001 - of a function that is not ours
                # Not its words: they may hold the values.
                why = f"{rule.place} failed: {type(error).__name__}"
                log.warning("%s; the difference stays open", why)
                return Ruling("open", "none", why)
            if winner is not None:
                return Ruling(winner, "rule", rule.why)
        return None


def _noise(case: Case) -> str:
    return "only noise: " + ", ".join(dict.fromkeys(field_of(path) for path in case.noise))
