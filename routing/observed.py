"""Where legacy's own decision appears later, and how it is read there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from ..acl.formats.shape import Values
from ..acl.mapping.mapping import CompiledMapping, load_mapping
from ..acl.mapping.side import Side
from ..acl.operations.contract import Contract
from ..acl.operations.operation import Operation
from ..acl.rows import Row
from ..config import Endpoint
from ..errors import ConfigError
from ..model import Payload, Record, Request
from ..settings import Outcome

__all__ = ["Observed", "load_observed"]

_ANY: Final = "*"
_GONE: Final = ("delete", "truncate")
"""Operations after which there is no row that a decision could stand in."""


class Observed:
    """Reads requests' and outcomes' keys, and decisions. Made by ``load_observed``.

    ``digest`` is that of all that decides what counts as legacy's decision on which request.
    """

    def __init__(
        self, config: Endpoint, operation: Operation, mapping: CompiledMapping, outcome: Outcome
    ) -> None:
        self.config = outcome
        self._reply = reply = _reply(mapping, f"endpoint.{config.name}.outcome")
        self.digest = _digest(outcome, mapping)
        self._compared = tuple(
            dict.fromkeys(name.split(".")[0].removesuffix("[]") for name in config.compare)
        )
        self._when = {
            place: (texts,) if isinstance(texts, str) else texts
            for place, texts in outcome.when.items()
        }
        rows = [link.row for link in reply.links if not link.row.is_constant]
        needed = {field.name for field in operation.output.fields if field.required}
        self._needed = _places(
            row
            for row in rows
            if needed.issuperset(row.sources) and not (row.when or row.null or row.optional)
        )
        self._decided = _places(
            row
            for row in rows
            if not self._compared
            or {name.split(".")[0].removesuffix("[]") for name in row.sources} & {*self._compared}
        )

    def request_key(self, request: Request) -> str:
        """Give what a request is joined by; "" where it has nothing."""
        record = request.record
        if not self.config.match:
            return record.key if record is not None else ""
        value: object = request.payload
        for part in self.config.match.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return "" if value is None else str(value)

    def outcome_key(self, record: Record) -> str:
        """Give what an outcome is joined by; "" where it has nothing. Raises ``InputError``."""
        if not self.config.key:
            return record.key
        return _text(self._reply.shape.read(record)[0], self.config.key) or ""

    def decision(self, record: Record) -> Payload | None:
        """Give what legacy decided; None where this record is no decision, or no new one.

        Raises ``InputError`` where it is one that the mapping refuses.
        """
        if record.header("op") in _GONE:
            return None
        values = self._reply.shape.read(record)[0]
        if not self._stands(values) or self._stood(record, values):
            return None
        answer = self._reply.decode(record)
        names = self._compared or tuple(answer)
        return answer if any(answer.get(name) is not None for name in names) else None

    def _stands(self, values: Values) -> bool:
        """Say whether a row holds a decision: nothing needed is unset, every condition holds."""
        return all(_text(values, place) is not None for place in self._needed) and all(
            (found := _text(values, place)) is not None and (_ANY in texts or found in texts)
            for place, texts in self._when.items()
        )

    def _stood(self, record: Record, values: Values) -> bool:
        """Say whether the very same decision stood in the row before it was changed."""
        text = record.header("before")
        if record.header("op") != "update" or text is None:
            return False
        image = msgspec.structs.replace(record, body=text.encode("utf-8", "surrogateescape"))
        before = self._reply.shape.read(image)[0]
        return self._stands(before) and all(
            _text(before, place) == _text(values, place) for place in (*self._decided, *self._when)
        )


def load_observed(
    endpoint: Endpoint, operation: Operation, mapping: CompiledMapping, root: Path
) -> Observed | None:
    """Make what reads an endpoint's outcomes; None where it declares none.

    ``mapping`` is the endpoint's own, which reads them where they have none. Of a mapping file of
    theirs only the ``reply`` rows count: nothing there need feed the input. Raises ``ConfigError``.
    """
    outcome = endpoint.outcome
    if outcome is None:
        return None
    place = f"endpoint.{endpoint.name}.outcome"
    if outcome.mapping:
        bare = Contract(operation.input.title, ())
        unasked = msgspec.structs.replace(operation, input=bare)
        mapping = load_mapping((root / outcome.mapping).resolve(), unasked, root)
    if outcome.within <= 0:
        expected = "seconds, more than 0"
        raise ConfigError(
            "no window", place=f"{place}.within", value=str(outcome.within), expected=expected
        )
    _check_places(outcome, _reply(mapping, place), place)
    _check_match(outcome.match, operation, place)
    return Observed(endpoint, operation, mapping, outcome)


def _check_places(outcome: Outcome, reply: Side, place: str) -> None:
    known = {leaf.path for leaf in reply.shape.leaves}
    for key, name in (("key", outcome.key), *(("when", name) for name in outcome.when)):
        if name and name not in known:
            raise ConfigError(
                "the outcome's record has no such place",
                place=f"{place}.{key}",
                value=repr(name),
                expected="one of " + ", ".join(sorted(known)),
            )


def _check_match(match: str, operation: Operation, place: str) -> None:
    if match and match not in operation.input.by_name:
        raise ConfigError(
            "the operation's input has no such field",
            place=f"{place}.match",
            value=repr(match),
            expected="one of " + ", ".join(sorted(operation.input.by_name)),
        )


def _reply(mapping: CompiledMapping, place: str) -> Side:
    if mapping.reply is None:
        raise ConfigError(
            "nothing reads what legacy decided",
            place=f"{place}.mapping",
            value=mapping.place,
            expected="a mapping with reply rows",
        )
    return mapping.reply


def _digest(outcome: Outcome, mapping: CompiledMapping) -> str:
    said = msgspec.json.encode(
        [mapping.digest, outcome.key, outcome.match, outcome.when], order="deterministic"
    )
    return sha256(said).hexdigest()


def _places(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(place for row in rows for place in row.targets))


def _text(values: Values, place: str) -> str | None:
    found = values.get(place)
    return None if found is None else str(found)
