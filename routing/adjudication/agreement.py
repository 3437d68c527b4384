"""Whether reviewers agree more than by chance.

Cohen's kappa for two (J. Cohen, *A coefficient of agreement for nominal scales*, Educational and
Psychological Measurement 20, 1960); Krippendorff's alpha for any number, who need not all have seen
everything (K. Krippendorff, *Content analysis*, 2004; nominal data).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from ...store.reviews import Review, agreed

__all__ = ["Agreement", "agreement", "cohens_kappa", "krippendorffs_alpha"]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How reviewers did. ``unsure`` counts as no answer, except in ``reviews``.

    ``reviews`` and ``decided`` by reviewer; ``shared`` units were seen by several, ``same`` of them
    with one answer. ``kappa`` is Cohen's where there are two reviewers, ``alpha`` Krippendorff's;
    None where nothing can be said. Of ``judged`` units that people decided as well, the judge
    agreed with them in ``judge_same``.
    """

    reviews: Mapping[str, int]
    unsure: Mapping[str, int]
    units: int
    shared: int
    same: int
    kappa: float | None
    alpha: float | None
    judged: int
    judge_same: int


def agreement(
    reviews: Iterable[Review], judgements: Mapping[str, str], agreeing: int = 1
) -> Agreement:
    """Count what reviewers said, and hold the judge's choice of each unit against theirs."""
    told = list(reviews)
    by_unit: dict[str, dict[str, str]] = {}
    for one in told:
        if one.choice != "unsure":
            by_unit.setdefault(one.unit, {})[one.reviewer] = one.choice
    shared = [choices for choices in by_unit.values() if len(choices) > 1]
    reviewers = sorted({one.reviewer for one in told})
    people = {unit: agreed(choices.values(), agreeing) for unit, choices in by_unit.items()}
    both = [unit for unit in judgements if people.get(unit) is not None]
    return Agreement(
        reviews=Counter(one.reviewer for one in told),
        unsure=Counter(one.reviewer for one in told if one.choice == "unsure"),
        units=len(by_unit),
        shared=len(shared),
        same=sum(len(set(choices.values())) == 1 for choices in shared),
        kappa=_kappa(reviewers, by_unit.values()),
        alpha=krippendorffs_alpha(choices.values() for choices in by_unit.values()),
        judged=len(both),
        judge_same=sum(judgements[unit] == people[unit] for unit in both),
    )


def cohens_kappa(pairs: Collection[tuple[str, str]]) -> float | None:
    """Give kappa of two reviewers' answers to the same units; None where there is no chance.

    That is so where both always gave one and the same answer: agreement by chance is then certain.
    """
    if not pairs:
        return None
    total = len(pairs)
    same = sum(one == other for one, other in pairs) / total
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(first[word] * second[word] for word in first) / total**2
    return None if chance == 1 else (same - chance) / (1 - chance)


def krippendorffs_alpha(units: Iterable[Iterable[str]]) -> float | None:
    """Give alpha of the answers that each unit got; those with one answer say nothing.

    None where there is no pair, or only one answer was ever given.
    """
    seen = Counter[str]()
    observed = 0.0
    for answers in units:
        counted = Counter(answers)
        size = counted.total()
        if size < 2:
            continue
        seen.update(counted)
        pairs = sum(count * (size - count) for count in counted.values())
        observed += pairs / (size - 1)
    total = seen.total()
    expected = sum(count * (total - count) for count in seen.values())
    return None if not expected else 1 - (total - 1) * observed / expected


def _kappa(reviewers: list[str], units: Iterable[Mapping[str, str]]) -> float | None:
    if len(reviewers) != 2:
        return None
    one, other = reviewers
    return cohens_kappa([(said[one], said[other]) for said in units if len(said) == 2])
