"""A run to try acts and gates in: a real store, a real legacy table, and the step's own record."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import msgspec
from sqlalchemy import create_engine, insert
from sqlalchemy.pool import NullPool

import stranglerfig
from stranglerfig import config, parts
from stranglerfig.migrations import known
from stranglerfig.migrations.ports import Ctx
from stranglerfig.migrations.runbook import Runbook, Step
from stranglerfig.model import Comparison, Data, Route, Stage
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.routing.operator import Operator
from stranglerfig.running.fleet import adoption
from stranglerfig.store import Line, Store, Write, tables
from stranglerfig.store.processes import clock

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"
NOW = 1_700_000_000.0

TOML = """
[workspace]
name = "desk"

[legacy.desk]
adapter = "soap"
wsdl    = "desk.wsdl"
address = "http://127.0.0.1:9/desk"

[legacy.orders]
adapter    = "tables"
url        = "sqlite:///legacy.db"
table      = "orders"
operations = ["insert", "update", "delete"]

[legacy.verdicts]
adapter = "table-sink"
url     = "sqlite:///legacy.db"
table   = "verdicts"

[replacement.model]
provider = "local"
model    = "models/triage"

[facade.soap]
listen = "127.0.0.1:0"

[endpoint.triage]
operation   = "ticket.triage@1"
listen      = { facade = "soap", system = "desk", operation = "TriageTicket" }
mapping     = "acl/triage_ticket.toml"
legacy      = "desk"
replacement = "model"
key         = "customer"
ladder      = [10, 50]
data        = "moves"
guardrail   = { stay = false, errors = false, ratio = false }

[endpoint.opened]
operation   = "ticket.triage@1"
listen      = { source = "orders" }
mapping     = "acl/ticket_row.toml"
replacement = "model"
key         = "customer"
send        = "verdicts"
"""


class Parts:
    """What the app would wire; a model is learnt elsewhere."""

    def __init__(self, workspace: config.Workspace, store: Store) -> None:
        self._workspace, self._store = workspace, store
        self.learnt = []
        self.effect = "read"

    def operator(self, endpoint, who):
        given = self._workspace.endpoint[endpoint]
        newest = lambda: "new.digest"  # noqa: E731
        return Operator(self._store, given, effect=self.effect, newest=newest, who=who)

    def adapter(self, system):
        return parts.adapter(self._workspace, system)

    def installable(self, system):
        return parts.installable(self._workspace, system)

    def learn(self, endpoint, file, columns):
        self.learnt.append((endpoint, file, columns))
        return "learnt.digest"

    def adopted(self, endpoint, version):
        return adoption(self._store.database, endpoint, version)


class Bench:
    """One step of one run. ``clock`` is the time that acts and gates are told."""

    def __init__(self, folder: Path, store: Store, legacy: str = "") -> None:
        self.legacy = legacy or f"sqlite:///{folder / 'legacy.db'}"
        (folder / "fig.toml").write_text(TOML.replace("sqlite:///legacy.db", self.legacy), "utf-8")
        for name in ("operations", "acl"):
            shutil.copytree(EXAMPLE / name, folder / name)
        self.folder, self.store = folder, store
        self.workspace = config.load(folder)
        self.parts = Parts(self.workspace, store)
        self.endpoint = "triage"
        self.time = NOW
        self.stop = threading.Event()
        self.told = []
        self._run = None

    def act(self, name, /, **options):
        """Read an act from its options, as a runbook's file would have them."""
        return known.act(name, options, "night.toml: step it.with")

    def gate(self, name, /, **options):
        return known.gate(name, options, "night.toml: step it.needs[0]")

    def ctx(self, act=None):
        """Give what the step is given now: its record as it is stored."""
        run = self.run()
        step = Step(name="it", do="act", act=act, place="night.toml: step it")
        return Ctx(
            workspace=self.workspace,
            store=self.store,
            parts=self.parts,
            endpoint=self.workspace.endpoint[self.endpoint],
            runbook=self._runbook(step),
            step=step,
            who="ada",
            run=run,
            record=run.step("it"),
            clock=lambda: self.time,
            announce=self.told.append,
            stop=self.stop,
            keep=self._keep,
        )

    def planned(self, act=None):
        """Give what a step is given before a run."""
        return replace(self.ctx(act), run=None, record=None)

    def run(self):
        """Give the run as it is stored; begun by ada when it is first asked for."""
        if self._run is None:
            self._run = self.store.runs.begin(
                "night", self.endpoint, "text", ["before", "it"], who="ada", why=""
            ).id
        return self.store.runs.get(self._run)

    def approve(self, *people, step="it"):
        for one in people:
            self.store.runs.approve(self.run(), step, who=one, why="looked at it")

    def begin(self, at):
        """Begin the step at a time, as the engine writes it: for the first time, or again."""
        self._change("it", state="begun", began_at=at)

    def result(self):
        return self.run().step("it").result

    def route(self):
        return self.store.routes.get(self.endpoint) or Route(endpoint=self.endpoint)

    def rung(self):
        """Name the rung on which the route stands, as its measures do."""
        return Rung.of(self.route()).label

    def put(self, stage, **fields):
        """Store a route as it is given, whatever the rules."""
        given = {"revision": "new.digest", "salt": "s", "data": Data.NONE, **fields}
        version = self.route().version
        route = Route(endpoint=self.endpoint, version=version, stage=Stage(stage), **given)
        return self.store.routes.put(route, action="test", who="bob", why="by hand", evidence={})

    def observe(self, revision="new.digest", **winners):
        """Journal so many distinct inputs for each winner."""
        for winner, count in winners.items():
            for number in range(count):
                seen = Comparison(
                    request_id=f"{winner}{number}",
                    endpoint=self.endpoint,
                    revision=revision,
                    unit=f"{winner}{number}",
                    winner=winner,
                    by="golden",
                )
                self.store.journal.append(Write(observations=(seen,)))
        assert self.store.journal.flush(10)

    def requests(self, count, endpoint="triage"):
        """Journal so many requests."""
        for _ in range(count):
            self.store.journal.append(Write(lines=(Line("request", endpoint),)))
        assert self.store.journal.flush(10)

    def write(self, state, endpoint="triage", age=0.0, **fields):
        """Store a write that is to happen on both sides, as far as it has come."""
        with self.store.database.write() as connection:
            now = clock(connection)
            values = {"endpoint": endpoint, "key": "C-1", "state": state, "first": "legacy"}
            values |= {"request_id": token_hex(8), "revision": "r", "record": b"", "at": now - age}
            unsaid = [
                one.name
                for one in tables.dual_writes.c
                if not (one.nullable or one.primary_key or one.server_default is not None)
            ]
            values = {**dict.fromkeys(unsaid, values["request_id"]), **values, **fields}
            connection.execute(insert(tables.dual_writes).values(**values))

    def table(self, rows=0):
        """Make the legacy table, with so many rows."""
        self.sql("CREATE TABLE IF NOT EXISTS orders (nr INTEGER PRIMARY KEY, v VARCHAR(20))")
        for number in range(rows):
            self.sql(f"INSERT INTO orders (nr, v) VALUES ({number + 1}, 'v')")

    def sql(self, statement):
        """Do something in the legacy database, and give what it finds."""
        engine = create_engine(self.legacy, poolclass=NullPool)
        with engine.begin() as legacy:
            found = legacy.exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

    @property
    def installed(self):
        """Say what is recorded to be installed in the legacy database."""
        return [one["name"] for one in self.parts.adapter("orders").installed()]

    def _keep(self, result):
        self._change("it", state="begun", result=msgspec.to_builtins(result))

    def _change(self, name, **fields):
        run = self.run()
        step = msgspec.structs.replace(run.step(name), **fields)
        self.store.runs.change(run, "keep", who="ada", step=step)

    def _runbook(self, step):
        return Runbook(
            name="night",
            endpoint=self.endpoint,
            owner="ada",
            steps=(step,),
            file="night.toml",
            text="",
            digest="",
        )
