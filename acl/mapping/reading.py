"""Reading a record with care: what each row made of it, and all that is wrong at once.

The compiled decoder gives the same payload, quickly; this is asked where it refused, and by those
who want to know where a value came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ..formats.shape import Values
from ..operations.field import shown
from .frame import ABSENT, Frame, around, fetch, located, path_of, text_of
from .link import Link, Place, strictest
from .plan import Cell, Group, Listing
from .problem import Problem

__all__ = ["Once", "Reader", "Reading", "reason"]

How = Literal["value", "else", "nothing", "absent", "constant", "skipped", "failed"]
Complain = Callable[..., Problem]


class Reading(NamedTuple):
    """What a row made of a record, or of one entry of its lists.

    ``texts`` are those of its places, None where there is none. ``how``: a value; ``else``; nothing
    (its ``null``, or an explicit null); absent; its constant; skipped as its conditions do not
    hold; failed. ``at`` is the line or the offset of what it read, "" where nobody knows it.
    """

    link: Link
    how: How
    indices: tuple[int, ...]
    texts: tuple[str | None, ...] = ()
    values: tuple[object, ...] = ()
    at: str = ""


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
        text = text_of(fetch(frame, condition.place))
        value = "nothing" if text is None else shown(text, link.beside_tag)
        texts = [text for one in links for text in one.conditions[0].texts]
        expected = f"{condition.place.path} one of {', '.join(map(repr, dict.fromkeys(texts)))}"
        return self._of(link, frame, "no row applies", value, expected, condition.place)

    def _check(self, link: Link, frame: Frame) -> None:
        reading, problems = self.applied(link, frame)
        if not problems and reading.how != "skipped":
            text = text_of(fetch(frame, link.places[0]))
            if text != link.constant:
                value = "nothing" if text is None else shown(text, link.tag)
                problem = self._of(link, frame, "is another constant", value, repr(link.constant))
                self.problems.append(problem)
        self.readings.append(reading)

    def _link(self, link: Link, frame: Frame) -> tuple[Reading, list[Problem]]:
        """Read a link once in each entry, however many cells it feeds."""
        done = self._done.get((link.number, frame.indices))
        if done is None:
            reading, problems = self.applied(link, frame)
            done = (reading._replace(at=self._at(frame, link.places)), problems)
            self._done[link.number, frame.indices] = done
            self.readings.append(done[0])
            self.problems += done[1]
        return done

    def applied(self, link: Link, frame: Frame) -> tuple[Reading, list[Problem]]:
        """Read one link in one entry, or in the record itself."""
        for condition in link.conditions:
            if text_of(fetch(frame, condition.place)) not in condition.texts:
                return Reading(link, "skipped", frame.indices), []
        return self.held(link, frame, {path: text_of(fetch(frame, at)) for path, at in link.reads})

    def held(
        self, link: Link, frame: Frame, reads: Mapping[str, str | None]
    ) -> tuple[Reading, list[Problem]]:
        """Read a link that applies; ``reads`` are the texts of what it reads besides."""
        if link.row.is_constant:
            return Reading(link, "constant", frame.indices, (), (link.constant,)), []
        texts: list[str | None] = []
        problems: list[Problem] = []
        nothing = False
        for place in link.places:
            found = fetch(frame, place)
            wrong = self._wrong(link, place, found, frame)
            problems += wrong
            text = text_of(found)
            nothing |= text is not None or found is None
            texts.append(None if text in link.row.null else text)
        if problems:
            return Reading(link, "failed", frame.indices, tuple(texts)), problems
        if all(text is None for text in texts):
            how: How = "nothing" if nothing else "absent"
            return Reading(link, how, frame.indices, tuple(texts)), []
        return self._converted(link, frame, tuple(texts), reads)

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
        self,
        link: Link,
        frame: Frame,
        texts: tuple[str | None, ...],
        reads: Mapping[str, str | None],
    ) -> tuple[Reading, list[Problem]]:
        try:
            values = link.chain.decode(texts, reads)
        except Exception as error:  # noqa: BLE001 - a converter of somebody else's
            if link.else_ is not None and self._with_else and isinstance(error, ValueError):
                return Reading(link, "else", frame.indices, texts, (link.else_,)), []
            said = " and ".join(repr(text) for text in texts if text is not None)
            value = shown(texts[0], link.tag) if len(texts) == 1 else shown(said, link.tag)
            expected = reason(link, error, (*texts, *reads.values()))
            problem = self._of(link, frame, "cannot be read", value, expected)
            skipped = self._skipped(link, frame)
            return Reading(link, "failed", frame.indices, texts), [] if skipped else [problem]
        return Reading(link, "value", frame.indices, texts, values), []

    def _at(self, frame: Frame, places: Sequence[Place]) -> str:
        found = (self._places.get(located(frame, place), "") for place in places)
        return ", ".join(dict.fromkeys(at for at in found if at)) if self._places else ""

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
        at = self._at(frame, (place,)) if place else ""
        return self._complain(
            link, message, indices=frame.indices, at=at, value=value, expected=expected
        )


def reason(link: Link, error: Exception, held: Sequence[object]) -> str:
    """Give what a converter expected; a masked value that it repeats is masked there too."""
    if not isinstance(error, ValueError):
        return f"a converter that raises ValueError only, not {type(error).__name__}"
    expected = str(error) or "a converter that says what it expects"
    masked = strictest([link.tag, link.beside_tag]) not in ("", "none")
    if masked and any(str(one) in expected for one in held if one is not None):
        return f"what {link.row.as_} takes"
    return expected
