"""The store's server is killed, its disk is full: nothing is asked for nor settled (test 18)."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from stranglerfig.testing.server import PostgreSql

pytestmark = pytest.mark.process
COUNT = 60


def stands_still_and_flows_again(office, wait, lose, give, *, readable=True):
    """Lose the store with work waiting; see that nothing is settled; give it back.

    What still found a place on a full disk is durable, and may be settled; so is what a server did
    that outlived its master for a moment. What was settled and not durable would be missing then.
    """
    office.shadow()
    process = office.bridge()
    office.write(*((at, f"k{at}", "plain") for at in range(5)))
    office.settled()
    if readable:  # a full disk refuses new sessions: this one is kept, and read with below
        assert len(office.taken()) == 5
    lose()
    office.write(*((at, f"k{at}", "plain") for at in range(5, COUNT)))
    wait(lambda: "waiting for the store" in process.source()["trouble"], "it waits for the store")
    assert process.probe("/ready")[0] == 503
    assert process.probe("/live")[0] == 200
    seen = [process.source()["received"]]

    def looked_twice() -> bool:
        seen.append(process.source()["received"])
        return len(seen) > 20

    wait(looked_twice, "some time has passed")
    assert len(set(seen)) == 1, "nothing more is asked for"
    done = office.done()
    assert done < COUNT / 2
    assert not readable or done <= len(office.taken()), "what is not durable waits"
    give()
    office.settled()
    assert process.source()["dead"] == 0
    assert process.stop() == 0
    assert office.letters() == []
    assert office.events("lost", "lost > 0") == []
    office.check([f"k{at}" for at in range(COUNT)])


def test_a_store_whose_server_is_killed_stops_the_intake(make_office, wait):
    server = PostgreSql()
    try:
        office = make_office(store=server.database())
        stands_still_and_flows_again(office, wait, server.kill, server.restart, readable=False)
    finally:
        office.close()
        server.stop()


@contextmanager
def tiny_disk(folder: Path) -> Iterator[Path]:
    """A disk of some megabytes, where we may mount one."""
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("we may not mount a disk here")
    try:
        yield folder
    finally:
        subprocess.run([umount or "umount", "-l", str(folder)], check=True)


def test_a_store_on_postgresql_whose_disk_is_full_stops_the_intake(any_office, wait, postgresql):
    """Its database lies on a disk of its own, which something else has filled."""
    with tiny_disk(postgresql.folder / "disk") as disk, postgresql.administer() as engine:
        shutil.chown(disk, postgresql.folder.owner())
        with engine.connect() as administrator:
            administrator.execute(text(f"CREATE TABLESPACE tiny LOCATION '{disk}'"))
            administrator.execute(text("CREATE DATABASE tiny TABLESPACE tiny"))
        url = postgresql.url.set(database="tiny").render_as_string(hide_password=False)

        def fill() -> None:
            """Leave no page free, so that whoever connects anew is refused."""
            for made_anew in disk.glob("PG_*/*/pg_internal.init"):
                made_anew.unlink()
            with (disk / "filler").open("ab", buffering=0) as file:
                size = 1 << 20
                while size >= 512:
                    try:
                        file.write(b"\0" * size)
                    except OSError:
                        size //= 2

        try:
            office = any_office("mariadb", store=url)
            stands_still_and_flows_again(office, wait, fill, (disk / "filler").unlink)
        finally:
            office.close()
            with engine.connect() as administrator:
                administrator.execute(text("DROP DATABASE tiny WITH (FORCE)"))
                administrator.execute(text("DROP TABLESPACE tiny"))


def test_a_store_on_a_file_that_may_not_grow_stops_the_intake(any_office, wait, tmp_path):
    """The kernel lets the bridge write no file further than this, as a full disk would."""
    office = any_office("postgresql", store=f"sqlite:///{tmp_path / 'fig.db'}")
    no_limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    def lose() -> None:
        # What is appended to its log meanwhile is far below that.
        size = (tmp_path / "fig.db-wal").stat().st_size
        assert size > 20_000
        resource.prlimit(office.running.pid, resource.RLIMIT_FSIZE, (size, no_limit[1]))

    def give() -> None:
        resource.prlimit(office.running.pid, resource.RLIMIT_FSIZE, no_limit)

    stands_still_and_flows_again(office, wait, lose, give)
