"""A whole workspace whose legacy tickets lie on a database server, and its bridges. It is no test."""

from __future__ import annotations

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from stranglerfig.cli import fig
from stranglerfig.errors import FigError
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import request_id
from stranglerfig.store import Store
from stranglerfig.store.chain import verify
from stranglerfig.tests.acceptance.conftest import Done, until
from stranglerfig.tests.acceptance.survival.bridge_process import Bridge, Nursery

FILES = {
    "fig.toml": """
[workspace]
name  = "office"
store = "{store}"

[bridge]
lease = 1.5
drain = {drain}

[bridge.source.tickets]
attempts = {attempts}
first    = {first}
longest  = {longest}
later    = "{later}"
spent    = "{spent}"

[legacy.tickets]
adapter    = "tables"
url        = "{legacy}"
table      = "tickets"
key        = "account"
operations = ["insert", "update"]
lease      = {lease}
poll       = 0.02

[legacy.verdicts]
adapter = "table-sink"
url     = "{legacy}"
table   = "verdicts"

[replacement.steered]
provider = "py:stranglerfig.tests.acceptance.survival.steered:Steered"
process  = "shared"
deadline = 60

[endpoint.ticket]
operation   = "ticket.read@1"
listen      = {{ source = "tickets" }}
mapping     = "acl/ticket.toml"
replacement = "steered"
key         = "account"
send        = "verdicts"
""",
    "operations/ticket.read@1.toml": """
name    = "ticket.read"
version = 1
effect  = "read"
[input]
number  = {{ type = "integer", tag = "none" }}
account = {{ type = "text", max_length = 20, tag = "none" }}
text    = {{ type = "text", max_length = 200, tag = "none" }}
[output]
verdict = {{ type = "text", max_length = 40, tag = "none" }}
""",
    "acl/ticket.toml": """
operation = "ticket.read@1"
from = {{ kind = "row", columns = ["id", "account", "text"] }}
fields = [
  {{ src = "id",      dst = "number",  as = "integer" }},
  {{ src = "account", dst = "account", as = "text" }},
  {{ src = "text",    dst = "text",    as = "text" }},
]
""",
}
USUAL = {
    "attempts": 16,
    "first": 0.05,
    "longest": 0.1,
    "later": "block",
    "spent": "pass",
    "lease": 600,
    "drain": 15,
}
TICKETS = "CREATE TABLE tickets (id INTEGER PRIMARY KEY, account VARCHAR(20), text VARCHAR(200))"


class Office:
    """Legacy's tickets at ``legacy``, the workspace in ``root`` and every process started in it."""

    def __init__(
        self, root: Path, nursery: Nursery, *, legacy: str, store: str, **options: object
    ) -> None:
        self.root, self.url, self.store_url = root, legacy, store
        self._engine = create_engine(legacy, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._nursery, self._bridges = nursery, []
        given = {**USUAL, **options, "legacy": legacy, "store": store}
        for name, template in FILES.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(template.format(**given), encoding="utf-8")
        upgrade(store)
        self.store = Store(store)
        self.run(TICKETS)
        for system in ("tickets", "verdicts"):
            self.must("adapter", "install", system)

    def edit(self, file: str, old: str, new: str) -> None:
        found = (self.root / file).read_text("utf-8")
        assert old in found
        (self.root / file).write_text(found.replace(old, new), "utf-8")

    def live(self) -> None:
        """Have the replacement's decisions sent to legacy's table ``verdicts``."""
        for to in ("shadow", "live"):
            self.must("route", "advance", "ticket", "--to", to, "--force", "--why", "a test")

    def shadow(self) -> None:
        self.must("route", "advance", "ticket", "--to", "shadow", "--why", "a test")

    def fig(self, *words: str) -> Done:
        """Run a command."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FIG_WHO", "tester")
            done = CliRunner().invoke(fig, ["-w", str(self.root), *words])
        status = done.exit_code
        if isinstance(done.exception, FigError):
            status = done.exception.exit_status
        elif status and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(status, done.stdout, f"{done.stderr}{done.exception or ''}")

    def must(self, *words: str) -> str:
        done = self.fig(*words)
        assert done.status == 0, f"fig {' '.join(words)}: {done.status}\n{done.err}\n{done.out}"
        return done.out

    def start(self, *, doom: str = "") -> Bridge:
        """Start a bridge whose probes can be asked."""
        self._bridges.append(Bridge(self._nursery, self.root, len(self._bridges), doom=doom))
        return self._bridges[-1]

    @property
    def running(self) -> Bridge:
        """The bridge that was started last."""
        return self._bridges[-1]

    def bridge(self) -> Bridge:
        """Start a bridge, and wait until it is ready."""
        return self.start().ready()

    @contextlib.contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    def run(self, *statements: str) -> None:
        with self.connect() as legacy:
            for statement in statements:
                legacy.execute(text(statement))

    def rows(self, query: str) -> list[tuple]:
        with self.connect() as legacy:
            return [tuple(row) for row in legacy.execute(text(query))]

    def write(self, *tickets: tuple[int, str, str]) -> None:
        """Insert tickets: number, account, text."""
        rows = ", ".join(
            f"({number}, '{account}', '{words}')" for number, account, words in tickets
        )
        self.run(f"INSERT INTO tickets (id, account, text) VALUES {rows}")

    def events(self, what: str, where: str = "1 = 1") -> list[tuple]:
        return self.rows(f"SELECT {what} FROM fig_event WHERE {where} ORDER BY id")

    def quoted(self, name: str) -> str:
        return self._engine.dialect.identifier_preparer.quote_identifier(name)

    def done(self) -> int:
        return self.rows("SELECT count(done_at) FROM fig_event")[0][0]

    def waiting(self) -> int:
        return self.rows("SELECT count(*) FROM fig_event WHERE done_at IS NULL")[0][0]

    def settled(self, what: str = "all captured changes are settled", seconds: float = 120) -> None:
        """Wait until nothing that legacy wrote waits."""
        until(lambda: not self.waiting(), what, seconds)

    def taken(self) -> list[str]:
        """Give the accounts of the journal's lines, in its order."""
        lines = self.store.journal.read(endpoint="ticket", kinds=["request"])
        return [one.line.data["key"] for one in lines]

    def verdicts(self) -> list[str]:
        """Give the bodies of the decisions that legacy's table has."""
        return [body for (body,) in self.rows("SELECT body FROM verdicts")]

    def letters(self) -> list:
        return list(self.store.dead_letters.read())

    def asked(self, what: str = "begun") -> list[int]:
        """Give the tickets that the replacement was asked about, in that order."""
        file = self.root / "asked"
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        return [int(line.split()[2]) for line in lines if line.split()[1] == what]

    def check(self, accounts: list[str], *, ordered: set[str] | None = None) -> None:
        """Each change has one line and one mark, in the order of its key; the chain holds."""
        assert Counter(self.taken()) == Counter(accounts)
        wanted = [
            (account, request_id("tickets", event))
            for account, event in self.events(self.quoted("key") + ", event_id")
        ]
        lines = list(self.store.journal.read(endpoint="ticket", kinds=["request"]))
        for account in set(accounts) if ordered is None else ordered:
            got = [one.line.request_id for one in lines if one.line.data["key"] == account]
            assert got == [ident for key, ident in wanted if key == account], f"order of {account}"
        with self.store.database.read() as connection:
            marks = connection.execute(text("SELECT count(*) FROM inbox")).scalar_one()
        assert marks == len(accounts)
        assert list(verify(self.store.database)) == []

    def close(self) -> None:
        """End whatever runs still."""
        for one in self._bridges:
            one.signal(signal.SIGKILL)
            one.wait()
        self.store.close()
        self._engine.dispose()
