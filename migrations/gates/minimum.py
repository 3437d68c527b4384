"""``needs = [{ gate = "minimum", time = "24h", samples = 500 }]``: time and samples on a rung."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from ...model import Stage
from ..climb import rung
from ..ports import Ctx, Met, Waiting
from ..rung import Least, Seen
from ..span import Span

__all__ = ["Minimum"]

_Count = Annotated[int, msgspec.Meta(ge=0)]


class Minimum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So long a ``time`` on this rung, *and* so many ``samples`` there, *and* so many ``pairs``.

    Samples are requests that the replacement answered, or was asked in shadow; pairs are distinct
    inputs that both sides answered, with this revision. A long quiet night proves nothing, nor do
    a thousand requests within a minute.
    """

    costly: ClassVar[bool] = False
    time: Span = 0.0
    samples: _Count = 0
    pairs: _Count = 0

    def __post_init__(self) -> None:
        """Hold the time against what it can be; ask for something."""
        if not self._least.text:
            raise ValueError("nothing is asked for: say time, samples or pairs")

    @property
    def _least(self) -> Least:
        return Least.of(self.time, self.samples, self.pairs)

    def asks(self) -> str:
        """Say what it asks for."""
        return f"at least {self._least.text} on this rung"

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Look. Raises ``StoreError``."""
        route, name = ctx.route(), ctx.endpoint.name
        if route.stage is Stage.LEGACY:
            return Waiting(
                reason="the route stands at legacy, where nothing is measured",
                missing=self._least.text,
                command=f"fig route advance {name}",
            )
        seen = Seen.now(ctx)
        missing = self._least.missing(seen)
        if missing:
            reason = f"{rung(route)}: {seen.text}"
            return Waiting(reason=reason, missing=missing, command=f"fig evidence {name}")
        return Met(found=f"{rung(route)}: {seen.text}", evidence=msgspec.structs.asdict(seen))
