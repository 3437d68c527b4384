"""A row that kills whoever takes it, and what a person does about it, on real servers (tests 7, 17)."""

from __future__ import annotations

import signal

import pytest

pytestmark = pytest.mark.process


def killed_until_it_is_given_up(office, wait):
    """Start a bridge again and again; give the one that lives and how many died."""
    deaths = 0
    process = office.start()
    while True:
        wait(
            lambda it=process: it.status is not None or not office.waiting(),
            "it dies, or all is settled",
            60,
        )
        if process.status is None:
            return process, deaths
        assert process.status == -signal.SIGKILL
        deaths += 1
        assert deaths < 10
        process = office.start()


def test_poison_is_a_dead_letter_after_its_attempts_and_its_replay_has_one_effect(
    make_office, wait
):
    """Its neighbours flow; replayed twice, through the command and the running bridge: one effect."""
    office = make_office(attempts=3)
    office.live()
    neighbours = [(at, f"b{at % 5}", "plain") for at in range(3, 23)]
    office.write((1, "a", "poison"), (2, "a", "behind it"), *neighbours)
    process, deaths = killed_until_it_is_given_up(office, wait)
    assert deaths == 3, "so often as it may be tried, and no more"
    assert office.asked("begun").count(1) == 3
    (letter,) = office.letters()
    assert "gave up after 3 attempts, of which none came to an end" in letter.letter.reason
    assert b'"text":"poison"' in letter.letter.record.body
    assert sorted(office.taken()) == sorted(["a", *(account for _, account, _ in neighbours)])
    ident = str(letter.id)

    (office.root / "mended").touch()
    assert ident in office.must("dead", "replay", ident, "--dry-run")
    assert office.letters()[0].state == letter.state, "it only said so"
    office.must("dead", "replay", ident, "--why", "mended")
    wait(lambda: office.letters()[0].state == "replayed", "it is replayed")
    again = office.fig("dead", "replay", ident, "--why", "once more")
    wait(lambda: office.letters()[0].state == "replayed", "it is replayed again, or refused")
    assert again.status in (0, 5), again.err
    wait(lambda: len(office.verdicts()) == 22, "every decision is in legacy's table")
    assert office.taken().count("a") == 2, "twice is once"
    assert len(office.asked("ended")) == 22
    assert process.stop() == 0
    assert len(office.verdicts()) == len(set(office.verdicts())) == 22
    office.check(
        ["a", "a", *(account for _, account, _ in neighbours)], ordered={f"b{n}" for n in range(5)}
    )
