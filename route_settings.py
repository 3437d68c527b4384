"""Tables of ``fig.toml`` about how traffic moves: rules, comparison, guardrails, effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from .errors import ConfigError
from .guardrail_settings import Guardrail

__all__ = [
    "AdjudicationRules",
    "Compared",
    "Dual",
    "FieldRule",
    "Guardrail",
    "Judge",
    "NoiseRules",
    "Review",
    "RightWhen",
    "Routing",
    "Rule",
    "check_ladder",
]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose every key is known."""


class Rule(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``[endpoint.NAME] rules``.

    Requests in which every place of ``when`` has one of its texts go to ``side``, where both sides
    answer (canary and live).
    """

    when: Mapping[str, str | tuple[str, ...]]
    side: Literal["legacy", "replacement"] = "replacement"


class Routing(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[routing]``: what holds for all endpoints.

    ``override_key`` (``env:NAME`` or ``file:PATH``) is the key under which testers' headers are
    signed; none: there are no such headers. ``caller`` says in which header what is known of a
    caller stands, by the name that rules know it by: a proxy before us must set it, and take out
    what callers send under its name.
    """

    override_key: str = ""
    caller: Mapping[str, str] = {}


class FieldRule(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How two values of one output field are held against each other; nothing said: equal or not.

    Numbers are the same ``within`` an absolute difference, a ``relative`` one (of the larger), or
    where they round to the same at ``scale`` digits; all of it in decimals. Days and times are the
    same within ``seconds`` or ``days``. Of a text, ``fold`` names what does not matter (``case``,
    ``blanks``, ``unicode``: NFKC), ``similar`` is the least likeness, and ``xml`` says that it is a
    document, in which elements named in ``unwrap`` stand for their children. A list's ``order`` may
    not matter, or its entries are matched by ``key``. ``function`` is ``py:module:function`` of two
    values, that gives True where they are the same.
    """

    within: str | float | None = None
    relative: str | float | None = None
    scale: int | None = None
    seconds: float | None = None
    days: float | None = None
    fold: tuple[Literal["case", "blanks", "unicode"], ...] = ()
    similar: float | None = None
    xml: bool = False
    unwrap: tuple[str, ...] = ()
    order: bool = True
    key: str | tuple[str, ...] = ()
    function: str = ""


class NoiseRules(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.comparison.noise]``: how sides are asked twice, and what that excuses.

    ``replacement`` and ``legacy`` are percents of the shadowed requests that are put to that side
    once more (legacy only where the operation's effect is ``read``). ``excuses`` names the sides
    whose own noise takes a field out of the verdict. ``alpha`` bounds the chance of a false finding
    among all fields; ``margin`` is how much more often than a side differs from itself the two may
    differ from each other, and still be explained by it (a share of the former).
    """

    replacement: float = 0.0
    legacy: float = 0.0
    excuses: tuple[Literal["legacy", "replacement"], ...] = ("legacy",)
    alpha: float = 0.01
    margin: float = 0.25


class Compared(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.comparison]``: fields left out, how the others are compared, and noise.

    Paths are names of output fields; ``[]`` marks a list, ``*`` stands for any part of a name.
    """

    ignore: tuple[str, ...] = ()
    fields: Mapping[str, FieldRule] = {}
    noise: NoiseRules = NoiseRules()


class RightWhen(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule that says which side is right: where all of ``when`` holds, or by a ``function``.

    ``when`` names values by place: ``request.FIELD``, ``legacy.FIELD`` or ``replacement.FIELD``,
    each with the texts that fit (``"*"``: any but null). ``fields``: only where no other differs.
    """

    right: Literal["both", "legacy", "replacement", "neither", ""] = ""
    when: Mapping[str, str | tuple[str, ...]] = {}
    fields: tuple[str, ...] = ()
    why: str = ""
    function: str = ""


class Judge(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.adjudication.judge]``: a ``[replacement.NAME]`` that is asked who is right.

    ``calls`` in a day at most; a ``sure`` less than that (0..1) leaves a difference open.
    """

    replacement: str
    calls: int = 1_000
    sure: float = 0.0


class Review(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.adjudication.review]``: what people are shown, and how many decide.

    ``agreeing`` reviewers must say the same, and more of them than anything else. ``request`` keeps
    the masked request of each open difference. Values of the tags in ``clear`` are shown to
    reviewers; they are kept encrypted with the keys of masking.
    """

    agreeing: int = 1
    request: bool = True
    clear: tuple[str, ...] = ()


class AdjudicationRules(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.adjudication]``: who decides what the two sides differ in, in this order."""

    order: tuple[Literal["golden", "rule", "outcome", "judge", "people"], ...] = (
        "golden",
        "rule",
        "outcome",
        "judge",
        "people",
    )
    rules: tuple[RightWhen, ...] = ()
    judge: Judge | None = None
    review: Review = Review()


class Dual(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.dual]``: how writes happen on both sides.

    ``key`` is where a caller's own idempotency key stands (``header.NAME`` or ``payload.FIELD``);
    none: every call is another write. ``wait`` are the seconds that a caller waits at most for the
    second side, where that may be read from; ``turn`` those that a write waits for an earlier one
    of its key. What could not be copied is tried again after ``first`` to ``longest`` seconds.
    ``lookup`` names, by side, the ``py:module:function`` that says of a request whether that side
    has it: True, False, or None where it cannot tell.
    """

    key: str = ""
    wait: float = 1.0
    turn: float = 5.0
    first: float = 0.5
    longest: float = 300.0
    lookup: Mapping[Literal["legacy", "replacement"], str] = {}


def check_ladder(percents: Sequence[float], place: str) -> None:
    """Check the percents of a canary. Raises ``ConfigError``."""
    for percent in percents:
        if not 0 < percent < 100:
            expected = "percents above 0 and below 100, rising"
            raise ConfigError("not a percent", place=place, value=str(percent), expected=expected)
    if list(percents) != sorted(set(percents)):
        raise ConfigError("does not rise", place=place, value=str(list(percents)))
