"""Operations: versioned contracts in our own words."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from ...config import options, read_toml
from ...errors import ConfigError
from ...model import Payload
from .contract import Contract
from .field import Field, parse_field
from .group import Group, parse_group

__all__ = ["Operation", "load_operation", "parse_operation"]

_IDENT: Final = re.compile(r"([a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)*)@([1-9][0-9]{0,5})")

Effect = Literal["read", "idempotent", "compensable", "irreversible"]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A contract: what goes in, what comes out, and what calling it does to the world.

    ``digest`` is the SHA-256 of all that the file says, however it is laid out.
    """

    name: str
    version: int
    effect: Effect
    owner: str = ""
    domain: str = ""
    description: str = ""
    input: Contract
    output: Contract
    digest: str

    @property
    def id(self) -> str:
        """Give its name and version: ``ticket.triage@1``."""
        return f"{self.name}@{self.version}"

    def check_input(self, payload: Payload) -> None:
        """Check a request's payload. Raises ``ContractError`` naming the field."""
        self.input.check(payload)

    def check_output(self, payload: Payload) -> None:
        """Check a reply's payload. Raises ``ContractError`` naming the field."""
        self.output.check(payload)


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: int
    effect: Effect
    owner: str = ""
    domain: str = ""
    description: str = ""
    input: dict[str, object] = {}
    output: dict[str, object] = {}


def load_operation(root: Path, ident: str) -> Operation:
    """Read ``operations/NAME@VERSION.toml`` of a workspace. Called once, at start.

    Raises ``ConfigError`` with file and key.
    """
    if not _IDENT.fullmatch(ident):
        expected = "name@version, such as ticket.triage@1"
        raise ConfigError("not an operation", place="operation", value=ident, expected=expected)
    file = root / "operations" / f"{ident}.toml"
    tables = read_toml(file)
    operation = parse_operation(tables, file.name)
    if operation.id != ident:
        raise ConfigError(
            "name and version are not those of the file",
            place=f"{file.name}: name",
            value=operation.id,
            expected=ident,
            remedy="rename the file, or mend name and version",
        )
    return operation


def parse_operation(tables: Mapping[str, object], place: str) -> Operation:
    """Check the tables of an operation's file; ``place`` names it. Raises ``ConfigError``."""
    head = options(_Table, tables, place)
    ident = f"{head.name}@{head.version}"
    if not _IDENT.fullmatch(ident):
        expected = "a name of lower-case words divided by dots, a version from 1"
        raise ConfigError("not a name", place=f"{place}: name", value=ident, expected=expected)
    canonical = msgspec.json.encode(_plain(tables), order="deterministic")
    return Operation(
        name=head.name,
        version=head.version,
        effect=head.effect,
        owner=head.owner,
        domain=head.domain,
        description=head.description,
        input=_contract(f"{ident} input", head.input, f"{place}: input"),
        output=_contract(f"{ident} output", head.output, f"{place}: output"),
        digest=hashlib.sha256(canonical).hexdigest(),
    )


def _contract(title: str, table: Mapping[str, object], place: str) -> Contract:
    fields: list[Field] = []
    groups: list[Group] = []
    for name, entry in _flat(table, place, ""):
        if entry.get("type") == "group":
            groups.append(parse_group(name, entry, f"{place}.{name}"))
        else:
            fields.append(parse_field(name, entry, f"{place}.{name}"))
    _check_names([field.name for field in fields], [group.name for group in groups], place)
    return Contract(title, tuple(fields), tuple(groups))


def _check_names(fields: Sequence[str], groups: Sequence[str], place: str) -> None:
    twice = [name for name, count in Counter((*fields, *groups)).items() if count > 1]
    if twice:
        expected = "each field and group once"
        raise ConfigError("stands twice", place=f"{place}.{twice[0]}", expected=expected)
    # By path without []: what stands there. lines and lines[] cannot both be.
    kinds: dict[str, tuple[str, str]] = {}
    for name in (*fields, *groups):
        parts = name.split(".")
        for level in range(1, len(parts) + 1):
            around = ".".join(parts[:level])
            leaf = level == len(parts) and name not in groups
            kind = f"{'list of ' * around.endswith('[]')}{'field' if leaf else 'group'}"
            before, by = kinds.setdefault(around.replace("[]", ""), (kind, name))
            if before != kind:
                expected = "a field or a group, a list or none, not both"
                message = f"is a {kind} in {name} and a {before} in {by}"
                raise ConfigError(message, place=f"{place}.{around}", expected=expected)
    for group in groups:
        if not any(name.startswith(f"{group}.") for name in fields):
            expected = "a field in it"
            raise ConfigError("a group of nothing", place=f"{place}.{group}", expected=expected)


def _flat(
    table: Mapping[str, object], place: str, prefix: str
) -> list[tuple[str, Mapping[str, object]]]:
    # [input."customer.id"] and [input.customer.id] say the same.
    found: list[tuple[str, Mapping[str, object]]] = []
    for key, entry in table.items():
        name = f"{prefix}{key}"
        if not isinstance(entry, Mapping):
            expected = f"[input.{name}] with type = …"
            raise ConfigError("not a table", place=f"{place}.{key}", expected=expected)
        inner = {key: one for key, one in entry.items() if isinstance(one, Mapping)}
        if entry.get("type") == "group":
            found.append((name, {key: one for key, one in entry.items() if key not in inner}))
            found.extend(_flat(inner, f"{place}.{key}", f"{name}."))
        elif entry and len(inner) == len(entry):
            found.extend(_flat(inner, f"{place}.{key}", f"{name}."))
        else:
            found.append((name, entry))
    return found


def _plain(value: object) -> object:
    # TOML dates are not JSON; everything else is.
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
