"""The places of a JSON document, from a JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from ...errors import ConfigError
from .fields import Place, Type

__all__ = ["load_places"]

_TYPES: Final[Mapping[str, Type]] = {
    "string": "text",
    "integer": "integer",
    "number": "decimal",
    "boolean": "boolean",
}
_UNNAMED: Final = frozenset(".[]")
_MOST: Final = 10_000
_DEEPEST: Final = 100


def load_places(file: Path) -> tuple[Place, ...]:
    """Read a schema whose root is an object with properties.

    Objects become groups, arrays lists. What a schema leaves open (no properties, several types, a
    schema inside itself, lists of lists) is one place of type ``json``. Raises ``ConfigError``.
    """
    try:
        schema = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, ValueError, RecursionError) as error:
        reason = str(error) or "nested too deeply"
        raise ConfigError(
            f"cannot be read: {reason}", place=str(file), expected="a JSON Schema"
        ) from None
    found: list[Place] = []
    for one in _Schema(schema, file).places(schema, "", (), required=True):
        found.append(one)
        if len(found) > _MOST:
            raise ConfigError("too large", place=str(file), expected=f"at most {_MOST} places")
    if not found or not found[0].path:
        raise ConfigError("not an object", place=str(file), expected="an object with properties")
    return tuple(found)


class _Schema:
    def __init__(self, root: Mapping[str, Any], file: Path) -> None:
        self._root = root
        self._file = file

    def places(
        self, schema: Any, path: str, inside: tuple[int, ...], *, required: bool
    ) -> Iterator[Place]:
        schema, nullable = self._resolved(schema, path)
        kinds = _kinds(schema)
        nullable = nullable or "null" in kinds
        kind = next(iter(kinds - {"null"})) if len(kinds - {"null"}) == 1 else ""
        again = id(schema) in inside
        if len(inside) > _DEEPEST:
            raise self._error("nested too deeply", path[:80], f"at most {_DEEPEST} levels")
        inside = (*inside, id(schema))
        properties = schema.get("properties")
        if kind == "object" and properties and isinstance(properties, Mapping) and not again:
            yield from self._members(schema, path, inside, required=required and not nullable)
        elif kind == "array" and isinstance(schema.get("items"), Mapping) and not again:
            items = schema["items"]
            if "array" in _kinds(self._resolved(items, path)[0]):
                yield Place(path=path, type="json", required=required, nullable=nullable)
            else:
                yield from self.places(items, f"{path}[]", inside, required=required)
        else:
            yield Place(
                path=path, type=_TYPES.get(kind, "json"), required=required, nullable=nullable
            )

    def _members(
        self, schema: Mapping[str, Any], path: str, inside: tuple[int, ...], *, required: bool
    ) -> Iterator[Place]:
        listed = schema.get("required")
        needed = listed if isinstance(listed, list) else ()
        for name, inner in schema["properties"].items():
            if not name or _UNNAMED & set(name):
                where = f"{path}.{name}".lstrip(".")
                raise self._error("a name that no path can hold", where, "names without . and []")
            yield from self.places(
                inner,
                f"{path}.{name}" if path else name,
                inside,
                required=required and name in needed,
            )

    def _resolved(self, schema: Any, path: str) -> tuple[Mapping[str, Any], bool]:
        """Follow ``$ref``, and ``anyOf`` of one schema and null. Say whether null was allowed."""
        nullable = False
        for _ in range(100):
            if not isinstance(schema, Mapping):
                return {}, nullable
            if isinstance(schema.get("$ref"), str):
                schema = self._referred(schema["$ref"], path)
                continue
            choice = schema.get("anyOf") or schema.get("oneOf")
            if not isinstance(choice, list) or "properties" in schema:
                return schema, nullable
            others = [one for one in choice if _kinds(one) != {"null"}]
            nullable = nullable or len(others) < len(choice)
            if len(others) != 1:
                return {}, nullable
            schema = others[0]
        raise self._error("refers to itself", path, "a schema at the end of $ref")

    def _referred(self, reference: str, path: str) -> Any:
        found: Any = self._root
        if not reference.startswith("#"):
            raise self._error(f"refers to {reference}", path, "$ref inside the file: #/$defs/NAME")
        for step in reference.lstrip("#/").split("/") if reference != "#" else ():
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                raise self._error(f"refers to {reference}", path, "a $ref to what is there")
            found = found[name]
        return found

    def _error(self, message: str, path: str, expected: str) -> ConfigError:
        return ConfigError(message, place=f"{self._file}: {path or '#'}", expected=expected)


def _kinds(schema: Any) -> set[str]:
    if not isinstance(schema, Mapping):
        return set()
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = {str(one) for one in kind}
    elif isinstance(kind, str):
        kinds = {kind}
    elif "properties" in schema:
        kinds = {"object"}
    else:
        kinds = {_KINDS.get(type(one), "") for one in _constants(schema)}
    return kinds - {"integer"} if {"integer", "number"} <= kinds else kinds


_KINDS: Final[Mapping[type, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def _constants(schema: Mapping[str, Any]) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    enum = schema.get("enum")
    return enum if isinstance(enum, list) else []
