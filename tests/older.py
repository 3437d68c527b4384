"""The code as it was with the schema before, for tests that run it beside this one."""

from __future__ import annotations

import functools
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from alembic import command

from stranglerfig.migrations.schema import upgrade as schema
from stranglerfig.store.database import Database
from stranglerfig.store.postgresql import writing
from stranglerfig.store.tables import HEAD, OLDEST, metadata

ROOT = Path(__file__).parents[1]


def make_older(url: str, revision: str = OLDEST) -> str:
    """Make a store as code of that revision made it, and give its URL."""
    database = Database(url, create=True)
    schema._make_file(database)
    engine = database.engine.execution_options(**writing(database.engine, 5))
    with engine.begin() as connection:
        config = schema._config()
        config.attributes.update(connection=connection, metadata=metadata)
        command.upgrade(config, revision)
    database.engine.dispose()
    return url


def older_code(folders: pytest.TempPathFactory) -> str | None:
    """Give a PYTHONPATH with the last code before this schema; None where there is no history."""
    return _checkout(folders.getbasetemp() / "older")


@functools.cache
def _checkout(folder: Path) -> str | None:
    brought = _git("log", "--format=%H", "--reverse", f'-SHEAD: Final = "{HEAD}"', "--", "store")
    first = (brought or b"").decode().split()
    packed = _git("archive", f"{first[0]}^") if first else None
    if packed is None:
        return None
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder / "stranglerfig", filter="data")
    return str(folder)


def _git(*arguments: str) -> bytes | None:
    """Run git in the checkout that these tests are in; None where it is none, or a shallow one."""
    if not (ROOT / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
