"""Files that are there whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from stranglerfig.acl.records.output import whole_file
from stranglerfig.errors import InputError


def test_it_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "out"
    with whole_file(path) as stream:
        stream.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("before", [None, b"before"])
def test_what_fails_leaves_things_as_they_were(tmp_path, before):
    path = tmp_path / "out"
    if before:
        path.write_bytes(before)

    def fail():
        with whole_file(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [one.read_bytes() for one in tmp_path.iterdir()] == ([before] if before else [])


def test_a_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to("target")
    with whole_file(tmp_path / "link") as stream:
        stream.write(b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


def test_a_device_is_written_directly():
    with whole_file(Path(os.devnull)) as stream:
        stream.write(b"x")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_the_mode_is_what_is_asked_for(tmp_path):
    with whole_file(tmp_path / "out", 0o600) as stream:
        stream.write(b"x")
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_written(tmp_path):
    with pytest.raises(InputError) as found, whole_file(tmp_path / "no" / "out"):
        pass
    assert found.value.place.endswith("out")
    assert found.value.remedy
