"""The keys, and that they never show."""

from __future__ import annotations

import base64
import copy
import os
import pickle
import traceback

import pytest

from stranglerfig.acl.masking.keys import ENV, ENV_FILE, Keyring, load_keys, new_key
from stranglerfig.errors import ConfigError


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "masking.keys"
    file.write_text(f"# newest first\n{new_key()}  # of May\n\n{new_key()}\n")
    file.chmod(0o600)
    return file


def test_a_new_key_is_one_that_fernet_takes():
    from cryptography.fernet import Fernet

    made = new_key()
    assert Fernet(made)
    assert new_key() != made
    assert load_keys(environment={ENV: made}).first


def test_the_environment_goes_before_the_file(file, tmp_path):
    one, two = new_key(), new_key()
    other = tmp_path / "other.keys"
    other.write_text(one)
    other.chmod(0o400)
    assert len(load_keys(file, {}).ids) == 2
    assert load_keys(file, {ENV_FILE: str(other)}).ids == load_keys(None, {ENV: one}).ids
    ring = load_keys(file, {ENV: f"{two}, {one}", ENV_FILE: str(other)})
    assert ring.ids == (*load_keys(None, {ENV: two}).ids, *load_keys(None, {ENV: one}).ids)
    assert ring.first == ring.ids[0]
    assert load_keys(None, {}) is None
    assert load_keys(None, {ENV: "  "}) is None


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o666, 0o644])
def test_a_file_that_others_may_read_or_change_is_refused(file, mode):
    file.chmod(mode)
    with pytest.raises(ConfigError, match="others may") as caught:
        load_keys(file, {})
    assert caught.value.value == f"mode {mode:04o}"
    assert caught.value.remedy == f"chmod 600 {file}"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_file_of_ours_is_taken(file, mode):
    file.chmod(mode)
    assert len(load_keys(file, {}).ids) == 2


def test_a_file_that_is_not_there_or_holds_none(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_keys(tmp_path / "none", {})
    empty = tmp_path / "empty"
    empty.write_text("# nothing\n")
    empty.chmod(0o600)
    with pytest.raises(ConfigError, match="holds no key"):
        load_keys(empty, {})
    empty.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a file of keys"):
        load_keys(empty, {})


SECRET = base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").decode()


@pytest.mark.parametrize("wrong", [SECRET[:-2], SECRET + "AA", SECRET[:-1] + "!", "hunter2"])
def test_what_is_no_key_is_named_by_its_number_and_not_shown(wrong):
    with pytest.raises(ConfigError, match="key 2 is no key") as caught:
        load_keys(None, {ENV: f"{SECRET},{wrong}"})
    shown = f"{caught.value}{caught.value.as_dict()}" + "".join(
        traceback.format_exception(caught.value)
    )
    assert wrong not in shown
    assert SECRET not in shown
    assert caught.value.place == ENV


def test_keys_show_nowhere():
    ring = load_keys(None, {ENV: SECRET})
    raw = base64.urlsafe_b64decode(SECRET)
    shown = f"{ring!r} {ring} {ring.ids} {vars(type(ring)).get('__doc__')}"
    assert SECRET not in shown
    assert raw.decode() not in shown
    assert raw.hex()[:8] not in shown
    for send in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not sent"):
            send(ring)


def test_what_is_made_of_a_key_depends_on_all_that_it_should():
    ring, other = Keyring([b"a" * 32]), Keyring([b"b" * 32])
    made = {
        ring.pseudonym("t", "pii.name", "x"),
        ring.pseudonym("u", "pii.name", "x"),
        ring.pseudonym("t", "pii.id", "x"),
        ring.pseudonym("t", "pii.name", "y"),
        ring.pseudonym("tp", "ii.name", "x"),
        other.pseudonym("t", "pii.name", "x"),
    }
    assert len(made) == 6
    assert all(len(one) == 20 for one in made)
    assert ring.pseudonym("t", "pii.name", "x") == Keyring([b"a" * 32]).pseudonym(
        "t", "pii.name", "x"
    )
    both = Keyring([b"b" * 32, b"a" * 32])
    assert both.lookups("s", "k", "v") == (
        *other.lookups("s", "k", "v"),
        *ring.lookups("s", "k", "v"),
    )


def test_a_key_that_stands_twice_counts_once():
    assert len(Keyring([b"a" * 32, b"a" * 32]).ids) == 1
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring([])
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring([os.urandom(31)])
