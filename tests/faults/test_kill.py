"""Processes are killed at any moment: what was acknowledged stays, and nothing half-done is left."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest

from radfuse.archive import check_archive
from tests.archive.objects import contents, leftovers, open_archive, python
from tests.archive.storing import made
from tests.support.repeats import repeats

KILLS_IN_A_RUN = 5


def start(folder: Path, first: int, threads: int) -> subprocess.Popen[str]:
    """A process that stores without end."""
    process = python("-m", "tests.archive.storing", str(folder), str(first), "0", str(threads))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen[str]) -> set[int]:
    """Kill it; returns the numbers that it had acknowledged."""
    process.kill()
    output, _ = process.communicate()
    told = [line.split() for line in output.splitlines() if line.endswith(("KEPT", "AGAIN"))]
    assert all(outcome in ("KEPT", "SAME_AGAIN") for _, outcome in told)
    return {int(number) for number, _ in told}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(repeats(3, 10)))
def test_every_acknowledged_object_survives_the_killing_of_its_process(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    for kills in range(KILLS_IN_A_RUN):
        count = 2 if seed % 3 == 2 else 1
        # From a number on that the one before may or may not have stored: sent again after the crash.
        starts = [max(acknowledged, default=0) - 3 + 100_000 * place for place in range(count)]
        processes = [start(tmp_path, max(1, first), 1 + 3 * (seed % 2)) for first in starts]
        time.sleep(chance.uniform(0.02, 0.5) if kills else chance.uniform(0.02, 1.8))
        for process in processes:
            acknowledged |= kill(process)
    with open_archive(tmp_path) as archive:
        found = contents(archive)
        assert acknowledged
        assert {made(number).uid for number in acknowledged} <= set(found)
        assert all(found[made(number).uid] == made(number).data_set() for number in acknowledged)
        report = check_archive(archive)
        assert (report.missing, report.orphaned, report.damaged) == ((), (), ())
        assert report.indexed == report.files == len(found)
    assert leftovers(tmp_path) == []


def test_a_living_process_goes_on_while_the_other_is_killed_and_recovered(tmp_path: Path) -> None:
    living, dying = start(tmp_path, 1, 2), start(tmp_path, 100_000, 2)
    try:
        time.sleep(0.4)
        acknowledged = kill(dying)
        with open_archive(tmp_path) as archive:  # recovers, as the restarted worker does
            assert {made(number).uid for number in acknowledged} <= set(contents(archive))
        time.sleep(0.3)
    finally:
        acknowledged |= kill(living)
    with open_archive(tmp_path) as archive:
        assert {made(number).uid for number in acknowledged} <= set(contents(archive))
        report = check_archive(archive)
        assert (report.missing, report.orphaned, report.damaged) == ((), (), ())
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_processes_that_store_the_same_objects_at_once_keep_each_once(threads: int, tmp_path: Path) -> None:
    count = 60
    command = ("-m", "tests.archive.storing", str(tmp_path), "1", str(count), str(threads))
    processes = [python(*command) for _ in range(3)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    outcomes = [line.split() for output in outputs for line in output.splitlines() if line != "ready"]
    kept = [int(number) for number, outcome in outcomes if outcome == "KEPT"]
    assert sorted(kept) == list(range(1, count + 1))
    assert {outcome for _, outcome in outcomes} <= {"KEPT", "SAME_AGAIN"}
    assert len(outcomes) == 3 * count
    with open_archive(tmp_path) as archive:
        found = contents(archive)
        assert found == {made(number).uid: made(number).data_set() for number in range(1, count + 1)}
        report = check_archive(archive)
        assert (report.files, report.orphaned, report.damaged) == (count, (), ())
    assert leftovers(tmp_path) == []
