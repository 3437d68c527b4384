"""Throws inputs at everything that reads what others wrote: ``python fuzz/run.py --cases 1000000``.

Whatever a reader raises must be an error of ours, and it must end within seconds. A case that does
neither is written to a file, and the program leaves with status 1. ``--only NAME`` picks a reader.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from mutate import Mutator
from targets import TARGETS, Target

from stranglerfig.errors import FigError

PATIENCE = 10
MEMORY = 4 << 30


class _Hang(BaseException):
    """It did not end; no reader catches this."""


def _ring(number: int, frame: object) -> None:
    del number, frame
    raise _Hang


def work(name: str, cases: int, seed: int, folder: Path) -> dict[str, object]:
    """Run the cases of one reader; give how many it took, refused and failed at."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _ring)
    target: Target = TARGETS[name]()
    mutator = Mutator(target.seeds, target.words, seed)
    taken = refused = 0
    failed: list[str] = []
    started = time.monotonic()
    for number in range(cases):
        case = mutator.case()
        signal.alarm(PATIENCE)
        try:
            target.read(case)
            taken += 1
        except FigError:
            refused += 1
        except (Exception, _Hang):
            signal.alarm(0)
            file = folder / f"{name}-{seed}-{number}.bin"
            file.write_bytes(case)
            failed.append(str(file))
            print(f"{file}\n{traceback.format_exc()}", file=sys.stderr, flush=True)
            if len(failed) > 20:
                break
        finally:
            signal.alarm(0)
    seconds = round(time.monotonic() - started, 1)
    return {
        "reader": name,
        "cases": taken + refused + len(failed),
        "taken": taken,
        "refused": refused,
        "failed": failed,
        "seconds": seconds,
    }


def main() -> int:
    """Share the cases out among readers and processes."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cases", type=int, default=20_000, help="in all")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--only", choices=sorted(TARGETS))
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--folder", type=Path, default=Path("fuzz-failures"))
    given = arguments.parse_args()
    given.folder.mkdir(exist_ok=True)
    names = [given.only] if given.only else sorted(TARGETS)
    share = -(-given.cases // len(names))
    jobs = [(name, share, given.seed, given.folder) for name in names]
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        done = pool.starmap(work, jobs, chunksize=1)
    for one in done:
        print(json.dumps(one))
    failed = sum(len(one["failed"]) for one in done)
    print(json.dumps({"cases": sum(one["cases"] for one in done), "failed": failed}))
    if not failed:
        given.folder.rmdir()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
