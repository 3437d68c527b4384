"""The evidence as it is now: what was compared, what each guardrail says, what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from ...model import Stage
from ..span import span_text
from .blocks import Block, Heading, Paragraph, Plot, Span, Table, line
from .given import Board, Proof
from .words import outcome

__all__ = ["evidence"]


def evidence(board: Board) -> Iterator[Block]:
    """Write it."""
    yield Heading("The evidence now")
    proof = board.proof
    if proof is None or not proof.evidence.counts.total:
        yield Paragraph(line("Nothing has been compared yet."))
        return
    verdict = proof.evidence.verdict
    yield Paragraph(line("All guardrails together:", outcome(verdict.outcome), verdict.reason))
    yield Table(
        ("guardrail", "says", "because"),
        [
            (line(one.guardrail), line(outcome(one.outcome)), line(one.reason))
            for one in proof.evidence.verdicts
        ],
    )
    yield from _compared(proof)
    yield from _drawn(proof)
    yield from _fields(proof)
    yield from _missing(proof)


def _compared(proof: Proof) -> Iterator[Block]:
    counts = proof.evidence.counts
    yield Heading("What was compared", 3)
    yield Table(
        ("", "distinct requests", "share"),
        [
            (line(title), line(str(number)), line(f"{number / counts.total:.1%}"))
            for title, number in (
                ("both sides right, or agreed", counts.both),
                ("only legacy right", counts.legacy),
                ("only the replacement right", counts.replacement),
                ("neither right", counts.neither),
                ("they differ, nobody has decided yet", counts.open),
                ("all", counts.total),
            )
        ],
    )
    if proof.times is not None:
        low, high = proof.times
        took = f"The replacement takes {low:.2g} to {high:.2g} times as long as legacy."
        yield Paragraph(line(took))


def _drawn(proof: Proof) -> Iterator[Block]:
    if len(proof.course) < 2:
        return
    yield Heading("How it came to that", 3)
    yield Paragraph(
        line(
            "E-values of the paired test over the pairs, as powers of ten. Where one reaches "
            f"{1 / proof.alpha:g}, it decides; looking often does not make that likelier."
        )
    )
    yield Plot(proof.course, proof.alpha)


def _fields(proof: Proof) -> Iterator[Block]:
    """Tell where they differ, and not in what: this document leaves the house."""
    if not proof.differences:
        return
    yield Heading("Where they differ", 3)
    yield Table(
        ("field", "distinct requests", "who was right"),
        [
            (
                line(one.field),
                line(str(one.count)),
                line(", ".join(f"{who} {count}" for who, count in sorted(one.winners.items()))),
            )
            for one in proof.differences
        ],
    )
    newest = f"By the newest {proof.looked_at} comparisons."
    yield Paragraph(line(newest, "The values stand in", Span("fig evidence", "code"), "only."))


def _missing(proof: Proof) -> Iterator[Block]:
    step, found = proof.next, proof.forecast
    if step is None or step.stage is Stage.SHADOW or not found.missing:
        return
    rung = f"canary {step.percent:g} %" if step.stage is Stage.CANARY else step.stage.value
    yield Heading(f"What is missing for {rung}", 3)
    yield Table(
        ("guardrail", "missing", "about in"),
        [
            (
                line(one.guardrail),
                line(one.missing),
                line("nobody can say" if one.seconds is None else span_text(one.seconds)),
            )
            for one in found.missing
        ],
    )
