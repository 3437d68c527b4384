"""The masking policy: what becomes of each data tag at each destination."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from ...errors import ConfigError
from ...options import check_keys, read_toml
from .rule import Rule, parse_rule

__all__ = [
    "DEFAULT",
    "DESTINATIONS",
    "FILE",
    "Destination",
    "Policy",
    "Untagged",
    "load_policy",
    "parse_policy",
]

Destination = Literal["provider", "fixture", "log", "trace", "facade"]
"""Where a payload goes: an outside provider, a recording, our log and journal, a trace, a caller.

A provider that runs here is no destination: nothing leaves.
"""

Untagged = Literal["refuse", "redact", "drop", "keep"]
"""What becomes of a text that nobody has tagged. ``refuse``: nothing is loaded."""

DESTINATIONS: Final[tuple[Destination, ...]] = ("provider", "fixture", "log", "trace", "facade")

FILE: Final = "masking.toml"
"""The policy's file, beside ``fig.toml``; without it the defaults hold."""

_KEEP: Final = Rule(action="keep")
_REDACT: Final = Rule(action="redact")
_TOKEN: Final = Rule(action="token")
_HIDDEN: Final[Mapping[str, Rule]] = {"none": _KEEP, "pii": _REDACT, "secret": _REDACT}

# pii.text is kept at a provider because it is free text: what the detectors find in it goes as a
# token of its kind. A tag that stands nowhere here is redacted.
_RULES: Final[Mapping[Destination, Mapping[str, Rule]]] = {
    "provider": {"none": _KEEP, "pii": _TOKEN, "pii.text": _KEEP, "secret": _REDACT},
    "fixture": _HIDDEN,
    "log": _HIDDEN,
    "trace": _HIDDEN,
    "facade": {"none": _KEEP, "pii": _KEEP, "secret": _KEEP},
}
_UNTAGGED: Final[Mapping[Destination, Untagged]] = {
    "provider": "refuse",
    "fixture": "redact",
    "log": "keep",
    "trace": "redact",
    "facade": "keep",
}
_TAG: Final = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)*")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace says of masking.

    ``rules`` and ``untagged`` hold what its file says, by destination. ``free_text`` lists the tags
    whose texts are searched where they are kept. ``keys`` names the file of keys, relative to the
    workspace, "" where the environment has them. ``place`` names the policy in errors.
    """

    rules: Mapping[Destination, Mapping[str, Rule]] = {}
    untagged: Mapping[Destination, Untagged] = {}
    free_text: tuple[str, ...] = ("pii.text",)
    keys: str = ""
    place: str = FILE

    def rule(self, tag: str, destination: Destination) -> Rule:
        """Give what becomes of a tag: the file's word on it or its nearest parent, else ours.

        Whatever the file says of a parent stands above any default of ours for its children, so
        that ``pii = "drop"`` means all of it. A tag that nobody knows is redacted.
        """
        for table in (self.rules.get(destination, {}), _RULES[destination]):
            name = tag
            while name:
                if name in table:
                    return table[name]
                name = name.rpartition(".")[0]
        return _REDACT

    def knows(self, tag: str, destination: Destination) -> bool:
        """Say whether there is a rule for the tag, or it is redacted because there is none."""
        known = {**_RULES[destination], **self.rules.get(destination, {})}
        parts = tag.split(".")
        return any(".".join(parts[:end]) in known for end in range(len(parts), 0, -1))

    def of_untagged(self, destination: Destination) -> Untagged:
        """Give what becomes of an untagged text."""
        return self.untagged.get(destination, _UNTAGGED[destination])

    def needs_keys(self, destination: Destination) -> bool:
        """Say whether anything that goes there can need keys: none of our defaults does."""
        return any(
            rule.action == "pseudonym" or rule.scope != "request"
            for rule in self.rules.get(destination, {}).values()
        )

    def is_free_text(self, tag: str) -> bool:
        """Say whether texts of this tag are searched where they are kept."""
        return any(tag == one or tag.startswith(f"{one}.") for one in self.free_text)


DEFAULT: Final = Policy()


def load_policy(root: Path) -> Policy:
    """Read a workspace's ``masking.toml``; the defaults where there is none.

    Called once, at start. Raises ``ConfigError`` with file and key.
    """
    file = root / FILE
    if not file.exists():
        return DEFAULT
    tables = read_toml(file)
    check_keys(tables, ("masking",), file.name)
    return parse_policy(tables.get("masking", {}), f"{file.name}: masking")


def parse_policy(table: object, place: str) -> Policy:
    """Read a ``[masking]`` table; ``place`` names it. Raises ``ConfigError`` with the key."""
    if not isinstance(table, Mapping):
        raise ConfigError("not a table", place=place, expected="[masking.provider] and the like")
    check_keys(table, ("keys", "free_text", *DESTINATIONS), place)
    rules: dict[Destination, Mapping[str, Rule]] = {}
    untagged: dict[Destination, Untagged] = {}
    for destination in DESTINATIONS:
        held = table.get(destination, {})
        where = f"{place}.{destination}"
        if not isinstance(held, Mapping):
            raise ConfigError("not a table", place=where, expected=f"[masking.{destination}]")
        if "untagged" in held:
            untagged[destination] = _untagged(held["untagged"], destination, where)
        rest = {key: value for key, value in held.items() if key != "untagged"}
        rules[destination] = dict(_rules(rest, where, ""))
    keys = table.get("keys", "")
    if not isinstance(keys, str):
        raise ConfigError("not text", place=f"{place}.keys", expected="the path of a file of keys")
    free_text = _tags(table.get("free_text", list(DEFAULT.free_text)), f"{place}.free_text")
    return Policy(rules=rules, untagged=untagged, free_text=free_text, keys=keys, place=place)


def _rules(table: Mapping[str, object], place: str, prefix: str) -> list[tuple[str, Rule]]:
    # "pii.name" = … and pii.name = … say the same: TOML reads the second as nested tables.
    found: list[tuple[str, Rule]] = []
    for key, value in table.items():
        tag, where = f"{prefix}{key}", f"{place}.{prefix}{key}"
        if isinstance(value, Mapping) and "action" not in value and value:
            found.extend(_rules(value, place, f"{tag}."))
            continue
        if not _TAG.fullmatch(tag):
            expected = "such as pii.name, secret or none; untagged stands for no tag at all"
            raise ConfigError("not a tag", place=where, value=repr(tag), expected=expected)
        found.append((tag, parse_rule(value, where)))
    return found


def _untagged(value: object, destination: Destination, place: str) -> Untagged:
    allowed: tuple[Untagged, ...] = ("refuse", "redact", "drop", "keep")
    if destination == "provider":
        allowed = ("refuse", "redact", "drop")
    if value not in allowed:
        raise ConfigError(
            "an untagged text does not leave for an outside provider"
            if value == "keep"
            else "not what can become of an untagged text",
            place=f"{place}.untagged",
            value=repr(value),
            expected="one of " + ", ".join(allowed),
            remedy='give the field tag = "none" where it is nobody\'s secret',
        )
    return value


def _tags(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(
        isinstance(one, str) and _TAG.fullmatch(one) for one in value
    ):
        expected = 'a list of tags, such as ["pii.text"]'
        raise ConfigError("not tags", place=place, value=repr(value), expected=expected)
    return tuple(value)
