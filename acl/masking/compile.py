"""A policy and a contract made into one function, so that nothing is looked up per request."""

from __future__ import annotations

from typing import Final

import msgspec

from ...errors import ConfigError
from ..operations.contract import Contract
from ..operations.field import Field
from .act import act_of
from .build import build_mask
from .keys import Keyring
from .mask import REFUSED, SEARCHED, Mask, Row
from .policy import Destination, Policy
from .rule import Rule
from .search import FOUND, searcher

__all__ = ["compile_mask"]

_TEXTS: Final = ("text", "json", "bytes")
"""Types that can hold a text, so that nobody knows what is in them until a tag says so."""

_KEEP: Final = Rule(action="keep")
_REDACT: Final = Rule(action="redact")


def compile_mask(
    contract: Contract, policy: Policy, destination: Destination, keys: Keyring | None = None
) -> Mask:
    """Compile what leaves of a contract's payloads for a destination. Called once, at start.

    Raises ``ConfigError``, naming all fields that are concerned: for texts without a tag where
    those are refused, for a required field that would be dropped, for a rule that needs keys where
    there are none.
    """
    title = f"{contract.title} for {destination}"
    rows = tuple(_row(field, policy, destination) for field in contract.fields)
    _check_tags(rows, policy, title)
    _check_drops(rows, contract, policy, destination, title)
    searched = any(row.note == SEARCHED for row in rows)
    found = {tag: policy.rule(tag, destination) for tag in FOUND} if searched else {}
    rules = [row.rule for row in rows] + list(found.values())
    quotes = destination == "provider" or any(rule.action == "token" for rule in rules)
    search = searcher(policy, destination, keys, quotes=quotes) if searched else None
    place = f"{policy.place}.{destination}"
    acts = {
        row.field: act_of(row.rule, row.tag, keys, place, text=row.type == "text") for row in rows
    }
    by_name = {row.field: row for row in rows}
    work = build_mask(contract.tree, by_name, acts, search, quotes=quotes)
    return Mask(title, destination, rows, found, work)


def _row(field: Field, policy: Policy, destination: Destination) -> Row:
    row = Row(field=field.name, type=field.type, tag=field.tag, rule=_KEEP)
    if not field.tag:
        if field.type not in _TEXTS:
            return _noted(row, _KEEP, "untagged")
        what = policy.of_untagged(destination)
        if what == "refuse":
            return _noted(row, _REDACT, REFUSED)
        return _noted(row, Rule(action=what), "untagged")
    rule = policy.rule(field.tag, destination)
    if policy.is_free_text(field.tag) and rule.action == "keep" and destination != "facade":
        if field.type in ("text", "json"):
            return _noted(row, rule, SEARCHED)
        # Nobody searches a number or a date: it goes as what its tag belongs to.
        return _noted(row, policy.rule(field.tag.rpartition(".")[0], destination), "no free text")
    known = policy.knows(field.tag, destination)
    return _noted(row, rule, "" if known else "unknown tag")


def _noted(row: Row, rule: Rule, note: str) -> Row:
    return msgspec.structs.replace(row, rule=rule, note=note)


def _check_tags(rows: tuple[Row, ...], policy: Policy, title: str) -> None:
    names = [row.field for row in rows if row.note == REFUSED]
    if names:
        one = len(names) == 1
        raise ConfigError(
            f"{'a text has' if one else f'{len(names)} texts have'} no data tag: "
            "untagged text does not leave for an outside provider",
            place=title,
            value=", ".join(names),
            expected="a tag for each, such as pii.name, pii.text or secret",
            remedy='tag them in the operation; tag = "none" where it is nobody\'s secret '
            f'(or say untagged = "redact" in {policy.place.partition(":")[0]})',
        )


def _check_drops(
    rows: tuple[Row, ...],
    contract: Contract,
    policy: Policy,
    destination: Destination,
    title: str,
) -> None:
    names = [
        row.field
        for row in rows
        if row.rule.action == "drop" and contract.by_name[row.field].required
    ]
    if names:
        tags = sorted({row.tag or "untagged" for row in rows if row.field in names})
        raise ConfigError(
            "would be dropped, and the operation requires " + ("it" if len(names) == 1 else "them"),
            place=title,
            value=", ".join(names),
            expected=f"another action for {', '.join(tags)} in {policy.place}.{destination}",
            remedy="redact instead, or make the fields required = false",
        )
