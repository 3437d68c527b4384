"""The story itself: what is done, in which order, and what is waited for."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from .. import app, config
from ..ai.report import Report
from ..errors import FigError
from ..migrations.schema.upgrade import upgrade
from ..model import Stage, Step
from ..store.routes import Change
from ..store.store import Store
from .caller import Caller
from .data import Message
from .process import Program
from .summary import Summary, summarise
from .tally import Tally
from .workspace import Places

__all__ = ["ENDPOINT", "EVENTS", "Listener", "Story"]

ENDPOINT = "triage-ticket"
EVENTS = "ticket-opened"
_CHUNK = 12

Listener = Callable[[Mapping[str, object]], None]
"""Is told every event of the story: the screen draws it, ``--json`` prints it."""


class Story:
    """One endpoint's way from legacy to live, with a bad revision and a failure on the way.

    Every request goes over real sockets; every number comes from the journal.
    """

    def __init__(
        self, places: Places, traffic: Sequence[Message], python: str, listener: Listener
    ) -> None:
        self._places = places
        self._python = python
        self._tell = listener
        self._size = len(traffic)
        self._messages: Iterator[Message] = itertools.cycle(traffic)
        self.tally = Tally(ENDPOINT)
        self.events = Tally(EVENTS)
        self.history: list[Change] = []
        self._workers: dict[str, int] = {}
        self._started = time.monotonic()

    def run(self) -> Summary:
        """Tell the story. Raises ``FigError`` where a part of it does not come up or about."""
        with ExitStack() as stack:
            self._workspace = config.load(self._places.root)
            upgrade(self._workspace.store_url)
            self._learn(self._places.learn, "first")
            self._start_legacy(stack)
            store: Store = stack.enter_context(app.store(self._workspace))
            self._store = store
            self._operator = app.operator(self._workspace, store, ENDPOINT, who="demo")
            app.installable(self._workspace, "tickets").install()
            self._shadow_events(store)
            daemon = self._start_daemon(stack)
            caller = Caller(self._facade_url)
            stack.callback(caller.close)
            self._caller = caller
            self._migrate()
            self._bad_revision()
            self._fail_replacement(daemon)
            self._settle()
            self._wait_for_events()
            self.history = store.routes.history(ENDPOINT)
            return summarise(
                self.tally,
                self.events,
                route=self._operator.route(),
                history=self.history,
                caller=caller,
                seconds=time.monotonic() - self._started,
            )

    # -- the parts of the story --------------------------------------------------------------

    def _migrate(self) -> None:
        share = self._size
        self._phase("legacy", "legacy answers, as ever", self._at_least("legacy", 0, share // 16))
        self._advance("shadow: the replacement answers too, off the caller's path")
        # Legacy alone is quicker than the model: a little slower, and the evidence keeps up.
        enough = self._passes(max(40, share // 8))
        self._phase("shadow", "until the evidence is enough", enough, pace=0.05)
        for percent in self._workspace.endpoint[ENDPOINT].ladder:
            self._advance(f"the evidence is enough: {percent:g} % of the customers")
            goal = self._at_least("canary", percent, max(30, share // 8))
            self._phase(f"canary {percent:g} %", "sticky by customer", goal)
        self._advance("the evidence still holds: everybody")
        self._phase("live", "the replacement answers", self._at_least("live", 0, share // 6))

    def _bad_revision(self) -> None:
        self._learn(self._places.shifted, "shifted")
        before = self._operator.route()
        bad = self._operator.deploy(why="retrained on last night's export").revision
        self._tell({"event": "deploy", "revision": bad, "from": before.revision})
        self._phase("live", "a bad revision is deployed", lambda: self._taken_back(bad))

    def _fail_replacement(self, daemon: Program) -> None:
        worker = self._worker(daemon)
        self._tell({"event": "failure", "process": worker, "signal": "SIGSTOP"})
        before = sum(one.fallbacks["deadline"] for one in self.tally.stretches)
        os.kill(worker, signal.SIGSTOP)  # it hangs, as a stuck model does

        def tripped() -> bool:
            hung = sum(one.fallbacks["deadline"] for one in self.tally.stretches) - before
            return hung > 0 and self._operator.route().stage is Stage.SHADOW

        what = "the model's process hangs: legacy answers, and the hard breaker trips"
        self._phase("live", what, tripped, patience=120, pace=0.2)
        again = "in shadow, until the model's process is another one"
        self._phase("shadow", again, lambda: _gone(worker), patience=120, pace=0.2)
        self._advance("the model is back, and its evidence holds", Step(stage=Stage.LIVE))
        served = self._served()
        back = "the replacement answers again"
        self._phase("live", back, lambda: self._served() >= served + 20, patience=120, pace=0.2)

    def _settle(self) -> None:
        done = self.tally.requests
        left = max(20, self._size - done)
        self._phase("live", "the rest of the traffic", lambda: self.tally.requests >= done + left)

    def _wait_for_events(self) -> None:
        def all_taken() -> bool:
            self._read()
            return self.events.requests >= self._caller.submitted

        _wait(all_taken, "the bridge has taken every ticket", 60)

    # -- what is done in a phase -------------------------------------------------------------

    def _phase(
        self,
        stage: str,
        what: str,
        done: Callable[[], bool],
        *,
        patience: float = 600,
        pace: float = 0,
    ) -> None:
        """Send messages until it is done; ``pace`` is a pause in seconds between a few of them."""
        self._tell({"event": "phase", "stage": stage, "what": what})
        until = time.monotonic() + patience
        while not done():
            if time.monotonic() > until:
                raise FigError(
                    f"the demo is stuck: {what}",
                    place=stage,
                    value=self._operator.evidence().verdict.reason,
                    remedy=f"look at the logs in {self._places.root}",
                )
            for _ in self._caller.send(list(itertools.islice(self._messages, _CHUNK))):
                pass
            self._read()
            self._tell(self._progress())
            time.sleep(pace)

    def _progress(self) -> dict[str, object]:
        evidence = self._operator.evidence()
        route = self._operator.route()
        return {
            "event": "progress",
            "requests": self.tally.requests,
            "of": self._size,
            "stage": route.stage.value,
            "percent": route.percent,
            "revision": route.revision,
            "verdict": evidence.verdict.outcome,
            "missing": evidence.verdict.missing,
            "pairs": evidence.counts.total,
            "caller_errors": len(self._caller.errors),
        }

    def _read(self) -> None:
        after = min(self.tally.last, self.events.last)
        entries = list(self._store.journal.read(after=after))
        self.tally.take(entry for entry in entries if entry.id > self.tally.last)
        self.events.take(entry for entry in entries if entry.id > self.events.last)

    def _advance(self, why: str, to: Step | None = None) -> None:
        route = self._operator.advance(to, why=why)
        self._tell(
            {"event": "advance", "stage": route.stage.value, "percent": route.percent, "why": why}
        )

    def _at_least(self, stage: str, percent: float, count: int) -> Callable[[], bool]:
        return lambda: (
            self.tally.at(stage, percent) >= count
            and (stage == "legacy" or self._operator.evidence().verdict.outcome == "pass")
        )

    def _passes(self, least: int) -> Callable[[], bool]:
        return lambda: (
            self.tally.at("shadow") >= least and self._operator.evidence().verdict.outcome == "pass"
        )

    def _taken_back(self, bad: str) -> bool:
        if self._operator.route().revision == bad:
            return False
        # The good one must be back in the process, too, before anything else is tried.
        return any(one.revision != bad for one in self.tally.stretches[-1:])

    def _served(self) -> int:
        return sum(one.by_replacement for one in self.tally.stretches)

    # -- what is started ---------------------------------------------------------------------

    def _learn(self, file: Path, name: str) -> Report:
        self._tell({"event": "learning", "from": name})
        report = app.learn(self._workspace, ENDPOINT, file, progress=self._learning)
        self._tell(
            {
                "event": "learnt",
                "from": name,
                "revision": report.revision,
                "accuracy": report.accuracy,
                "examples": report.examples,
            }
        )
        return report

    def _learning(self, done: int, total: int) -> None:
        self._tell({"event": "embedding", "done": done, "of": total})

    def _worker(self, daemon: Program) -> int:
        """Give the process id of the model that serves now."""
        for line in daemon.lines():
            self._hear(msgspec.json.decode(line))
        return self._workers[self._operator.route().revision.partition(".")[0]]

    def _hear(self, event: Mapping[str, object]) -> None:
        if event["event"] == "replacement":
            self._workers[str(event["revision"])] = int(str(event["pid"]))

    def _start_legacy(self, stack: ExitStack) -> None:
        root = self._places.root
        legacy = Program(
            "legacy", self._places.legacy_command, folder=root, log=root / "legacy.log"
        )
        stack.callback(legacy.stop)
        legacy.wait_for(lambda line: line.startswith("listening"))
        self._tell({"event": "started", "process": "legacy", "pid": legacy.pid})

    def _start_daemon(self, stack: ExitStack) -> Program:
        root = self._places.root
        command = (self._python, "-m", "stranglerfig", "-v", "-w", str(root), "up", "--json")
        daemon = Program("fig up", command, folder=root, log=root / "fig.log")
        stack.callback(daemon.stop)
        heard: list[Mapping[str, object]] = []

        def ready(line: str) -> bool:
            heard.append(msgspec.json.decode(line))
            # The tickets' shadow asks for the model at once; the story begins when it is there.
            return {"ready", "replacement"} <= {str(event["event"]) for event in heard}

        daemon.wait_for(ready)
        for event in heard:
            self._hear(event)
        listening = next(event for event in heard if event["event"] == "listening")
        self._facade_url = f"{listening['address']}?wsdl"
        self._tell({"event": "started", "process": "fig up", "pid": daemon.pid})
        return daemon

    def _shadow_events(self, store: Store) -> None:
        watcher = app.operator(self._workspace, store, EVENTS, who="demo")
        watcher.advance(Step(stage=Stage.SHADOW), why="beside what legacy decided for each ticket")


def _wait(done: Callable[[], bool], what: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise FigError(f"the demo waited {seconds:g} s in vain until {what}")
        time.sleep(0.05)


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
