"""Which steps a drafted runbook has, in their order, by what its endpoint is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...model import Stage
from .climb import canaries, live, retire, shadow, stores
from .part import Gate, Part, gate, slug
from .subject import Subject

__all__ = ["steps"]


def steps(subject: Subject) -> Sequence[Part]:
    """Give the steps: what is put in place, shadow, and as far from there as this kind may go."""
    return [*_before(subject), shadow(subject), *_history(subject), *_on(subject)]


def _before(subject: Subject) -> Iterator[Part]:
    for number, system in enumerate(subject.captured):
        yield Part(
            name="install" if not number else slug(f"install-{system}"),
            do="install",
            options={"system": system},
            timeout="1h",
            on_timeout="fail",
            why=f"catch what happens in {system}",
            says=f"Statements in somebody else's database: show them to its owner first "
            f"(fig adapter install {system} --dry-run).",
        )
    if subject.trained:
        yield _learn(subject)
    if not subject.event:
        yield Part(
            name="record",
            do="record",
            options={"requests": 100},
            timeout="7d",
            why="see that its callers come through the facade",
            says="Nothing is moved before its traffic is seen: it must go through fig serve.",
        )


def _learn(subject: Subject) -> Part:
    return Part(
        name="learn",
        do="learn",
        options={"file": subject.learns or "learn.csv"},
        undo="keep",
        timeout="2h",
        on_timeout="fail",
        why="train the replacement",
        says="" if subject.learns else "Where the replacement is to be trained first:",
        off=not subject.learns,
    )


def _history(subject: Subject) -> Iterator[Part]:
    """Put what legacy did before to the replacement too, where a table of it is there."""
    if not subject.event or not subject.captured:
        return
    if subject.endpoint.listen.source != subject.captured[0]:
        return
    yield Part(
        name="history",
        do="backfill",
        options={"system": subject.captured[0]},
        needs=("adopted",),
        undo="keep",
        timeout="14d",
        why="the evidence need not wait for new rows",
        says="Reads every row that is there already, and gives way to new ones. In the day's load, "
        'say when it may run: with = { …, window = "22:00-05:00 Europe/Vienna", rate = 200 }.',
    )


def _on(subject: Subject) -> Iterator[Part]:
    if subject.reach is Stage.SHADOW:
        yield _watched(subject, "in-shadow", last=True)
        return
    if subject.moves_data:
        yield from _both_stores(subject.endpoint.name)
    yield from canaries(subject)
    yield live(subject)
    if subject.moves_data:
        yield _turn(subject)
    yield _watched(subject, "watch", last=False)
    yield retire(subject)
    yield from _after(subject)


def _watched(subject: Subject, name: str, *, last: bool) -> Part:
    brisk = subject.stay is None
    return Part(
        name=name,
        do="observe",
        options={
            "time": "0s" if brisk else "7d" if last else "14d",
            "requests": 10 if brisk else 1_000,
            "verdict": True,
        },
        needs=("backfilled",) if last and subject.event and subject.captured else (),
        timeout="60d",
        why="the last proof before legacy is let go" if not last else "see how the two compare",
        says=_ends(subject)
        if last
        else "The guardrail goes on looking, and takes back what gets worse.",
    )


def _ends(subject: Subject) -> str:
    why = f" Why: {subject.no_further}" if subject.no_further else ""
    return f"The last step: as it stands, this endpoint goes no further than shadow.{why}"


def _both_stores(name: str) -> Iterator[Part]:
    yield Part(
        name="data-legacy",
        do="data",
        options={"to": "legacy"},
        needs=("adopted",),
        timeout="1h",
        on_timeout="fail",
        why="from now on it is said who owns what is written",
    )
    yield Part(
        name="both-stores",
        do="data",
        options={"to": "legacy-first"},
        needs=("adopted", gate("approvals", people=1)),
        timeout="14d",
        why="every write goes to both stores; what legacy refuses does not happen",
        says=f"[endpoint.{name}.dual] in fig.toml says how callers' repeats are known, and how a "
        "write is looked up that nobody knows the outcome of. Look at it before.",
    )
    yield Part(
        name="copy-history",
        do="command",
        options={"run": ["ours/copy_history"], "check": ["ours/copy_history", "--is-complete"]},
        undo="keep",
        timeout="7d",
        says="What was written before stands in legacy's store only. Copy it by a program of yours "
        "that may run twice:",
        off=True,
    )


def _turn(subject: Subject) -> Part:
    needs: tuple[Gate, ...] = ("adopted", "verdict", *stores(subject))
    people = gate("approvals", people=2)
    more = ("checksums",) if subject.event and subject.captured else ()
    return Part(
        name="turn",
        do="data",
        options={"to": "replacement-first"},
        needs=(*needs, *more, people),
        timeout="30d",
        why="the replacement's store counts from now on, and legacy's follows",
        says="Legacy's store is behind from here on, by what is not copied yet: a rollback waits "
        "for that.",
    )


def _after(subject: Subject) -> Iterator[Part]:
    for number, system in enumerate(subject.captured):
        listened = system == subject.endpoint.listen.source
        says = (
            "Once the program that writes the table is switched off:"
            if listened
            else f"Nothing is compared any more: what was put into {system} goes."
        )
        yield Part(
            name="remove" if not number else slug(f"remove-{system}"),
            do="remove",
            options={"system": system},
            undo="act",
            timeout="1d",
            why=f"leave nothing behind in {system}",
            says=says,
            off=listened,
        )
