"""Who must have approved: so many different people, and some of each role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import msgspec

from .ports import Ctx, Waiting

__all__ = ["People", "asked", "began"]

_AGAIN: Final = 2.0


class People(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many must approve a step, and who counts.

    ``who``: only these count; none named: everybody. ``roles``: of each role one of its people at
    least. ``beginner``: whoever began the run counts too.
    """

    people: Annotated[int, msgspec.Meta(ge=1)] = 1
    who: tuple[str, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = {}
    beginner: bool = False

    def counted(self, approved: Iterable[str], began: str) -> list[str]:
        """Give those of the ones who approved that count, each once."""
        return [one for one in dict.fromkeys(approved) if not self._not_counted(one, began)]

    def missing(self, approved: Iterable[str], began: str) -> list[str]:
        """Say what is missing, for people; nothing where it is enough."""
        approved = list(dict.fromkeys(approved))
        have = self.counted(approved, began)
        missing = []
        fewer = self.people - len(have)
        if fewer > 0:
            of = f" of {', '.join(self.who)}" if self.who else ""
            missing.append(f"{fewer} more {'person' if fewer == 1 else 'people'}{of}")
        for role, named in self.roles.items():
            if not set(named) & set(have):
                missing.append(f"one for {role}: {' or '.join(named) or 'nobody is named'}")
        if missing:
            missing += filter(None, (self._not_counted(one, began) for one in approved))
        return missing

    def _not_counted(self, one: str, began: str) -> str:
        if one == began and not self.beginner:
            return f"{one} began the run, and does not count"
        if self.who and one not in self.who:
            return f"{one} is none of those who count"
        return ""


def asked(people: People, ctx: Ctx) -> Waiting | None:
    """Give whom a step waits for; None where all who must have approved it."""
    missing = people.missing((one.who for one in ctx.approvals()), began(ctx))
    if not missing:
        return None
    return Waiting(
        reason="waits for people who approve it",
        missing="; ".join(missing),
        command=f"fig runbook approve {ctx.runbook.name} {ctx.step.name}",
        again_after=_AGAIN,
    )


def began(ctx: Ctx) -> str:
    """Say who began the run; who would, where it is only planned."""
    return ctx.who if ctx.run is None else ctx.run.who
