"""Forks bridges from one process that has imported everything: ``nursery.py``. It is no test.

For each line of JSON (``words``, ``root``, ``out``, ``log``, ``env``, ``doom``) a ``fig`` of its own
is forked; its process id is a line of JSON, and so is, later, how it ended. ``doom`` names a
function, as MODULE CLASS NAME WHEN NTH (CLASS is ``-`` for one of a module): its NTH call ends the
process as ``kill -9`` does, ``before`` its work or ``after`` it. All end when the input does.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable

from stranglerfig.cli import main

ROOMS = ("adapters.tables", "adapters.table_sink", "running.running", "store.writer", "doors")
DRIVERS = ("psycopg", "pymysql", "sqlalchemy.dialects.postgresql.psycopg", "uvloop")


def doom(module: str, owner: str, name: str, when: str, nth: int) -> None:
    """Put death into a function."""
    place = importlib.import_module(module)
    place = place if owner == "-" else getattr(place, owner)
    real: Callable[..., object] = getattr(place, name)
    calls = 0

    def wrapped(*arguments: object, **options: object) -> object:
        nonlocal calls
        if when == "before":
            calls += 1
            if calls == nth:
                os.kill(os.getpid(), signal.SIGKILL)
        found = real(*arguments, **options)
        # What found nothing to do was no step.
        if when == "after" and found not in ([], 0):
            calls += 1
            if calls == nth:
                os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(place, name, wrapped)


def become(wanted: dict) -> None:
    """Be that ``fig``, in this process, to its end."""
    os.chdir(wanted["root"])
    for name, number in (("out", 1), ("log", 2)):
        file = os.open(wanted[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(wanted["env"])
    if wanted["doom"]:
        module, owner, name, when, nth = wanted["doom"].split()
        doom(module, owner, name, when, int(nth))
    sys.argv = ["fig", *wanted["words"]]
    main()


def bear(wanted: dict) -> int:
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        become(wanted)
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 0
    except BaseException:  # noqa: BLE001 - it must not come back into the nursery
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def watch() -> None:
    children: set[int] = set()
    buffered = b""
    while True:
        ready, _, _ = select.select([0], [], [], 0.02)
        if ready:
            more = os.read(0, 65536)
            if not more:
                break
            *lines, buffered = (buffered + more).split(b"\n")
            for line in lines:
                child = bear(json.loads(line))
                children.add(child)
                print(json.dumps({"born": child}), flush=True)
        for child in list(children):
            gone, status = os.waitpid(child, os.WNOHANG)
            if gone:
                children.remove(child)
                end = os.waitstatus_to_exitcode(status)
                print(json.dumps({"gone": child, "status": end}), flush=True)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


for room in ROOMS:
    importlib.import_module(f"stranglerfig.{room}")
for driver in DRIVERS:
    importlib.import_module(driver)
watch()
