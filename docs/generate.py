"""Writes the parts of the reference that the code itself can tell: ``python docs/generate.py``.

Each part stands in a page between ``<!-- generated: NAME -->`` and ``<!-- end -->``. With
``--check`` nothing is written, and pages that are not up to date are named.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import click
import msgspec

from stranglerfig import (
    answer_settings,
    config,
    errors,
    guardrail_settings,
    route_settings,
    settings,
)
from stranglerfig.acl.operations.field import _Table as FieldTable
from stranglerfig.acl.operations.group import GroupTable
from stranglerfig.acl.operations.operation import _Table as OperationTable
from stranglerfig.acl.rows import MappingTable, Row
from stranglerfig.acl.versions.carry import CarryRow
from stranglerfig.acl.versions.step import StepTable
from stranglerfig.adapters.soap import Options as SoapOptions
from stranglerfig.adapters.table_draft import DraftOptions
from stranglerfig.adapters.table_sink import Options as SinkOptions
from stranglerfig.adapters.tables import Options as TableOptions
from stranglerfig.ai.local import LocalOptions
from stranglerfig.ai.rules import RulesOptions
from stranglerfig.cli import fig
from stranglerfig.migrations import known, loader
from stranglerfig.migrations.people import People
from stranglerfig.routing.pairs import PAIRS
from stranglerfig.telemetry import METRICS

DOCS: Final = Path(__file__).parent
_MEANINGS: Final = tomllib.loads((DOCS / "keys.toml").read_text("utf-8"))
_PART: Final = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Give every page that has generated parts, as it should be."""
    found: dict[Path, str] = {}
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text("utf-8")
        if _PART.search(text):
            found[page] = _PART.sub(lambda part: part[1] + _PARTS[part[2]]() + part[3], text)
    return found


def stale() -> list[Path]:
    """Give the pages that differ from what the code says."""
    return [page for page, text in pages().items() if page.read_text("utf-8") != text]


# -- the commands -----------------------------------------------------------------------------


def _cli() -> str:
    return "".join(_commands(fig, None, "fig"))


def _commands(command: click.Command, parent: click.Context | None, name: str) -> Iterator[str]:
    settings = dict(command.context_settings)
    word = name.rsplit(maxsplit=1)[-1]
    context = click.Context(command, parent=parent, info_name=word, terminal_width=100, **settings)
    yield f"\n## `{name}`\n\n{_prose(command.help)}\n\n"
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```\n"
    rows = [_option(one, context) for one in command.params if isinstance(one, click.Option)]
    if rows:
        yield "\n" + _table(("option", "what it does"), rows)
    if isinstance(command, click.Group):
        for key in command.list_commands(context):
            inner = command.get_command(context, key)
            if inner is not None:
                yield from _commands(inner, context, f"{name} {key}")


def _option(param: click.Option, context: click.Context) -> tuple[str, str]:
    names, text = param.get_help_record(context) or ("", "")
    return f"`{names}`".replace("|", "\\|"), " ".join(text.split())


def _prose(text: str | None) -> str:
    return " ".join((text or "").split())


# -- the keys of files ------------------------------------------------------------------------


def _keys(section: str, struct: type[msgspec.Struct], *, skip: tuple[str, ...] = ()) -> str:
    meanings: Mapping[str, str] = _MEANINGS[section]
    fields = [one for one in msgspec.structs.fields(struct) if one.name not in skip]
    names = {one.encode_name for one in fields}
    if names != meanings.keys():
        difference = ", ".join(sorted(names ^ meanings.keys()))
        raise SystemExit(f"docs/keys.toml: [{section}] does not fit the code: {difference}")
    rows = [
        (f"`{one.encode_name}`", _type(one.type), _default(one), meanings[one.encode_name])
        for one in fields
    ]
    return "\n" + _table(("key", "type", "default", "meaning"), rows) + "\n"


_TYPES: Final[Mapping[object, str]] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    object: "a value",
}


def _type(found: Any) -> str:
    origin, arguments = get_origin(found), get_args(found)
    if found in _TYPES:
        return _TYPES[found]
    if isinstance(found, type) and issubclass(found, msgspec.Struct):
        return "table"
    if isinstance(found, type) and issubclass(found, StrEnum):
        return " or ".join(f'`"{one.value}"`' for one in found)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return " or ".join(f'`"{one}"`' for one in arguments)
    if found is dt.date:
        return "date"
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    return " or ".join(_type(one) for one in arguments if one is not type(None))


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "*needed*"
    if field.default_factory is not msgspec.NODEFAULT:
        return ""
    default = field.default
    if default is msgspec.NODEFAULT or default is None or default in ("", ()):
        return ""
    if isinstance(default, msgspec.Struct) or default == {}:
        return ""
    return f"`{msgspec.json.encode(default).decode()}`"


def _parts_of(kind: Literal["acts", "gates"], names: Mapping[str, str]) -> str:
    """Give every act or gate: what it says of itself, and its options."""
    return "".join(_part_of(kind, name) for name in names)


def _part_of(kind: Literal["acts", "gates"], name: str) -> str:
    struct = known.struct_of(kind, name)
    told = _prose(struct.__doc__).replace("``", "`")
    asked = issubclass(struct, People)
    skip = _PEOPLE if asked else ()
    section = f"{kind.removesuffix('s')}-{name}"
    options = [one for one in msgspec.structs.fields(struct) if one.name not in skip]
    keys = _keys(section, struct, skip=skip).rstrip("\n") + "\n" if options else ""
    more = "\nAnd the keys of [who must agree](#who-must-agree).\n" if asked else ""
    return f"\n### `{name}`\n\n{told}\n{more}{keys}"


_PEOPLE: Final = People.__struct_fields__


# -- tables that the code reads ---------------------------------------------------------------


def _errors() -> str:
    rows = [
        (f"{'&emsp;' * depth}`{kind.__name__}`", str(kind.exit_status), _prose(kind.__doc__))
        for kind, depth in _tree(errors.FigError, 0)
    ]
    return "\n" + _table(("error", "exit status", "meaning"), rows) + "\n"


def _tree(kind: type[errors.FigError], depth: int) -> Iterator[tuple[type[errors.FigError], int]]:
    yield kind, depth
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child, depth + 1)


def _stages() -> str:
    rows = [
        (
            f"`{stage}`",
            f"`{data}`",
            plan.inside.value,
            plan.outside.value,
            "yes" if plan.compare else "no",
            ", then ".join(side.value for side in plan.writes) or "whoever answers",
        )
        for (stage, data), plan in PAIRS.items()
    ]
    header = ("stage", "data", "answers its keys", "answers the rest", "compared", "is written")
    return "\n" + _table(header, rows) + "\n"


def _metrics() -> str:
    return "\n" + _table(("counter", "counts"), [(f"`{k}`", v) for k, v in METRICS.items()]) + "\n"


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


_PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "cli": _cli,
    "errors": _errors,
    "metrics": _metrics,
    "stages": _stages,
    "workspace": lambda: _keys("workspace", config._WorkspaceTable),  # noqa: SLF001
    "legacy-soap": lambda: _keys("legacy-soap", SoapOptions),
    "legacy-tables": lambda: _keys("legacy-tables", TableOptions),
    "replacement": lambda: _keys("replacement", config._ReplacementTable),  # noqa: SLF001
    "provider-local": lambda: _keys("provider-local", LocalOptions),
    "provider-rules": lambda: _keys("provider-rules", RulesOptions),
    "legacy-tables-draft": lambda: _keys("legacy-tables-draft", DraftOptions),
    "legacy-table-sink": lambda: _keys("legacy-table-sink", SinkOptions),
    "guards": lambda: _keys("guards", settings.Guards),
    "rate": lambda: _keys("rate", settings.Rate),
    "breaker": lambda: _keys("breaker", settings.Breaker),
    "retry": lambda: _keys("retry", settings.Retry),
    "bridge": lambda: _keys("bridge", settings.BridgeSettings),
    "bridge-source": lambda: _keys("bridge-source", settings.SourceSettings),
    "bridge-endpoint": lambda: _keys("bridge-endpoint", settings.EndpointLimits),
    "retention": lambda: _keys("retention", settings.Retention),
    "outcome": lambda: _keys("outcome", settings.Outcome),
    "facade": lambda: _keys("facade", config.Facade),
    "endpoint": lambda: _keys("endpoint", config.EndpointTable),
    "rule": lambda: _keys("rule", route_settings.Rule),
    "routing": lambda: _keys("routing", route_settings.Routing),
    "listen": lambda: _keys("listen", config.Listen),
    "comparison": lambda: _keys("comparison", route_settings.Compared),
    "field-rule": lambda: _keys("field-rule", route_settings.FieldRule),
    "noise": lambda: _keys("noise", route_settings.NoiseRules),
    "adjudication": lambda: _keys("adjudication", route_settings.AdjudicationRules),
    "right-when": lambda: _keys("right-when", route_settings.RightWhen),
    "judge": lambda: _keys("judge", route_settings.Judge),
    "review": lambda: _keys("review", route_settings.Review),
    "dual": lambda: _keys("dual", route_settings.Dual),
    "blend": lambda: _keys("blend", answer_settings.Blend),
    "fallback": lambda: _keys("fallback", answer_settings.Fallback),
    "shadow": lambda: _keys("shadow", answer_settings.ShadowRules),
    "effect": lambda: _keys("effect", answer_settings.EffectRules),
    "guardrail": lambda: _keys("guardrail", config.Guardrail),
    "mismatch": lambda: _keys("mismatch", guardrail_settings.Mismatch),
    "errors-guardrail": lambda: _keys("errors", guardrail_settings.Errors),
    "latency": lambda: _keys("latency", guardrail_settings.Latency),
    "ratio": lambda: _keys("ratio", guardrail_settings.Ratio),
    "guardrail-breaker": lambda: _keys("guardrail-breaker", guardrail_settings.Breaker),
    "stay": lambda: _keys("stay", guardrail_settings.Stay),
    "metric": lambda: _keys("metric", guardrail_settings.Metric),
    "metric-source": lambda: _keys("metric-source", guardrail_settings.MetricSource),
    "operation": lambda: _keys("operation", OperationTable),
    "field": lambda: _keys("field", FieldTable),
    "group": lambda: _keys("group", GroupTable),
    "step": lambda: _keys("step", StepTable),
    "carry": lambda: _keys("carry", CarryRow),
    "mapping": lambda: _keys("mapping", MappingTable),
    "row": lambda: _keys("row", Row),
    "runbook": lambda: _keys("runbook", loader._Head),  # noqa: SLF001
    "runbook-step": lambda: _keys("runbook-step", loader._Step),  # noqa: SLF001
    "people": lambda: _keys("people", People),
    "acts": lambda: _parts_of("acts", known.ACTS),
    "gates": lambda: _parts_of("gates", known.GATES),
}


def main() -> None:
    """Write the pages, or with ``--check`` name those that differ and leave with status 1."""
    if "--check" in sys.argv[1:]:
        for page in stale():
            sys.stderr.write(f"{page} is not up to date: python docs/generate.py\n")
        sys.exit(bool(stale()))
    for page, text in pages().items():
        page.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
