"""The service: workers that share a port, are replaced when they die, and end in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from radfuse.app.compose import data_folder_lock, open_databases
from radfuse.app.dicom_door import node_server
from radfuse.app.settings import load_settings
from radfuse.archive import Archive, check_archive
from radfuse.core.errors import FolderInUse, WireError
from radfuse.wire import Association, ProposedContext, request_association, scu
from tests.archive.objects import CT_IMAGE, EXPLICIT, AnObject, contents, leftovers, numbered, settings
from tests.support.servers import RunningNode, environment, processes_of, running_node

STARTED = ("serve", "--workers", "2")
WAIT_S = 60.0


@contextmanager
def associated(node: RunningNode) -> Iterator[Association]:
    association = request_association(
        ("127.0.0.1", node.port), node.ae_title, "TESTER", [ProposedContext(CT_IMAGE, (EXPLICIT,))]
    )
    try:
        yield association
        association.release()
    finally:
        association.close()


def store(association: Association, each: AnObject) -> int | None:
    context = scu.context_for(association, CT_IMAGE)
    return scu.store(association, context, CT_IMAGE, each.uid, each.data_set()).status


def workers_of(process: subprocess.Popen[str]) -> set[int]:
    """The node processes of the supervisor."""
    return set(processes_of(process, "node"))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def archived(data: Path) -> dict[str, bytes]:
    with Archive(settings(data)) as archive:
        report = check_archive(archive)
        assert (report.missing, report.orphaned, report.damaged) == ((), (), ())
        return contents(archive)


def test_a_worker_that_is_killed_is_replaced_and_the_service_goes_on(tmp_path: Path) -> None:
    acknowledged: dict[str, bytes] = {}
    with running_node(tmp_path / "data", command=STARTED) as node:
        number = 0
        for _ in range(2):
            workers = workers_of(node.process)
            assert len(workers) == 2
            with associated(node) as association:
                for _ in range(10):
                    number += 1
                    assert store(association, numbered(number)) == 0
                    acknowledged[numbered(number).uid] = numbered(number).data_set()
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda before=workers: len(workers_of(node.process) - before) == 2)  # type: ignore[misc]
        with associated(node) as association:
            assert store(association, numbered(1)) == 0
            assert store(association, numbered(500)) == 0
        acknowledged[numbered(500).uid] = numbered(500).data_set()
        assert "ended unexpectedly" in (tmp_path / "data" / "log" / "supervisor.jsonl").read_text()
    assert archived(tmp_path / "data") == acknowledged
    assert leftovers(tmp_path / "data") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_stores_end_and_loses_nothing(number: signal.Signals, tmp_path: Path) -> None:
    acknowledged: dict[str, bytes] = {}
    begun = threading.Event()

    def send(node: RunningNode, first: int) -> None:
        try:
            with associated(node) as association:
                for each in (numbered(place, pixels=b"\3" * 1_000_000) for place in range(first, first + 10_000)):
                    if store(association, each) != 0:
                        return
                    acknowledged[each.uid] = each.data_set()
                    begun.set()
        except WireError:
            return

    with running_node(tmp_path / "data", command=STARTED) as node:
        senders = [threading.Thread(target=send, args=(node, first)) for first in (0, 10_000, 20_000)]
        for sender in senders:
            sender.start()
        assert begun.wait(WAIT_S)
        node.process.send_signal(number)
        assert node.process.wait(WAIT_S) == 0
        for sender in senders:
            sender.join()
    found = archived(tmp_path / "data")
    assert acknowledged.items() <= found.items()
    # An object whose answer was lost on the way is whole all the same.
    assert len(found) <= len(acknowledged) + len(senders)
    assert leftovers(tmp_path / "data") == []


def test_an_object_that_is_half_here_at_the_end_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "radfuse.toml").write_text("[limits]\nshutdown_s = 1\n")
    with running_node(tmp_path / "data", command=STARTED) as node:
        each = numbered(1, pixels=bytes(8_000_000))
        asked = 0

        def stop_the_service() -> bool:
            """Called between pieces of about a megabyte; goes on sending."""
            nonlocal asked
            asked += 1
            if asked == 4:
                wait_until(lambda: any((tmp_path / "data" / "incoming").glob("*/*")))
                node.process.send_signal(signal.SIGTERM)
                node.process.wait(WAIT_S)
            return False

        with pytest.raises(WireError), associated(node) as association:
            context = scu.context_for(association, CT_IMAGE)
            scu.store(association, context, CT_IMAGE, each.uid, each.data_set(), should_stop=stop_the_service)
        assert asked >= 4
        assert node.process.returncode == 0
    assert archived(tmp_path / "data") == {}
    assert leftovers(tmp_path / "data") == []


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with data_folder_lock(tmp_path), pytest.raises(FolderInUse) as refused, data_folder_lock(tmp_path):
        raise AssertionError("held twice")
    assert refused.value.folder == str(tmp_path)
    with data_folder_lock(tmp_path):
        pass


def test_a_service_that_was_killed_itself_can_be_started_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = subprocess.Popen(
        [sys.executable, "-m", "radfuse", "node", "--data", str(data), "--dicom-port", "0"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()
    process.kill()
    process.communicate()
    with running_node(data) as node, associated(node) as association:
        assert store(association, numbered(1)) == 0


def test_databases_of_their_own_keep_objects_apart(tmp_path: Path) -> None:
    (tmp_path / "radfuse.toml").write_text(
        'ae_title = "ONE"\ndicom_port = 0\n[databases]\nTWO = "second"\nTOO = "second"\n'
    )
    loaded = load_settings(tmp_path)
    with closing(open_databases(loaded)) as databases:
        assert databases.of("TWO") is databases.of("TOO")
        assert databases.of("ONE") is not databases.of("TWO")
        assert databases.of("TWO").settings.folder == tmp_path / "databases" / "second"
    with node_server(loaded) as server:
        server.stop()
