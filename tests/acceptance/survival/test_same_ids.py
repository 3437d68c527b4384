"""What comes again under its id: answered from what was written; with another body, kept (test 14)."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.process


def test_the_same_id_again_is_answered_and_with_another_body_quarantined(make_office, wait):
    office = make_office()
    office.live()
    process = office.bridge()
    office.write((1, "a", "first"), (2, "b", "plain"))
    office.settled()
    wait(lambda: len(office.verdicts()) == 2, "both are sent")
    after = office.quoted("after")
    office.run(
        "UPDATE fig_event SET done_at = NULL WHERE id = 2",
        f"UPDATE fig_event SET done_at = NULL, {after} = REPLACE({after}, 'first', 'other')"
        " WHERE id = 1",
    )
    office.write((3, "a", "behind it"))
    wait(office.letters, "it is quarantined")
    office.settled()
    (letter,) = office.letters()
    assert letter.letter.reason.startswith("quarantined: ")
    assert "under its id" in letter.letter.reason
    assert b'"other"' in letter.letter.record.body, "what came is kept as it came"
    assert office.asked("begun").count(2) == 1, "what was done is not asked about again"
    wait(lambda: len(office.verdicts()) == 3, "its neighbours flow")
    assert process.stop() == 0
    assert sorted(office.verdicts()) == sorted(set(office.verdicts()))
    office.check(["a", "b", "a"])
