"""A legacy system to capture whole: a shop with composite keys, cascades and a trigger of its own.

The same in SQLite, PostgreSQL and MariaDB; names are reserved words, mixed in case, with blanks and
beyond ASCII, as legacy's are.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    create_engine,
    event,
    select,
    text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.pool import NullPool

from stranglerfig.adapters.capture.dialect import Dialect
from stranglerfig.adapters.capture.events import EVENTS
from stranglerfig.adapters.capture.installation import Installation

metadata = MetaData()
_long = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_blob = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
_cascade = {"ondelete": "CASCADE", "onupdate": "CASCADE"}

customer = Table(
    "customer",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("email", String(120), nullable=False, unique=True),
    Column("name", String(80)),
    Column("credit", Numeric(12, 2), nullable=False, server_default="0"),
    Column("joined", Date),
)
product = Table(
    "Product",
    metadata,
    Column("code", String(20), primary_key=True),
    Column("Größe", String(10)),
    Column("stock", Integer, nullable=False),
    Column("description", _long),
)
order = Table(
    "Order",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("customer id", ForeignKey("customer.id", **_cascade), nullable=False),
    Column("placed", DateTime),
    Column("status", String(10), nullable=False),
)
line = Table(
    "order line",
    metadata,
    Column("order", ForeignKey("Order.id", **_cascade), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("product", ForeignKey("Product.code"), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price", Numeric(10, 2), nullable=False),
)
shipment = Table(
    "shipment",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("order", Integer),
    Column("line", Integer),
    ForeignKeyConstraint(
        ["order", "line"], ["order line.order", "order line.no"], ondelete="SET NULL"
    ),
)
staff = Table(
    "staff",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("boss", ForeignKey("staff.name", ondelete="SET NULL")),
)
picture = Table(
    "picture",
    metadata,
    Column("product", ForeignKey("Product.code", **_cascade), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("data", _blob),
)
note = Table("note", metadata, Column("at", Integer), Column("text", String(200)))

TABLES = tuple(metadata.sorted_tables)

# Legacy's own logic, which writes to another table that is captured too.
_OWN_TRIGGER = {
    "sqlite": """CREATE TRIGGER take_stock AFTER INSERT ON "order line" BEGIN
        UPDATE "Product" SET stock = stock - NEW.quantity WHERE code = NEW.product; END""",
    "postgresql": """CREATE FUNCTION take_stock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE "Product" SET stock = stock - NEW.quantity WHERE code = NEW.product;
        RETURN NULL; END $$;
        CREATE TRIGGER take_stock AFTER INSERT ON "order line"
        FOR EACH ROW EXECUTE FUNCTION take_stock()""",
    "mysql": """CREATE TRIGGER take_stock AFTER INSERT ON `order line` FOR EACH ROW
        UPDATE `Product` SET stock = stock - NEW.quantity WHERE code = NEW.product""",
}


class Shop:
    """The shop in one database, and what captures it."""

    def __init__(self, url: str, dialect: Dialect, root: Path) -> None:
        self.url, self.dialect, self.root = make_url(url), dialect, root
        self.login = ""
        self.kind = self.url.get_backend_name().replace("mariadb", "mysql")
        self.engine = self._engine()
        metadata.create_all(self.engine)
        self.run(_OWN_TRIGGER[self.kind])

    def _engine(self) -> Engine:
        engine = create_engine(self.url, poolclass=NullPool)
        if self.kind == "sqlite":

            @event.listens_for(engine, "connect")
            def _(connection: sqlite3.Connection, _: object) -> None:
                connection.execute("PRAGMA foreign_keys = ON")

        return engine

    def run(self, statement: str) -> None:
        """Run a statement of legacy's, as it stands."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def run_as_we_do(self, statements: Iterable[str]) -> None:
        """Run statements in a session such as the dialect makes, one by one."""
        with self.ours().connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def installation(self, table: Table | str = customer, **options: object) -> Installation:
        """Make the installation of one table, under a name of its own."""
        name = str(table if isinstance(table, str) else table.name)
        chosen = {
            "source": re.sub(r"\W", "-", name).lower(),
            "operations": ("insert", "update", "delete"),
            **options,
        }
        return Installation(self.ours(), self.dialect, place="the shop", table=name, **chosen)

    def ours(self, patience: float = 5.0) -> Engine:
        """Make an engine as the dialect makes it."""
        url = self.url.set(username=self.login) if self.login else self.url
        return self.dialect.engine(url, self.root, place="url", patience=patience)

    def everything(self) -> list[Installation]:
        """Make the installations of all tables."""
        return [self.installation(table) for table in TABLES]

    def user(self, name: str) -> str:
        """Make a user who may connect and nothing else; give its name as grants want it."""
        if self.kind == "postgresql":
            self.run(
                f"DO $$ BEGIN CREATE ROLE {name} LOGIN; EXCEPTION WHEN others THEN NULL; END $$"
            )
            return name
        self.run(f"CREATE USER IF NOT EXISTS '{name}'@'127.0.0.1'")
        return f"{name}@127.0.0.1"

    def as_bridge(self) -> None:
        """Let what is ours connect as another user, ``bridge``."""
        self.login = "bridge"

    def as_user(self, name: str) -> Engine:
        """Make an engine of another user."""
        return create_engine(self.url.set(username=name), poolclass=NullPool)

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        """Begin a transaction of legacy's."""
        with self.engine.begin() as connection:
            yield connection

    def write(self) -> None:
        """Do a day's business: many rows at once, rollbacks, keys that change, empty and odd values."""
        with self.begin() as c:
            c.execute(
                product.insert(),
                [
                    {"code": "it's", "Größe": "XXL", "stock": 10, "description": "ключ \\ 鍵 🔑"},
                    {"code": "b", "Größe": None, "stock": 5, "description": ""},
                    {"code": "c", "Größe": "", "stock": 0, "description": "x" * 100_000},
                ],
            )
            c.execute(customer.insert(), [{"email": f"c{at}@x", "credit": at} for at in range(5)])
            c.execute(order.insert(), [{"customer id": at, "status": "new"} for at in (1, 1, 2, 3)])
            c.execute(
                line.insert(),
                [
                    {"order": o, "no": n, "product": p, "quantity": 2, "price": "1.50"}
                    for o in (1, 2, 3)
                    for n, p in ((1, "b"), (2, "it's"))
                ],
            )
            c.execute(shipment.insert(), [{"order": 1, "line": 1}, {"order": None, "line": None}])
            c.execute(
                staff.insert(), [{"name": "ada", "boss": None}, {"name": "bob", "boss": "ada"}]
            )
            c.execute(picture.insert(), [{"product": "b", "no": 1, "data": bytes(range(256))}])
            c.execute(note.insert(), [{"at": 1, "text": "twin"}] * 2 + [{"at": None, "text": None}])
        with contextlib.suppress(_Never), self.begin() as c:
            c.execute(customer.delete())
            raise _Never
        with self.begin() as c:
            c.execute(order.update().values(status="sent").where(order.c.id < 3))
            c.execute(line.update().values(no=9).where(line.c.order == 3, line.c.no == 2))
            c.execute(customer.update().values(name=customer.c.email).where(customer.c.id > 2))
            c.execute(customer.delete().where(customer.c.id == 5))
            c.execute(picture.update().values(data=b"\0" * 200_000))
            c.execute(note.update().values(text="changed").where(note.c.at == 1))
            c.execute(note.delete().where(note.c.at.is_(None)))

    def cascade(self) -> None:
        """Delete and rename rows that others hang on."""
        with self.begin() as c:
            c.execute(staff.delete().where(staff.c.name == "ada"))
            c.execute(customer.update().values(id=77).where(customer.c.id == 2))
            c.execute(customer.delete().where(customer.c.id == 1))

    def rows(self, table: Table) -> Counter[str]:
        """Give the images of all rows of a table as they are now."""
        with self.ours().connect() as connection:
            installation = self.installation(table)
            shape = installation.capture(connection).shape
            quoted = connection.dialect.identifier_preparer.quote_identifier(table.name)
            image = self.dialect.row_image(shape, "t")
            found = connection.exec_driver_sql(
                f"SELECT {image} FROM {quoted} t", execution_options={"no_parameters": True}
            )
            return Counter(self._plain(one) for one in found.scalars())

    def replayed(self, table: Table) -> Counter[str]:
        """Give the rows that the captured events of a table lead to, from an empty one."""
        rows: Counter[str] = Counter()
        for one in self.events(table):
            if one["before"] is not None:
                before = self._plain(one["before"])
                assert rows[before] > 0, f"nobody wrote {before[:200]}"
                rows[before] -= 1
            if one["after"] is not None:
                rows[self._plain(one["after"])] += 1
        return +rows

    def _plain(self, image: str) -> str:
        """Give what an image says, without where its large values are kept."""
        read = self.dialect.image(image)
        return f"{read.kinds} {dict(read.values)}"

    def events(self, table: Table | str | None = None) -> list[Mapping[str, object]]:
        """Read the captured events, all or of a table, in their order."""
        statement = select(EVENTS).order_by(EVENTS.c.id)
        if table is not None:
            name = table if isinstance(table, str) else table.name
            source = re.sub(r"\W", "-", name).lower()
            statement = statement.where(EVENTS.c.source == source)
        with self.ours().connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def schema(self) -> str:
        """Dump the whole schema with the database's own tool."""
        url = self.url
        if self.kind == "sqlite":
            with self.engine.connect() as connection:
                found = connection.execute(
                    text("SELECT sql FROM sqlite_master WHERE name <> 'sqlite_sequence' ORDER BY 1")
                )
                return "\n".join(map(str, found.scalars()))
        if self.kind == "postgresql":
            tool = str(max(Path("/usr/lib/postgresql").glob("*/bin/pg_dump")))
            call = [
                tool,
                "-s",
                "-h",
                url.host,
                "-p",
                str(url.port),
                "-U",
                url.username,
                url.database,
            ]
        else:
            tool = shutil.which("mariadb-dump") or "mysqldump"
            call = [tool, "--no-data", "--routines", "--events", "--skip-comments"]
            call += ["-h", url.host, "-P", str(url.port), "-u", url.username, url.database]
        done = subprocess.run(call, capture_output=True, check=True)
        # What differs between two dumps of one schema: a counter, and pg_dump's random word.
        return re.sub(
            r" AUTO_INCREMENT=\d+|^\\(un)?restrict .*$",
            "",
            done.stdout.decode(),
            flags=re.MULTILINE,
        )


class _Never(Exception):
    """Makes a transaction roll back."""


def run(shop, script):
    """Run a script with the database's own client."""
    url = shop.url
    if shop.kind == "sqlite":
        with contextlib.closing(sqlite3.connect(url.database)) as connection:
            connection.executescript(script)
        return
    if shop.kind == "postgresql":
        call = ["psql", "-v", "ON_ERROR_STOP=1", "-h", url.host, "-p", str(url.port)]
        call += ["-U", url.username, "-d", url.database, "-q"]
    else:
        call = [shutil.which("mariadb") or "mysql", "--default-character-set=utf8mb4"]
        call += ["-h", url.host, "-P", str(url.port), "-u", url.username, url.database]
    done = subprocess.run(call, input=script.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
