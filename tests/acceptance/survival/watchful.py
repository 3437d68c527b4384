"""A table as a source that looks every moment whether its columns changed. It is no test.

Workspaces of these tests name it, as ``py:MODULE:Watchful``: nothing but the interval is another.
"""

from __future__ import annotations

from stranglerfig.adapters import tables

tables._WATCH = 0.2


class Watchful(tables.TableSource):
    """The table source itself."""
