"""The provider ``rules``: a table of patterns, explicit and without dependencies.

TOML, a ``[[rule]]`` each::

    [[rule]]
    pattern    = 'refund|money back'
    confidence = 0.9
    gives      = { category = "refund", priority = "normal" }

or CSV: the columns ``pattern``, ``confidence`` (may be left out: 1) and one for every output field.
Patterns are Python's regular expressions, found anywhere in the text, in any case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from ..errors import ConfigError, ReplacementUnavailable
from ..model import Reply, Request
from ..options import options as check_options
from .fields import put
from .outputs import exact, text_of
from .rule_table import Rule, read_rules

__all__ = ["RulesOptions", "RulesProvider"]


class RulesOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``[replacement.NAME]`` may hold for ``provider = "rules"``.

    ``table`` is the file of rules, ``text`` the request's field that is read, ``confidence`` the
    reply's field that says how sure ("": none); under ``margin`` it abstains. ``constant`` holds
    further fields of the reply.
    """

    table: str
    text: str = "text"
    confidence: str = ""
    margin: float = 0.0
    constant: Mapping[str, object] = {}


class RulesProvider:
    """Answers with the surest rule that fits; abstains where none does, or two contradict.

    Two contradict when both are the surest and give different things. The revision is 12 hex
    digits over the rules and the options; the argument ``revision`` asks for one, and there is only
    that of the table as it stands. Options: ``RulesOptions``. Raises ``ConfigError``.
    """

    outside: Final = False
    acts: Final = False
    """It runs here: nothing of a request leaves."""

    def __init__(
        self,
        *,
        name: str,
        options: Mapping[str, object],
        place: str = "",
        root: Path = Path(),
        revision: str = "",
    ) -> None:
        self._name = name
        self._place = place or f"replacement.{name}"
        self._options = check_options(RulesOptions, options, self._place)
        self._file = root / self._options.table
        self._asked = revision
        self._rules: tuple[Rule, ...] = ()
        if not 0 <= self._options.margin <= 1:
            raise ConfigError(
                "is not a margin",
                place=f"{self._place}.margin",
                value=str(self._options.margin),
                expected="a confidence from 0 to 1",
            )

    def __repr__(self) -> str:
        """Name it; the options stay out."""
        return f"RulesProvider({self._name!r})"

    @property
    def revision(self) -> str:
        """Give the revision asked for, else that of the table; "" where there is none yet.

        Raises ``ConfigError`` for a table with a mistake.
        """
        if self._asked:
            return self._asked
        return self._digest(read_rules(self._file)) if self._file.exists() else ""

    async def open(self) -> None:
        """Read the table. Raises ``ReplacementUnavailable``, and ``ConfigError`` for a mistake."""
        if not self._file.exists():
            raise ReplacementUnavailable(
                "there is no table of rules",
                place=str(self._file),
                expected="a TOML or CSV file of patterns",
                remedy=f"write it, or mend {self._place}.table",
            )
        self._rules = read_rules(self._file)
        found = self._digest(self._rules)
        if self._asked and self._asked != found:
            raise ReplacementUnavailable(
                "the table and the options are another revision now",
                place=str(self._file),
                value=found,
                expected=self._asked,
                remedy="put the table back, or move the route to its revision",
            )
        self._asked = found

    async def answer(self, request: Request) -> Reply:
        """Answer by the table. Raises ``ReplacementError``."""
        if not self._rules:
            raise ReplacementUnavailable("is not open", place=self._place)
        text = text_of(request, self._options.text, self._place)
        fitting = [rule for rule in self._rules if rule.fits(text)]
        if not fitting:
            return self._abstained(request, 0.0, "no rule fits")
        surest = max(rule.confidence for rule in fitting)
        first, *others = [rule for rule in fitting if rule.confidence == surest]
        if surest < self._options.margin:
            reason = f"{surest:.2f} is under the margin {self._options.margin:.2f}"
            return self._abstained(request, surest, reason)
        against = next((rule for rule in others if rule.gives != first.gives), None)
        if against is not None:
            reason = f"the rules at {first.place} and {against.place} contradict"
            return self._abstained(request, 0.0, reason)
        return Reply(
            request_id=request.id,
            status="ok",
            produced_by=f"{self._name}@{self._asked}",
            payload=self._payload(first),
            confidence=surest,
        )

    async def close(self) -> None:
        """Let go of the table. May be called twice."""
        self._rules = ()

    def _payload(self, rule: Rule) -> dict[str, object]:
        payload: dict[str, object] = {}
        for field, value in (*self._options.constant.items(), *rule.gives.items()):
            put(payload, field, exact(value))
        if self._options.confidence:
            exactly = Decimal(str(rule.confidence)).quantize(Decimal("0.01"))
            put(payload, self._options.confidence, exactly)
        return payload

    def _abstained(self, request: Request, confidence: float, reason: str) -> Reply:
        return Reply(
            request_id=request.id,
            status="abstained",
            produced_by=f"{self._name}@{self._asked}",
            confidence=confidence,
            reason=reason,
        )

    def _digest(self, rules: tuple[Rule, ...]) -> str:
        deciding = msgspec.structs.replace(self._options, table="")
        parts = [rule.deciding for rule in rules]
        encoded = msgspec.json.encode([deciding, parts], order="deterministic")
        return hashlib.sha256(encoded).hexdigest()[:12]
