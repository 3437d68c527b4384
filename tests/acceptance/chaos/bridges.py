"""Bridges on one store, as real processes that somebody kills at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from stranglerfig.tests.importable import importable

FIG = (sys.executable, "-m", "stranglerfig")

FILES = {
    "fig.toml": """
[workspace]
name  = "chaos"
store = "{store}"

[legacy.claims]
adapter    = "tables"
url        = "{legacy}"
table      = "claim"
operations = ["insert", "update", "delete"]
lease      = 3
keep       = {keep}

[replacement.reader]
provider = "rules"
process  = "shared"
table    = "rules.toml"
text     = "region"

[endpoint.claim-changed]
operation   = "claim.read@1"
listen      = {{ source = "claims" }}
mapping     = "acl/claim.toml"
replacement = "reader"
{more}
""",
    "rules.toml": """
[[rule]]
pattern = '.*'
gives   = {{ state = "open" }}
""",
    "operations/claim.read@1.toml": """
name    = "claim.read"
version = 1
effect  = "read"
[input]
region = {{ type = "text", max_length = 20, tag = "none" }}
number = {{ type = "integer", tag = "none" }}
amount = {{ type = "decimal", required = false, tag = "none" }}
note   = {{ type = "text", required = false, max_length = 200, tag = "none" }}
[output]
state = {{ type = "text", max_length = 10, tag = "none" }}
""",
    "acl/claim.toml": """
operation = "claim.read@1"
from = {{ kind = "row", columns = ["region", "number", "state", "amount", "note", "change_id"] }}
fields = [
  {{ src = "region", dst = "region", as = "text" }},
  {{ src = "number", dst = "number", as = "integer" }},
  {{ src = "amount", dst = "amount", as = "decimal(2)" }},
  {{ src = "note",   dst = "note",   as = "text" }},
]
reply  = [ {{ src = "state", dst = "state", as = "text" }} ]
ignore = {{ change_id = "which change it was: the checker's own business" }}
""",
}


def make_workspace(root: Path, *, store: str, legacy: str, keep: float, more: str = "") -> None:
    for name, template in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        given = template.format(store=store, legacy=legacy, keep=keep, more=more)
        file.write_text(given, encoding="utf-8")


def fig(root: Path, *words: str) -> str:
    """Run a command of ours to its end, and give what it printed."""
    done = subprocess.run(
        [*FIG, *words], cwd=root, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(
            f"fig {' '.join(words)}: {done.returncode}\n{done.stderr}{done.stdout}"
        )
    return done.stdout


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": importable()}


class Bridges(threading.Thread):
    """Keeps ``count`` bridges running, and kills one at random again and again until stopped."""

    def __init__(self, root: Path, count: int, *, seed: int, pause: tuple[float, float]) -> None:
        super().__init__(daemon=True)
        self.counts: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.processes: list[subprocess.Popen[bytes]] = []
        self._root, self._count, self._pause = root, count, pause
        self._chance = random.Random(seed)
        self._fill()

    def run(self) -> None:
        while not self.stopping.wait(self._chance.uniform(*self._pause)):
            victim = self._chance.choice(self.processes)
            victim.kill()
            victim.wait()
            self.counts["killed"] += 1
            self.stopping.wait(self._chance.choice([0, 0, 0.5]))
            self._fill()

    def stop_killing(self) -> None:
        self.stopping.set()
        self.join()
        self._fill()

    def end(self) -> None:
        """Ask all to end, and see that they do so in good order."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        ended = [process.wait(40) for process in self.processes]
        # One that has only just been started has nothing in hand yet, and may end by the signal.
        assert set(ended) <= {0, -signal.SIGTERM}, f"ended with {ended}"

    def kill_all(self) -> None:
        self.stopping.set()
        for process in self.processes:
            process.kill()
            process.wait()

    def _fill(self) -> None:
        for gone in [one for one in self.processes if one.poll() is not None]:
            self.processes.remove(gone)
            if gone.returncode != -signal.SIGKILL:
                self.counts[f"ended by itself with {gone.returncode}"] += 1
        while len(self.processes) < self._count:
            with (self._root / "bridges.log").open("ab") as log:
                command = [*FIG, "bridge", "run"]
                self.processes.append(
                    subprocess.Popen(
                        command, cwd=self._root, env=environment(), stdout=log, stderr=log
                    )
                )
            self.counts["started"] += 1


def until(condition, what: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.1)
