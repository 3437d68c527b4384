"""A process with keys of its own that works on a vault: ``one_vault.py URL SCOPE``.

It is no test. Reads one line of JSON a request, ``{"tokens": [[kind, value] …]}``,
``{"values": [token …]}`` or ``{"rotate": true}``, and writes its answer as one line.
"""

from __future__ import annotations

import json
import sys

from stranglerfig.acl.masking.keys import load_keys
from stranglerfig.errors import FigError
from stranglerfig.store.database import Database
from stranglerfig.store.vault import StoreVault


def main() -> None:
    vault = StoreVault(Database(sys.argv[1]), load_keys())
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "tokens" in asked:
                answer = vault.tokens(sys.argv[2], [tuple(one) for one in asked["tokens"]])
            elif "values" in asked:
                answer = vault.values(sys.argv[2], asked["values"])
            else:
                answer = vault.rotate()
        except FigError as error:
            answer = error.as_dict()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
