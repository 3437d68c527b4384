"""A classifier on disk: written whole or not at all, and checked whenever it is read. No pickle.

::

    models/NAME/CURRENT                     the newest revision, one line
    models/NAME/<revision>/manifest.json    classes, temperature, margin, fields, sha256 of weights
    models/NAME/<revision>/weights.npz      W (classes x width) and b (classes), float32
    models/NAME/<revision>/report.json      how it was learnt; decides nothing

A revision is the first 12 hex digits of the manifest's sha256, and the manifest holds the weights'
sha256: so the revision covers every byte that decides an answer.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from ..errors import ReplacementUnavailable

__all__ = [
    "REMEDY",
    "Manifest",
    "broken",
    "current",
    "identify",
    "read",
    "read_pinned",
    "save",
    "sha256",
]

REMEDY: Final = "run 'fig learn' again, or put the folder back"


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a classifier is, but for its weights.

    ``text_field`` and ``predicts`` are the request's and the reply's field it was taught with;
    ``space`` names the embeddings; ``temperature`` divides the logits; under ``margin`` (0..1) it
    abstains; ``weights`` is the sha256 of ``weights.npz``.
    """

    classes: tuple[str, ...]
    temperature: float
    margin: float
    text_field: str
    predicts: str
    space: str
    weights: str
    format: int = 1

    def encode(self) -> bytes:
        """Give the canonical bytes that the revision is taken from."""
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic")) + b"\n"


def sha256(content: bytes) -> str:
    """Give a content's sha256 in hex."""
    return hashlib.sha256(content).hexdigest()


def identify(manifest: bytes) -> str:
    """Give the revision of a manifest: 12 hex digits."""
    return sha256(manifest)[:12]


def current(folder: Path) -> str:
    """Give the newest revision under ``models/NAME``; "" where nothing was learnt yet.

    Raises ``ReplacementUnavailable`` where CURRENT cannot be read or names no revision.
    """
    file = folder / "CURRENT"
    try:
        revision = file.read_text("ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise broken(file, f"cannot be read: {error.strerror}") from error
    if not re.fullmatch("[0-9a-f]{12}", revision):
        raise ReplacementUnavailable(
            "does not name a revision",
            place=str(file),
            value=repr(revision[:40]),
            expected="12 hex digits",
            remedy=REMEDY,
        )
    return revision


def read(folder: Path, revision: str) -> tuple[Manifest, bytes]:
    """Read and check one revision under ``models/NAME``: its manifest and its weights' file.

    Raises ``ReplacementUnavailable`` naming the file that is missing or not as it was written.
    """
    file = folder / revision / "manifest.json"
    content = _read(file)
    if identify(content) != revision:
        raise broken(file, "does not fit the name of its folder")
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise broken(file, f"cannot be used: {error}") from error
    return manifest, read_pinned(folder / revision / "weights.npz", manifest.weights, REMEDY)


def read_pinned(file: Path, digest: str, remedy: str) -> bytes:
    """Read a file that must be the one we know, byte for byte.

    Raises ``ReplacementUnavailable`` where it is missing or different.
    """
    content = _read(file, remedy)
    found = sha256(content)
    if found != digest:
        raise ReplacementUnavailable(
            "is not the file that was pinned",
            place=str(file),
            value=f"sha256 {found[:12]}…, {len(content)} bytes",
            expected=f"sha256 {digest[:12]}…",
            remedy=remedy,
        )
    return content


def save(folder: Path, manifest: Manifest, weights: bytes, report: Callable[[str], bytes]) -> str:
    """Write a revision under ``models/NAME``, make it CURRENT, and give its name.

    ``report`` gives the report's bytes for that name. A reader sees the whole revision or nothing
    of it. Raises ``OSError``.
    """
    encoded = manifest.encode()
    revision = identify(encoded)
    folder.mkdir(parents=True, exist_ok=True)
    files = {"manifest.json": encoded, "weights.npz": weights, "report.json": report(revision)}
    _write_folder(folder, revision, files)
    _replace(folder / "CURRENT", f"{revision}\n".encode())
    return revision


def broken(file: Path, message: str, remedy: str = REMEDY) -> ReplacementUnavailable:
    """Give the error for a file that cannot be used."""
    expected = "the file as it was installed or learnt"
    return ReplacementUnavailable(message, place=str(file), expected=expected, remedy=remedy)


def _read(file: Path, remedy: str = REMEDY) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise broken(file, f"cannot be read: {error.strerror}", remedy) from error


def _write_folder(folder: Path, revision: str, files: Mapping[str, bytes]) -> None:
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    try:
        draft.chmod(0o755)
        for name, content in files.items():
            _write(draft / name, content)
        try:
            draft.rename(folder / revision)
        except OSError:
            # It is there already, of the same content: write it anew, in case it was damaged.
            if not (folder / revision).is_dir():
                raise
            for name, content in files.items():
                _replace(folder / revision / name, content)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _replace(file: Path, content: bytes) -> None:
    draft = file.with_name(f".{file.name}-{os.getpid()}")
    _write(draft, content)
    draft.replace(file)


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
