"""One rule of a masking policy: what becomes of a tag at a destination."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

import msgspec

from ...errors import ConfigError
from ...options import options

__all__ = ["Action", "Rule", "Scope", "parse_rule"]

Action = Literal["keep", "drop", "redact", "generalise", "token", "pseudonym"]
"""What can become of a value. Only ``token`` can be taken back."""

Scope = Literal["request", "conversation", "tenant"]
"""How far the same value has the same token."""

_ACTIONS: Final = ("keep", "drop", "redact", "generalise", "token", "pseudonym")
_WIDTHS: Final = ("to", "band", "round", "prefix")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """An action with its options.

    ``scope`` is a token's. The others are of ``generalise``, each for fields of one type: ``to``
    for dates and times; ``round`` (to the nearest multiple) or ``band`` (``"1200..1300"``) for
    numbers, "" where neither is given; ``prefix`` is how many characters of a text stay.
    """

    action: Action
    scope: Scope = "request"
    to: Literal["year", "month", "day", "hour"] = "year"
    band: str = ""
    round: str = ""
    prefix: int = 2

    def __str__(self) -> str:
        """Say it in a word or two, for people."""
        return f"{self.action} ({self.scope})" if self.action == "token" else self.action


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    action: Action
    scope: Scope = "request"
    to: Literal["year", "month", "day", "hour"] = "year"
    band: int | float | str = ""
    round: int | float | str = ""
    prefix: int = 2


def parse_rule(value: object, place: str) -> Rule:
    """Read a rule: an action's name, or a table with ``action``. Raises ``ConfigError``."""
    table = {"action": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        expected = 'an action such as "token", or { action = "token", scope = "conversation" }'
        raise ConfigError("not a rule", place=place, value=repr(value), expected=expected)
    if table.get("action") not in _ACTIONS:
        raise ConfigError(
            "not an action",
            place=place if isinstance(value, str) else f"{place}.action",
            value=repr(table.get("action")),
            expected="one of " + ", ".join(_ACTIONS),
        )
    raw = options(_Table, table, place)
    _check(raw, table, place)
    return Rule(
        action=raw.action,
        scope=raw.scope,
        to=raw.to,
        band=str(raw.band),
        round=str(raw.round),
        prefix=raw.prefix,
    )


def _check(raw: _Table, table: Mapping[str, object], place: str) -> None:
    for key in table:
        fits = {"scope": "token"} | dict.fromkeys(_WIDTHS, "generalise")
        if key in fits and raw.action != fits[key]:
            expected = f'only with action = "{fits[key]}"'
            raise ConfigError(
                "has no meaning here", place=f"{place}.{key}", value=raw.action, expected=expected
            )
    for key in ("band", "round"):
        if key in table and not _positive(str(table[key])):
            raise ConfigError(
                "not a width",
                place=f"{place}.{key}",
                value=repr(table[key]),
                expected="a number above 0",
            )
    if "band" in table and "round" in table:
        raise ConfigError("stands beside round", place=f"{place}.band", expected="one of the two")
    if raw.prefix < 0:
        expected = "how many characters stay, from 0"
        raise ConfigError(
            "not a length", place=f"{place}.prefix", value=str(raw.prefix), expected=expected
        )


def _positive(text: str) -> bool:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return False
    return found.is_finite() and found > 0
