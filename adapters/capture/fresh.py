"""Values for a row that must not collide with any that is there."""

from __future__ import annotations

import datetime as dt
import decimal
import secrets
import uuid
from typing import Any, Final

from sqlalchemy import Column, func, select, types
from sqlalchemy.engine import Connection

__all__ = ["fresh", "plain"]

_DAY: Final = dt.date(1971, 1, 1)
_LOW: Final = {types.SmallInteger: -30_000, types.BigInteger: -4_000_000_000_000_000_000}
_OLD: Final = dt.datetime(1971, 1, 1)  # noqa: DTZ001 as the column has it


def fresh(connection: Connection | None, column: Column[Any]) -> list[object]:
    """Give values that no row of the table is likely to have, the most harmless first.

    None for types of which nothing is known, and where the type has too few values. With a
    ``connection`` numbers are such as no row has; it is for columns with an index.
    """
    kind = column.type
    if isinstance(kind, types.Enum | types.Boolean):
        return []
    if isinstance(kind, types.Integer):
        return _whole(connection, column)
    if isinstance(kind, types.Numeric):
        return [
            decimal.Decimal(value)
            # Never 0, which of all numbers is the likeliest to be there.
            for value in (-1 - secrets.randbelow(9), 1 + secrets.randbelow(9))
        ]
    if isinstance(kind, types.String) or type(kind) is types.NullType:
        name = f"fig-{secrets.token_hex(16)}"
        length = getattr(kind, "length", None) or len(name)
        # The end of it differs most.
        return [name[-length:] if length < len(name) else name]
    return _other(kind)


def plain(column: Column[Any]) -> object:
    """Give some value of a column's type, for a table without rows."""
    kind = column.type
    if isinstance(kind, types.Enum):
        return next(iter(kind.enums), None)
    if isinstance(kind, types.Boolean):
        return False
    if isinstance(kind, types.Integer | types.Numeric):
        return 0
    if isinstance(kind, types.String):
        return "fig"[: kind.length or 3]
    found = _other(kind)
    return found[0] if found else None


def _other(kind: types.TypeEngine[Any]) -> list[object]:
    seconds = secrets.randbelow(86_400 * 3_000)
    if isinstance(kind, types.DateTime):
        moment = _OLD + dt.timedelta(seconds=seconds)
        zoned = getattr(kind, "timezone", False)
        return [moment.replace(tzinfo=dt.UTC) if zoned else moment]
    if isinstance(kind, types.Date):
        return [_DAY + dt.timedelta(seconds=seconds)]
    if isinstance(kind, types.Time):
        return [(_OLD + dt.timedelta(seconds=seconds)).time()]
    if isinstance(kind, types.Uuid):
        return [uuid.uuid4()]
    if isinstance(kind, types.LargeBinary | types._Binary):  # noqa: SLF001 the base of all of them
        length = getattr(kind, "length", None) or 16
        return [secrets.token_bytes(min(length, 16))]
    if isinstance(kind, types.JSON):
        return [{"fig": secrets.token_hex(4)}]
    return []


def _whole(connection: Connection | None, column: Column[Any]) -> list[object]:
    """Give numbers below those that are there: such as no sequence or counter would notice."""
    found: list[object] = []
    low = high = None
    if connection is not None:
        low, high = connection.execute(select(func.min(column), func.max(column))).one()
        found += [low - 1] if low is not None and low > 1 else []
    if not getattr(column.type, "unsigned", False):
        start = next((at for kind, at in _LOW.items() if isinstance(column.type, kind)), -2 * 10**9)
        small = "TINYINT" in str(column.type).upper()
        found.append(-100 - secrets.randbelow(20) if small else start - secrets.randbelow(2_000))
    elif low != 0:
        found.append(0)  # below what a counter gives
    found.append((high or 0) + 1)
    return found
