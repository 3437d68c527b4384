"""A workspace with runbooks, and those who work on them."""

import re
import threading

import pytest

from stranglerfig import config
from stranglerfig.commands.runbook_parts import WorkspaceParts
from stranglerfig.demo.workspace import copy_example
from stranglerfig.migrations import run as runs
from stranglerfig.migrations.loader import load
from stranglerfig.migrations.site import Site
from stranglerfig.store import Store
from stranglerfig.tests.migrations.engine.deeds import deeds
from stranglerfig.tests.stores import either_store

DEEDS = "py:stranglerfig.tests.migrations.engine.deeds"
HEAD = '[runbook]\nendpoint = "triage-ticket"\nowner = "the desk"\n'


class Office:
    """One workspace, its store, and the runbook ``move``."""

    def __init__(self, root, url):
        self.root, self.url = root, url
        copy_example(root)
        file = root / "fig.toml"
        text = file.read_text("utf-8").replace("sqlite:///fig.db", url)
        rules = '[replacement.triage]\nprovider = "rules"\ntable = "rules.csv"\n\n'
        text = re.sub(r"(?s)\[replacement\.triage\].*?(?=# -- what we serve)", rules, text)
        file.write_text(text, "utf-8")
        (root / "rules.csv").write_text("pattern,category,priority\nrefund,refund,normal\n")
        (root / "runbooks").mkdir(exist_ok=True)
        self.store = Store(url)
        self.store.open()
        self.told = []

    def write(self, *steps, head=HEAD):
        """Write the runbook: each step's name, what it does, and more of it as TOML."""
        text = head
        for name, do, *more in steps:
            kind, _, options = do.partition(" ")
            text += f'\n[[step]]\nname = "{name}"\ndo = "{DEEDS}:{kind}"\n'
            text += f"with = {{ {options} }}\n" + "".join(f"{line}\n" for line in more)
        text = text.replace("py:deeds", DEEDS)
        file = self.root / "runbooks" / "move.toml"
        file.write_text(text, "utf-8")
        self.runbook = load(file)
        return self.runbook

    def site(self, who="ada"):
        workspace = config.load(self.root)
        return Site(
            workspace=workspace,
            store=self.store,
            parts=WorkspaceParts(workspace, self.store),
            who=who,
            tell=self.told.append,
        )

    def apply(self, who="ada", **more):
        return runs.apply(self.site(who), self.runbook, stop=threading.Event(), **more)

    def abort(self, **more):
        return runs.abort(self.site(), "move", stop=threading.Event(), **more)

    def touch(self, name):
        (self.root / name).touch()

    def run(self):
        return self.store.runs.last("move")

    def states(self):
        return [one.state for one in self.run().steps]

    def deeds(self):
        return deeds(self.root)

    def route(self):
        return self.store.routes.get("triage-ticket")

    def heard(self, kind):
        return [one.text for one in self.told if one.kind == kind]


@pytest.fixture
def office(request, tmp_path):
    if not hasattr(request, "param"):
        request.param = "sqlite"
    made = Office(tmp_path / "desk", either_store(request, tmp_path / "fig.db"))
    yield made
    made.store.close()


@pytest.fixture
def background():
    """Run something in a thread; ``.result()`` gives what it came to."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        yield pool.submit


@pytest.fixture
def wait():
    """Wait for a condition, ten seconds at most."""
    import time

    def until(condition, what=""):
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, what
            time.sleep(0.01)

    return until
