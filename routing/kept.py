"""The routes as this folder's processes last read them, for one that starts without its store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..model import Route
from ..telemetry import log

__all__ = ["KeptRoutes"]


class KeptRoutes:
    """A file beside ``fig.toml``. Written whole by every process that adopts a route.

    Without it, a process that starts while the store is gone would send everything to legacy, also
    what legacy does not know of any more. Blocks.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, routes: Mapping[str, Route]) -> None:
        """Keep these routes. Never raises: without it one can serve as well."""
        made = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            made.write_bytes(msgspec.json.encode(routes))
            made.replace(self._file)
        except OSError as error:
            log.warning("routes are not kept in %s: %s", self._file, error)
            with contextlib.suppress(OSError):
                made.unlink(missing_ok=True)

    def read(self) -> dict[str, Route]:
        """Give what was kept; nothing where there is no such file, or none that can be read."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, Route])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("the routes kept in %s cannot be read: %s", self._file, error)
            return {}
