"""Which differences of a field are noise: a side differs as often from itself.

Each request that a side was asked twice is a pair of pairs: do legacy and the replacement differ
(*raw*), and does the side differ from itself (*noise*)? Two questions, each answered by a test that
stays valid however often one looks:

- *Is it more than noise?* Of the requests where just one of the two holds, raw must be more than
  half: the paired test of ``guardrails/eprocess.py``.
- *Is it explained by noise?* Bet against "raw is at least ``1 + margin`` times as often as noise":
  a stake λ multiplies the capital by 1 - λx, where x is raw less ``1 + margin`` times noise. Under
  that hypothesis the mean of x is not negative, so that no factor's mean is above 1 (I.
  Waudby-Smith and A. Ramdas, *Estimating means of bounded random variables by betting*, JRSS B
  86(1), 2024); averaged over a grid of stakes.

Neither found is no finding: few requests explain nothing. (Diffy's thresholds call 2 against 1 of
10 requests a difference, and nothing bounds how often that is wrong.) The chance that anything is
ever found wrongly is at most ``alpha`` for both questions and all fields of a side together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import exp, log, log1p
from typing import Final, Literal

import msgspec

from ...route_settings import NoiseRules
from ...store.noise import Doubled
from ..guardrails.eprocess import log_e_worse

__all__ = ["FieldNoise", "excused", "field_noise", "log_e_explained"]

_STAKES: Final = tuple((step + 0.5) / 20 for step in range(20))

State = Literal["quiet", "unclear", "difference", "noise"]


class FieldNoise(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one field and one side's noise.

    ``asked`` requests were put to the side twice, in ``differs`` of them it differed from itself.
    Of the ``pairs`` in which the other side's answer is known too, ``raw`` is how often the sides
    differ, ``only_raw`` and ``only_noise`` how often just one of the two. ``state``: ``quiet`` (it
    never differs from itself), ``difference`` (more than noise), ``noise`` (explained by it), else
    ``unclear``. The logarithms are of the e-values, to be held against ln(1/α').
    """

    field: str
    side: Literal["legacy", "replacement"]
    asked: int
    differs: int
    pairs: int
    raw: int
    only_raw: int
    only_noise: int
    log_e_difference: float
    log_e_noise: float
    needed: float
    state: State


def log_e_explained(both: int, only_raw: int, only_noise: int, margin: float) -> float:
    """Give ln E against "raw is at least ``1 + margin`` times as often as noise"."""
    logs = [
        only_raw * log1p(-stake)
        + both * log1p(stake * margin)
        + only_noise * log1p(stake * (1 + margin))
        for stake in _STAKES
    ]
    peak = max(logs)
    return peak + log(sum(exp(one - peak) for one in logs) / len(logs))


def field_noise(seen: Sequence[Doubled], rules: NoiseRules, fields: int) -> tuple[FieldNoise, ...]:
    """Judge each field that differed anywhere, for each side that was asked twice.

    ``fields`` is how many are compared: each is judged at its part of ``alpha``.
    """
    found: list[FieldNoise] = []
    for side in ("legacy", "replacement"):
        mine = [one for one in seen if one.side == side]
        names = {name for one in mine for name in (*one.noise, *(one.raw or ()))}
        found += [_judged(name, mine, rules, max(fields, 1)) for name in sorted(names)]
    return tuple(found)


def excused(found: Iterable[FieldNoise], rules: NoiseRules) -> frozenset[str]:
    """Name the fields whose differences are noise, for the sides whose noise excuses."""
    # What is more than one side's noise may be less than the other's: then it is no difference.
    return frozenset(
        one.field for one in found if one.side in rules.excuses and one.state == "noise"
    )


def _judged(name: str, mine: Sequence[Doubled], rules: NoiseRules, fields: int) -> FieldNoise:
    differs = sum(name in one.noise for one in mine)
    pairs = Counter((name in one.raw, name in one.noise) for one in mine if one.raw is not None)
    both, only_raw, only_noise = pairs[True, True], pairs[True, False], pairs[False, True]
    needed = log(2 * fields / rules.alpha)
    difference = log_e_worse(only_raw, only_noise)
    explained = log_e_explained(both, only_raw, only_noise, rules.margin)
    state: State = "unclear"
    if difference >= needed:
        state = "difference"
    elif explained >= needed:
        state = "noise"
    elif not differs:
        state = "quiet"
    return FieldNoise(
        field=name,
        side=mine[0].side,
        asked=len(mine),
        differs=differs,
        pairs=sum(pairs.values()),
        raw=both + only_raw,
        only_raw=only_raw,
        only_noise=only_noise,
        log_e_difference=difference,
        log_e_noise=explained,
        needed=needed,
        state=state,
    )
