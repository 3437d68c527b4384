"""The text of a first runbook: what an engineer would have written, with comments that say why."""

from __future__ import annotations

import datetime as dt
from typing import Final

from .part import comment, toml, written
from .steps import steps
from .subject import Subject

__all__ = ["draft"]

_LASTS: Final = dt.timedelta(days=182)
"""Until when a migration should have ended, if nobody says otherwise: half a year."""

_HEAD: Final = """\
# The migration of {endpoint}: {kind}.
#
#   fig runbook plan {name}      what it would do now, and what blocks it; changes nothing
#   fig runbook apply {name}     does it, and goes on where it stopped
#   fig runbook status {name}    where it stands, and what it waits for
#   fig runbook render {name}    the document for those who decide about it
#
# Steps are done one after the other. "needs" are the gates that a step waits for before it is done;
# "timeout" counts from when its turn came, and "on_timeout" says what it means that it is over.
# A run keeps the text that it began with: mend this file before you begin.

"""


def draft(subject: Subject, runbook: str) -> str:
    """Write a runbook of that name for an endpoint.

    It loads, and plans without anything having been mended. Called by ``fig new runbook``.
    """
    name = subject.endpoint.name
    head = _HEAD.format(endpoint=name, name=runbook, kind=subject.kind)
    why = f"move {name} from {subject.endpoint.legacy or 'legacy'} to {_to(subject)}"
    expires = (subject.endpoint.expires or subject.today + _LASTS).isoformat()
    return (
        f"{head}[runbook]\n"
        f"endpoint = {toml(name)}\n"
        f"owner    = {toml(subject.owner or 'nobody yet')}\n"
        f"why      = {toml(why)}\n"
        f"expires  = {expires}\n"
        f"{_goods(subject)}" + "".join(f"\n{written(part)}" for part in steps(subject))
    )


def _to(subject: Subject) -> str:
    return subject.endpoint.replacement or "its replacement"


def _goods(subject: Subject) -> str:
    if not subject.for_good:
        return ""
    told = (
        "What this endpoint does cannot be taken back. So nothing is undone by itself: where a "
        "step would have to be, the route and the run are frozen, and a person decides."
    )
    return "\n" + comment(told)
