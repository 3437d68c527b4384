"""The replacement's side of a comparison, kept until legacy has decided too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from ..model import Comparison, Payload, Reply, Request
from ..store.adjudications import Adjudication
from .comparison.compare import compare_labelled, unit_of
from .endpoint import Endpoint
from .journalled import Kept
from .payloads import dumps, loads

__all__ = ["Pending"]


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison needs of a request, and nothing more: not its input as it came.

    ``legacy`` is there where both sides have answered and differ: what is waited for then is what
    turns out to be right. ``differs`` are the paths.
    ``payload`` is the replacement's, None where it abstained. ``sent``: its decision went to
    legacy, whose own may follow from it. ``request`` is masked as for the journal, and ``sealed``
    what of it reviewers may see, where reviewers are to see it.
    """

    request_id: str
    revision: str
    unit: str
    payload: Payload | None
    golden: Payload | None = None
    sent: bool = False
    request: Payload | None = None
    sealed: Mapping[str, str] = {}
    legacy: Payload | None = None
    differs: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, endpoint: Endpoint, request: Request, revision: str, reply: Reply, *, sent: bool
    ) -> Pending:
        """Make it while the request is there."""
        golden, kept = endpoint.golden, endpoint.kept(request.payload)
        return cls(
            request_id=request.id,
            revision=revision,
            unit=unit_of(request.payload, golden),
            payload=None if reply.status == "abstained" else reply.payload,
            golden=None if golden is None else golden.find(request.payload),
            sent=sent,
            request=kept.request,
            sealed=kept.sealed,
        )

    def text(self) -> str:
        """Write it. Raises ``StoreError`` for a value that no payload holds."""
        return dumps({name: getattr(self, name) for name in self.__struct_fields__})

    @classmethod
    def read(cls, text: str) -> Pending:
        """Read what ``text`` wrote. Raises ``StoreError``."""
        fields = cast("dict[str, object]", loads(text))
        return cls(**{**fields, "differs": tuple(fields.get("differs", ()))})  # type: ignore[arg-type]

    def ruled(self, endpoint: Endpoint, right: Payload) -> Adjudication | None:
        """Say which side was right, by what legacy recorded later; None where that does not say.

        Only to be called where ``legacy`` is there.
        """
        winner = endpoint.inline.against(right, self.legacy or {}, self.payload or {}, self.differs)
        if winner == "open":
            return None
        return Adjudication(
            endpoint=endpoint.name,
            revision=self.revision,
            unit=self.unit,
            winner=winner,
            by="outcome",
            why="what legacy recorded later",
        )

    def compared(self, endpoint: Endpoint, legacy: Payload) -> Comparison:
        """Hold legacy's decision against the replacement's, as the journal may hold it.

        Not to be called where the replacement abstained.
        """
        comparison = compare_labelled(
            endpoint,
            self.request_id,
            revision=self.revision,
            unit=self.unit,
            legacy=legacy,
            replacement=self.payload or {},
            label=self.golden,
            kept=lambda: Kept(self.request, self.sealed),
        )
        return endpoint.journalled(comparison)
