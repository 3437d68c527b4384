"""What lies in our tables: what waits, what is held back, what was missed, what it takes up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import and_, case, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from ...model import Finding
from .events import EVENTS, GAPS, SUSPECT
from .installation import Installation
from .traffic import ago

__all__ = ["gaps", "waiting"]

_LONG: Final = 600.0
"""Seconds after which what nobody takes is worth a word."""
_OVERDUE: Final = 3_600.0
_SIZES: Final = {
    "postgresql": "SELECT pg_total_relation_size('fig_event')",
    "mysql": "SELECT data_length + index_length FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name = 'fig_event'",
    "sqlite": "SELECT sum(pgsize) FROM dbstat WHERE name = 'fig_event'",
}


def gaps(connection: Connection, installation: Installation) -> Iterator[Finding]:
    """Say what the triggers saw and could not write down."""
    mine = GAPS.c.source == installation.source
    count, newest = connection.execute(
        select(func.count(), func.max(GAPS.c.created_at)).where(mine)
    ).one()
    if not count:
        yield Finding(check="gaps", state="ok", says="none noted", figures={"gaps": 0})
        return
    last = select(GAPS.c.reason).where(mine).order_by(GAPS.c.id.desc()).limit(1)
    reason = str(connection.execute(last).scalar_one()).partition("\n")[0][:200]
    age = installation.dialect.now(connection) - newest
    yield Finding(
        check="gaps",
        state="fail",
        says=f"{count} changes could not be captured, the last one {ago(age)} ago: {reason}",
        remedy=f"mend the reason, then run 'fig adapter reconcile {installation.source}'",
        figures={"gaps": count, "newest_s": round(age, 1)},
    )


def waiting(connection: Connection, installation: Installation, keep: float) -> Iterator[Finding]:
    """Say what waits and for how long, what is dead or held back, and what should be gone."""
    now = installation.dialect.now(connection)
    columns, mine = EVENTS.c, EVENTS.c.source == installation.source
    open_ = columns.done_at.is_(None)
    overdue = and_(columns.done_at < now - keep - _OVERDUE, columns.dead_reason.is_(None))
    counted = {
        "pending": and_(open_, columns.parked != 2),
        "history": and_(open_, columns.priority > 0),
        "parked": and_(open_, columns.parked == 1),
        "blocked": and_(open_, columns.parked == 2),
        "suspect": and_(open_, columns.lost >= SUSPECT),
        "dead": and_(columns.done_at.is_not(None), columns.dead_reason.is_not(None)),
        "overdue": overdue,
    }
    sums = (func.coalesce(func.sum(case((what, 1), else_=0)), 0) for what in counted.values())
    oldest = func.min(case((and_(open_, columns.priority == 0), columns.created_at)))
    row = connection.execute(select(*sums, oldest).where(mine)).one()
    figures = {name: float(count) for name, count in zip(counted, row, strict=False)}
    figures["oldest_s"] = round(max(0.0, now - row[-1]), 1) if row[-1] is not None else 0.0
    figures["bytes"] = _size(connection)
    yield from _told(figures)


def _told(figures: dict[str, float]) -> Iterator[Finding]:
    pending, oldest = figures["pending"], figures["oldest_s"]
    late = pending and oldest > _LONG
    says = f"{pending:.0f} pending" + (f", the oldest {ago(oldest)} old" if pending else "")
    yield Finding(
        check="waiting",
        state="warn" if late else "ok",
        says=says,
        remedy="see whether a bridge takes them: fig bridge status" if late else "",
        figures=figures,
    )
    if figures["blocked"]:
        yield Finding(
            check="blocked",
            state="warn",
            says=f"{figures['blocked']:.0f} dead events hold their keys back",
            remedy="decide on them: fig dead list",
        )
    if figures["dead"]:
        says = f"{figures['dead']:.0f} events were given up, and are kept until that is decided on"
        remedy = "those that nobody has decided on yet: fig dead list"
        yield Finding(check="dead", state="warn", says=says, remedy=remedy)
    if figures["overdue"]:
        yield Finding(
            check="sweep",
            state="warn",
            says=f"{figures['overdue']:.0f} settled events are kept longer than 'keep' says",
            remedy="a running bridge clears them away: see whether one has this source open",
        )


def _size(connection: Connection) -> float:
    statement = _SIZES.get(connection.dialect.name.replace("mariadb", "mysql"), "")
    try:
        return float(connection.exec_driver_sql(statement).scalar() or 0) if statement else 0.0
    except SQLAlchemyError:  # not every SQLite can tell
        return 0.0
