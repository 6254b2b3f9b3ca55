"""Export of a CT to a file-set: Radfuse against a copy with one sync, and a copy with ``dcmmkdir``."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import peers, store
from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import CT, FileSet, write_files
from radfuse.archive import Archive, ArchiveSettings
from radfuse.dicom import Transcoder
from radfuse.services.databases import DEFAULT_DATABASE, database_folder
from radfuse.services.export_media import MediaAsk, export_media, plan_export
from radfuse.services.selection import Selection

ABOUT = "Export of a CT of 512 x 512 to a folder, durably: with a DICOMDIR, checked against the archive, and checksums."
_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Way:
    """One way out: its name in the table, and the function that does it and gives the seconds."""

    name: str
    seconds: Callable[[FileSet, Path, Path], float]


def run(settings: Settings, results: Results) -> None:
    """Each way in turn."""
    ways = [
        Way(OURS, _in_process),
        Way(f"{OURS}, the command with its start", _by_command),
        Way("copied, one sync", _by_copy),
    ]
    if shutil.which("dcmmkdir"):
        ways.append(Way("copied, dcmmkdir, one sync", _by_dcmmkdir))
    else:
        results.remark("dcmmkdir is not installed (apt-get install dcmtk)")
    with folder_in(settings.scratch) as folder:
        files = write_files(folder / "files", CT, settings.amount(400, 20))
        store.warm(files)
        data = folder / "data"
        _run(peers.radfuse("import", str(files.folder), "--data", str(data)))
        interleaved(settings.runs, ways, partial(_once, files, data, settings, results), results)


def _once(files: FileSet, data: Path, settings: Settings, results: Results, way: Way) -> None:
    with folder_in(settings.scratch) as folder:
        os.sync()
        seconds = way.seconds(files, data, folder)
    size = sum(path.stat().st_size for path in files.folder.rglob("*.dcm")) / _MEGABYTE
    results.add(Value(f"export a CT of {files.count} slices", way.name, "MB/s", size / seconds))


def _in_process(files: FileSet, data: Path, folder: Path) -> float:
    """Plan and export, as the jobs of a running service do it."""
    with Archive(ArchiveSettings(database_folder(data, DEFAULT_DATABASE))) as archive, Transcoder() as transcoder:
        begin = time.perf_counter()
        plan = plan_export(archive, MediaAsk("STD-GEN-CD", Selection(files.study_uids)))
        export_media(archive, plan, folder / "set", transcoder=transcoder)
        return time.perf_counter() - begin


def _by_command(_files: FileSet, data: Path, folder: Path) -> float:
    begin = time.perf_counter()
    _run(peers.radfuse("export", "PatientID=*", "--to", str(folder / "set"), "--data", str(data)))
    return time.perf_counter() - begin


def _by_copy(files: FileSet, _data: Path, folder: Path) -> float:
    begin = time.perf_counter()
    _copy(files, folder / "set")
    _run(["sync", "-f", str(folder)])
    return time.perf_counter() - begin


def _by_dcmmkdir(files: FileSet, _data: Path, folder: Path) -> float:
    begin = time.perf_counter()
    _copy(files, folder / "set")
    _run(["dcmmkdir", "-q", "+r", "-Pgp", "+id", str(folder / "set"), "+D", str(folder / "set" / "DICOMDIR")])
    _run(["sync", "-f", str(folder)])
    return time.perf_counter() - begin


def _copy(files: FileSet, to: Path) -> None:
    """What cp does, within the kernel, under names that a DICOMDIR can hold."""
    to.mkdir(parents=True)
    for number, path in enumerate(sorted(files.folder.rglob("*.dcm"))):
        shutil.copyfile(path, to / f"IM{number:06d}")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=peers.environment(), check=False)
    if done.returncode:
        raise BenchmarkError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
