"""Where an HTTP system stands: an address taken apart. It holds no credentials."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from ..errors import ConfigError

__all__ = ["Address"]


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """An ``http`` or ``https`` address. ``target`` is its path and query, as a request sends them.

    One with credentials is refused: a facade would lend them to whoever calls it. Callers bring
    their own, and those are passed on.
    """

    secure: bool
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, text: str, place: str = "") -> Address:
        """Take an address apart. Raises ``ConfigError``, which never repeats credentials."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise _refused(text, place) from error
        if "@" in parts.netloc:
            raise ConfigError(
                "holds credentials",
                place=place,
                expected="an address alone",
                remedy="take them out: callers bring their own, and those are passed on",
            )
        if parts.scheme not in {"http", "https"} or not host:
            raise _refused(text, place)
        query = f"?{parts.query}" if parts.query else ""
        target = f"{parts.path or '/'}{query}"
        if not (target + host).isascii() or any(c <= " " or c == "\x7f" for c in target + host):
            raise _refused(text, place)
        secure = parts.scheme == "https"
        return cls(
            secure=secure,
            host=host,
            port=port or (443 if secure else 80),
            target=target,
        )

    @property
    def path(self) -> str:
        """Give the path without the query."""
        return self.target.partition("?")[0]

    @property
    def authority(self) -> str:
        """Give what the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.target}"

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"


def _refused(text: str, place: str) -> ConfigError:
    return ConfigError(
        "not an HTTP address",
        place=place,
        value=repr(text.rpartition("@")[2]),
        expected="http://host[:port]/path or https://…, in ASCII without blanks",
        remedy="percent-encode what is not ASCII",
    )
