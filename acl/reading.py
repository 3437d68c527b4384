"""Reading a record with care: what each row made of it, and all that is wrong at once.

The compiled decoder gives the same payload, quickly; this is asked where it refused, and by those
who want to know where a value came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from .field import shown
from .formats.shape import Values
from .link import Link, Place
from .path import Hop, numbered
from .plan import Cell, Group, Listing
from .problem import Problem
from .value import to_text

__all__ = ["Frame", "Once", "Reader", "Reading", "around", "fetch", "path_of", "reason"]

How = Literal["value", "else", "nothing", "absent", "constant", "skipped", "failed"]
Complain = Callable[..., Problem]
ABSENT: Final = object()
_EMPTY: Final[Mapping[str, Any]] = {}


class Frame(NamedTuple):
    """The entries that are gone through, by the way to them; ``indices`` count from 0."""

    entries: Mapping[tuple[Hop, ...], Any]
    indices: tuple[int, ...] = ()

    def inside(self, hops: tuple[Hop, ...], entry: object, index: int) -> Frame:
        """Give the frame of one entry of a list."""
        return Frame({**self.entries, hops: entry}, (*self.indices, index))


class Reading(NamedTuple):
    """What a row made of a record, or of one entry of its lists.

    ``texts`` are those of its places, None where there is none. ``how``: a value; ``else``; nothing
    (its ``null``, or an explicit null); absent; its constant; skipped as its conditions do not
    hold; failed.
    """

    link: Link
    how: How
    indices: tuple[int, ...]
    texts: tuple[str | None, ...] = ()
    values: tuple[object, ...] = ()


@dataclass(slots=True)
class _Found:
    """The value of a node; ``there`` says whether legacy held anything of it.

    ``pending`` are problems only if the group around it is there.
    """

    value: object = None
    there: bool = False
    pending: list[Problem] = field(default_factory=list)


class Reader:
    """Reads by a plan. ``complain`` makes the problems of its side."""

    def __init__(self, plan: Group, *, with_else: bool, complain: Complain) -> None:
        self._plan = plan
        self._with_else = with_else
        self._complain = complain

    def read(
        self, values: Values, places: Mapping[str, str], skip: Sequence[str] = ()
    ) -> tuple[dict[str, Any], list[Reading], list[Problem]]:
        """Give the payload, what each row made of it, and the problems.

        ``places`` names the line or offset of values, by path; ``skip`` are paths of which somebody
        else complained.
        """
        once = Once(self._with_else, self._complain, places, frozenset(skip))
        found = once.group(self._plan, Frame({(): values}), lenient=False)
        payload: Any = found.value
        return payload, once.readings, once.problems


class Once:
    """One record's reading."""

    def __init__(
        self,
        with_else: bool,
        complain: Complain,
        places: Mapping[str, str],
        skip: frozenset[str],
    ) -> None:
        self._with_else = with_else
        self._complain = complain
        self._places = places
        self._skip = skip
        self._done: dict[tuple[int, tuple[int, ...]], tuple[Reading, list[Problem]]] = {}
        self.readings: list[Reading] = []
        self.problems: list[Problem] = []

    def group(self, plan: Group, frame: Frame, *, lenient: bool) -> _Found:
        """Read a group. In a ``lenient`` one, what it needs may turn out to be absent with it."""
        made: dict[str, object] = {}
        whole = _Found(made)
        for link in plan.checks:
            self._check(link, frame)
        for node in plan.nodes:
            if isinstance(node, Cell):
                found = self.cell(node, frame, lenient=lenient)
            elif isinstance(node, Listing):
                found = self._listing(node, frame)
            elif node.optional:
                found = self.group(node, frame, lenient=True)
                if found.there:
                    self.problems += found.pending
                else:
                    found.value = None
                found.pending = []
            else:
                found = self.group(node, frame, lenient=lenient)
            made[node.key] = found.value
            whole.there |= found.there
            whole.pending += found.pending
        return whole

    def _listing(self, node: Listing, frame: Frame) -> _Found:
        entries = around(frame, node.hops[:-1]).get(node.hops[-1].list)
        if entries is None:
            return _Found([] if node.required else None)
        made: list[object] = []
        for index, entry in enumerate(() if isinstance(entries, str) else entries):
            inner = frame.inside(node.hops, entry, index)
            for link in node.checks:
                self._check(link, inner)
            if isinstance(node.entry, Group):
                made.append(self.group(node.entry, inner, lenient=False).value)
                continue
            found = self.cell(node.entry, inner, lenient=True)
            before = len(self.problems)
            self.problems += found.pending
            if found.value is None and len(self.problems) == before and not found.there:
                feed = node.entry.feeds[0]
                if not self._skipped(feed.link, inner):
                    self.problems.append(self._missing(node.entry, inner))
            made.append(found.value)
        return _Found(made, bool(made))

    def cell(self, cell: Cell, frame: Frame, *, lenient: bool) -> _Found:
        """Read a field: the one of its links that applies."""
        found = _Found()
        refused = False
        for feed in cell.feeds:
            reading, problems = self._link(feed.link, frame)
            refused |= bool(problems) or reading.how == "failed" or self._skipped(feed.link, frame)
            if reading.values and found.value is None:
                found.value = reading.values[feed.at]
            found.there |= reading.how == "failed" or (
                found.value is not None and not feed.link.row.is_constant
            )
        if found.value is None and cell.field.required and not refused:
            problem = self._missing(cell, frame)
            (found.pending if lenient else self.problems).append(problem)
        return found

    def _skipped(self, link: Link, frame: Frame) -> bool:
        return any(
            place.path.leaf in self._skip or path_of(place, frame.indices) in self._skip
            for place in link.places
        )

    def _missing(self, cell: Cell, frame: Frame) -> Problem:
        links = [feed.link for feed in cell.feeds]
        applied = [link for link in links if self._link(link, frame)[0].how != "skipped"]
        link = (applied or links)[0]
        if applied:
            place = next((one for one in link.places if fetch(frame, one) is not ABSENT), None)
            message = "is missing" if place is None else "holds nothing"
            return self._of(link, frame, message, "", cell.field.expected, place)
        condition = link.conditions[0]
        text = _text(fetch(frame, condition.place))
        value = "nothing" if text is None else shown(text, condition.tag)
        texts = [text for one in links for text in one.conditions[0].texts]
        expected = f"{condition.place.path} one of {', '.join(map(repr, dict.fromkeys(texts)))}"
        return self._of(link, frame, "no row applies", value, expected, condition.place)

    def _check(self, link: Link, frame: Frame) -> None:
        reading, problems = self.applied(link, frame)
        if not problems and reading.how != "skipped":
            text = _text(fetch(frame, link.places[0]))
            if text != link.constant:
                value = "nothing" if text is None else shown(text, link.tag)
                problem = self._of(link, frame, "is another constant", value, repr(link.constant))
                self.problems.append(problem)
        self.readings.append(reading)

    def _link(self, link: Link, frame: Frame) -> tuple[Reading, list[Problem]]:
        """Read a link once in each entry, however many cells it feeds."""
        done = self._done.get((link.number, frame.indices))
        if done is None:
            done = self.applied(link, frame)
            self._done[link.number, frame.indices] = done
            self.readings.append(done[0])
            self.problems += done[1]
        return done

    def applied(self, link: Link, frame: Frame) -> tuple[Reading, list[Problem]]:
        """Read one link in one entry, or in the record itself."""
        for condition in link.conditions:
            if _text(fetch(frame, condition.place)) not in condition.texts:
                return Reading(link, "skipped", frame.indices), []
        if link.row.is_constant:
            return Reading(link, "constant", frame.indices, (), (link.constant,)), []
        texts: list[str | None] = []
        problems: list[Problem] = []
        nothing = False
        for place in link.places:
            found = fetch(frame, place)
            wrong = self._wrong(link, place, found, frame)
            problems += wrong
            text = _text(found)
            nothing |= text is not None or found is None
            texts.append(None if text in link.row.null else text)
        if problems:
            return Reading(link, "failed", frame.indices, tuple(texts)), problems
        if all(text is None for text in texts):
            how: How = "nothing" if nothing else "absent"
            return Reading(link, how, frame.indices, tuple(texts)), []
        return self._converted(link, frame, tuple(texts))

    def _wrong(self, link: Link, place: Place, found: object, frame: Frame) -> Iterator[Problem]:
        if self._skipped(link, frame):
            return
        message = ""
        if found is ABSENT and not link.may_miss(place):
            message = "is missing"
        elif found is None and not link.may_hold_nothing(place):
            message = "holds nothing"
        if message:
            expected = link.targets[0].field.expected
            yield self._of(link, frame, message, "", expected, place)

    def _converted(
        self, link: Link, frame: Frame, texts: tuple[str | None, ...]
    ) -> tuple[Reading, list[Problem]]:
        reads = {path: _text(fetch(frame, at)) for path, at in link.reads}
        try:
            values = link.chain.decode(texts, reads)
        except Exception as error:  # noqa: BLE001 - a converter of somebody else's
            if link.else_ is not None and self._with_else and isinstance(error, ValueError):
                return Reading(link, "else", frame.indices, texts, (link.else_,)), []
            said = " and ".join(repr(text) for text in texts if text is not None)
            value = shown(texts[0], link.tag) if len(texts) == 1 else shown(said, link.tag)
            expected = reason(link, error, texts)
            problem = self._of(link, frame, "cannot be read", value, expected)
            skipped = self._skipped(link, frame)
            return Reading(link, "failed", frame.indices, texts), [] if skipped else [problem]
        return Reading(link, "value", frame.indices, texts, values), []

    def _of(
        self,
        link: Link,
        frame: Frame,
        message: str,
        value: str,
        expected: str,
        place: Place | None = None,
    ) -> Problem:
        place = place or (link.places[0] if link.places else None)
        at = self._places.get(path_of(place, frame.indices), "") if place else ""
        return self._complain(
            link, message, indices=frame.indices, at=at, value=value, expected=expected
        )


def fetch(frame: Frame, place: Place) -> Any:
    """Give what a place holds; ``ABSENT`` where it is left out."""
    holder = around(frame, place.path.hops)
    if not place.path.last:
        return holder
    return holder.get(place.path.last, ABSENT) if isinstance(holder, Mapping) else ABSENT


def around(frame: Frame, hops: tuple[Hop, ...]) -> Any:
    """Give the entry that hops lead to; one that is not there is empty."""
    if hops in frame.entries:
        return frame.entries[hops]
    outer = around(frame, hops[:-1])
    entries = outer.get(hops[-1].list) if isinstance(outer, Mapping) else None
    for entry in entries or ():
        if _text(entry.get(hops[-1].key)) == hops[-1].value:
            return entry
    return _EMPTY


def _text(found: object) -> str | None:
    return None if found is ABSENT or found is None else to_text(found)


def path_of(place: Place, indices: Sequence[int]) -> str:
    """Give a place's path with its indices: ``line[2].sku``, ``entry[key=COLOUR].value``."""
    return numbered(str(place.path), indices)


def reason(link: Link, error: Exception, held: Sequence[object]) -> str:
    """Give what a converter expected; a masked value that it repeats is masked there too."""
    if not isinstance(error, ValueError):
        return f"a converter that raises ValueError only, not {type(error).__name__}"
    expected = str(error) or "a converter that says what it expects"
    masked = link.tag not in ("", "none")
    if masked and any(str(one) in expected for one in held if one is not None):
        return f"what {link.row.as_} takes"
    return expected
