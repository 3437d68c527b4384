"""The keys of masking: read from the environment or a file, never shown."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import stat
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol, cast

from ...errors import ConfigError
from ...registry import missing

__all__ = ["ENV", "ENV_FILE", "Cipher", "Keyring", "load_keys", "new_key", "no_keys"]

ENV: Final = "FIG_MASKING_KEYS"
ENV_FILE: Final = "FIG_MASKING_KEYS_FILE"

_REMEDY: Final = f"make one with 'fig mask key', and put it into {ENV} or a file ({ENV_FILE})"
_OTHERS: Final = stat.S_IWGRP | stat.S_IRWXO


class Cipher(Protocol):
    """What encrypts a vault's values: cryptography's ``MultiFernet``."""

    def encrypt(self, msg: bytes) -> bytes:
        """Encrypt with the first key."""

    def decrypt(self, msg: bytes) -> bytes:
        """Decrypt with whichever key fits."""


class Keyring:
    """Secret keys, newest first: the first one writes, all of them read.

    Each key is 32 bytes. From it come, by HMAC-SHA256, one key for pseudonyms and one by which a
    vault finds equal values: neither tells anything of the other or of the vault's own. Its id
    (8 hex digits) may be shown.
    """

    __slots__ = ("_ids", "_keys", "_lookups", "_pseudonyms")

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != 32 for key in keys):
            raise ValueError("one key or more, of 32 bytes each")
        self._keys = tuple(dict.fromkeys(keys))
        self._ids = tuple(_derived(key, b"id").hex()[:8] for key in self._keys)
        self._lookups = tuple(_derived(key, b"lookup") for key in self._keys)
        self._pseudonyms = tuple(_derived(key, b"pseudonym") for key in self._keys)

    def __repr__(self) -> str:
        """Name the keys by their ids."""
        return f"Keyring({', '.join(self._ids)})"

    def __reduce__(self) -> str | tuple[object, ...]:
        """Refuse to be pickled: keys are not sent about."""
        raise TypeError("keys are not sent to other processes: each reads its own")

    @property
    def first(self) -> str:
        """Give the id of the key that writes."""
        return self._ids[0]

    @property
    def ids(self) -> tuple[str, ...]:
        """Give the ids of all keys, the one that writes first."""
        return self._ids

    def pseudonym(self, tenant: str, tag: str, packed: str) -> str:
        """Give 20 hex digits that are the same for the same value, tag and tenant; one way."""
        return hmac.digest(self._pseudonyms[0], _joined(tenant, tag, packed), "sha256").hex()[:20]

    def lookups(self, scope: str, kind: str, packed: str) -> tuple[str, ...]:
        """Give what a vault finds a value by, under each key, the one that writes first."""
        message = _joined(scope, kind, packed)
        return tuple(hmac.digest(key, message, "sha256").hex() for key in self._lookups)

    def cipher(self) -> Cipher:
        """Give the cipher over all keys. Raises ``MissingExtra`` without cryptography."""
        try:
            from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415  # an extra
        except ModuleNotFoundError as error:
            raise missing("masking", error) from error
        keys = [Fernet(base64.urlsafe_b64encode(key)) for key in self._keys]
        return cast("Cipher", MultiFernet(keys))


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, b"stranglerfig masking " + purpose, sha256)


def _joined(*parts: str) -> bytes:
    # Lengths first: no two lists of parts give the same bytes.
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(b"%d:%b" % (len(part), part) for part in encoded)


def new_key() -> str:
    """Give a new key as it is written: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode("ascii")


def load_keys(
    file: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Keyring | None:
    """Read the keys; None where there are none anywhere.

    ``FIG_MASKING_KEYS`` (keys divided by commas or blanks) goes before ``FIG_MASKING_KEYS_FILE``,
    and that before ``file``, which is the policy's. A file holds one key a line, ``#`` begins a
    remark. Raises ``ConfigError`` for what is no key, and for a file that others may read.
    """
    if environment.get(ENV, "").strip():
        return _ring(environment[ENV].replace(",", " ").split(), ENV)
    named = environment.get(ENV_FILE, "")
    chosen = Path(named) if named else file
    if chosen is None:
        return None
    lines = _read(chosen).splitlines()
    words = [line.partition("#")[0].strip() for line in lines]
    return _ring([word for word in words if word], str(chosen))


def _read(file: Path) -> str:
    try:
        with file.open(encoding="ascii") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            if mode & _OTHERS:
                raise ConfigError(
                    "others may read or change the file of keys",
                    place=str(file),
                    value=f"mode {mode:04o}",
                    expected="0600, or 0640 for a group",
                    remedy=f"chmod 600 {file}",
                )
            return stream.read()
    except UnicodeDecodeError:
        raise ConfigError("not a file of keys", place=str(file), expected=_FORM) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have that name"
        raise ConfigError(f"cannot be read: {reason}", place=str(file), remedy=_REMEDY) from error


_FORM: Final = "44 characters of URL-safe base64 (32 bytes) each"


def _ring(words: Sequence[str], place: str) -> Keyring:
    keys = []
    for number, word in enumerate(words, 1):
        try:
            key = base64.b64decode(word.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            # What stands there is not shown: it may be a key with one letter wrong.
            raise ConfigError(
                f"key {number} is no key", place=place, expected=_FORM, remedy=_REMEDY
            ) from None
        keys.append(key)
    if not keys:
        raise ConfigError("holds no key", place=place, expected=_FORM, remedy=_REMEDY)
    return Keyring(keys)


def no_keys(place: str, value: str) -> ConfigError:
    """Give the error of a rule that needs keys where there are none."""
    return ConfigError("needs a key, and there is none", place=place, value=value, remedy=_REMEDY)
