"""A CT of 512 x 512 x 300 as a volume: from the archive, from the cache, by others from files; its rotating MIP."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydicom import dcmread

from benchmarks import peers
from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import CT, write_files
from benchmarks.volume_once import FRAMES, drop_from_cache

ABOUT = "One CT series as a volume in HU, each reading in a process of its own; then seen from all sides."
_LONGEST_S = 600


@dataclass(frozen=True, slots=True)
class Series:
    """The same series as files, and in an archive."""

    files: Path
    archive: Path
    uid: str
    slices: int

    @property
    def cache(self) -> Path:
        """Where Radfuse keeps volumes."""
        return self.archive / "cache"

    @property
    def voxel_bytes(self) -> int:
        """The volume as whole numbers of 16 bits."""
        return 2 * self.slices * CT.edge_pixels**2


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do it: whose it is in the table, and its name in ``benchmarks.volume_once``."""

    name: str
    what: str
    package: str = "radfuse"


READERS = (
    Way(OURS, "radfuse"),
    Way("SimpleITK series reader", "simpleitk", "SimpleITK"),
    Way("highdicom get_volume_from_series", "highdicom", "highdicom"),
    Way("pydicom, slices stacked", "pydicom", "pydicom"),
)
PROJECTORS = (Way(OURS, "rotating"), Way("SimpleITK resample + projection", "rotating-simpleitk", "SimpleITK"))


def run(settings: Settings, results: Results) -> None:
    """Readings cold and warm, from the cache, and the rotating projection."""
    with folder_in(settings.scratch) as folder:
        series = _kept(folder, settings.amount(300, 60))
        name = f"CT {CT.edge_pixels} x {CT.edge_pixels} x {series.slices}"
        for case in ("files not in memory", "files in memory"):
            if settings.wants(case):
                once = partial(_read, series, case == "files in memory", f"{name}, {case}", results)
                interleaved(settings.runs, _present(READERS, settings, results), once, results)
        for case in ("from the cache, not in memory", "from the cache, in memory"):
            if settings.wants(case):
                once = partial(_read_cached, series, not case.endswith("not in memory"), f"{name}, {case}", results)
                interleaved(settings.runs, READERS[:1], once, results)
        case = f"{name}, {FRAMES} projections"
        if settings.wants(case):
            once = partial(_project, series, case, results)
            interleaved(settings.runs, _present(PROJECTORS, settings, results), once, results)
        results.remark("peak memory is that of the voxels and what was needed to make them, without the libraries")


def _kept(folder: Path, count: int) -> Series:
    files = write_files(folder / "files", CT, count, parts=1).folder / "0"
    command = peers.radfuse("import", str(files), "--data", str(folder / "archive"))
    done = subprocess.run(command, capture_output=True, text=True, env=peers.environment(), check=False)
    if done.returncode:
        raise BenchmarkError(f"import ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    first = dcmread(next(files.iterdir()), stop_before_pixels=True)
    return Series(files, folder / "archive", first.SeriesInstanceUID, count)


def _present(ways: tuple[Way, ...], settings: Settings, results: Results) -> list[Way]:
    found = []
    for way in ways:
        if settings.only and not any(word.lower() in way.name.lower() for word in settings.only):
            continue
        if importlib.util.find_spec(way.package) is None:
            results.remark(f"{way.name} is not installed")
        else:
            found.append(way)
    return found


def _read(series: Series, is_warm: bool, case: str, results: Results, way: Way) -> None:
    """Without the cache of volumes."""
    shutil.rmtree(series.cache, ignore_errors=True)
    _measure(series, is_warm, case, results, way)


def _read_cached(series: Series, is_warm: bool, case: str, results: Results, way: Way) -> None:
    _once(series, way)
    _measure(series, is_warm, case, results, way)


def _measure(series: Series, is_warm: bool, case: str, results: Results, way: Way) -> None:
    for folder in (series.files, series.archive):
        if is_warm:
            for path in folder.rglob("*"):
                if path.is_file():
                    path.read_bytes()
        else:
            drop_from_cache(folder)
    seconds, peak_bytes = _once(series, way)
    results.add(Value(case, way.name, "s", seconds, more_is_better=False))
    results.add(
        Value(case, way.name, "times its size in memory", peak_bytes / series.voxel_bytes, more_is_better=False)
    )


def _project(series: Series, case: str, results: Results, way: Way) -> None:
    seconds, _ = _once(series, way)
    results.add(Value(case, way.name, "s", seconds, more_is_better=False))


def _once(series: Series, way: Way) -> tuple[float, float]:
    """Seconds and bytes, measured by the process itself."""
    words = [way.what, str(series.files), str(series.archive), series.uid]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.volume_once", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_S,
    )
    if done.returncode:
        raise BenchmarkError(f"{way.name} ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    answer = json.loads(done.stdout)
    return answer["seconds"], answer["peak_bytes"]
