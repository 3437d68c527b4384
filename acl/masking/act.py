"""One rule made into a function of a value."""

from __future__ import annotations

import re
from collections.abc import Callable

from .generalise import generaliser
from .keys import Keyring, no_keys
from .ledger import Ledger
from .pack import pack
from .rule import Rule, Scope
from .token import MARK, TOKEN, kind_of, pseudonym, redacted
from .unmask import walk

__all__ = ["Act", "act_of", "quote"]

Act = Callable[[object, Ledger], object]
"""Takes a value that is there, and the request's ledger; gives what stands in its place."""


def act_of(rule: Rule, tag: str, keys: Keyring | None, place: str, *, text: bool) -> Act:
    """Give the function of a rule for values of a tag; ``text``: they are texts.

    ``drop`` gives "", for a stretch of a text: of a field, whoever compiles takes it away. Raises
    ``ConfigError`` where the rule needs keys and there are none.
    """
    kind = kind_of(tag)
    if rule.action == "keep":
        return lambda value, _: value
    if rule.action == "drop":
        return lambda _, __: ""
    if rule.action == "redact":
        mark = redacted(kind) if text else None
        return lambda _, __: mark
    if rule.action == "generalise":
        coarser = generaliser(rule)
        return lambda value, _: coarser(value)
    if rule.action == "pseudonym":
        return _pseudonym(tag, kind, _needed(keys, rule, tag, place))
    if rule.scope != "request":
        _needed(keys, rule, tag, place)
        return _wide(rule.scope, kind)
    return lambda value, ledger: ledger.mint(kind, value)


def quote(value: object, ledger: Ledger) -> object:
    """Give a value that stays, with a token for whatever in it only looks like one.

    So a text can neither be taken for a token nor smuggle in one of somebody else's.
    """

    def one(match: re.Match[str]) -> str:
        return ledger.mint("text", match[0])

    def text(whole: str) -> str:
        return TOKEN.sub(one, whole) if MARK in whole else whole

    return walk(value, text)


def _needed(keys: Keyring | None, rule: Rule, tag: str, place: str) -> Keyring:
    if keys is None:
        raise no_keys(place, f"{tag}: {rule}")
    return keys


def _pseudonym(tag: str, kind: str, keys: Keyring) -> Act:
    key, digest = keys.first, keys.pseudonym

    def act(value: object, ledger: Ledger) -> object:
        return pseudonym(kind, key, digest(ledger.tenant, tag, pack(value)))

    return act


def _wide(scope: Scope, kind: str) -> Act:
    return lambda value, ledger: ledger.mint_wide(scope, kind, value)
