"""Two answers to one request, held against each other and, where they differ, adjudicated."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

import msgspec

from ..model import Comparison, Payload, Request
from .golden import Golden

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
    request: Request,
    *,
    endpoint: str,
    revision: str,
    unit: str,
    legacy: Payload,
    replacement: Payload,
    fields: Sequence[str],
    golden: Golden | None,
) -> Comparison:
    """Compare the named output fields (none named: all of legacy's) and adjudicate.

    Golden labels decide where there are any, also where both sides agree; without them an
    agreement counts as both right, and a difference stays open.
    """
    return compare_labelled(
        request.id,
        endpoint=endpoint,
        revision=revision,
        unit=unit,
        legacy=legacy,
        replacement=replacement,
        fields=fields,
        label=golden.find(request.payload) if golden is not None else None,
    )


def compare_labelled(
    request_id: str,
    *,
    endpoint: str,
    revision: str,
    unit: str,
    legacy: Payload,
    replacement: Payload,
    fields: Sequence[str],
    label: Payload | None,
) -> Comparison:
    """Compare as ``compare`` does, where the request is gone and its golden label was kept."""
    names = tuple(fields) or tuple(legacy)
    differs = tuple(name for name in names if legacy.get(name) != replacement.get(name))
    winner, by = _adjudicate(names, differs, legacy, replacement, label)
    return Comparison(
        request_id=request_id,
        endpoint=endpoint,
        revision=revision,
        unit=unit,
        winner=winner,
        by=by,
        differs=differs,
        legacy={name: legacy.get(name) for name in names},
        replacement={name: replacement.get(name) for name in names},
        golden=label,
    )


_Winner = Literal["both", "legacy", "replacement", "neither", "open"]
_By = Literal["agreement", "golden", "none"]


def _adjudicate(
    names: Sequence[str],
    differs: Sequence[str],
    legacy: Payload,
    replacement: Payload,
    label: Payload | None,
) -> tuple[_Winner, _By]:
    judged = [name for name in names if label is not None and name in label]
    if label is None or not judged or any(name not in label for name in differs):
        return ("open", "none") if differs else ("both", "agreement")
    old = all(_same(legacy.get(name), label[name]) for name in judged)
    new = all(_same(replacement.get(name), label[name]) for name in judged)
    outcomes: dict[tuple[bool, bool], _Winner] = {
        (True, True): "both",
        (True, False): "legacy",
        (False, True): "replacement",
        (False, False): "neither",
    }
    return outcomes[old, new], "golden"


def _same(value: object, label: object) -> bool:
    # Labels come from a CSV, so they are text whatever the field's type.
    return value == label or str(value) == str(label)
