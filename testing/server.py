"""Throwaway database servers for tests and benchmarks: started on loopback, gone with us."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

__all__ = ["MariaDb", "NoServer", "PostgreSql", "Server"]

_PATIENCE: Final = 60.0
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a file system in memory, where Linux has it
_SPARE: Final = 4 << 30  # bytes that must be free there, and in all, before we put data there
_PR_SET_PDEATHSIG: Final = 1


class NoServer(Exception):
    """The server's programs are not on this machine. ``make services`` installs them."""


class Server:
    """A server in a folder of its own, which ends with the thread that started it, at the latest.

    Tests share one and take a fresh database each, ``database()``. ``url`` is the administrator's.
    """

    def __init__(self, folder: Path, url: URL, command: Sequence[str], user: str) -> None:
        self.folder = folder
        self.url = url
        self._names = itertools.count(1)
        self._command, self._user = command, user
        self.process = self._spawn()

    def database(self) -> str:
        """Make an empty database and give its URL."""
        return self._create("")

    def _create(self, rest: str) -> str:
        name = f"t{next(self._names)}"
        with self.administer() as engine, engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}{rest}"))
        return self.url.set(database=name).render_as_string(hide_password=False)

    @contextlib.contextmanager
    def administer(self) -> Iterator[Engine]:
        """Give the administrator's engine, every statement a transaction of its own."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        try:
            yield engine
        finally:
            engine.dispose()

    def kill(self) -> None:
        """End it without a chance to tidy up, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again at the same address, after ``kill`` or ``stop_process``.

        It may not start at once: what it had started for each client outlives it for a moment.
        """
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                self.process = self._spawn()
            except RuntimeError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop_process(self) -> None:
        """End it in good order; its data stays for ``restart``."""
        self.process.send_signal(
            signal.SIGINT if "postgres" in self._command[0] else signal.SIGTERM
        )
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()

    def stop(self) -> None:
        """End it and remove its folder: at once, for nobody will read what it would tidy up."""
        if self.process.poll() is None:
            self.process.send_signal(
                signal.SIGQUIT if "postgres" in self._command[0] else signal.SIGKILL
            )
            try:
                self.process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = _start(self._command, self._user, log.fileno())
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                with self.administer() as engine, engine.connect():
                    return process
            except SQLAlchemyError:
                if process.poll() is not None or time.monotonic() > until:
                    process.kill()
                    process.wait()
                    said = (self.folder / "log").read_text("utf-8", "replace")[-2000:]
                    raise RuntimeError(f"{self._command[0]} does not start:\n{said}") from None
                time.sleep(0.05)


_IN_MEMORY: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "128MB",
}


class PostgreSql(Server):
    """PostgreSQL. ``durable``: with fsync, for benchmarks. ``settings``: further ones of its own.

    Raises ``NoServer``.
    """

    def __init__(self, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> None:
        programs = _newest("/usr/lib/postgresql/*/bin") or _newest("/usr/pgsql-*/bin")
        if programs is None:
            raise NoServer("PostgreSQL")
        user = _user("postgres")
        folder, port = _folder(user, durable=durable), _free_port()
        data = folder / "data"
        call = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres"]
        _run([*call, "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8"], user)
        chosen = {
            "port": str(port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(folder),
            "max_prepared_transactions": "64",
            "max_connections": "200",
            "shared_buffers": "256MB",
            **({} if durable else _IN_MEMORY),
            **(settings or {}),
        }
        options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        url = make_url(f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres")
        self._made: list[str] = []
        super().__init__(folder, url, [str(programs / "postgres"), "-D", str(data), *options], user)

    def database(self, like: str = "", *, lasting: bool = False) -> str:
        """Make a database and give its URL: an empty one, or a copy of the one at ``like``.

        Nobody may be connected to that one. ``lasting``: ``drop`` leaves it.
        """
        made = self._create(f" TEMPLATE {make_url(like).database}" if like else "")
        if not lasting:
            self._made.append(str(make_url(made).database))
        return made

    def drop(self) -> None:
        """Take away the databases made since the last time, as each takes 8 MB.

        What is held by more than a session, such as a prepared transaction, stays.
        """
        names, self._made = self._made, []
        if not names or self.process.poll() is not None:
            return
        with self.administer() as engine, engine.connect() as connection:
            for name in names:
                with contextlib.suppress(DBAPIError):
                    connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


class MariaDb(Server):
    """MariaDB. ``durable``: its own defaults, for benchmarks. Raises ``NoServer``."""

    def __init__(self, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> None:
        server, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
        for place in ("/usr/sbin/mariadbd",):
            server = server or (place if Path(place).exists() else None)
        if server is None or install is None:
            raise NoServer("MariaDB")
        user = _user("mysql")
        folder, port = _folder(user, durable=durable), _free_port()
        data = folder / "data"
        method = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        _run([install, "--no-defaults", f"--datadir={data}", *method], user)
        chosen = {
            "datadir": str(data),
            "port": str(port),
            "bind-address": "127.0.0.1",
            "socket": str(folder / "s.sock"),
            "pid-file": str(folder / "pid"),
            "max-connections": "200",
            "character-set-server": "utf8mb4",
            **({} if durable else {"innodb-flush-log-at-trx-commit": "0"}),
            **(settings or {}),
        }
        options = [f"--{name}={value}" for name, value in chosen.items()]
        url = make_url(
            f"mysql+pymysql://root@127.0.0.1:{port}/mysql?charset=utf8mb4&ssl_disabled=true"
        )
        super().__init__(folder, url, [server, "--no-defaults", *options], user)


def _newest(pattern: str) -> Path | None:
    root, _, rest = pattern.partition("*")
    base = Path(root)
    folder = base if root.endswith("/") else base.parent
    prefix = "" if root.endswith("/") else base.name
    if not folder.exists():
        return None
    found = [one for one in folder.iterdir() if one.name.startswith(prefix)]
    found = [one / rest.strip("/") for one in found if (one / rest.strip("/")).exists()]
    return max(found, key=lambda one: one.parts[-2].rjust(9), default=None)


def _user(name: str) -> str:
    """Give the account that the server is to run as: these servers refuse root."""
    if os.geteuid() != 0:
        return ""
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise NoServer(f"the account {name}") from None
    return name


def _folder(user: str, *, durable: bool) -> Path:
    """Make the data's folder: on the disk where it is to last, else in memory, which is quicker."""
    place = _MEMORY if not durable and _spare_memory() else None
    folder = Path(tempfile.mkdtemp(prefix="fig-server-", dir=place))
    if user:
        shutil.chown(folder, user)
    return folder


def _spare_memory() -> bool:
    try:
        free = shutil.disk_usage(_MEMORY).free
        told = Path("/proc/meminfo").read_text("ascii").split("MemAvailable:")[-1].split()[0]
    except (OSError, ValueError):
        return False
    return os.access(_MEMORY, os.W_OK) and min(free, int(told) * 1024) >= _SPARE


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(command: Sequence[str], user: str) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd="/", **_as(user))  # type: ignore[call-overload]


def _start(command: Sequence[str], user: str, log: int) -> subprocess.Popen[bytes]:
    # A group of its own: Ctrl-C is for us, and we end it in good order.
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        start_new_session=True,
        preexec_fn=_ends_with_us(),  # noqa: PLW1509 it calls the kernel, and nothing of ours
        **_as(user),
    )


def _as(user: str) -> dict[str, object]:
    return {"user": user, "group": user, "extra_groups": []} if user else {}


def _ends_with_us() -> Callable[[], None] | None:
    """Have the kernel end a child whose parent was killed; only Linux knows how."""
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT) and None
