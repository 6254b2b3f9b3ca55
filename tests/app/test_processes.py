"""Processes of a service end with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from radfuse.app.processes import READY_PIPE, SUPERVISOR, follow_supervisor, tell_supervisor


def test_a_process_whose_supervisor_is_gone_before_it_looks_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    monkeypatch.setenv(SUPERVISOR, str(gone.pid))
    stopped = threading.Event()
    follow_supervisor(stopped.set)
    assert stopped.wait(10)
    assert SUPERVISOR not in os.environ


def test_a_process_stays_while_its_supervisor_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SUPERVISOR, str(os.getppid()))
    stopped = threading.Event()
    follow_supervisor(stopped.set)
    assert not stopped.wait(1.5)


def test_a_supervisor_that_died_while_its_process_started_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setenv(READY_PIPE, str(writing))
    tell_supervisor()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(writing)
