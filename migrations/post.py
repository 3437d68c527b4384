"""Telling a service of somebody else's: one signed POST, sent again a few times under one id.

Source of the signature: the Standard Webhooks specification 1.0, symmetric signatures (``v1``).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ssl
import threading
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

import msgspec

from ..errors import ConfigError, RunbookError

__all__ = ["Post", "check_address", "signed"]

_NEAR: Final = ("127.0.0.1", "::1", "localhost")
_PASSES: Final = (408, 425, 429)
_SERVER: Final = 500
_FIRST: Final = 0.5
_LONGEST: Final = 10.0
_PREFIX: Final = "whsec_"


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: what is signed for one is for nobody else."""

    def redirect_request(self, *arguments: object, **named: object) -> None:
        del arguments, named


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a webhook. ``ident`` is the same however often it is sent.

    ``secret`` signs it, ``token`` says who we are; either may be empty. ``ca`` is a file of
    certificates that are trusted in the place of the system's. ``place`` names it in errors.
    """

    url: str
    body: bytes
    ident: str
    place: str
    timeout: float
    tries: int
    secret: str = ""
    token: str = ""
    ca: Path | None = None

    def send(self, stop: threading.Event) -> int | None:
        """Send it until it is taken; give the status. Blocks; told to stop it gives None.

        Raises ``RunbookError`` where it is refused, or not taken in ``tries`` times.
        """
        opener = build_opener(_Stay, HTTPSHandler(context=self._trust()))
        wait, reason = _FIRST, ""
        for number in range(self.tries):
            # Each more patient than the one before; no jitter, for nobody else sends this one.
            if number and stop.wait(wait := min(wait * 2, _LONGEST)):
                return None
            try:
                with opener.open(self._request(), timeout=self.timeout) as answer:
                    return int(answer.status)
            except HTTPError as error:
                error.close()
                reason = f"status {error.code}"
                if error.code < _SERVER and error.code not in _PASSES:
                    raise self._error("refuses it", reason) from error
            except (OSError, HTTPException) as error:
                reason = type(error).__name__
        raise self._error(f"does not take it, asked {self.tries} times", reason)

    def _request(self) -> Request:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "stranglerfig",
            "Idempotency-Key": self.ident,
        }
        headers |= signed(self.ident, self.body, self.secret, time.time())
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return Request(self.url, data=self.body, headers=headers, method="POST")  # noqa: S310  # https, as check_address says

    def _trust(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            raise ConfigError(
                f"cannot be read as certificates: {type(error).__name__}",
                place=f"{self.place}.ca",
                value=str(self.ca),
                expected="a file of certificates in PEM",
            ) from error

    def _error(self, message: str, reason: str) -> RunbookError:
        return RunbookError(
            f"the webhook {message}",
            place=self.place,
            value=reason,
            expected="a status of 200 to 299",
            remedy="see that it runs there and takes this message; then apply the runbook again: "
            "it is sent under the same id",
        )


def signed(ident: str, body: bytes, secret: str, at: float) -> Mapping[str, str]:
    """Give the headers that name and date a message and, with a ``secret``, sign it.

    A secret that begins with ``whsec_`` is base64; any other is taken as it stands.
    """
    stamp = str(int(at))
    headers = {"Webhook-Id": ident, "Webhook-Timestamp": stamp}
    if not secret:
        return headers
    key = secret.encode()
    if secret.startswith(_PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raise ConfigError(
                "the secret begins as base64 does, and is none",
                expected=f"{_PREFIX} and base64, or any other text",
            ) from None
    made = hmac.digest(key, f"{ident}.{stamp}.".encode() + body, "sha256")
    return {**headers, "Webhook-Signature": "v1," + base64.b64encode(made).decode()}


def check_address(url: str, place: str) -> None:
    """Refuse what is no https; on this machine http will do. Raises ``ConfigError``."""
    parts = urlsplit(url)
    near = parts.scheme == "http" and parts.hostname in _NEAR
    if (parts.scheme == "https" and parts.hostname) or near:
        if parts.username is None and parts.password is None:
            return
        raise ConfigError(
            "holds a user or a password",
            place=place,
            expected="an address without",
            remedy='name the token by reference: token = "env:NAME"',
        )
    raise ConfigError(
        "cannot be told over this",
        place=place,
        value=url,
        expected="https://…",
    )
