"""A process that walks over a table: ``one_backfill.py URL FOLDER CHUNK [no-locks]``. It is no test.

Says how far it is, a line a chunk.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stranglerfig.tests.adapters.capture.field import Field


def main() -> None:
    field = Field(sys.argv[1], Path(sys.argv[2]), None)
    stand = field.backfill(
        most=int(sys.argv[3]),
        locks="no-locks" not in sys.argv,
        report=lambda one: print(one.rows, flush=True),
    )
    print(stand.state, flush=True)


if __name__ == "__main__":
    main()
