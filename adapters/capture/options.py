"""The options of a table source, and which dialect its address asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ...errors import ConfigError
from .dialect import Dialect, Operation
from .mysql.dialect import MySqlCapture
from .postgresql.dialect import PostgreSqlCapture
from .sqlite.dialect import SqliteCapture

__all__ = ["Options", "check", "dialect_of", "url_of"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``[legacy.NAME]`` with ``adapter = "tables"``.

    ``url`` has no password: ``password`` says where it stands (``env:NAME``, ``file:PATH``).
    ``columns`` are captured (none: all) of ``table`` in ``schema``; ``key`` gives order (none: the
    primary key). ``when`` is a condition over ``old`` and ``new``. ``level``: a trigger for each
    row, or for each statement. Over ``large`` bytes a value stands apart and is referred to; of the
    columns ``inline`` it is put back before a record is handed out. ``home`` is the schema of our
    tables. ``grant_to`` is the bridge's user where another one installs; ``canary`` holds values of
    the row by which the doctor proves the triggers, where it cannot make one by itself.
    ``notify`` (PostgreSQL): triggers wake us always, never, or where that cannot harm;
    ``replicated``: they fire for rows that come by replication too.

    ``batch`` bounds one claim. ``lease``, ``poll`` and ``keep`` are in seconds: how long a dead
    process keeps an event, how often a change is looked for where nothing wakes us, how long
    settled events stay.
    """

    url: str
    table: str
    password: str = ""
    schema: str = ""
    home: str = ""
    columns: tuple[str, ...] = ()
    key: str | tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ("insert",)
    when: str = ""
    level: Literal["row", "statement"] = "row"
    large: int = 65_536
    inline: tuple[str, ...] = ()
    batch: int = 500
    lease: float = 10.0
    poll: float = 0.05
    keep: float = 604_800.0
    grant_to: str = ""
    canary: Mapping[str, str | int | float | bool | None] = {}
    notify: Literal["auto", "always", "never"] = "auto"
    replicated: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Give the columns of the key; none where it is the primary key."""
        return (self.key,) if isinstance(self.key, str) else self.key


def url_of(text: str, place: str) -> URL:
    """Read the address. Raises ``ConfigError``, also where it holds a password."""
    try:
        url = make_url(text)
    except ArgumentError:
        # The text may hold a password, so it is not repeated.
        expected = "an SQLAlchemy URL such as sqlite:///legacy.db or postgresql://USER@HOST/NAME"
        raise ConfigError("not a URL", place=f"{place}.url", expected=expected) from None
    if url.password is not None or "password" in url.query:
        raise ConfigError(
            "holds a password",
            place=f"{place}.url",
            expected="an address without one",
            remedy="put it elsewhere and say where: password = 'env:NAME' or 'file:PATH'",
        )
    return url


def dialect_of(url: URL, options: Options, place: str) -> Dialect:
    """Give the dialect that an address asks for. Raises ``ConfigError``."""
    build = _DIALECTS.get(url.get_backend_name())
    if build is None:
        raise ConfigError(
            "this kind of database cannot be captured",
            place=f"{place}.url",
            value=url.get_backend_name(),
            expected="one of " + ", ".join(_DIALECTS),
        )
    return build(options, place)


def check(options: Options, dialect: Dialect, place: str) -> None:
    """Refuse what cannot be meant. Raises ``ConfigError`` with the key."""
    least = {"batch": 1, "lease": 1.0, "poll": 0.001, "keep": 0.0, "large": 1}
    for field, bound in least.items():
        value = getattr(options, field)
        if value < bound:
            expected = f"{bound} or more"
            raise ConfigError(
                "too small", place=f"{place}.{field}", value=str(value), expected=expected
            )
    names = ", ".join(sorted(dialect.operations))
    if not options.operations:
        expected = f"one or more of {names}"
        raise ConfigError("captures nothing", place=f"{place}.operations", expected=expected)
    for operation in options.operations:
        if operation not in dialect.operations:
            raise ConfigError(
                "no trigger of this database fires for it",
                place=f"{place}.operations",
                value=operation,
                expected=f"some of {names}",
            )


def _sqlite(options: Options, place: str) -> Dialect:
    for field in ("home", "schema", "password"):
        if getattr(options, field):
            raise ConfigError("a SQLite file has none", place=f"{place}.{field}")
    return SqliteCapture()


def _mysql(options: Options, place: str) -> Dialect:
    for field in ("home", "schema"):
        if getattr(options, field):
            raise ConfigError("MySQL has none apart from the database", place=f"{place}.{field}")
    return MySqlCapture()


def _postgresql(options: Options, place: str) -> Dialect:
    del place
    return PostgreSqlCapture(
        options.home or "public", notify=options.notify, replicated=options.replicated
    )


_DIALECTS: Final[Mapping[str, Callable[[Options, str], Dialect]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
}
