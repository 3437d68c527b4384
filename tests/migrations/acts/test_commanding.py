"""A program of one's own: run once where it can be known, without a shell, and told no secrets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stranglerfig.errors import ConfigError, RunbookError
from stranglerfig.migrations.ports import Done, Waiting
from stranglerfig.tests.importable import importable

PYTHON = sys.executable


def script(text):
    return [PYTHON, "-c", text]


def append(bench, name="log"):
    return script(f"open({str(bench.folder / name)!r}, 'a').write('x')")


def count(bench, name="log"):
    file = bench.folder / name
    return len(file.read_text()) if file.exists() else 0


def test_a_program_is_run_and_its_end_is_kept(bench):
    act = bench.act("command", run=script("print('all moved')"))
    assert "all moved" in act.plan(bench.planned())[0]
    done = act.do(bench.ctx())
    assert done.result["status"] == 0
    assert done.result["output"] == "all moved"
    assert list(bench.folder.glob(".fig-run*")) == []


def test_a_program_that_fails_fails_the_step_and_says_what_it_said(bench):
    act = bench.act("command", run=script("import sys; print('no room'); sys.exit(3)"))
    with pytest.raises(RunbookError, match="ended with status 3") as failed:
        act.do(bench.ctx())
    assert failed.value.value == "no room"
    assert "fig runbook apply night" in failed.value.remedy
    assert bench.result()["status"] == 3


def test_it_is_told_what_it_needs_and_nothing_else(bench, monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    monkeypatch.setenv("TICKET", "CHG-4711")
    said = script("import os; print(sorted(os.environ), os.environ.get('TICKET'))")
    output = bench.act("command", run=said).do(bench.ctx()).result["output"]
    assert "DB_PASSWORD" not in output
    assert "TICKET" not in output
    for name in ("PATH", "FIG_RUN", "FIG_STEP", "FIG_ENDPOINT", "FIG_ATTEMPT"):
        assert name in output
    passed = bench.act("command", run=said, env=["TICKET"]).do(bench.ctx()).result["output"]
    assert "'TICKET'" in passed
    assert "CHG-4711" not in passed, "what is passed by name is taken out of what is kept"
    assert passed.endswith("***")


def test_a_secret_across_the_edge_of_what_is_kept_is_taken_out_too(bench, monkeypatch):
    monkeypatch.setenv("TOKEN", "abcdefghijklmnopqrstuvwxyz0123456789")
    told = script("import os; print(os.environ['TOKEN'] * 400)")
    output = bench.act("command", run=told, env=["TOKEN"]).do(bench.ctx()).result["output"]
    assert output
    assert set(output) == {"*"}


def test_there_is_no_shell(bench):
    done = bench.act("command", run=["echo", "$HOME; exit 1"]).do(bench.ctx())
    assert done.result["output"] == "$HOME; exit 1"


@pytest.mark.parametrize("run", [["no-such-program-here"], ["/etc/hostname"]])
def test_what_cannot_be_started_is_told_with_its_place(bench, run):
    with pytest.raises(RunbookError, match="cannot be started") as refused:
        bench.act("command", run=run).do(bench.ctx())
    assert refused.value.place == "night.toml: step it"
    assert refused.value.value == run[0]


def test_after_its_time_it_is_ended_with_all_that_it_started(bench):
    text = (
        "import subprocess, sys, time;"
        f"child = subprocess.Popen([{PYTHON!r}, '-c', 'import time; time.sleep(600)']);"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    with pytest.raises(RunbookError, match="its time") as failed:
        bench.act("command", run=script(text), timeout=1).do(bench.ctx())
    assert gone(int(failed.value.value))


def test_told_to_stop_it_ends_the_program_and_waits(bench):
    started = bench.folder / "started"
    text = f"open({str(started)!r}, 'w').close(); import time; time.sleep(600)"
    waiter = threading.Thread(target=stop_when, args=(started, bench.stop))
    waiter.start()
    waiting = bench.act("command", run=script(text)).do(bench.ctx())
    waiter.join()
    assert isinstance(waiting, Waiting)
    assert "told to stop" in waiting.reason


def test_interrupted_it_is_run_again_unless_a_check_says_that_it_is_done(bench):
    bench.begin(1.0)
    log = bench.folder / "log"
    check = script(f"import os, sys; sys.exit(not os.path.exists({str(log)!r}))")
    plain = bench.act("command", run=append(bench))
    plain.do(bench.ctx())
    plain.do(bench.ctx())
    assert count(bench) == 2
    checked = bench.act("command", run=append(bench), check=check)
    assert "done already" in checked.do(bench.ctx()).told
    assert count(bench) == 2
    log.unlink()
    checked.do(bench.ctx())
    assert count(bench) == 1


def test_once_a_person_decides_what_nobody_knows(bench):
    bench.begin(1.0)
    act = bench.act("command", run=append(bench), once=True)
    bench._keep({"began": 1.0, "begun": True, "ended": False})
    with pytest.raises(RunbookError, match="nobody knows how it ended") as refused:
        act.do(bench.ctx())
    assert "fig runbook apply night" in refused.value.remedy
    assert count(bench) == 0
    act.do(bench.ctx())
    assert count(bench) == 1, "whoever applied it again has decided"


def test_once_what_failed_or_is_to_be_done_again_may_be_run_again(bench):
    bench.begin(1.0)
    failing = bench.act("command", run=script("import sys; sys.exit(1)"), once=True)
    with pytest.raises(RunbookError, match="status 1"):
        failing.do(bench.ctx())
    with pytest.raises(RunbookError, match="status 1"):
        failing.do(bench.ctx())
    bench._keep({"began": 1.0, "begun": True, "ended": False})
    bench.begin(2.0)
    bench.act("command", run=append(bench), once=True).do(bench.ctx())
    assert count(bench) == 1


def test_undone_by_the_program_that_says_so_where_it_was_begun(bench):
    act = bench.act("command", run=script("pass"), undo=append(bench, "back"))
    assert act.undo(bench.ctx(), {}).told == "it was never begun"
    assert count(bench, "back") == 0
    done = act.do(bench.ctx())
    assert isinstance(act.undo(bench.ctx(), done.result), Done)
    assert count(bench, "back") == 1
    assert "no program" in bench.act("command", run=["true"]).undo(bench.ctx(), done.result).told


def test_what_was_done_before_the_run_is_not_undone(bench):
    act = bench.act("command", run=["false"], check=["true"], undo=append(bench, "back"))
    act.undo(bench.ctx(), act.do(bench.ctx()).result)
    assert count(bench, "back") == 0


@pytest.mark.process
def test_one_that_outlives_us_is_not_started_beside_itself(bench):
    started, go = bench.folder / "started", bench.folder / "go"
    long = (
        f"import os, time; open({str(started)!r}, 'a').write(str(os.getpid()) + ' ');"
        f"\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)"
    )
    act = bench.act("command", run=script(long))
    lock = bench.folder / f".fig-run-{bench.run().id}-{bench.ctx().record.position}.lock"
    runner = script(
        "import sys, threading, pathlib\n"
        "from stranglerfig.migrations.program import Program, environment\n"
        "Program(argv=[sys.executable, '-c', sys.argv[1]], folder=pathlib.Path('.'), place='',"
        " env=environment((), {}), timeout=600, lock=pathlib.Path(sys.argv[2]))"
        ".run(threading.Event())"
    )
    env = {**os.environ, "PYTHONPATH": importable()}
    ours = subprocess.Popen([*runner, long, str(lock)], env=env)
    until(lambda: started.exists() and started.read_text().strip())
    ours.send_signal(signal.SIGKILL)
    ours.wait()
    waiting = act.do(bench.ctx())
    assert waiting.reason.endswith("an earlier start of this step still runs")
    go.touch()
    until(lambda: gone(int(started.read_text().split()[0])))
    assert isinstance(act.do(bench.ctx()), Done)
    assert len(started.read_text().split()) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"run": []}, "length >= 1"),
        ({"run": "rm -rf /"}, "array"),
        ({"run": ["true"], "timeout": "a while"}, "timeout is no length of time"),
        ({"run": ["true"], "shell": True}, "unknown key"),
    ],
)
def test_options_that_are_none_are_refused(bench, options, says):
    with pytest.raises(ConfigError, match=says) as refused:
        bench.act("command", **options)
    assert refused.value.place.startswith("night.toml: step it.with")


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.01)


def gone(pid):
    """Say whether a process has ended; one that nobody has waited for yet has, too."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def stop_when(file, stop):
    until(file.exists)
    stop.set()
