"""The provider ``local``: sentence embeddings and a classifier, offline, in this process.

What it needs (numpy, onnxruntime, tokenizers) is imported when it is opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ..errors import ConfigError, ReplacementUnavailable
from ..model import Reply, Request
from ..options import options as check_options
from ..registry import missing
from . import artefact
from .outputs import Derive, Outputs, text_of
from .owner import Owner, Work

__all__ = ["LocalOptions", "LocalProvider"]

Told = tuple[str, float]


class LocalOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``[replacement.NAME]`` may hold for ``provider = "local"``.

    ``model`` is the folder that ``fig learn`` writes; ``text`` the request's field that is read,
    ``predicts`` the reply's that is told, ``confidence`` the reply's that says how sure ("": none).
    ``margin`` stands in place of the learnt one. ``threads`` are those of one run of the model.
    """

    model: str
    text: str = "text"
    predicts: str = "category"
    confidence: str = ""
    margin: float | None = None
    derive: Mapping[str, Derive] = {}
    constant: Mapping[str, object] = {}
    threads: int = 1

    def digest(self) -> str:
        """Give 8 hex digits over the options that decide answers."""
        deciding = msgspec.structs.replace(self, model="", threads=1)
        encoded = msgspec.json.encode(deciding, order="deterministic")
        return hashlib.sha256(encoded).hexdigest()[:8]


class LocalProvider:
    """Classifies one text field of a request; abstains where it is not sure.

    Its revision is ``<artefact>-<options>``: the 12 hex digits of what was learnt (its folder's
    name), and 8 over the options that decide answers. The argument ``revision`` asks for one, whole
    or by the artefact alone; "" is the newest. Options: ``LocalOptions``. Raises ``ConfigError``.
    """

    outside: Final = False
    acts: Final = False
    """It runs here: nothing of a request leaves."""

    def __init__(
        self,
        *,
        name: str,
        options: Mapping[str, object],
        place: str = "",
        root: Path = Path(),
        revision: str = "",
    ) -> None:
        self._name = name
        self._place = place or f"replacement.{name}"
        self._options = check_options(LocalOptions, options, self._place)
        _check(self._options, self._place)
        self._folder = root / self._options.model
        self._asked = revision
        self._margin = 1.0
        self._outputs = Outputs(
            predicts=self._options.predicts,
            confidence=self._options.confidence,
            derive=self._options.derive,
            constant=self._options.constant,
            place=self._place,
        )
        self._owner: Owner[Told] = Owner(self._place, self._load)

    def __repr__(self) -> str:
        """Name it; the options stay out."""
        return f"LocalProvider({self._name!r})"

    @property
    def revision(self) -> str:
        """Give ``<artefact>-<options>``; "" where nothing was learnt yet.

        Until it is opened the newest may change. Raises ``ReplacementUnavailable`` where CURRENT
        cannot be used.
        """
        kept, _, digest = self._asked.partition("-")
        kept = kept or artefact.current(self._folder)
        return f"{kept}-{digest or self._options.digest()}" if kept else ""

    async def open(self) -> None:
        """Load the model in its own thread. Raises ``ReplacementUnavailable``, ``ConfigError``."""
        self._asked = self._wanted()
        await self._owner.open()

    async def answer(self, request: Request) -> Reply:
        """Tell the class of the request's text. Raises ``ReplacementError``."""
        text = text_of(request, self._options.text, self._place)
        if not text.strip():
            return self._abstained(request, 0.0, "the text is empty")
        told, confidence = await self._owner.ask(text, request.deadline)
        if confidence < self._margin:
            reason = f"{confidence:.2f} is under the margin {self._margin:.2f}"
            return self._abstained(request, confidence, reason)
        return Reply(
            request_id=request.id,
            status="ok",
            produced_by=f"{self._name}@{self._asked}",
            payload=self._outputs.payload(told, confidence),
            confidence=confidence,
        )

    async def close(self) -> None:
        """End the thread. May be called twice."""
        await self._owner.close()

    def _wanted(self) -> str:
        wanted = self.revision
        if not wanted:
            raise ReplacementUnavailable(
                "nothing was learnt yet",
                place=str(self._folder),
                expected="the folder that 'fig learn' writes",
                remedy="fig learn ENDPOINT --from FILE",
            )
        if wanted.partition("-")[2] != self._options.digest():
            raise ReplacementUnavailable(
                "the revision asked for was made with other options",
                place=self._place,
                value=f"{wanted.partition('-')[0]}-{self._options.digest()}",
                expected=wanted,
                remedy="put the options back, or move the route to the revision they make",
            )
        return wanted

    def _abstained(self, request: Request, confidence: float, reason: str) -> Reply:
        return Reply(
            request_id=request.id,
            status="abstained",
            produced_by=f"{self._name}@{self._asked}",
            confidence=confidence,
            reason=reason,
        )

    def _load(self) -> Work[Told]:
        """Load both models, in the owner's thread."""
        try:
            from .classifier import load  # noqa: PLC0415  numpy and onnxruntime, only when used
            from .embedding import Embedder  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise missing("local", error, self._place) from error
        classifier = load(self._folder, self._asked.partition("-")[0])
        manifest = classifier.manifest
        self._outputs.check(manifest.classes)
        given = self._options.margin
        self._margin = manifest.margin if given is None else given
        embedder = Embedder(threads=self._options.threads)

        def tell(texts: Sequence[str]) -> Sequence[Told]:
            return classifier.best(embedder.embed(texts))

        tell(["warm"])
        return tell


def _check(options: LocalOptions, place: str) -> None:
    if options.margin is not None and not 0 <= options.margin < 1:
        expected = "a confidence from 0 to below 1"
        raise ConfigError(
            "is not a margin",
            place=f"{place}.margin",
            value=str(options.margin),
            expected=expected,
        )
    if not 1 <= options.threads <= 64:
        raise ConfigError(
            "is not a number of threads",
            place=f"{place}.threads",
            value=str(options.threads),
            expected="1 to 64",
        )
