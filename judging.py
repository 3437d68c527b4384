"""What of comparisons is kept, and who may see it: a workspace's settings, wired to its masking."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import TypedDict

import msgspec

from . import config
from .acl.operations.operation import Operation, load_operation
from .answering import Answering
from .config import Workspace
from .doors import Masking
from .errors import ConfigError
from .parts import provider
from .route_settings import NoiseRules
from .routing.adjudication.judge import Judge, judging_operation
from .routing.adjudication.rules import compile_rules
from .routing.adjudication.seal import Sealing
from .routing.comparison.compile import compile_comparing
from .routing.comparison.noise import FieldNoise, field_noise
from .routing.guards import Guarding
from .routing.journalled import NOTHING, Journalled, Keep, journalled, keeping
from .routing.replacements import Replacements
from .store.database import Database
from .store.noise import doubled

__all__ = [
    "Held",
    "check_comparison",
    "compared_digest",
    "held",
    "judge_of",
    "noise_of",
    "sealing_of",
]


class Held(TypedDict):
    """What of an endpoint is made of its masking."""

    journalled: Journalled
    kept: Keep


def held(one: config.Endpoint, operation: Operation, masking: Masking) -> Held:
    """Say what of an endpoint's comparisons, and of their requests, the journal holds."""
    review, sealing = one.adjudication.review, sealing_of(one, operation, masking)
    seal = None if sealing is None else sealing.seal
    held = Held(
        journalled=journalled(masking.mask(operation, "log", "output"), seal),
        kept=keeping(masking.mask(operation, "log", "input"), seal),
    )
    if not review.request:
        held["kept"] = lambda _: NOTHING
    return held


def sealing_of(one: config.Endpoint, operation: Operation, masking: Masking) -> Sealing | None:
    """Give what seals, and opens, what reviewers may see; None where they see nothing more.

    Raises ``ConfigError`` where there are no keys for it.
    """
    clear = one.adjudication.review.clear
    return Sealing(operation, masking.policy, clear, masking.keys()) if clear else None


def judge_of(
    workspace: Workspace,
    name: str,
    pools: Mapping[str, Replacements],
    guarding: Mapping[str, Guarding],
) -> Judge | None:
    """Give an endpoint's judge; None where it has none. Its provider is started by whoever asks.

    It is asked through the same door as replacements, with a contract of its own. Raises
    ``ConfigError`` where something would leave that must not, or there is no revision yet.
    """
    one = workspace.endpoint[name]
    settings = one.adjudication.judge
    if settings is None:
        return None
    masking, part = Masking(workspace), settings.replacement
    answered = load_operation(workspace.root, one.operation)
    operation = judging_operation(answered)
    door, leaves = masking.door(part, operation)
    revision = provider(workspace, part).revision
    if not revision:
        raise ConfigError("the judge has no revision yet", place=f"replacement.{part}")
    limit = workspace.replacement[part].deadline
    guard = partial(guarding[part].around, time_limit=limit, effect="read", waits=False)
    whole = f"{revision}.{sha256(f'{operation.digest}{leaves}'.encode()).hexdigest()[:8]}"
    sealing = sealing_of(one, answered, masking)
    return Judge(settings, operation, Answering(pools[part], door, guard), whole, sealing)


def noise_of(
    workspace: Workspace, database: Database, name: str, revision: str
) -> tuple[FieldNoise, ...]:
    """Give what is known of the noise beside a revision, by field and side. Blocks."""
    one = workspace.endpoint[name]
    output = load_operation(workspace.root, one.operation).output
    compiled = compile_comparing(one.comparison, one.compare, output, f"endpoint.{name}")
    return field_noise(doubled(database, name, revision), one.comparison.noise, compiled.count)


def compared_digest(one: config.Endpoint) -> str:
    """Give the digest of what decides which side is right; "" where nothing is said of it.

    It is part of a route's revision: evidence that was found by other rules is no evidence.
    """
    comparison, said = one.comparison, one.adjudication
    decides = (comparison.ignore, comparison.fields, comparison.noise.excuses, said.rules)
    if decides == ((), {}, NoiseRules().excuses, ()):
        return ""
    return sha256(msgspec.json.encode(decides, order="deterministic")).hexdigest()


def check_comparison(one: config.Endpoint, operation: Operation, masking: Masking) -> str:
    """Check how an endpoint compares and adjudicates; give a few words on it, "" for the usual.

    Called by ``fig check``. Raises ``ConfigError`` with the path or the rule that does not fit.
    """
    place, said = f"endpoint.{one.name}", one.adjudication
    compile_comparing(one.comparison, one.compare, operation.output, place)
    rules = compile_rules(said, operation, place)
    sealing_of(one, operation, masking)
    if said.judge is not None:
        masking.door(said.judge.replacement, judging_operation(operation))
    words = [f"{len(one.comparison.fields)} compared by rule"] if one.comparison.fields else []
    if one.comparison.ignore:
        words.append(f"{len(one.comparison.ignore)} not compared")
    if rules:
        words.append(f"{len(rules)} rules adjudicate")
    if said.judge is not None:
        words.append(f"{said.judge.replacement} judges")
    return "".join(f", {word}" for word in words)
