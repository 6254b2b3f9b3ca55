"""A process that was told to stop ends, whatever holds it up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from radfuse.app import deadline
from tests.app.test_serve import archived
from tests.app.test_web import store
from tests.archive.objects import leftovers, numbered
from tests.support.servers import environment

LOADED = f"import sys; sys.path.append({str(Path(deadline.__file__).parent)!r}); import deadline\n"
"""The module alone: a process that loads all of ``radfuse.app`` takes much longer to begin than to end."""
STARTED = "deadline.LastDeadline('web process', 0.2).start()\n"
PATIENT = "deadline._FOR_THE_LOG_S = 25\n"
"""A busy machine may need more than two seconds to log, and the kernel ends it then."""
EPOLL = "import select; select.epoll().poll()"
"""Waits in the kernel for ever, and lets other threads run; a signal wakes it for no longer than its handler runs."""
LOCKED = "import ctypes; ctypes.PyDLL(None).pause()"
"""Waits for ever, and lets no other thread of Python run."""
AT_EXIT = "import atexit, threading; atexit.register(threading.Event().wait)"
LOG_LOCKED = "import logging; logging.basicConfig(); logging.root.handlers[0].acquire(); " + EPOLL


def ended(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("hang", [EPOLL, AT_EXIT], ids=["in the kernel", "at exit"])
def test_a_process_that_hangs_says_so_and_ends(hang: str) -> None:
    done = ended(LOADED + PATIENT + STARTED + hang)
    assert done.returncode == 1
    assert "the web process did not end in time; ending it at once" in done.stderr


def test_a_process_that_cannot_even_say_so_is_ended_by_the_kernel() -> None:
    with ThreadPoolExecutor() as both:
        done = both.map(ended, (LOADED + STARTED + LOCKED, LOADED + STARTED + LOG_LOCKED))
    assert [each.returncode for each in done] == [-signal.SIGALRM, -signal.SIGALRM]


def test_a_process_that_ends_in_time_ends_as_it_would() -> None:
    done = ended(LOADED + PATIENT + STARTED * 2 + "raise SystemExit(3)")
    assert (done.returncode, done.stderr) == (3, "")


def test_a_web_process_whose_event_loop_never_closes_ends_and_has_lost_nothing(tmp_path: Path) -> None:
    data, around = tmp_path / "data", tmp_path / "around"
    around.mkdir()
    (around / "sitecustomize.py").write_text(
        f"import uvloop\ndef close(self):\n    {EPOLL}\nuvloop.Loop.close = close\n"
        f"from radfuse.app import deadline\n{PATIENT}"
    )
    env = environment() | {"RADFUSE_LIMITS__SHUTDOWN_S": "0"}
    env["PYTHONPATH"] = f"{around}:{env['PYTHONPATH']}"
    command = [sys.executable, "-m", "radfuse", "web", "--data", str(data), "--http-port", "0", "--json"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{json.loads(process.stdout.readline())['HTTPPort']}"
        store(url, numbered(1))
        process.terminate()
        try:
            assert process.wait(30) == 1
        finally:
            process.kill()
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{url}/healthz")
    records = [json.loads(line) for line in (data / "log" / "web.jsonl").read_text().splitlines()]
    (record,) = (each for each in records if "in time" in each["event"])
    assert record["main_thread_in"][-1].endswith(" close")
    assert set(archived(data)) == {numbered(1).uid}
    assert leftovers(data) == []
