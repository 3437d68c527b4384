"""A bridge in a process of its own, as a test holds it. It is no test."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from stranglerfig.tests.acceptance.conftest import until
from stranglerfig.tests.importable import importable

SCRIPT = Path(__file__).with_name("nursery.py")


class Nursery:
    """The process that bridges are forked from, so that each need not import all anew."""

    def __init__(self) -> None:
        self.ended: dict[int, int] = {}
        self._born: list[int] = []
        self._more = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": importable()},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            told = json.loads(line)
            with self._more:
                if "born" in told:
                    self._born.append(told["born"])
                else:
                    self.ended[told["gone"]] = told["status"]
                self._more.notify_all()

    def bear(self, **wanted: object) -> int:
        """Have a process forked, and give its id."""
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        with self._more:
            assert self._more.wait_for(lambda: self._born, 60), "nothing was forked"
            child = self._born.pop()
            self.ended.pop(child, None)  # of another one that had this id
            return child

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(90)
        self._reader.join(30)
        self._process.stdout.close()


class Bridge:
    """One ``fig bridge run``; ``doom`` says where it is to die, see ``nursery.py``."""

    def __init__(self, nursery: Nursery, root: Path, number: int, *, doom: str = "") -> None:
        self._nursery = nursery
        self._out, self._log = root / f"bridge{number}.out", root / f"bridge{number}.log"
        words = ["-v", "-w", str(root), "bridge", "run", "--health", "127.0.0.1:0", "--json"]
        self.pid = nursery.bear(
            words=words,
            root=str(root),
            out=str(self._out),
            log=str(self._log),
            env={"FIG_WHO": "tester"},
            doom=doom,
        )

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return self._nursery.ended.get(self.pid)

    def ready(self) -> Bridge:
        """Wait until it is."""
        self._event("ready")
        return self

    def said(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def probe(self, path: str) -> tuple[int, str]:
        url = urlsplit(self._event("health")["address"])
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def source(self) -> dict:
        """Give what it says of the tickets."""
        return json.loads(self.probe("/status")[1])["sources"]["tickets"]["status"]

    def signal(self, number: int) -> None:
        if self.status is None:
            os.kill(self.pid, number)

    def wait(self, seconds: float = 90) -> int:
        until(lambda: self.status is not None, f"bridge {self.pid} ends", seconds)
        return self.status

    def kill(self) -> None:
        """End it as a power cut does."""
        self.signal(signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def _event(self, name: str) -> dict:
        found: list[dict] = []

        def look() -> bool:
            assert self.status is None, f"ended {self.status}: {self.said()}"
            lines = self._out.read_text("utf-8").splitlines() if self._out.exists() else []
            found[:] = [one for one in map(_value, lines) if one.get("event") == name]
            return bool(found)

        until(look, f"bridge {self.pid} says {name}", 120)
        return found[0]


def _value(line: str) -> dict:
    try:
        return json.loads(line)
    except ValueError:  # it is not written to its end yet
        return {}
