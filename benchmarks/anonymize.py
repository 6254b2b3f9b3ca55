"""Anonymizing: what of PS3.15 Table E.1-1 each tool leaves at three levels, and how fast Radfuse is with its proof."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.memory import PeakMemory
from benchmarks.objects import CT, SMALL, Kind, write_files
from benchmarks.peers import environment, radfuse
from radfuse.deid import Anonymizer, Profile, ProjectKey, Proof
from tests.deid import identifying

ABOUT = (
    "Attributes of PS3.15 Table E.1-1 left unchanged, each with a value that can be found again: at the top, in a "
    "sequence that the table does not list, and in one in that; defaults of each tool. Radfuse's times are with its "
    "leak scan. Speed asked: 400 small objects/s and 150 MB/s on two cores, at most 200 MiB."
)
_EDITIONS = ("2024b", "2026c")
"""The table's, and what was added to it later."""
_COPY = "copy + fsync"
_LEVELS = ("at the top", "nested", "nested twice")


@dataclass(frozen=True, slots=True)
class Tool:
    """An anonymizer; ``anonymize`` reads one file and writes another."""

    name: str
    module: str
    make: Callable[[], Callable[[Path, Path], None]]


def _radfuse() -> Callable[[Path, Path], None]:
    anonymizer, proof = Anonymizer(Profile(), ProjectKey.new()), Proof(Profile())

    def anonymize(source: Path, target: Path) -> None:
        done = anonymizer.anonymize(source.read_bytes())
        proof.prove(done)
        with target.open("wb") as file:
            file.writelines(done.pieces)

    return anonymize


def _dicognito() -> Callable[[Path, Path], None]:
    anonymizer = importlib.import_module("dicognito.anonymizer").Anonymizer()

    def anonymize(source: Path, target: Path) -> None:
        dataset = pydicom.dcmread(source)
        anonymizer.anonymize(dataset)
        dataset.save_as(target)

    return anonymize


def _dicom_anonymizer() -> Callable[[Path, Path], None]:
    module: Any = importlib.import_module("dicomanonymizer")
    return lambda source, target: module.anonymize_dicom_file(str(source), str(target))


def _deid() -> Callable[[Path, Path], None]:
    module: Any = importlib.import_module("deid.dicom")

    def anonymize(source: Path, target: Path) -> None:
        ids = module.get_identifiers([str(source)])
        (cleaned,) = module.replace_identifiers([str(source)], ids=ids, save=False)
        cleaned.save_as(target)

    return anonymize


_TOOLS = (
    Tool(OURS, "radfuse", _radfuse),
    Tool("dicognito", "dicognito", _dicognito),
    Tool("dicom-anonymizer", "dicomanonymizer", _dicom_anonymizer),
    Tool("deid", "deid", _deid),
)


def run(settings: Settings, results: Results) -> None:
    """Judge every tool over the same two objects; time it over the same files; then Radfuse with processes."""
    tools = [tool for tool in _TOOLS if not settings.only or any(word in tool.name for word in settings.only)]
    there = [tool for tool in tools if _is_there(tool, results)]
    with folder_in(settings.scratch) as folder, _quiet():
        for tool in there:
            _judge(tool, folder, results)
        small = list(_files(folder / "small", SMALL, settings.amount(40, 4)))
        interleaved(settings.runs, there, lambda tool: _time(tool, small, folder, results), results)
    for kind, full in ((SMALL, 4000), (CT, 1200)):
        count = settings.amount(full, 40)
        for processes in (1, 2):
            _throughput(kind, count, processes, settings, results)


def _is_there(tool: Tool, results: Results) -> bool:
    try:
        importlib.import_module(tool.module)
    except ImportError:
        results.remark(f"{tool.name} is not installed: pip install {tool.name}")
        return False
    return True


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what the tools say about each file."""
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


# --- what is left ------------------------------------------------------------------------------------


def _judge(tool: Tool, folder: Path, results: Results) -> None:
    anonymize = tool.make()
    made = []
    for number in (5, 6):
        source, target = folder / f"{tool.name}-{number}-in.dcm", folder / f"{tool.name}-{number}.dcm"
        source.write_bytes(identifying.everything(f"1.2.3.4.{number}"))
        try:
            anonymize(source, target)
        except Exception as error:
            results.remark(f"{tool.name} failed on the object with every attribute: {type(error).__name__}")
            return
        made.append(pydicom.dcmread(target, force=True))
    before = pydicom.dcmread(io.BytesIO(identifying.everything()))
    for level, old, new in zip(_LEVELS, _levels(before), _levels(made[0]), strict=True):
        for edition in _EDITIONS:
            tags = [row.tag for row in identifying.rows() if row.edition == edition]
            case, unit = f"attributes of {edition} left {level}", f"of {len(tags)}"
            results.add(Value(case, tool.name, unit, _left(old, new, tags), more_is_better=False))
    for what, is_left in _groups(made[0]).items():
        results.add(Value(f"{what} left", tool.name, "1: yes", float(is_left), more_is_better=False))
    is_consistent = made[0].get("StudyInstanceUID") == made[1].get("StudyInstanceUID") != before.StudyInstanceUID
    results.add(Value("UIDs replaced alike in two objects", tool.name, "1: yes", float(is_consistent)))
    has_codes = "DeidentificationMethodCodeSequence" in made[0] and len(made[0].DeidentificationMethodCodeSequence) > 0
    results.add(Value("method codes written", tool.name, "1: yes", float(has_codes)))


def _levels(dataset: Dataset) -> list[Dataset | None]:
    found: list[Dataset | None] = [dataset]
    for tag in (identifying.OUTER, identifying.INNER):
        above = found[-1]
        items = above[tag].value if above is not None and tag in above else []
        found.append(items[0] if items else None)
    return found


def _left(before: Dataset | None, after: Dataset | None, tags: list[int]) -> int:
    """How many attributes still hold what they held; what was in a sequence that is gone is gone."""
    if before is None or after is None:
        return 0
    return sum(_is_left(before, after, tag) for tag in tags if tag in before)


def _is_left(before: Dataset, after: Dataset, tag: int) -> bool:
    if tag not in after or after[tag].is_empty:
        return False
    if before[tag].VR == "SQ":
        return b"SECRET" in _text(after[tag].value)
    return bool(after[tag].value == before[tag].value)


def _text(items: Any) -> bytes:
    return "".join(str(item) for item in items).encode()


def _groups(dataset: Dataset) -> dict[str, bool]:
    tags = [int(element.tag) for element in dataset]
    return {
        "private attributes": any(tag >> 16 & 1 for tag in tags),
        "curves": any(tag >> 24 == 0x50 for tag in tags),
        "overlays": any(tag >> 24 == 0x60 for tag in tags),
    }


# --- how fast ----------------------------------------------------------------------------------------


def _files(folder: Path, kind: Kind, count: int) -> Iterator[Path]:
    write_files(folder, kind, count)
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _time(tool: Tool, files: list[Path], folder: Path, results: Results) -> None:
    anonymize = tool.make()
    anonymize(files[0], folder / f"{tool.name}-first.dcm")  # what is loaded once counts once, and not here
    begin = time.perf_counter()
    for number, path in enumerate(files):
        anonymize(path, folder / f"{tool.name}-timed-{number}.dcm")
    milliseconds = (time.perf_counter() - begin) * 1000 / len(files)
    results.add(Value("small objects, one process", tool.name, "ms a file", milliseconds, more_is_better=False))


def _throughput(kind: Kind, count: int, processes: int, settings: Settings, results: Results) -> None:
    """The whole command: start, read, anonymize, search, write, sync."""
    with folder_in(settings.scratch) as folder:
        size_bytes = sum(path.stat().st_size for path in _files(folder / "in", kind, count))
        for turn in range(settings.runs):
            to, log = folder / f"out-{turn}", folder / "log"
            options = ["--to", str(to), "--processes", str(processes), "--json"]
            command = radfuse("anonymize", str(folder / "in"), *options)
            begin = time.perf_counter()
            with (
                log.open("wb") as output,
                subprocess.Popen(command, stdout=output, stderr=output, env=environment()) as program,
            ):
                memory = PeakMemory(program.pid)
                code = program.wait()
                memory.stop()
            seconds = time.perf_counter() - begin
            given = sum(1 for _ in to.rglob("*.dcm"))
            if code != 0 or given != count:
                raise BenchmarkError(f"exit code {code}, {count - given} of {count} objects were not given")
            case = (
                f"{count} {kind.name} objects, {processes} process{'es' if processes > 1 else ''}, with the leak scan"
            )
            results.add(Value(case, OURS, "objects/s", count / seconds, rss_mib=memory.mib()))
            results.add(Value(case, OURS, "MB/s", size_bytes / seconds / 1e6))
            seconds = _copied(folder / "in", folder / f"copy-{turn}")
            results.add(Value(case, _COPY, "objects/s", count / seconds))
            results.add(Value(case, _COPY, "MB/s", size_bytes / seconds / 1e6))


def _copied(source: Path, to: Path) -> float:
    """Seconds to copy the same files one after the other, each synced: what reading and writing alone take."""
    to.mkdir()
    begin = time.perf_counter()
    for number, path in enumerate(path for path in source.rglob("*") if path.is_file()):
        with path.open("rb") as before, (to / str(number)).open("wb") as after:
            shutil.copyfileobj(before, after, 1 << 20)
            after.flush()
            os.fsync(after.fileno())
    return time.perf_counter() - begin
