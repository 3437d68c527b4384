"""``fig.toml`` as frozen values. Read once, whole; every error names the file and the key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from .answer_settings import Blend, EffectRules, Fallback, ShadowRules
from .errors import ConfigError
from .guardrail_settings import Metrics, metrics_of, source_of
from .options import check_keys, options, read_toml
from .references import check_references
from .route_settings import (
    AdjudicationRules,
    Compared,
    Dual,
    Guardrail,
    Routing,
    Rule,
    check_ladder,
)
from .secret import absolute_sqlite, with_password
from .settings import BridgeSettings, Facade, Guards, Listen, Outcome, Retention

__all__ = [
    "Endpoint",
    "Facade",
    "Guardrail",
    "LegacySystem",
    "Listen",
    "Metrics",
    "Replacement",
    "Workspace",
    "load",
    "options",
    "read_toml",
]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose every key is known."""


class LegacySystem(msgspec.Struct, frozen=True, kw_only=True):
    """``[legacy.NAME]``: an adapter and its own options, which the adapter checks."""

    name: str
    adapter: str
    options: Mapping[str, object]


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """``[replacement.NAME]``: a provider, its time limit in seconds, and its own options.

    ``process``: ``own`` keeps the model out of the facade's process, so that it can hang or crash
    there without a caller noticing; ``shared`` is for providers that are cheap and cannot.
    ``guards`` are ``retry``, ``breaker``, ``rate`` and ``at_once``.
    """

    name: str
    provider: str
    options: Mapping[str, object]
    deadline: float = 2.0
    process: Literal["own", "shared"] = "own"
    guards: Guards = Guards()


class EndpointTable(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME]``: one operation at one place in one legacy system.

    ``key`` is the input field that a canary is sticky to; ``compare`` names the output fields that
    are held against each other (none: all); ``golden`` is a CSV of inputs and right outputs;
    ``owner`` is who is to be asked, and ``expires`` the day by which its migration is to be over;
    ``ladder`` holds the percents of the canary; ``outcome`` says where legacy itself decides
    later, and ``send`` names the ``[legacy.NAME]`` that a replacement's decisions are sent to.
    ``rules`` put requests on a side by what they say; endpoints of one ``group`` are one journey:
    a key is on the same side at all of them. ``data = "moves"``: the replacement has a store of its
    own, and what is written moves there (``fig route data``); ``dual`` says how both are written.
    ``comparison`` says how fields are compared, ``adjudication`` who decides what they differ in.
    ``blend`` merges both sides' answers, ``fallback`` and ``shadow`` bound what the other side is
    asked for, and ``effects`` are those that answering has, by kind.
    """

    operation: str
    listen: Listen
    mapping: str
    legacy: str = ""
    replacement: str = ""
    key: str = ""
    compare: tuple[str, ...] = ()
    golden: str = ""
    owner: str = ""
    expires: date | None = None
    ladder: tuple[float, ...] = (1, 5, 10, 25, 50)
    guardrail: Guardrail = Guardrail()
    outcome: Outcome | None = None
    send: str = ""
    rules: tuple[Rule, ...] = ()
    group: str = ""
    data: Literal["stays", "moves"] = "stays"
    comparison: Compared = Compared()
    adjudication: AdjudicationRules = AdjudicationRules()
    dual: Dual = Dual()
    blend: Blend | None = None
    fallback: Fallback = Fallback()
    shadow: ShadowRules = ShadowRules()
    effects: Mapping[str, EffectRules] = {}


class Endpoint(EndpointTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint with the name that it has in ``fig.toml``, and where its metrics are read."""

    name: str
    sources: Mapping[str, Metrics] = {}


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of ``fig.toml``. Paths in it are relative to its folder, ``root``."""

    root: Path
    file: Path
    name: str
    store: str
    legacy: Mapping[str, LegacySystem] = {}
    replacement: Mapping[str, Replacement] = {}
    facade: Mapping[str, Facade] = {}
    endpoint: Mapping[str, Endpoint] = {}
    bridge: BridgeSettings = BridgeSettings()
    retention: Retention = Retention()
    metrics: Mapping[str, Metrics] = {}
    routing: Routing = Routing()
    store_password: str = ""

    def path(self, relative: str) -> Path:
        """Give a path of the workspace as an absolute one."""
        return (self.root / relative).resolve()

    @property
    def store_url(self) -> str:
        """Give the store's address, with its password: it is for connecting, never for showing.

        A relative SQLite file is resolved against the workspace. Raises ``ConfigError``.
        """
        place = self.place("workspace", "store_password")
        store = absolute_sqlite(self.store, self.root)
        return with_password(store, self.store_password, place, self.root)

    def place(self, *keys: str) -> str:
        """Name a key of this file, for an error."""
        return f"{self.file.name}: {'.'.join(keys)}"


class _WorkspaceTable(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    store: str = "sqlite:///fig.db"
    store_password: str = ""


class _ReplacementTable(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    provider: str
    deadline: float = 2.0
    process: Literal["own", "shared"] = "own"


_SECTIONS = (
    "workspace",
    "legacy",
    "replacement",
    "facade",
    "endpoint",
    "bridge",
    "retention",
    "metrics",
    "routing",
)


def load(path: Path) -> Workspace:
    """Read a workspace. Called once by every command and daemon.

    Raises ``ConfigError`` with file and key.
    """
    file = path / "fig.toml" if path.is_dir() else path
    tables = read_toml(file)
    at = file.name
    check_keys(tables, _SECTIONS, at)
    head = options(_WorkspaceTable, _section(tables, "workspace", file), f"{at}: workspace")
    metrics = {k: metrics_of(k, v, file) for k, v in _named(tables, "metrics", file)}
    workspace = Workspace(
        root=file.resolve().parent,
        file=file.resolve(),
        name=head.name,
        store=head.store,
        store_password=head.store_password,
        bridge=options(BridgeSettings, _section(tables, "bridge", file), f"{at}: bridge"),
        retention=options(Retention, _section(tables, "retention", file), f"{at}: retention"),
        routing=options(Routing, _section(tables, "routing", file), f"{at}: routing"),
        legacy={k: _legacy(k, v, file) for k, v in _named(tables, "legacy", file)},
        replacement={k: _replacement(k, v, file) for k, v in _named(tables, "replacement", file)},
        facade={
            k: options(Facade, v, f"{at}: facade.{k}") for k, v in _named(tables, "facade", file)
        },
        metrics=metrics,
        endpoint={k: _endpoint(k, v, file, metrics) for k, v in _named(tables, "endpoint", file)},
    )
    check_references(workspace)
    return workspace


def _section(tables: Mapping[str, object], name: str, file: Path) -> Mapping[str, object]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError("not a table", place=f"{file.name}: {name}", expected=f"[{name}]")
    return table


def _named(
    tables: Mapping[str, object], section: str, file: Path
) -> list[tuple[str, Mapping[str, object]]]:
    named: list[tuple[str, Mapping[str, object]]] = []
    for key, table in _section(tables, section, file).items():
        place = f"{file.name}: {section}.{key}"
        if not isinstance(table, dict):
            raise ConfigError("not a table", place=place, expected=f"[{section}.{key}]")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", key):
            expected = "letters, digits, - and _, at most 63"
            raise ConfigError("not a name", place=place, value=repr(key), expected=expected)
        named.append((key, table))
    return named


def _split(
    table: Mapping[str, object], own: tuple[str, ...]
) -> tuple[dict[str, object], dict[str, object]]:
    ours = {key: value for key, value in table.items() if key in own}
    return ours, {key: value for key, value in table.items() if key not in own}


def _legacy(name: str, table: Mapping[str, object], file: Path) -> LegacySystem:
    ours, rest = _split(table, ("adapter",))
    adapter = ours.get("adapter")
    if not isinstance(adapter, str):
        place = f"{file.name}: legacy.{name}.adapter"
        raise ConfigError("missing or not text", place=place, expected="an adapter's name")
    return LegacySystem(name=name, adapter=adapter, options=rest)


def _replacement(name: str, table: Mapping[str, object], file: Path) -> Replacement:
    place = f"{file.name}: replacement.{name}"
    ours, rest = _split(table, _ReplacementTable.__struct_fields__)
    head = options(_ReplacementTable, ours, place)
    guards, rest = _split(rest, Guards.__struct_fields__)
    return Replacement(
        name=name,
        provider=head.provider,
        deadline=head.deadline,
        process=head.process,
        options=rest,
        guards=options(Guards, guards, place),
    )


def _endpoint(
    name: str, table: Mapping[str, object], file: Path, metrics: Mapping[str, Metrics]
) -> Endpoint:
    place = f"{file.name}: endpoint.{name}"
    head = options(EndpointTable, table, place)
    if bool(head.listen.facade) == bool(head.listen.source):
        raise ConfigError(
            "must name either a facade or a source",
            place=f"{place}.listen",
            expected='{ facade = "soap", system = …, operation = … } or { source = … }',
        )
    check_ladder(head.ladder, f"{place}.ladder")
    fields = {field: getattr(head, field) for field in EndpointTable.__struct_fields__}
    sources = {one.source: source_of(one.source, metrics, place) for one in head.guardrail.metrics}
    return Endpoint(name=name, sources=sources, **fields)
