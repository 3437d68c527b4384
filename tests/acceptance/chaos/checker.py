"""Reads both sides and holds them against each other: what legacy did, and what we say of it."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Row, create_engine, text

from stranglerfig import app, config
from stranglerfig.adapters.capture.events import EVENTS
from stranglerfig.adapters.capture.mark import Unmarked
from stranglerfig.adapters.capture.reconcile import Reconcile
from stranglerfig.adapters.capture.throttle import Pace
from stranglerfig.adapters.capture.walk import Walk
from stranglerfig.model import request_id
from stranglerfig.store import Store, tables
from stranglerfig.store.captured import Captured
from stranglerfig.store.chain import verify
from stranglerfig.store.database import Database

Change = tuple[str, str]
"""What happened (insert, update, delete) and the change's own id."""


class Checker:
    """The counts, and every difference in words; there must be none."""

    def __init__(self, root: Path, legacy: str) -> None:
        self.workspace = config.load(root)
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._legacy = create_engine(legacy)
        self._images: dict[str, Mapping[str, Any] | None] = {}
        self._truth = self._read_truth()

    def waiting(self) -> int:
        """Say how many captured changes are not settled."""
        with self._legacy.connect() as connection:
            query = f"SELECT count(*) FROM {EVENTS.name} WHERE done_at IS NULL"
            return connection.execute(text(query)).scalar_one()

    def journal_lines(self) -> int:
        """Count the journal's lines of requests."""
        store = Store(self.workspace.store_url)
        lines = sum(1 for _ in store.journal.read(endpoint="claim-changed", kinds=["request"]))
        store.close()
        return lines

    def check(self) -> None:
        events = self._read_events()
        if not self.counts["committed"]:
            self.wrong.append("nothing was committed: there is nothing to check")
        self._compare("captured", self._captured(events))
        self._compare("journalled", self._journalled(events))
        self._check_store()
        self._check_images(events)
        self._check_ledger()
        self._legacy.dispose()

    def _read_truth(self) -> Mapping[str, list[Change]]:
        truth: dict[str, list[Change]] = defaultdict(list)
        with self._legacy.connect() as connection:
            query = "SELECT region, number, op, change_id FROM truth ORDER BY n"
            for region, number, op, change in connection.execute(text(query)):
                truth[f"{region}/{number}"].append((op, change))
        self.counts["committed"] = sum(map(len, truth.values()))
        return truth

    def _read_events(self) -> list[tuple[str, str, Change]]:
        image_of = app.source(self.workspace, "claims").ground().dialect.image
        found = []
        columns = EVENTS.c
        query = EVENTS.select().order_by(columns.id)
        with self._legacy.connect() as connection:
            for row in connection.execute(query):
                image = image_of(row.after if row.op != "delete" else row.before).values
                place = f"{image['region']}/{image['number']}"
                self._images[row.event_id] = image if row.op != "delete" else None
                found.append((row.event_id, place, (row.op, image["change_id"])))
                self.counts["attempts"] += row.attempts
                self.counts["lost to a killed process"] += row.lost
        return found

    def _captured(self, events: Sequence[tuple[str, str, Change]]) -> Mapping[str, list[Change]]:
        by_key: dict[str, list[Change]] = defaultdict(list)
        for _, key, change in events:
            by_key[key].append(change)
        return by_key

    def _journalled(self, events: Sequence[tuple[str, str, Change]]) -> Mapping[str, list[Change]]:
        known = {request_id("claims", position): rest for position, *rest in events}
        store = Store(self.workspace.store_url)
        by_key: dict[str, list[Change]] = defaultdict(list)
        for entry in store.journal.read(endpoint="claim-changed", kinds=["request"]):
            found = known.get(entry.line.request_id)
            if found is None:
                self.wrong.append(f"journal line {entry.id} tells of no captured change")
                continue
            by_key[found[0]].append(found[1])
        store.close()
        return by_key

    def _compare(self, what: str, found: Mapping[str, list[Change]]) -> None:
        self.counts[what] = sum(map(len, found.values()))
        for key in self._truth.keys() | found.keys():
            wanted, got = self._truth.get(key, []), found.get(key, [])
            lost = Counter(wanted) - Counter(got)
            invented = Counter(got) - Counter(wanted)
            self.counts[f"{what}: lost"] += sum(lost.values())
            self.counts[f"{what}: invented or twice"] += sum(invented.values())
            if lost or invented:
                self.wrong.append(f"{what}, {key}: lost {dict(lost)}, too many {dict(invented)}")
            elif wanted != got:
                self.counts[f"{what}: keys out of order"] += 1
                at = next(i for i, (a, b) in enumerate(zip(wanted, got, strict=True)) if a != b)
                self.wrong.append(f"{what}, {key}: out of order from the {at + 1}th change on")

    def _check_store(self) -> None:
        store = Store(self.workspace.store_url)
        with store.database.read() as connection:
            for table in (tables.inbox, tables.dead_letters, tables.captured):
                query = f"SELECT count(*) FROM {table.name}"
                self.counts[f"store: {table.name}"] = connection.execute(text(query)).scalar_one()
        if self.counts["store: inbox"] != self.counts["committed"]:
            self.wrong.append("the inbox has another number of marks than changes were committed")
        if self.counts["store: dead_letters"]:
            self.wrong.append("there are dead letters")
        self.wrong += [f"chain: line {one.id}: {one.reason}" for one in verify(store.database)]
        store.close()

    def _check_images(self, events: Sequence[tuple[str, str, Change]]) -> None:
        """The last image of each row is what stands there now, value for value."""
        last = {place: self._images[position] for position, place, _ in events}
        rows = {f"{one.region}/{one.number}": one for one in self._read_rows()}
        self.counts["rows at the end"] = len(rows)
        for key in last.keys() | rows.keys():
            image, row = last.get(key), rows.get(key)
            if row is None:
                if image is not None:
                    self.wrong.append(f"image, {key}: it is gone, and its last image is of a row")
                continue
            for name in ("state", "amount", "note", "change_id"):
                there = getattr(row, name)
                found = None if image is None else image[name]
                same = found == there or (name == "amount" and _equal(found, there))
                if not same:
                    self.wrong.append(f"image, {key}: {name} is {there!r}, captured {found!r}")
        if self.counts["store: captured"] != len(rows):
            self.wrong.append(f"{self.counts['store: captured']} images of {len(rows)} rows")

    def _read_rows(self) -> Sequence[Row[Any]]:
        with self._legacy.connect() as connection:
            return connection.execute(text("SELECT * FROM claim")).all()

    def _check_ledger(self) -> None:
        """What reconcile goes by knows each row as it stands there: it would find nothing."""
        database = Database(self.workspace.store_url)
        ground = app.source(self.workspace, "claims").ground()
        work = Reconcile(ground, Captured(database), "look")
        Walk(
            ground,
            Unmarked("reconcile"),
            bounds=[],
            pace=Pace(1_000, 5.0),
            stop=threading.Event(),
            report=lambda _: None,
        ).run(work.begin, finish=work.finish)
        database.engine.dispose()
        self.counts["reconcile: rows as captured"] = work.tally.equal
        if work.tally.missed or work.tally.equal != self.counts["rows at the end"]:
            self.wrong.append(f"reconcile would find {dict(work.tally.missed)}")


def _equal(found: object, there: object) -> bool:
    return found is not None and there is not None and Decimal(str(found)) == Decimal(str(there))
