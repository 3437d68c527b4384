"""The demo's workspace: the example, with free ports and, where given, somebody else's messages."""

from __future__ import annotations

import csv
import shutil
import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path

import msgspec

from .data import Message
from .rules import keyword_rules

__all__ = ["Places", "copy_example", "make"]


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where the demo's parts stand."""

    root: Path
    legacy_port: int
    facade_port: int
    legacy_command: tuple[str, ...]
    learn: Path
    shifted: Path


def copy_example(root: Path) -> None:
    """Copy the example's workspace, its legacy service included, into a folder."""
    with as_file(files("stranglerfig").joinpath("examples", "helpdesk")) as example:
        shutil.copytree(
            example, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )


def make(
    root: Path, learn: Sequence[Message], traffic: Sequence[Message], *, python: str, foreign: bool
) -> Places:
    """Write the workspace. ``foreign``: the categories are not the example's own."""
    copy_example(root)
    with ExitStack() as stack:
        # Both are held until both are known, so that they differ.
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        legacy_port, facade_port = (int(one.getsockname()[1]) for one in sockets)
    config = root / "fig.toml"
    text = config.read_text("utf-8").replace(":8701/", f":{legacy_port}/")
    text = text.replace(":8700", f":{facade_port}")
    text = text.replace(
        'compare     = ["category"]', 'compare     = ["category"]\ngolden      = "golden.csv"'
    )
    command = ["legacy/server.py", "--db", "legacy/helpdesk.db", "--port", str(legacy_port)]
    if foreign:
        _write_domain(root, learn, traffic)
        command += ["--categories", "legacy/categories.csv", "--keywords", "legacy/keywords.csv"]
    config.write_text(text, "utf-8")
    _write(root / "golden.csv", ("text", "category"), ((m.text, m.category) for m in traffic))
    _write(root / "learn.csv", ("text", "category"), ((m.text, m.category) for m in learn))
    _write(root / "shifted.csv", ("text", "category"), _shifted(learn))
    return Places(
        root=root,
        legacy_port=legacy_port,
        facade_port=facade_port,
        legacy_command=(python, *command),
        learn=root / "learn.csv",
        shifted=root / "shifted.csv",
    )


def _shifted(messages: Sequence[Message]) -> Iterable[tuple[str, str]]:
    """Label every message with the next category: an export whose code table slipped by one row.

    No cross-validation can see it, as the labels are consistent with each other.
    """
    names = sorted({message.category for message in messages})
    following = dict(zip(names, names[1:] + names[:1], strict=True))
    return ((message.text, following[message.category]) for message in messages)


def _write_domain(root: Path, learn: Sequence[Message], traffic: Sequence[Message]) -> None:
    names = sorted({message.category for message in (*learn, *traffic)})
    codes = {name: f"K{number:03d}" for number, name in enumerate(names, 1)}
    rows = [(code, name, "2", "0") for name, code in codes.items()]
    general = "general" if "general" not in codes else "general enquiry"
    rows.append(("K000", general, "3", "1"))
    _write(root / "legacy/categories.csv", ("code", "name", "priority", "default"), rows)
    rules = ((word, codes[name], str(weight)) for word, name, weight in keyword_rules(learn))
    _write(root / "legacy/keywords.csv", ("word", "category", "weight"), rules)
    table = "".join(
        f"{code} = {_toml(name)}\n"
        for code, name in [*((c, n) for n, c in codes.items()), ("K000", general)]
    )
    for file in ("acl/triage_ticket.toml", "acl/ticket_row.toml"):
        mapping = (root / file).read_text("utf-8")
        head, _, _ = mapping.partition("[codes.category]\n")
        (root / file).write_text(f"{head}[codes.category]\n{table}", "utf-8")


def _toml(text: str) -> str:
    # A JSON string is a TOML basic string.
    return msgspec.json.encode(text).decode()


def _write(file: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
