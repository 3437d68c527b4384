"""Keys of which something waits whose time is over, on both databases."""

from __future__ import annotations

from stranglerfig.store.awaited import Awaiting, keep_request
from stranglerfig.store.due import due_keys
from stranglerfig.store.write import Write


def waits(key, until, account="e/refund", state="waiting"):
    return keep_request(
        Awaiting(
            endpoint=account,
            key=key,
            request_id=f"{key}{until}",
            at=1.0,
            until=until,
            pair="{}",
            state=state,
        )
    )


def test_each_key_once_the_oldest_first(either):
    rows = [
        waits("late", 30.0),
        waits("early", 10.0),
        waits("late", 20.0),
        waits("later", 99.0),
        waits("done", 5.0, state="weighed"),
        waits("another", 5.0, account="e/mail"),
    ]
    either.journal.append(Write(effects=tuple(rows)))
    assert either.journal.flush(10)
    assert due_keys(either.database, "e/refund", 50.0) == ["early", "late"]
    assert due_keys(either.database, "e/refund", 10.0) == []
