"""A judge: a handler that is asked which of two answers is right, not knowing whose they are."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Literal

import msgspec

from ...acl.operations.contract import Contract
from ...acl.operations.field import Field
from ...acl.operations.group import Group
from ...acl.operations.operation import Operation
from ...errors import ContractError, FigError
from ...model import Comparison, Payload, Reply, Request, request_id
from ...route_settings import Judge as Settings
from ...store.line import Line
from ..endpoint import Replacement
from .blind import item, meant
from .seal import Sealing
from .typed import typed

__all__ = ["Judge", "Judgement", "judging_operation"]

_LIMIT: Final = 60.0
"""Seconds that a judge has: nobody waits for it."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge said of a unit. ``choice`` is ``unsure`` where it abstained, or was not sure.

    ``judge`` is its revision. ``failed`` says why there is no answer at all: it may be asked again.
    """

    endpoint: str
    revision: str
    unit: str
    judge: str
    choice: Literal["both", "legacy", "replacement", "neither", "unsure"]
    confidence: float | None = None
    failed: str = ""
    at: float = msgspec.field(default_factory=time.time)

    def line(self, request_id: str = "") -> Line:
        """Give its line of the journal. It holds nothing of the answers, nor the judge's words."""
        return Line(
            kind="judgement",
            endpoint=self.endpoint,
            request_id=request_id,
            revision=self.revision,
            at=self.at,
            data=msgspec.structs.asdict(self),
        )


class Judge:
    """Asks a replacement about one difference at a time, through the door of its own contract.

    ``operation`` is ``judging_operation`` of the endpoint's; ``revision`` is the judge's whole one.
    """

    def __init__(
        self,
        settings: Settings,
        operation: Operation,
        part: Replacement,
        revision: str,
        sealing: Sealing | None = None,
    ) -> None:
        self.settings = settings
        self.revision = revision
        self._operation = operation
        self._part = part
        self._sealing = sealing

    async def judge(self, comparison: Comparison) -> Judgement:
        """Ask. Never raises, whatever the judge does: a judgement that failed says why."""
        request = self._request(comparison)
        try:
            async with asyncio.timeout(_LIMIT):
                reply = await self._part.answer(request, self.revision)
            said = self._said(reply)
        except FigError as error:
            return self._judgement(comparison, "unsure", None, failed=error.message)
        except Exception as error:  # noqa: BLE001 - whatever a provider raises
            # Not its words: they may hold the values.
            return self._judgement(comparison, "unsure", None, failed=type(error).__name__)
        choice = meant(said, self._who, comparison)
        return self._judgement(comparison, choice, reply.confidence)

    @property
    def _who(self) -> str:
        return f"judge {self.revision}"

    def _request(self, comparison: Comparison) -> Request:
        seen = item(self._who, comparison, self._sealing)
        told: Payload = {"request": seen.request, "a": seen.a, "b": seen.b}
        return Request(
            id=request_id(self._who, comparison.unit),
            operation=self._operation.name,
            version=self._operation.version,
            source=f"endpoint.{comparison.endpoint}",
            payload=typed(told, self._operation.input),
            deadline=time.time() + _LIMIT,
        )

    def _said(self, reply: object) -> str:
        if not isinstance(reply, Reply):
            raise ContractError("the answer is no reply", place=self._operation.id)
        if reply.status == "abstained":
            return "unsure"
        if reply.status != "ok" or reply.payload is None:
            raise ContractError(reply.reason or f"answered {reply.status!r}", place="judge")
        self._operation.check_output(reply.payload)
        if self.settings.sure and (reply.confidence or 0.0) < self.settings.sure:
            return "unsure"
        return str(reply.payload["choice"])

    def _judgement(
        self,
        comparison: Comparison,
        choice: Literal["both", "legacy", "replacement", "neither", "unsure"],
        confidence: float | None,
        failed: str = "",
    ) -> Judgement:
        return Judgement(
            endpoint=comparison.endpoint,
            revision=comparison.revision,
            unit=comparison.unit,
            judge=self.revision,
            choice=choice,
            confidence=confidence,
            failed=failed,
        )


def judging_operation(operation: Operation) -> Operation:
    """Make the contract that a judge of an operation's answers speaks: ``NAME.judge``.

    In: ``request``, ``a`` and ``b``, with the fields of the operation under them; all may be
    absent, as what was masked may be. Out: ``choice``, one of a, b, both, neither.
    """
    name = f"{operation.name}.judge"
    title = f"{name}@{operation.version}"
    fields: list[Field] = []
    groups: list[Group] = []
    sides = (("request", operation.input), ("a", operation.output), ("b", operation.output))
    for prefix, side in sides:
        fields += [_loosened(prefix, field) for field in side.fields]
        groups += [
            Group(name=f"{prefix}.{group.name}", required=False) for group in side.groups.values()
        ]
        groups.append(Group(name=prefix, required=False))
    choice = Field(name="choice", type="text", enum=("a", "b", "both", "neither"), tag="none")
    return Operation(
        name=name,
        version=operation.version,
        effect="read",
        input=Contract(f"{title} input", tuple(fields), tuple(groups)),
        output=Contract(f"{title} output", (choice,)),
        digest=operation.digest,
    )


def _loosened(prefix: str, field: Field) -> Field:
    return Field(
        name=f"{prefix}.{field.name}",
        type=field.type,
        required=False,
        zone=field.zone,
        tag=field.tag,
        unit=field.unit,
        description=field.description,
    )
