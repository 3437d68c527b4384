from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import OperationalError

from stranglerfig.errors import StoreError, StoreUnavailable
from stranglerfig.store import Line, Write
from stranglerfig.store.group import Inserts
from stranglerfig.store.trouble import unavailable


@pytest.mark.parametrize("kind", ["comparison", "dead", "route"])
def test_a_line_that_the_store_writes_itself_is_refused(kind):
    with pytest.raises(StoreError) as caught:
        Write(lines=(Line(kind="request"), Line(kind=kind, endpoint="e")))
    assert caught.value.value == kind
    assert "its line comes with it" in caught.value.remedy


def test_other_lines_are_taken():
    assert len(Write(lines=(Line("request"), Line("note"), Line("theirs"))).lines) == 3


def test_the_inserts_are_postgresql_s_too():
    inserts = Inserts(SimpleNamespace(dialect=PGDialect_psycopg()))
    assert inserts.dead_letters.count("%s") == 15


def test_an_error_tells_the_drivers_words_but_not_the_values():
    driver = Exception("database is locked\nDETAIL: card 4111")
    error = OperationalError("INSERT INTO journal", {"data": "card 4111"}, driver)
    told = unavailable(error, "sqlite:///fig.db")
    assert told.message == "locked by another process"
    assert "4111" not in str(told)
    assert "INSERT" not in str(told)
    assert told.remedy


def test_an_unknown_error_names_its_kind():
    told = unavailable(OSError(5, "Input/output error"), "here")
    assert isinstance(told, StoreUnavailable)
    assert "OSError" in told.value
