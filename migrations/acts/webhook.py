"""``do = "webhook"``: tell a service of somebody else's that a step has come, with one POST."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from ...errors import ConfigError
from ...secret import read_secret
from ..begun import kept
from ..length import length
from ..ports import Ctx, Done, Waiting
from ..post import Post, check_address
from ..span import Span
from .reversible import Reversible

__all__ = ["Webhook"]


class Webhook(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST JSON to ``url``: the run, the step, the endpoint, who, and ``data``.

    It is signed with the ``secret`` (a reference: ``env:NAME`` or ``file:PATH``) as Standard
    Webhooks says, and carries the ``token`` (a reference) as a bearer's. Sent ``tries`` times at
    most, each with ``timeout``, under one ``Webhook-Id`` and ``Idempotency-Key``: who is sent it
    twice can tell. ``undo``: tell too that the step is undone. ``ca`` is a file of certificates
    that are trusted in the place of the system's.
    """

    url: str
    secret: str = ""
    token: str = ""
    data: Mapping[str, object] = {}
    timeout: Span = "10s"
    tries: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    tell_undo: bool = msgspec.field(default=False, name="undo")
    ca: str = ""

    def __post_init__(self) -> None:
        """Hold the address and the timeout against what they can be."""
        if not length(self.timeout, "timeout"):
            raise ValueError("timeout must be above 0")
        try:
            check_address(self.url, "url")
        except ConfigError as error:
            raise ValueError(f"url {error.message}; {error.expected}") from None

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say who is told; the secrets are looked for. Raises ``ConfigError``."""
        self._post(ctx, "do", "")
        return (f"POST {self.url}",)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Tell it. Raises ``RunbookError`` where it is not taken."""
        have = kept(ctx)
        if "message" not in have:
            # Before it is sent: after a crash it is sent again under this id, and who undoes a
            # step that was only begun has to tell of that too.
            have["message"] = secrets.token_hex(12)
            ctx.keep(have)
        return self._told(self._post(ctx, "do", str(have["message"])).send(ctx.stop), have)

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Tell that it is undone, where that is asked for and anything was told."""
        if not self.tell_undo or "message" not in result:
            return Done(told="nobody is told")
        return self._told(self._post(ctx, "undo", str(result["message"])).send(ctx.stop), {})

    def _told(self, status: int | None, have: dict[str, object]) -> Done | Waiting:
        if status is None:
            return Waiting(reason=f"{self.url} has not taken it", missing="another try")
        return Done(result=have | {"status": status}, told=f"{self.url} says {status}")

    def _post(self, ctx: Ctx, event: Literal["do", "undo"], message: str) -> Post:
        place, root = f"{ctx.step.place}.with", ctx.workspace.root
        run = ctx.run.id if ctx.run is not None else 0
        # No time and no attempt: the same id has the same body, however often it is sent.
        body = {
            "type": f"runbook.step.{event}",
            "workspace": ctx.workspace.name,
            "runbook": ctx.runbook.name,
            "run": run,
            "step": ctx.step.name,
            "endpoint": ctx.endpoint.name,
            "who": ctx.run.who if ctx.run is not None else ctx.who,
            "data": self.data,
        }
        return Post(
            url=self.url,
            body=msgspec.json.encode(body, order="sorted"),
            ident=f"fig_{message}_{event}",
            place=f"{place}.url",
            timeout=length(self.timeout, "timeout"),
            tries=self.tries,
            secret=self.secret and read_secret(self.secret, place=f"{place}.secret", root=root),
            token=self.token and read_secret(self.token, place=f"{place}.token", root=root),
            ca=ctx.workspace.path(self.ca) if self.ca else None,
        )
