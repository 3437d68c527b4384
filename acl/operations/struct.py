"""From a contract's tree to msgspec types, and between payloads and JSON bytes."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Optional

import msgspec

from ...errors import ContractError, EnvelopeError
from .field import Field
from .tree import Branch
from .value import PYTHON

__all__ = ["Codec", "type_of"]

_NATIVE: Final = (Decimal, date, datetime, time, timedelta, bytes)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_PLACE: Final = re.compile(r"(?P<text>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_NAMED: Final = re.compile(
    r"Object (missing required|contains unknown) field `(?P<key>.*)`", re.DOTALL
)


def type_of(tree: Branch, name: str) -> type[msgspec.Struct]:
    """Make the msgspec type of a contract: nested, keyword-only, unknown fields refused.

    Attributes are named like the fields; what is no Python name gets ``_`` for what does not fit.
    Bounds that msgspec knows are its constraints; ``Contract.check`` has them all.
    """
    attributes: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    keys: dict[str, str] = {}
    for child in tree.children:
        attribute = _attribute(child.key, keys)
        keys[attribute] = child.key
        kind: Any
        if isinstance(child, Branch):
            kind = _listed(child, type_of(child, f"{name}_{_word(child.key)}"))
        else:
            kind = _listed(child, _value_type(child))
        described = Annotated[kind, msgspec.Meta(description=child.description or child.name)]
        absent = Optional[described]  # noqa: UP045 - the operator does not take every special form
        attributes.append((attribute, described) if child.required else (attribute, absent, None))
    return msgspec.defstruct(
        name,
        attributes,
        kw_only=True,
        frozen=True,
        forbid_unknown_fields=True,
        rename=keys,
        module=__name__,
    )


def _word(key: str) -> str:
    return re.sub(r"\W", "_", key)


def _attribute(key: str, taken: Mapping[str, str]) -> str:
    name = _word(key)
    if keyword.iskeyword(name) or name.startswith("__"):
        name = f"f{name}"
    while name in taken:
        name += "_"
    return name


def _listed(child: Branch | Field, kind: Any) -> Any:
    if not child.listed:
        return kind
    return Annotated[
        list[kind],
        msgspec.Meta(min_length=child.min_items, max_length=child.max_items),
    ]


def _value_type(field: Field) -> Any:
    if field.type == "json":
        return Any
    kind: Any = PYTHON[field.type][0]
    if field.enum and (
        field.type == "text" or all(type(v) is int and _fits(v) for v in field.enum)
    ):
        return Literal[field.enum]
    if field.type == "timestamp":
        return Annotated[kind, msgspec.Meta(tz=field.zone == "required")]
    if field.type == "time":
        return Annotated[kind, msgspec.Meta(tz=False)]
    if field.max_length is not None:
        return Annotated[kind, msgspec.Meta(max_length=field.max_length)]
    if field.type == "integer" and _fits(field.min) and _fits(field.max):
        return Annotated[kind, msgspec.Meta(ge=field.min, le=field.max)]  # type: ignore[arg-type]
    return kind


def _fits(bound: object) -> bool:
    # msgspec keeps bounds in 64 bits; the check has those beyond.
    return bound is None or (isinstance(bound, int) and -(2**63) <= bound < 2**63)


class Codec:
    """Reads and writes one contract's payloads as JSON. ``Contract`` makes it when first asked."""

    def __init__(self, title: str, tree: Branch, kind: type[msgspec.Struct]) -> None:
        self._title = title
        self._tree = tree
        # A float would lose digits; only where a field is json does one come without a type.
        self._decoder = msgspec.json.Decoder(kind, float_hook=Decimal)

    def decode(self, body: bytes | str) -> dict[str, Any]:
        """Give the payload that JSON says, its decimals with all their digits; None where absent.

        Raises ``EnvelopeError`` where it is not JSON, and ``ContractError``. The caller checks
        the payload afterwards: not every bound is in the types.
        """
        try:
            found = self._decoder.decode(body)
        except msgspec.ValidationError as error:
            raise self._refused(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise EnvelopeError(
                f"not JSON: {str(error) or 'nested too deeply'}",
                place=self._title,
                expected="a JSON object",
            ) from None
        except ArithmeticError:
            raise EnvelopeError(
                "holds a number beyond all bounds",
                place=self._title,
                expected="exponents of at most eighteen digits",
            ) from None
        payload: dict[str, Any] = msgspec.to_builtins(found, builtin_types=_NATIVE)
        return payload

    def encode(self, payload: Mapping[str, object]) -> bytes:
        """Write a payload that was checked. Decimals are numbers with all their digits."""
        try:
            return _ENCODER.encode(payload)
        except UnicodeEncodeError:
            raise ContractError(
                "holds half a character, which no JSON can carry",
                place=self._title,
                expected="text without lone surrogates",
            ) from None

    def _refused(self, message: str) -> ContractError:
        """Say what msgspec found in our own words: its messages may hold the value."""
        found = _PLACE.fullmatch(message)
        text, path = (found["text"], found["path"] or "") if found else ("does not fit", "")
        if named := _NAMED.fullmatch(text):
            path = f"{path}.{named['key']}".lstrip(".")[:200]
            text = "is missing" if named[1].startswith("missing") else "is not in the contract"
        elif not text.startswith("Expected"):
            text = "does not fit its contract"
        child = self._find(path)
        expected = child.expected if isinstance(child, Field) else ""
        text = text[:1].lower() + text[1:]
        place = f"{self._title}: {path or 'payload'}"
        return ContractError(text, place=place, expected=expected)

    def _find(self, path: str) -> Branch | Field | None:
        node: Branch | Field | None = self._tree
        for key in re.sub(r"\[\d+\]", "", path).split("."):
            children = node.children if isinstance(node, Branch) else ()
            node = next((child for child in children if child.key == key), None)
        return node
