"""Rules that say which side is right: a small table, or a function."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, cast

from ... import registry
from ...acl.operations.contract import dig
from ...acl.operations.operation import Operation
from ...acl.operations.value import to_text
from ...errors import ConfigError
from ...model import Payload
from ...route_settings import AdjudicationRules, RightWhen
from ..comparison.path import field_of

__all__ = ["Rule", "compile_rules"]

Right = Literal["both", "legacy", "replacement", "neither"]

_RIGHT: Final[tuple[str, ...]] = ("both", "legacy", "replacement", "neither")
_ANY: Final = "*"
_SIDES: Final = ("request", "legacy", "replacement")

_Function = Callable[[Payload | None, Payload, Payload], object]
"""Gets the request (None where it is gone), both answers; gives who is right, None: no idea."""


class Rule:
    """One rule, compiled. ``place`` names it, ``why`` is what the evidence says of it."""

    def __init__(self, settings: RightWhen, place: str, function: _Function | None) -> None:
        self.place = place
        self.why = settings.why or place
        self._settings = settings
        self._function = function
        self._when = tuple(
            (side, tuple(name.split(".")), (texts,) if isinstance(texts, str) else texts)
            for place, texts in settings.when.items()
            for side, _, name in [place.partition(".")]
        )
        self._fields = frozenset(settings.fields)

    def decide(
        self, request: Payload | None, legacy: Payload, replacement: Payload, differs: Sequence[str]
    ) -> Right | None:
        """Say who is right; None where the rule says nothing. Raises what its function raises."""
        if self._fields and not self._fields.issuperset(field_of(path) for path in differs):
            return None
        sides = {"request": request or {}, "legacy": legacy, "replacement": replacement}
        if not all(_holds(dig(sides[side], path), texts) for side, path, texts in self._when):
            return None
        if self._function is None:
            return cast("Right", self._settings.right)
        told = self._function(request, legacy, replacement)
        if told is not None and told not in _RIGHT:
            raise ValueError(f"gave no one of {', '.join(_RIGHT)}, nor None")
        return cast("Right | None", told)


def compile_rules(
    settings: AdjudicationRules, operation: Operation, place: str
) -> tuple[Rule, ...]:
    """Compile an endpoint's rules, in their order. Called once, and by ``fig check``.

    ``place`` names the endpoint. Raises ``ConfigError`` for a rule that says nothing, or whose
    places are none of the operation's.
    """
    return tuple(
        _compiled(rule, operation, f"{place}.adjudication.rules[{number}]")
        for number, rule in enumerate(settings.rules)
    )


def _compiled(rule: RightWhen, operation: Operation, place: str) -> Rule:
    if bool(rule.right) == bool(rule.function):
        raise ConfigError(
            "says not who is right", place=place, expected="either 'right' or 'function'"
        )
    outputs = operation.output.by_name
    for when in rule.when:
        side, _, name = when.partition(".")
        known: Mapping[str, object] = operation.input.by_name if side == "request" else outputs
        if side not in _SIDES:
            expected = "request.FIELD, legacy.FIELD or replacement.FIELD"
            raise ConfigError("not a place", place=f"{place}.when", value=when, expected=expected)
        _check(name, known, f"{place}.when")
    for name in rule.fields:
        if name not in outputs:
            _check(name, {**outputs, **operation.output.groups}, f"{place}.fields")
    return Rule(rule, place, _function(rule.function, f"{place}.function"))


def _check(name: str, known: Mapping[str, object], place: str) -> None:
    if name in known and "[]" not in name:
        return
    if name in known and place.endswith(".fields"):
        return
    close = difflib.get_close_matches(name, known, n=1)
    raise ConfigError(
        "the operation has no such single field",
        place=place,
        value=repr(name),
        expected="one of " + ", ".join(known),
        remedy=f"did you mean {close[0]!r}?" if close else "mend the name",
    )


def _function(name: str, place: str) -> _Function | None:
    if not name:
        return None
    found = registry.find("converters", name, place=place) if name.startswith("py:") else None
    if not callable(found):
        expected = "py:package.module:function"
        raise ConfigError("not a function", place=place, value=name, expected=expected)
    return cast("_Function", found)


def _holds(value: object, texts: Sequence[str]) -> bool:
    if value is None:
        return False
    try:
        return _ANY in texts or to_text(value) in texts
    except ValueError:
        return False
