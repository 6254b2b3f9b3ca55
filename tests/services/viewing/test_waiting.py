"""Long readings are told of, done once, and done behind what is stored meanwhile."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from radfuse.services.viewing import HowFar, computed, read_within
from radfuse.services.volumes import Progress


def test_whoever_asks_meanwhile_is_told_how_far_it_is_and_it_is_read_once() -> None:
    goes_on, told, readings = threading.Event(), threading.Event(), []

    def read(progress: Progress) -> str:
        readings.append(1)
        progress(3, 9)
        told.set()
        assert goes_on.wait(20)
        return "read"

    assert isinstance(read_within("a test", read, 0), HowFar)
    assert told.wait(20)
    assert read_within("a test", read, 0) == HowFar(3, 9)
    with ThreadPoolExecutor() as others:
        waiting = [others.submit(read_within, "a test", read, 20) for _ in range(3)]
        goes_on.set()
        assert [each.result() for each in waiting] == ["read"] * 3
    assert len(readings) == 1
    assert read_within("a test", lambda _: "read again", 20) == "read again"


def test_what_goes_wrong_is_told_to_whoever_asks_next() -> None:
    def refuse(_progress: Progress) -> str:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            read_within("refused", refuse, 20)


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="threads have priorities of their own on Linux alone")
def test_computing_and_the_threads_that_it_starts_are_of_lower_priority() -> None:
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def nice_of_another() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(nice).result()

    before = nice()
    assert computed(nice) == computed(nice_of_another) == before + 10
    assert computed(lambda: computed(nice)) == before + 10
    assert nice() == before
