"""A provider's reply: what was told, the fields derived from it, constants and the confidence."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from ..errors import ConfigError, ReplacementError
from ..model import Request
from .fields import put, take

__all__ = ["Derive", "Outputs", "exact", "text_of"]


class Derive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``{ from = FIELD, table = { VALUE = … }, else = … }``: a reply field taken from another.

    ``from`` may be left out: it is the field that is told. Without ``else`` the table must hold
    every value.
    """

    table: Mapping[str, object]
    source: str = msgspec.field(default="", name="from")
    otherwise: object = msgspec.field(default=None, name="else")


class Outputs:
    """Builds reply payloads. ``predicts`` is the field that is told; ``place`` names the options.

    Raises ``ConfigError`` where a field is derived from one that is not there.
    """

    def __init__(
        self,
        *,
        predicts: str,
        confidence: str,
        derive: Mapping[str, Derive],
        constant: Mapping[str, object],
        place: str,
    ) -> None:
        self._predicts = predicts
        self._confidence = confidence
        self._derive = derive
        self._constant = {field: exact(value) for field, value in constant.items()}
        self._place = place
        for field, rule in derive.items():
            if rule.source not in {"", predicts}:
                raise ConfigError(
                    "is not a field that is told",
                    place=f"{place}.derive.{field}.from",
                    value=repr(rule.source),
                    expected=repr(predicts),
                )

    def check(self, told: tuple[str, ...]) -> None:
        """Raise ``ConfigError`` where a value that may be told has no place in a table."""
        for field, rule in self._derive.items():
            absent = [value for value in told if value not in rule.table]
            if rule.otherwise is None and absent:
                raise ConfigError(
                    "does not hold every value that may be told",
                    place=f"{self._place}.derive.{field}.table",
                    expected=", ".join(repr(value) for value in absent[:5]),
                    remedy="add them, or add 'else'",
                )

    def payload(self, told: str, confidence: float) -> dict[str, object]:
        """Give the whole payload. The confidence stands in it with two digits, exact."""
        payload: dict[str, object] = {}
        for field, value in self._constant.items():
            put(payload, field, value)
        put(payload, self._predicts, told)
        for field, rule in self._derive.items():
            put(payload, field, exact(rule.table.get(told, rule.otherwise)))
        if self._confidence:
            put(payload, self._confidence, Decimal(str(confidence)).quantize(Decimal("0.01")))
        return payload


def exact(value: object) -> object:
    """Turn TOML's binary fractions into the decimals that were written: payloads hold no float."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, Mapping):
        return {key: exact(one) for key, one in value.items()}
    if isinstance(value, list):
        return [exact(one) for one in value]
    return value


def text_of(request: Request, field: str, place: str) -> str:
    """Give the request's text field. Raises ``ReplacementError`` where it is absent or not text."""
    try:
        text = take(request.payload, field)
    except KeyError:
        raise ReplacementError(
            "the request has no such field", place=f"{place}.text", value=repr(field)
        ) from None
    if not isinstance(text, str):
        raise ReplacementError(
            "the request's field is not text",
            place=f"{place}.text",
            value=f"{field!r} is {type(text).__name__}",
        )
    return text
