"""The probes of a process: ``/live``, ``/ready``, ``/status`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from ..facades.http import Answer, App, HttpRequest
from ..store.waiting import Waiting
from .exposition import CONTENT_TYPE, exposition
from .metrics import families
from .status import ProcessStatus

__all__ = ["Health"]

_TEXT: Final = b"text/plain; charset=utf-8"
_FRESH: Final = (b"cache-control", b"no-store")


class Health(App):
    """Answers probes. Nothing in its answers is a payload or a secret.

    ``Serving`` runs it on the process's own loop, so that an answer is proof of that loop turning.
    ``status`` gives the process as it is now, ``counts`` its counters, ``waiting`` what waits in
    the store (None while nobody knows), ``about`` the labels of ``fig_info``.
    """

    def __init__(
        self,
        *,
        status: Callable[[], ProcessStatus],
        counts: Callable[[], Mapping[tuple[str, ...], float]],
        waiting: Callable[[], Waiting | None],
        about: Mapping[str, str],
    ) -> None:
        self._status, self._counts, self._waiting = status, counts, waiting
        self._about = about

    def limit(self, request: HttpRequest) -> int:  # noqa: ARG002 - the protocol's
        """Take no body (called by the server)."""
        return 0

    def too_large(self, request: HttpRequest) -> Answer:  # noqa: ARG002 - the protocol's
        """Refuse a body (called by the server)."""
        return _says(413, "a probe has no body")

    async def answer(self, request: HttpRequest) -> Answer:
        """Answer a probe (called by the server)."""
        found: Mapping[str, Callable[[], Answer]] = {
            "/live": self._live,
            "/ready": self._ready,
            "/status": self._whole,
            "/metrics": self._metrics,
        }
        make = found.get(request.path)
        if make is None:
            return _says(404, "there are: " + " ".join(found))
        if request.method not in {"GET", "HEAD"}:
            return _says(405, "only GET and HEAD", (b"allow", b"GET, HEAD"))
        return make()

    def _live(self) -> Answer:
        status = self._status()
        return _says(200, "live") if status.live else _says(503, "\n".join(status.stuck))

    def _ready(self) -> Answer:
        status = self._status()
        # What is missing is said also where the process is ready all the same.
        said = "\n".join(["ready" if status.ready else "not ready", *status.missing])
        return _says(200 if status.ready else 503, said)

    def _whole(self) -> Answer:
        whole = {**msgspec.to_builtins(self._status()), "waiting": self._waiting()}
        body = msgspec.json.encode(whole, order="sorted") + b"\n"
        return Answer.own(200, body, _FRESH, kind=b"application/json")

    def _metrics(self) -> Answer:
        found = families(self._counts(), self._status(), self._waiting(), self._about)
        return Answer.own(200, exposition(found).encode(), _FRESH, kind=CONTENT_TYPE)


def _says(status: int, text: str, *extra: tuple[bytes, bytes]) -> Answer:
    return Answer.own(status, f"{text}\n".encode(), _FRESH, *extra, kind=_TEXT)
