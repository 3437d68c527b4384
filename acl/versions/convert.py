"""One field's value of one version as another version's value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, cast

from ...errors import ContractError, FigError
from ...registry import find
from ..converters.traits import Factory, Traits
from ..mapping.chain import Chain, Stage, stage
from ..operations.field import Field, shown
from ..operations.value import from_text, to_text
from ..rows import Form, parse_forms

__all__ = ["Conversion", "Convert", "conversion"]

Convert = Callable[[object], object]
"""From a value, which is not None, to one. Raises ``ContractError``."""

_AS_THEY_ARE: Final = {
    *(("integer", kind) for kind in ("decimal", "json")),
    *((kind, "json") for kind in ("text", "decimal", "boolean")),
}


class Conversion(NamedTuple):
    """How values convert; ``change`` is None where they move as they are."""

    change: Convert | None
    tables: frozenset[str] = frozenset()

    def guarded(self, place: str, tag: str, target: Field, otherwise: object) -> Convert | None:
        """Give the function for a payload: an error, or ``otherwise``, where it refuses a value.

        Where there is an ``otherwise``, what ``target`` does not accept is refused here already.
        """
        change = self.change
        if otherwise is not None:
            return _or_else(change, target, otherwise)
        if change is None:
            return None

        def convert(value: object) -> object:
            try:
                return change(value)
            except Exception as error:  # noqa: BLE001 - a converter of somebody else's
                told = str(error) if isinstance(error, ValueError) else type(error).__name__
                masked = shown(value, tag)
                told_too = tag not in ("", "none") and str(value) in told
                expected = "what the row takes" if told_too else told
            raise ContractError(
                "cannot be carried over", place=place, value=masked, expected=expected
            )

        return convert


def _or_else(change: Convert | None, target: Field, otherwise: object) -> Convert:
    def convert(value: object) -> object:
        try:
            found = value if change is None else change(value)
        except Exception:  # noqa: BLE001 - a converter of somebody else's
            return otherwise
        return found if target.accepts(found) else otherwise

    return convert


def conversion(
    as_: str,
    codes: Mapping[str, Mapping[str, str]],
    source: Field,
    target: Field,
    *,
    upward: bool,
    place: str,
    total: bool = True,
) -> Conversion:
    """Find how a source's values become a target's.

    ``upward`` says that the source is the older version. ``total``: every value of the source's
    enum must convert. Raises ``ValueError`` with what was expected.
    """
    if not as_:
        if source.unit != target.unit:
            raise ValueError(
                f"as: the unit is {source.unit or 'none'}, then {target.unit or 'none'}"
            )
        if (source.type, source.zone) == (target.type, target.zone):
            _same_values(source, target, total=total)
            return Conversion(None)
        if source.type == target.type:
            raise ValueError("as: a time zone cannot be guessed")
        if (source.type, target.type) in _AS_THEY_ARE:
            return Conversion(None)
        return Conversion(lambda value: from_text(target.type, to_text(value)))
    chain = _chain(as_, codes, place)
    traits = chain.traits
    new = target if upward else source
    if traits.type and traits.type != new.type:
        raise ValueError(f"a converter that gives {new.type}, which {new.name} is")
    _codes(traits, source, target, upward=upward, total=total)
    tables = frozenset([traits.table] if traits.table else [])
    if upward:
        return Conversion(lambda value: chain.decode([to_text(value)], {})[0], tables)
    return Conversion(
        lambda value: from_text(target.type, chain.encode([value], {})[0] or ""), tables
    )


def _chain(as_: str, codes: Mapping[str, Mapping[str, str]], place: str) -> Chain:
    stages = [_stage(form, codes, place) for form in parse_forms(as_)]
    if any(one.reads for one in stages):
        raise ValueError("a converter that reads nothing beside its value")
    return Chain((), None, stages)


def _stage(form: Form, codes: Mapping[str, Mapping[str, str]], place: str) -> Stage:
    if form.name in ("split", "join"):
        raise ValueError("one value for one value: no split or join between versions")
    try:
        found = find("converters", form.name, place=place)
        made = hasattr(found, "decode") and not isinstance(found, type) and not form.arguments
        return stage(found if made else cast("Factory", found)(form.arguments, codes))
    except FigError as error:
        raise ValueError(f"{error.message}: {error.expected}") from None
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"a factory that raises ValueError only, not {error!r}") from error


def _same_values(source: Field, target: Field, *, total: bool) -> None:
    lost = [to_text(one) for one in source.enum if target.enum and one not in target.enum]
    if lost and total:
        raise ValueError(f'as = "code(…)" or else: {target.name} has no {", ".join(lost)}')


def _codes(traits: Traits, source: Field, target: Field, *, upward: bool, total: bool) -> None:
    if not traits.table:
        return
    known = traits.codes if upward else traits.values
    lost = [to_text(one) for one in source.enum if to_text(one) not in known]
    if lost and total and traits.passed is None:
        raise ValueError(f"{', '.join(lost)} in table {traits.table}, or else")
    given = traits.values if upward else traits.codes
    wrong = [one for one in given if target.enum and one not in [to_text(e) for e in target.enum]]
    if wrong:
        raise ValueError(f"values of {target.name} in table {traits.table}, not {wrong[0]}")
    twice = [one for at, one in enumerate(traits.values) if one in traits.values[:at]]
    if twice and not upward and not traits.settled:
        raise ValueError(f"one code a value in table {traits.table}, not two for {twice[0]}")
