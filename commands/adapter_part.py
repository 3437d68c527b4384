"""A legacy system as a command wants it: by fig.toml, and by options that go before it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, get_args

import click
import msgspec
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ..adapters.capture.dialect import Operation
from ..config import Workspace
from ..errors import ConfigError

__all__ = ["Overrides", "capture_options", "login_options"]

_Function = TypeVar("_Function", bound=Callable[..., object])


def capture_options(command: _Function) -> _Function:
    """Add the options that say what is captured, and as whom to install."""
    for option in (
        click.option("--operations", metavar="O,O", help="insert, update, delete, truncate."),
        click.option("--when", metavar="CONDITION", help="Over old.COLUMN and new.COLUMN."),
        click.option("--key", metavar="C,C", help="The columns by which order is kept."),
        click.option("--columns", metavar="C,C", help="The columns that are captured."),
        click.option("--table", metavar="T", help="The table that is captured."),
    ):
        command = option(command)
    return login_options(command)


def login_options(command: _Function) -> _Function:
    """Add the options that say as whom to connect."""
    for option in (
        click.option(
            "--password",
            metavar="REF",
            help="That user's password: env:NAME or file:PATH, never itself.",
        ),
        click.option(
            "--as", "login", metavar="USER", help="Connect as this user, not as fig.toml's."
        ),
    ):
        command = option(command)
    return command


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says of a system; empty where it says nothing."""

    table: str | None = None
    columns: str | None = None
    key: str | None = None
    when: str | None = None
    operations: str | None = None
    login: str | None = None
    password: str | None = None

    @property
    def captured(self) -> Mapping[str, object]:
        """Give the keys of ``[legacy.NAME]`` that say what is captured."""
        texts = {"table": self.table, "when": self.when}
        lists = {"columns": self.columns, "key": self.key, "operations": self.operations}
        found: dict[str, object] = {k: text for k, text in texts.items() if text is not None}
        for name, text in lists.items():
            if text is not None:
                found[name] = [part.strip() for part in text.split(",") if part.strip()]
        return found

    def of(self, workspace: Workspace, system: str) -> Workspace:
        """Give the workspace as if fig.toml said so. Raises ``ConfigError``."""
        known = workspace.legacy.get(system)
        if known is None:
            return workspace  # whoever builds the adapter says so
        self._check()
        options = {**known.options, **self.captured}
        if self.login:
            options |= self._as(workspace, system, known.options)
        elif self.password:
            options["password"] = self.password
        changed = msgspec.structs.replace(known, options=options)
        return msgspec.structs.replace(workspace, legacy={**workspace.legacy, system: changed})

    def to_add(self, workspace: Workspace, system: str) -> list[str]:
        """Give the lines that fig.toml needs, to say what the command line said."""
        options = workspace.legacy[system].options
        differs = {k: value for k, value in self.captured.items() if options.get(k) != value}
        lines = [f"{key} = {_toml(value)}" for key, value in differs.items()]
        return [f"[legacy.{system}]", *lines] if lines else []

    def _check(self) -> None:
        """Refuse here what would else be said of a line that fig.toml does not have."""
        if self.password is not None and not self.password.startswith(("env:", "file:")):
            # What stands there may be the secret itself, so it is not repeated.
            expected = "env:NAME or file:PATH"
            raise ConfigError("not a reference to a secret", place="--password", expected=expected)
        for word in (part.strip() for part in (self.operations or "").split(",")):
            if word and word not in get_args(Operation):
                raise ConfigError(
                    "no such operation",
                    place="--operations",
                    value=word,
                    expected=f"some of {', '.join(get_args(Operation))}",
                )

    def _as(
        self, workspace: Workspace, system: str, options: Mapping[str, object]
    ) -> dict[str, object]:
        place = workspace.place("legacy", system, "url")
        try:
            url = make_url(str(options.get("url", "")))
        except ArgumentError:
            raise ConfigError("not a URL", place=place) from None
        login = url.set(username=self.login, password=None)
        changed: dict[str, object] = {
            "url": login.render_as_string(hide_password=False),
            "password": self.password or "",
        }
        if url.username and url.username != self.login:
            changed["grant_to"] = options.get("grant_to") or url.username
        return changed


def _toml(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    # What JSON writes of a text is a basic string of TOML, but for the character DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
