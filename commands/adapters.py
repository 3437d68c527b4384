"""``fig adapter``, whole: its group, and the commands that add themselves to it."""

from __future__ import annotations

from .adapter import adapter
from .adapter_doctor import doctor
from .adapter_install import install, remove
from .adapter_list import list_
from .adapter_release import release
from .backfill import backfill
from .fetch import fetch
from .reconcile import reconcile

__all__ = [
    "adapter",
    "backfill",
    "doctor",
    "fetch",
    "install",
    "list_",
    "reconcile",
    "release",
    "remove",
]
