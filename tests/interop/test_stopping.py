"""The service ends cleanly: under load, and when something is wrong at the start."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.errors import WireError
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.wire import ProposedContext
from tests.archive.objects import contents
from tests.interop.client import Sent, associate, sent_dataset, store, wait_until
from tests.interop.conftest import write_settings
from tests.support.generate import CT_IMAGE, base_instance
from tests.support.servers import environment, radfuse, running_node


def an_object(series: int, number: int) -> Sent:
    ds = base_instance(CT_IMAGE, "CT", series, number)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.500", f"2.25.500.{series}"
    ds.SOPInstanceUID = f"2.25.500.{series}.{number}"
    ds.add_new(0x00091001, "OB", bytes(40_000))
    return sent_dataset(ds)


def test_sigterm_under_load_ends_with_exit_code_0_and_keeps_every_acknowledged_object(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_settings(data, "[limits]\nshutdown_s = 3.0\n")
    acknowledged: list[str] = []
    with running_node(data, "--workers", "2", command=("serve",)) as node:

        def send(series: int) -> None:
            with contextlib.suppress(WireError), associate(node, [ProposedContext(CT_IMAGE, (EXPLICIT_LITTLE,))]) as a:
                for number in range(10_000):
                    one = an_object(series, number)
                    if store(a, one) != 0:
                        return
                    acknowledged.append(one.sop_instance_uid)

        threads = [threading.Thread(target=send, args=(series,)) for series in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(acknowledged) > 100, "nothing was stored")
        node.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(60)
        assert node.process.wait(30) == 0
    with Archive(ArchiveSettings(data)) as archive:
        assert set(contents(archive)) >= set(acknowledged)
    assert [path for path in (data / "incoming").rglob("*") if path.is_file()] == []


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    import sqlite3

    data = tmp_path / "data"
    with Archive(ArchiveSettings(data)):
        pass
    with contextlib.closing(sqlite3.connect(data / "index.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    done = radfuse("serve", "--data", str(data), "--dicom-port", "0")
    assert done.returncode == 1
    assert "written by a newer Radfuse" in done.stderr


def test_workers_that_cannot_start_end_the_service_with_a_sentence(tmp_path: Path) -> None:
    """ "ready" is said by the workers themselves: one that ends before is no service."""
    data = tmp_path / "data"
    write_settings(data, "")
    broken = tmp_path / "broken"
    broken.mkdir()
    # Only the workers' command is broken: "node" of the command line, by the environment of the supervisor.
    (broken / "sitecustomize.py").write_text("import sys\nif 'node' in sys.argv[1:]: sys.exit(7)\n")
    variables = environment()
    variables["PYTHONPATH"] = f"{broken}{os.pathsep}{variables['PYTHONPATH']}"
    command = [sys.executable, "-c", _MAIN, "serve", "--data", str(data), "--dicom-port", "0"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "ready" not in done.stdout
    assert "a node process ended while starting" in done.stderr


_MAIN = "import sys; sys.argv[0] = 'radfuse'; from radfuse.cli import main; main()"
