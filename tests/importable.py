"""Where a process that a test starts finds the package."""

from __future__ import annotations

import os
from pathlib import Path

import stranglerfig


def importable() -> str:
    """Give a PYTHONPATH under which ``import stranglerfig`` works, "" where it is installed.

    A checkout under another name is found by its installation only; the folder around it must then
    stay off the path, for the checkout's name may be that of a module of the standard library.
    """
    root = Path(stranglerfig.__file__).parent
    found = [str(root.parent)] if root.name == "stranglerfig" else []
    return os.pathsep.join([*found, *filter(None, [os.environ.get("PYTHONPATH")])])
