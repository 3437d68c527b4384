"""The vault: tokens that last, values that nobody reads without a key, keys that rotate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from stranglerfig.acl.masking.keys import ENV, Keyring, load_keys, new_key
from stranglerfig.acl.masking.ledger import Ledger, scope_key
from stranglerfig.acl.masking.pack import pack
from stranglerfig.acl.masking.unmask import unmask
from stranglerfig.errors import MissingExtra, StoreError, StoreUnavailable
from stranglerfig.store.database import Database
from stranglerfig.store.tables import vault as table
from stranglerfig.store.vault import StoreVault
from stranglerfig.tests.importable import importable

ENTRIES = [("name", "Anna Meyer"), ("name", "Bert"), ("n", pack(17)), ("odd", "\ud800 ⟦a:b⟧ \x00")]
OLD, NEW = new_key(), new_key()
PROGRAM = Path(__file__).with_name("one_vault.py")


def ring(*keys):
    return load_keys(None, {ENV: ",".join(keys)})


@pytest.fixture
def vault(store_url):
    return StoreVault(Database(store_url), ring(OLD))


@pytest.fixture
def other(store_url):
    """Another process's vault, with other keys."""
    return lambda *keys: StoreVault(Database(store_url), ring(*keys))


def test_the_same_value_in_the_same_scope_has_the_same_token(vault, other):
    given = vault.tokens("s", ENTRIES)
    assert len(set(given)) == len(ENTRIES)
    assert other(OLD).tokens("s", [*ENTRIES, ("name", "Cara")])[:4] == given
    assert not set(vault.tokens("t", ENTRIES)) & set(given)
    assert vault.tokens("s", [("id", "Anna Meyer")])[0] not in given


def test_a_token_is_read_in_its_scope_only(vault, other):
    given = vault.tokens("s", ENTRIES)
    values = dict(zip(given, [packed for _, packed in ENTRIES], strict=True))
    assert other(OLD).values("s", [*given, "⟦name:0000⟧"]) == values
    assert vault.values("t", given) == {}
    assert vault.values("s", []) == {}


def test_what_is_stored_names_nobody(vault, store_url):
    vault.tokens(scope_key("conversation", "acme", "talk-4711"), [("name", "Anna Meyer")])
    with Database(store_url).read() as connection:
        row = connection.execute(select(table)).one()
    stored = repr(tuple(row))
    assert all(one not in stored for one in ("Anna", "Meyer", "acme", "4711"))
    file = Path(store_url.removeprefix("sqlite:///"))
    file = Path(store_url.removeprefix("sqlite:///"))
    held = b"".join(one.read_bytes() for one in file.parent.glob(f"{file.name}*"))
    assert b"Anna" not in held


def test_many_values_at_once(vault):
    entries = [("n", str(number)) for number in range(700)]
    given = vault.tokens("s", entries)
    assert vault.tokens("s", entries) == given
    assert len(vault.values("s", given)) == 700


def test_old_tokens_stay_readable_while_keys_rotate(vault, other):
    given = vault.tokens("s", ENTRIES)
    both = other(NEW, OLD)
    assert both.tokens("s", ENTRIES) == given, "the value keeps its token"
    newer = both.tokens("s", [("name", "Dora")])
    assert vault.keys() == {ring(OLD).first: 4, ring(NEW).first: 1}
    with pytest.raises(StoreError, match="no key reads") as caught:
        other(NEW).values("s", given)
    assert caught.value.value == f"written with key {ring(OLD).first}"
    assert ring(OLD).first in caught.value.remedy
    assert both.rotate() == 4
    assert both.rotate() == 0
    only = other(NEW)
    packed = [*(packed for _, packed in ENTRIES), "Dora"]
    tokens = [*given, *newer]
    assert only.values("s", tokens) == dict(zip(tokens, packed, strict=True))
    assert only.tokens("s", ENTRIES) == given
    assert only.keys() == {ring(NEW).first: 5}


def test_two_that_minted_for_one_value_under_different_keys_both_stay_readable(other):
    (one,) = other(OLD).tokens("s", [("name", "Anna")])
    (two,) = other(NEW).tokens("s", [("name", "Anna")])
    both = other(NEW, OLD)
    assert both.tokens("s", [("name", "Anna")]) == [one]
    assert both.rotate() == 1
    assert other(NEW).values("s", [one, two]) == {one: "Anna", two: "Anna"}
    assert other(NEW).tokens("s", [("name", "Anna")]) == [two]


def test_what_was_moved_or_changed_is_not_believed(vault, store_url):
    first, second = vault.tokens("s", [("name", "Anna"), ("name", "Bert")])
    with Database(store_url).write() as connection:
        value = connection.execute(select(table.c.value).where(table.c.token == first)).scalar()
        connection.execute(update(table).where(table.c.token == second).values(value=value))
    with pytest.raises(StoreError, match="another token"):
        vault.values("s", [second])
    with Database(store_url).write() as connection:
        connection.execute(update(table).where(table.c.token == first).values(value=value[:-4]))
    with pytest.raises(StoreError, match="was changed"):
        vault.values("s", [first])


def test_what_is_forgotten_is_gone(vault):
    (mine,) = vault.tokens("s", [("name", "Anna")])
    (theirs,) = vault.tokens("t", [("name", "Anna")])
    assert vault.forget("s") == 1
    assert vault.values("s", [mine]) == {}
    assert vault.tokens("s", [("name", "Anna")]) != [mine]
    assert vault.forget_before(time.time() - 60) == 0
    assert vault.forget_before(time.time() + 60) == 2
    assert vault.values("t", [theirs]) == {}


def test_a_store_that_is_gone_says_so(tmp_path):
    vault = StoreVault(Database(f"sqlite:///{tmp_path / 'none.db'}"), ring(OLD))
    with pytest.raises(StoreUnavailable):
        vault.tokens("s", ENTRIES)
    with pytest.raises(StoreUnavailable):
        vault.values("s", ["⟦name:0000⟧"])


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    with pytest.raises(MissingExtra) as caught:
        Keyring([bytes(32)]).cipher()
    assert "stranglerfig[masking]" in caught.value.remedy


def test_a_ledger_is_settled_by_it(vault):
    for _ in range(2):
        ledger = Ledger("t", "c")
        ledger.mint_wide("conversation", "n", 17)
        ledger.settle(vault)
        token = ledger.mint_wide("conversation", "n", 17)
        assert unmask({"a": token}, ledger) == {"a": 17}


class Process:
    """A process with keys of its own at the vault."""

    def __init__(self, url, *keys):
        environment = {**os.environ, ENV: " ".join(keys), "PYTHONPATH": importable()}
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), url, "s"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **asked):
        self.send(**asked)
        return self.answer()

    def send(self, **asked):
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()

    def answer(self):
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.communicate(timeout=60)


@pytest.fixture
def process(store_url):
    started = []

    def start(*keys):
        started.append(Process(store_url, *keys))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.mark.process
def test_keys_rotate_under_running_processes(process):
    """The old one runs on while new ones come up; in between nobody is without an answer."""
    entries = [["name", f"customer {number}"] for number in range(20)]
    old = process(OLD)
    given = old.ask(tokens=entries)
    reading = process(OLD, NEW)  # step one: every process can read the new key
    assert reading.ask(tokens=entries) == given
    writing = process(NEW, OLD)  # step two: the new key writes
    assert writing.ask(tokens=entries) == given
    (fresh,) = writing.ask(tokens=[["name", "of the new key"]])
    assert reading.ask(values=[fresh]) == {fresh: "of the new key"}
    assert "no key reads" in old.ask(values=[fresh])["message"]
    assert writing.ask(rotate=True) == 20  # step three: nothing is left of the old key
    last = process(NEW)
    assert last.ask(tokens=entries) == given
    assert last.ask(values=given) == dict(zip(given, [v for _, v in entries], strict=True))


@pytest.mark.process
def test_processes_that_ask_at_once_get_the_same_tokens(process):
    entries = [["name", f"customer {number}"] for number in range(60)]
    both = [process(OLD), process(OLD)]
    for one in both:
        one.send(tokens=entries)
    first, second = (one.answer() for one in both)
    assert first == second
    assert len(set(first)) == 60
