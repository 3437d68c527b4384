"""Local times and instants: what a legacy clock meant."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from typing import Literal

__all__ = ["Zone", "parse_zone"]

_OFFSET = re.compile(r"[+-](?:0[0-9]|1[0-4]):[0-5][0-9]")


class Zone:
    """A zone, and what becomes of the two hours a year at which its clocks are changed.

    ``fold`` says which instant a time means that stands there twice (None: refused); ``forward``
    lets a time pass that the clocks left out, as the clock would have shown it unchanged.
    """

    def __init__(
        self,
        zone: dt.tzinfo,
        name: str,
        *,
        fold: Literal["earlier", "later"] | None = None,
        forward: bool = False,
    ) -> None:
        self.name = name
        self._zone = zone
        self._fold = fold
        self._forward = forward

    def instant(self, local: dt.datetime) -> dt.datetime:
        """Give the instant, in UTC. Raises ``ValueError`` with what was expected."""
        first = local.replace(tzinfo=self._zone, fold=0)
        second = first.replace(fold=1)
        early, late = first.utcoffset(), second.utcoffset()
        value = first
        if early != late:
            value = self._chosen(local, first, second)
        try:
            return value.astimezone(dt.UTC)
        except OverflowError:
            raise ValueError("a time of the years 1 to 9999") from None

    def _chosen(self, local: dt.datetime, first: dt.datetime, second: dt.datetime) -> dt.datetime:
        shown = local.isoformat(" ")
        # In a gap the offset before the change is the smaller one.
        if (first.utcoffset() or dt.timedelta()) < (second.utcoffset() or dt.timedelta()):
            if self._forward:
                return first
            raise ValueError(
                f"a time that there is: at {shown} the clocks of {self.name} had gone forward "
                "(gap=forward takes it)"
            )
        if self._fold is None:
            raise ValueError(
                f"a time that there is once: at {shown} the clocks of {self.name} had gone back, "
                "it came twice (fold=earlier or fold=later takes it)"
            )
        return first if self._fold == "earlier" else second

    def local(self, instant: dt.datetime) -> dt.datetime:
        """Give the local time, without a zone. Raises ``ValueError`` where it would not come back.

        A time that comes twice stands for one of its two instants only.
        """
        try:
            there = instant.astimezone(self._zone)
        except OverflowError:
            raise ValueError("a time of the years 1 to 9999") from None
        local = there.replace(tzinfo=None, fold=0)
        if self.instant(local) != instant:
            raise ValueError(
                f"an instant that local time tells: {local.isoformat(' ')} in {self.name} is read "
                f"as the {self._fold} of two"
            )
        return local


def parse_zone(
    name: str, *, fold: Literal["earlier", "later"] | None = None, forward: bool = False
) -> Zone:
    """Read ``Europe/Berlin``, ``UTC`` or ``+02:00``. Raises ``ValueError``."""
    zone: dt.tzinfo
    if name == "UTC":
        zone = dt.UTC
    elif _OFFSET.fullmatch(name):
        minutes = int(name[1:3]) * 60 + int(name[4:6])
        zone = dt.timezone(dt.timedelta(minutes=-minutes if name[0] == "-" else minutes))
    else:
        try:
            zone = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                "a zone of the IANA database such as Europe/Berlin, UTC or +02:00 (where the "
                "system has no such database: pip install tzdata)"
            ) from None
    return Zone(zone, name, fold=fold, forward=forward)
