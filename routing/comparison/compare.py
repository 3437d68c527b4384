"""Two answers to one request, held against each other and, where they differ, adjudicated."""

from __future__ import annotations

from collections.abc import Callable, Collection
from hashlib import sha256

import msgspec

from ...model import Comparison, Payload, Request
from ..adjudication.golden import Golden
from ..adjudication.inline import Case
from ..endpoint import Endpoint
from ..journalled import NOTHING, Kept
from .comparing import EQUAL
from .path import field_of

__all__ = ["compare", "compare_labelled", "unit_of"]

_ENCODER = msgspec.json.Encoder(order="deterministic")


def unit_of(payload: Payload, golden: Golden | None = None) -> str:
    """Give the digest of an input. The same input twice is one observation, not two.

    Where the input has a golden label, what was labelled is the input: a labelled text that comes
    again from somebody else is no new evidence.
    """
    labelled = golden.key(payload) if golden is not None else None
    return sha256(_ENCODER.encode(labelled or payload)).hexdigest()[:32]


def compare(
    endpoint: Endpoint,
    request: Request,
    *,
    revision: str,
    legacy: Payload,
    replacement: Payload,
    noisy: Collection[str] = (),
) -> Comparison:
    """Compare as the endpoint's settings say, and adjudicate by labels and rules.

    Golden labels decide where there are any, also where both sides agree; without them an
    agreement counts as both right, and a difference that no rule decides stays open. ``noisy``
    fields are no difference. The result is to go through ``endpoint.journalled``.
    """
    golden, payload = endpoint.golden, request.payload
    return compare_labelled(
        endpoint,
        request.id,
        revision=revision,
        unit=unit_of(payload, golden),
        legacy=legacy,
        replacement=replacement,
        label=golden.find(payload) if golden is not None else None,
        request=payload,
        kept=lambda: endpoint.kept(payload),
        noisy=noisy,
    )


def compare_labelled(
    endpoint: Endpoint,
    request_id: str,
    *,
    revision: str,
    unit: str,
    legacy: Payload,
    replacement: Payload,
    label: Payload | None,
    request: Payload | None = None,
    kept: Callable[[], Kept] = lambda: NOTHING,
    noisy: Collection[str] = (),
) -> Comparison:
    """Compare as ``compare`` does, where the request is gone and its golden label was kept.

    ``kept`` gives what is kept of the request for reviewers, where the difference stays open.
    """
    found = endpoint.comparing.differences(legacy, replacement)
    names = endpoint.comparing.names(legacy)
    if found is EQUAL and label is None:  # nearly always
        return Comparison(
            request_id=request_id,
            endpoint=endpoint.config.name,
            revision=revision,
            unit=unit,
            winner="both",
            by="agreement",
            legacy={name: legacy.get(name) for name in names},
            replacement={name: replacement.get(name) for name in names},
        )
    noise = tuple(path for path in found.paths if field_of(path) in noisy) if noisy else ()
    differs = tuple(path for path in found.paths if path not in noise)
    case = Case(names, differs, noise, found.broken, legacy, replacement, label, request)
    ruling = endpoint.inline.decide(case)
    kept_now = kept() if ruling.winner == "open" else NOTHING
    return Comparison(
        request_id=request_id,
        endpoint=endpoint.name,
        revision=revision,
        unit=unit,
        winner=ruling.winner,
        by=ruling.by,
        why=ruling.why,
        differs=differs,
        noise=noise,
        legacy={name: legacy.get(name) for name in names},
        replacement={name: replacement.get(name) for name in names},
        golden=label,
        request=kept_now.request,
        sealed=kept_now.sealed,
    )
