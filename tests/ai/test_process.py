"""A worker that is killed, hangs, prints, lies or loses its parent."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from stranglerfig.ai.process import ProviderProcess
from stranglerfig.errors import DeadlineExceeded, ReplacementError, ReplacementUnavailable
from stranglerfig.model import Request

pytestmark = pytest.mark.process

STUBBORN = '''
import asyncio, os, subprocess, sys, time
from pathlib import Path
from decimal import Decimal
from stranglerfig.model import Reply


class Stubborn:
    """Does what the request tells it to."""

    def __init__(self, *, name, options, place, root, revision=""):
        self.name, self.revision, self.root = name, revision or "one", root

    async def open(self):
        if (self.root / "print").exists():
            print("on stdout", flush=True)
            print("on stderr", file=sys.stderr, flush=True)
        if (self.root / "slow").exists():
            time.sleep(60)
        if (self.root / "die").exists():
            os._exit(7)
        if (self.root / "raise").exists():
            raise RuntimeError("no\\nsecond line")

    async def answer(self, request):
        what = request.payload.get("do", "")
        if what == "sleep":
            await asyncio.sleep(60)
        if what == "block":
            time.sleep(60)
        if what == "exit":
            os._exit(9)
        if what == "raise":
            raise KeyError("lost")
        if what == "garbage":
            os.write(int(sys.argv[1]), b"\\x00\\x00\\x00\\x02no")
            await asyncio.sleep(60)
        if what == "child":
            child = subprocess.Popen(["sleep", "60"])
            return Reply(request_id=request.id, status="ok", produced_by="x",
                         payload={"pid": child.pid})
        if what == "none":
            return None
        id = "other" if what == "other" else request.id
        confidence = 7.0 if what == "sure" else 0.5
        payload = {"set": {1}} if what == "set" else dict(request.payload)
        if what == "empty":
            payload = None
        return Reply(request_id=id, status="ok", produced_by="x", payload=payload,
                     confidence=confidence)

    async def close(self):
        (self.root / "closed").write_text("yes")
'''


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def reaped(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def environment(root: Path) -> dict[str, str]:
    path = [str(root), *(str(Path(one).absolute()) for one in sys.path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def ask(do: str = "", **rest) -> Request:
    return Request(id="r", operation="o", version=1, source="s", payload={"do": do}, **rest)


@pytest.fixture
async def make(tmp_path, monkeypatch):
    """Make process providers of the stubborn kind; close them all at the end."""
    (tmp_path / "stubborn_part.py").write_text(STUBBORN)
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def build(**given) -> ProviderProcess:
        part = ProviderProcess(
            provider="py:stubborn_part:Stubborn",
            name="x",
            options={"key": "s3cret"},
            place="p",
            root=tmp_path,
            **given,
        )
        made.append(part)
        return part

    yield build
    pids = [part.pid for part in made if part.pid]
    for part in made:
        await part.close()
    assert not [pid for pid in pids if alive(pid)]


async def test_a_killed_worker_fails_what_waits_and_comes_back(make, until, logged):
    part = make(deadline=30.0)
    await part.open()
    first = part.pid
    waiting = [asyncio.create_task(part.answer(ask("sleep"))) for _ in range(5)]
    await asyncio.sleep(0)
    assert (await part.answer(ask())).status == "ok"
    os.kill(first, signal.SIGKILL)
    begun = time.monotonic()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert time.monotonic() - begun < 10
    assert {type(one) for one in outcomes} == {ReplacementUnavailable}
    await until(lambda: part.ready and part.pid != first)
    assert (await part.answer(ask())).status == "ok"
    assert reaped(first)
    assert any("down" in line and "SIGKILL" in line for line in logged)
    assert sum("ready" in line for line in logged) == 2


async def test_while_it_is_down_answers_fail_at_once(make, until, tmp_path):
    part = make(deadline=30.0)
    await part.open()
    (tmp_path / "die").touch()
    with pytest.raises(ReplacementUnavailable):
        await part.answer(ask("exit"))
    await until(lambda: "status 7" in part.trouble)
    begun = time.monotonic()
    with pytest.raises(ReplacementUnavailable, match="status 7"):
        await part.answer(ask())
    assert time.monotonic() - begun < 1
    assert not part.ready
    assert part.pid is None
    (tmp_path / "die").unlink()
    await until(lambda: part.ready)
    assert part.trouble == ""


async def test_what_a_worker_started_does_not_outlive_it(make, until):
    part = make(deadline=20.0)
    await part.open()
    first = part.pid
    child = (await part.answer(ask("child"))).payload["pid"]
    assert alive(child)
    os.kill(first, signal.SIGKILL)
    await until(lambda: not alive(child))


async def test_a_worker_that_speaks_nonsense_is_replaced(make, until, logged):
    part = make(deadline=20.0)
    await part.open()
    first = part.pid
    with pytest.raises(ReplacementUnavailable, match="nonsense"):
        await part.answer(ask("garbage"))
    await until(lambda: part.ready and part.pid != first)
    assert (await part.answer(ask())).status == "ok"


async def test_more_than_a_worker_can_take_is_refused_at_once(make, monkeypatch):
    monkeypatch.setattr("stranglerfig.ai.link.WAITING", 3)
    part = make(deadline=20.0)
    await part.open()
    waiting = [asyncio.create_task(part.answer(ask("sleep"))) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(ReplacementUnavailable, match="too busy"):
        await part.answer(ask())
    await part.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in outcomes} == {ReplacementUnavailable}


@pytest.mark.parametrize("idle", [True, False])
async def test_a_stopped_worker_is_killed_and_replaced(make, until, logged, idle):
    part = make(deadline=0.4)
    await part.open()
    first = part.pid
    os.kill(first, signal.SIGSTOP)
    if not idle:
        with pytest.raises(DeadlineExceeded):
            await part.answer(ask())
    await until(lambda: part.ready and part.pid != first)
    assert reaped(first)
    assert (await part.answer(ask())).status == "ok"
    assert any("no sign of life" in line or "answered nothing" in line for line in logged)


@pytest.mark.parametrize("how", ["sleep", "block"])
async def test_a_hanging_provider_is_replaced(make, until, how):
    part = make(deadline=0.4)
    await part.open()
    first = part.pid
    with pytest.raises(DeadlineExceeded):
        await part.answer(ask(how))
    await until(lambda: part.ready and part.pid != first)
    assert (await part.answer(ask())).status == "ok"


async def test_one_slow_answer_among_others_kills_nobody(make):
    part = make(deadline=1.0)
    await part.open()
    first = part.pid
    with pytest.raises(DeadlineExceeded):
        await part.answer(ask("sleep", deadline=time.time() + 0.1))
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert (await part.answer(ask())).status == "ok"
        await asyncio.sleep(0.05)
    assert part.pid == first


async def test_a_request_whose_time_is_over_is_not_sent(make):
    part = make()
    await part.open()
    with pytest.raises(DeadlineExceeded):
        await part.answer(ask("exit", deadline=time.time() - 1))
    assert (await part.answer(ask())).status == "ok"


@pytest.mark.parametrize("what", ["none", "other", "sure", "set", "empty", "raise"])
async def test_nonsense_costs_one_request(make, what):
    part = make(deadline=20.0)
    await part.open()
    first = part.pid
    with pytest.raises(ReplacementError) as caught:
        await part.answer(ask(what))
    assert type(caught.value) is ReplacementError
    assert (await part.answer(ask())).status == "ok"
    assert part.pid == first


async def test_a_payload_that_cannot_travel_is_refused_here(make):
    part = make()
    await part.open()
    with pytest.raises(ReplacementError, match="complex"):
        await part.answer(Request(id="r", operation="o", version=1, source="s", payload={"x": 1j}))
    assert (await part.answer(ask())).status == "ok"


async def test_what_a_worker_prints_is_in_our_log_and_nothing_of_its_options(
    make, tmp_path, logged, until
):
    (tmp_path / "print").touch()
    part = make()
    await part.open()
    await until(lambda: any("on stderr" in line for line in logged))
    assert any("on stdout" in line for line in logged)
    command = command_line(part.pid)
    assert b"s3cret" not in command
    assert "s3cret" not in repr(part) + "".join(logged)


async def test_a_start_that_fails_says_why_and_is_tried_again(make, tmp_path, until):
    (tmp_path / "raise").touch()
    part = make()
    with pytest.raises(ReplacementUnavailable, match="RuntimeError: no"):
        await part.open()
    (tmp_path / "raise").unlink()
    await until(lambda: part.ready)
    assert part.revision == "one"


async def test_a_start_that_hangs_is_given_up(make, tmp_path):
    (tmp_path / "slow").touch()
    part = make(start_timeout=1.0)
    with pytest.raises(ReplacementUnavailable, match="not ready within 1 s"):
        await part.open()


async def test_closing_lets_the_provider_close(make, tmp_path):
    part = make()
    await part.open()
    pid = part.pid
    await part.close()
    assert (tmp_path / "closed").exists()
    assert reaped(pid)
    with pytest.raises(ReplacementUnavailable, match="closed"):
        await part.answer(ask())


async def test_a_model_that_goes_and_comes_back(taught, tmp_path, until):
    folder, _ = taught
    part = ProviderProcess(
        provider="local",
        name="triage",
        options={"model": "model", "margin": 0.0},
        place="p",
        root=tmp_path,
        deadline=20.0,
    )
    try:
        with pytest.raises(ReplacementUnavailable, match="nothing was learnt yet"):
            await part.open()
        shutil.copytree(folder, tmp_path / "model")
        await until(lambda: part.ready)
        revision, first = part.revision, part.pid
        shutil.rmtree(tmp_path / "model" / revision.partition("-")[0])
        os.kill(first, signal.SIGKILL)
        await until(lambda: "cannot be read" in part.trouble)
        # CURRENT names another one meanwhile: what was served is what must come back.
        others = [one.name for one in folder.iterdir() if one.is_dir()]
        other = next(one for one in others if not revision.startswith(one))
        (tmp_path / "model" / "CURRENT").write_text(other)
        shutil.copytree(folder / revision.partition("-")[0], tmp_path / "model" / revision[:12])
        await until(lambda: part.ready)
        assert part.revision == revision
        reply = await part.answer(
            Request(id="r", operation="o", version=1, source="s", payload={"text": "password"})
        )
        assert reply.status == "ok"
    finally:
        await part.close()


PARENT = """
    import asyncio, sys
    from pathlib import Path
    from stranglerfig.ai.process import ProviderProcess
    async def main():
        part = ProviderProcess(provider="py:stubborn_part:Stubborn", name="x", options={},
                               root=Path(sys.argv[1]))
        await part.open()
        print(part.pid, flush=True)
        if sys.argv[2] == "block":
            from stranglerfig.model import Request
            await part.answer(Request(id="r", operation="o", version=1, source="s",
                                      payload={"do": "block"}))
        await asyncio.sleep(60)
    asyncio.run(main())
"""


@pytest.fixture(params=["idle", "block"])
def parent(tmp_path, request):
    """A parent whose worker idles, or is asked for what it never gives."""
    (tmp_path / "stubborn_part.py").write_text(STUBBORN)
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path), request.param],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    ) as process:
        yield process
        process.kill()


async def test_a_worker_ends_with_its_parent(parent, until):
    worker = int(await asyncio.to_thread(parent.stdout.readline))
    assert alive(worker)
    parent.kill()
    await until(lambda: not alive(worker))


async def test_it_runs_under_uvloop(tmp_path):
    pytest.importorskip("uvloop")
    (tmp_path / "stubborn_part.py").write_text(STUBBORN)
    script = PARENT.replace("asyncio.run(main())", "import uvloop\n    uvloop.run(main())").replace(
        "await asyncio.sleep(60)", "await part.close()\n        print(part.trouble)"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path), "idle"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert "closed" in done.stdout
