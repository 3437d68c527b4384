"""The steps that move who answers: shadow, the rungs of the canary, live and retired."""

from __future__ import annotations

from collections.abc import Iterator

from .part import Gate, Part, gate, slug
from .subject import Subject

__all__ = ["canaries", "live", "retire", "shadow", "stores"]

_DAY, _HOUR = 86_400.0, 3_600.0
_FEW = 10.0
"""Percent up to which a rung is short: few are on it, and much of what goes wrong shows there."""


def shadow(subject: Subject) -> Part:
    """Give the step to shadow: legacy answers everybody, and the replacement is asked beside it."""
    writes = "" if subject.effect == "read" else " What it would write is noted and never done."
    return Part(
        name="shadow",
        do="shadow",
        timeout="1h",
        on_timeout="fail",
        why="ask the replacement beside legacy, whose answer stands",
        says=f"Nobody notices: legacy answers everybody, off whose path the replacement is asked."
        f"{writes}",
    )


def canaries(subject: Subject) -> Iterator[Part]:
    """Give a step for each percent of the endpoint's ladder."""
    before = 0.0
    for percent in subject.endpoint.ladder:
        first = before == 0.0
        people = _people(subject, first=first)
        yield Part(
            name=slug(f"canary-{percent:g}"),
            do="canary",
            options={"percent": percent},
            needs=(*_proofs(subject, before), *people),
            undo="freeze" if subject.for_good else "act",
            timeout="21d",
            why=f"{percent:g} % of the keys are answered by the replacement",
            says=_says(subject, first=first),
        )
        before = percent


def live(subject: Subject) -> Part:
    """Give the step to live: the replacement answers everybody, and legacy in need."""
    return Part(
        name="live",
        do="live",
        needs=(
            *_proofs(subject, max(subject.endpoint.ladder, default=0.0)),
            gate("approvals", people=1 if subject.effect == "read" else 2),
        ),
        undo="freeze" if subject.for_good else "act",
        timeout="21d",
        why="the replacement answers everybody; legacy still can",
        says="The cut-over. To put it off until somebody says so, add one of these gates: "
        '{ gate = "window", from = "09:00", to = "16:00", zone = "Europe/Vienna", '
        'days = ["mon", "tue", "wed", "thu"] } or { gate = "file", path = "go-live" }.',
    )


def retire(subject: Subject) -> Part:
    """Give the step that ends the migration: legacy is no longer asked for anything."""
    ends = subject.moves_data
    caught = subject.event and subject.captured
    proofs = (*stores(subject), "checksums") if caught and ends else stores(subject)
    back = (
        "From here no way leads back: what is written after it is not in legacy's store."
        if ends
        else "It may still be taken back, as long as legacy runs."
    )
    return Part(
        name="retire",
        do="retire",
        options={"people": 2},
        needs=("adopted", "verdict", *proofs),
        undo="freeze" if ends or subject.for_good else "act",
        timeout="60d",
        why="legacy is not asked any more, and may be switched off",
        says="Two people must approve of it: fig runbook approve. What the replacement is not sure "
        f"of, or fails at, has nobody to answer it any more: look before, with fig journal "
        f"--endpoint {subject.endpoint.name} --fallbacks. {back}",
    )


def _says(subject: Subject, *, first: bool) -> str:
    if subject.for_good:
        return "What is answered here is done for good. A step forward needs two people."
    if first:
        return "The first callers. Each key stays on its side: raising the percent only adds some."
    return ""


def _people(subject: Subject, *, first: bool) -> tuple[Gate, ...]:
    if subject.for_good:
        return (gate("approvals", people=2),)
    return (gate("approvals", people=1),) if first else ()


def _proofs(subject: Subject, before: float) -> tuple[Gate, ...]:
    """Give what must be shown on the rung that stands before a step: ``before`` percent, or 0."""
    return ("adopted", "verdict", *_stay(subject, before), *stores(subject))


def _stay(subject: Subject, before: float) -> tuple[Gate, ...]:
    stay = subject.stay
    least = subject.endpoint.guardrail.samples
    if stay is None:  # the endpoint says that time means nothing here
        return (gate("minimum", pairs=least),) if not before else (gate("minimum", samples=10),)
    if not before:  # a day has its nights, when others write than by day
        return (gate("minimum", time=_span(max(stay.seconds, _DAY)), pairs=max(least, 500)),)
    usual = _HOUR if before <= _FEW else _DAY
    return (gate("minimum", time=_span(max(stay.seconds, usual)), samples=stay.requests),)


def stores(subject: Subject) -> tuple[Gate, ...]:
    """Give what must hold of the two stores, where both are written."""
    if not subject.moves_data:
        return ()
    caught = subject.captured[0] if subject.event and subject.captured else ""
    return (gate("copied", system=caught), "no-doubts")


def _span(length: float) -> str:
    """Write a length as a runbook does."""
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (60.0, "m")):
        if length >= size and length % size == 0:
            return f"{length / size:g}{unit}"
    return f"{length:g}s"
