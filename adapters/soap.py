"""Legacy SOAP services over HTTP: a ``Caller`` that sends the original bytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..config import options as check
from ..errors import ConfigError, LegacyError, LegacyUnavailable
from ..model import Record
from ..transport.address import Address
from ..transport.headers import Fields, end_to_end, first, to_fields, to_headers
from ..transport.http1 import Upstream

__all__ = ["SoapCaller"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``[legacy.NAME]`` with ``adapter = "soap"``. Times are in seconds.

    ``wsdl`` is a file or an address (default: ``address`` with ``?wsdl``); ``ca`` a file of
    certificates to trust instead of the system's; ``idle`` must lie below the time after which the
    service closes idle connections.
    """

    address: str
    wsdl: str = ""
    timeout: float = 30.0
    connect_timeout: float = 5.0
    idle: float = 4.0
    connections: int = 64
    ca: str = ""


class SoapCaller:
    """Calls one SOAP service; a ``Caller`` that the app builds and the legacy handler calls.

    Raises ``ConfigError`` for its options.
    """

    def __init__(self, *, name: str, options: Mapping[str, object], place: str, root: Path) -> None:
        self.name = name
        self._options = check(Options, options, place)
        self._place = place
        self._root = root
        self._where = Address.parse(self._options.address, f"{place}.address")
        self.address = str(self._where)
        self.path = self._where.path
        self._ca = str(root / self._options.ca) if self._options.ca else ""
        self.upstream = self._upstream(self._options.address)

    def __repr__(self) -> str:
        return f"SoapCaller(name={self.name!r}, address={self.address!r})"

    async def open(self) -> None:
        """Do nothing: the first call connects."""

    async def call(self, record: Record, deadline: float) -> Record:
        """Send the record's bytes with its end-to-end headers; give the answer, faults included.

        The answer's status is in ``:status``. It is asked for unpacked, as it will be read here.
        Raises ``LegacyUnavailable`` and ``InDoubt``.
        """
        left = deadline - time.time()
        if left <= 0:
            raise LegacyUnavailable(
                "the deadline had passed before the call; nothing was sent",
                place=self.address,
                value=f"{-left:.3f} s late",
                expected="a deadline in the future",
            )
        response = await self.upstream.request(
            (record.header(":method") or "POST").encode("latin-1"),
            self._target(record),
            _fields(record),
            record.body,
            timeout=min(left, self._options.timeout),
        )
        status = ((":status", str(response.status)),)
        return msgspec.structs.replace(
            record,
            body=response.body,
            headers=status + to_headers(end_to_end(response.headers)),
            captured_at=time.time(),
        )

    async def wsdl(self) -> bytes:
        """Give the service's WSDL as it is, from its file or its address.

        Raises ``ConfigError`` for a file that is not there and ``LegacyError`` for an address that
        does not give it.
        """
        source = self._options.wsdl or f"{self._options.address}?wsdl"
        if not source.startswith(("http://", "https://")):
            return await asyncio.to_thread(self._read, self._root / source)
        where = Address.parse(source, f"{self._place}.wsdl")
        same = (where.secure, where.authority) == (self._where.secure, self._where.authority)
        upstream = self.upstream if same else self._upstream(source)
        try:
            response = await upstream.request(
                b"GET", where.target.encode(), [], b"", repeatable=True
            )
        finally:
            if not same:
                await upstream.close()
        if response.status != 200:
            raise LegacyError(
                "the service does not give its WSDL",
                place=str(where),
                value=f"HTTP status {response.status}",
                expected="HTTP status 200",
                remedy=f"save the WSDL in a file and name it in {self._place}.wsdl",
            )
        return response.body

    async def close(self) -> None:
        """Close the connections; calls under way are broken. May be called twice."""
        await self.upstream.close()

    def _upstream(self, address: str) -> Upstream:
        given = self._options
        try:
            return Upstream(
                address,
                timeout=given.timeout,
                connections=given.connections,
                connect_timeout=given.connect_timeout,
                ca=self._ca,
                idle=given.idle,
            )
        except OSError as error:
            raise ConfigError(
                f"these certificates cannot be used: {error.strerror or error}",
                place=f"{self._place}.ca",
                value=given.ca,
                expected="a PEM file",
            ) from error

    def _target(self, record: Record) -> bytes:
        path = record.header(":path") or ""
        same = path.partition("?")[0] == self.path
        return (path if same else self._where.target).encode("latin-1")

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"cannot be read: {error.strerror}",
                place=f"{self._place}.wsdl",
                value=str(file),
                expected="a WSDL file",
                remedy="mend the path, or leave it out to ask the service itself",
            ) from error


def _fields(record: Record) -> Fields:
    fields = end_to_end(to_fields(record.headers), drop=frozenset({b"accept-encoding"}))
    fields.append((b"Accept-Encoding", b"identity"))
    if first(fields, b"content-type") is None:
        fields.append((b"Content-Type", f"text/xml; charset={record.encoding}".encode()))
    if first(fields, b"soapaction") is None:
        fields.append((b"SOAPAction", b'""'))
    return fields
