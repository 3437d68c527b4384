"""Whatever people, guardrails and crashes do, in any order: the records say what is."""

import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import update

from stranglerfig.errors import RouteError, RunbookError
from stranglerfig.migrations import run as runs
from stranglerfig.migrations.back import roll_back, route_after
from stranglerfig.migrations.latches import freeze, pause
from stranglerfig.migrations.resume import resume
from stranglerfig.model import Route, Stage
from stranglerfig.routing.stages import position
from stranglerfig.store import tables
from stranglerfig.store.database import Database
from stranglerfig.tests.migrations.engine.conftest import Office
from stranglerfig.tests.stores import store_file

STEPS = (
    ("shadow", 'Move to = "shadow"'),
    ("one", 'Deed line = "one"'),
    ("canary", 'Move to = "canary", percent = 10'),
    ("two", 'Deed line = "two"', 'needs = [{ gate = "py:deeds:Open", path = "go" }]'),
    ("live", 'Move to = "live"'),
    ("three", 'Deed line = "three", fails = "broken"'),
)
DEEDS = ("one", "two", "three")
REFUSED = (RunbookError, RouteError)
GUARDRAIL = "guardrail"


class Crash(BaseException):
    """The process is gone."""


class Crashing:
    """Has the next ``nth`` writing transaction of this thread end before, or after, its commit."""

    def __init__(self, nth, when):
        self._real, self._left, self._when = Database.write, nth, when
        self._thread = threading.get_ident()

    def __enter__(self):
        crashing, real = self, self._real

        @contextmanager
        def write(database, *words, **named):
            mine = threading.get_ident() == crashing._thread
            crashing._left -= mine
            last = mine and crashing._left == 0
            with real(database, *words, **named) as connection:
                yield connection
                if last and crashing._when == "before":
                    raise Crash
            if last:
                raise Crash

        Database.write = write

    def __exit__(self, *_):
        Database.write = self._real


class Courses(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = TemporaryDirectory()
        root = Path(self.folder.name) / "desk"
        self.office = Office(root, store_file(Path(self.folder.name) / "fig.db"))
        self.office.write(*STEPS)

    def teardown(self):
        self.office.store.close()
        self.folder.cleanup()

    def work(self, call, crash):
        """Do something that may end in the middle."""
        stop = threading.Event()
        site = self.office.site()
        tell = site.tell

        def until_it_waits(said):
            tell(said)
            if said.kind == "wait":
                stop.set()

        object.__setattr__(site, "tell", until_it_waits)
        with suppress(Crash, *REFUSED):
            if crash is None:
                call(site, stop)
            else:
                with Crashing(*crash):
                    call(site, stop)
        with self.office.store.database.write() as connection:  # of one who is dead
            connection.execute(update(tables.leases).values(until=0.0))

    crashes = st.none() | st.tuples(st.integers(1, 6), st.sampled_from(["before", "after"]))

    @rule(crash=crashes)
    def apply(self, crash):
        self.work(lambda site, stop: runs.apply(site, self.office.runbook, stop=stop), crash)

    @rule(crash=crashes)
    def abort(self, crash):
        self.work(lambda site, stop: runs.abort(site, "move", stop=stop), crash)

    @rule(what=st.sampled_from([pause, freeze, resume]))
    def hold(self, what):
        with suppress(*REFUSED):
            what(self.office.site("bob"), "move", why="so")

    @rule(to=st.sampled_from([None, Stage.LEGACY]), crash=crashes)
    def rollback(self, to, crash):
        self.work(lambda site, _: roll_back(site, "move", to=to, why="so"), crash)

    @rule()
    def guardrail_takes_back(self):
        with suppress(RouteError):
            self.office.site().parts.operator("triage-ticket", GUARDRAIL).rollback(why="worse")

    @rule(name=st.sampled_from(["go", "broken"]))
    def turn(self, name):
        file = self.office.root / name
        file.unlink() if file.exists() else file.touch()

    @invariant()
    def each_deed_stands_once_or_not_at_all(self):
        lines = self.office.deeds()
        for name in DEEDS:
            assert lines.count(name) - lines.count(f"-{name}") in (0, 1)

    @invariant()
    def the_records_say_what_is(self):
        run = self.office.run()
        if run is None:
            assert self.office.deeds() == []
            return
        route = self.office.route() or Route(endpoint="triage-ticket")
        lines = self.office.deeds()
        for one in run.steps:
            if one.step in DEEDS and one.state in ("done", "undone"):
                stands = lines.count(one.step) > lines.count(f"-{one.step}")
                assert stands == (one.state == "done")
        left = [after for one in run.steps if (after := route_after(one)) is not None]
        reached = max(map(position, left), default=position(Route(endpoint="")))
        if position(route) != reached:
            history = self.office.store.routes.history("triage-ticket")
            last = [one for one in history if one.action in ("advance", "rollback")][-1]
            assert last.who == GUARDRAIL, "nobody else is behind the records' back"
            assert position(route) < reached
        assert run.state != "frozen" or route.frozen
        if run.state == "aborted":
            assert route.stage is Stage.LEGACY
            assert not [one for one in run.steps if one.state in ("begun", "done", "undoing")]


Courses.TestCase.settings = settings(
    max_examples=12, stateful_step_count=12, deadline=None, derandomize=True
)
TestAnyCourse = Courses.TestCase
