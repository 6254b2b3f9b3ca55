"""One reading of a series, or one set of projections, in a process of its own: seconds and peak memory as JSON.

``python -m benchmarks.volume_once WHAT FILES ARCHIVE SERIES``. Imports are not timed, and their
memory is taken off the peak.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory import peak_rss_mib

FRAMES = 36
_ITS_FRAMES = 4
"""Of SimpleITK, which takes a second for each: the time of all is reckoned from them."""


def drop_from_cache(folder: Path) -> None:
    """Have every file below a folder read from the disk again."""
    for path in folder.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def _radfuse(_files: Path, archive: Path, series: str) -> Callable[[], Any]:
    from radfuse.archive import Archive, ArchiveSettings
    from radfuse.services.volumes import open_series

    opened = Archive(ArchiveSettings(archive))
    return lambda: open_series(opened, series).volume.voxels


def _simpleitk(files: Path, _archive: Path, _series: str) -> Callable[[], Any]:
    import SimpleITK

    sitk: Any = SimpleITK

    def read() -> Any:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(files)))
        return sitk.GetArrayViewFromImage(reader.Execute()).shape

    return read


def _highdicom(files: Path, _archive: Path, _series: str) -> Callable[[], Any]:
    from highdicom import get_volume_from_series
    from pydicom import dcmread

    return lambda: get_volume_from_series([dcmread(path) for path in sorted(files.iterdir())]).array


def _pydicom(files: Path, _archive: Path, _series: str) -> Callable[[], Any]:
    from pydicom import dcmread

    def read() -> Any:
        slices = sorted((dcmread(path) for path in files.iterdir()), key=lambda each: each.ImagePositionPatient[2])
        return np.stack([each.pixel_array.astype(np.int16) + np.int16(each.RescaleIntercept) for each in slices])

    return read


def _rotating(_files: Path, archive: Path, series: str) -> Callable[[], Any]:
    from radfuse.archive import Archive, ArchiveSettings
    from radfuse.fusion import rotating_mip
    from radfuse.services.volumes import open_series

    opened = Archive(ArchiveSettings(archive))
    volume = open_series(opened, series).volume
    rotating_mip(volume, 1)  # the compiler is not what is measured
    return lambda: rotating_mip(volume, FRAMES).pictures


def _rotating_simpleitk(files: Path, _archive: Path, _series: str) -> Callable[[], Any]:
    import SimpleITK

    sitk: Any = SimpleITK
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(files)))
    image = reader.Execute()
    centre = image.TransformContinuousIndexToPhysicalPoint([(size - 1) / 2 for size in image.GetSize()])

    def project() -> None:
        for frame in range(_ITS_FRAMES):
            turn = sitk.Euler3DTransform(centre, 0, 0, 2 * np.pi * (frame + 0.5) / FRAMES)
            sitk.MaximumProjection(sitk.Resample(image, turn, sitk.sitkNearestNeighbor, -1024), 1)

    return project


WHAT = {
    "radfuse": _radfuse,
    "simpleitk": _simpleitk,
    "highdicom": _highdicom,
    "pydicom": _pydicom,
    "rotating": _rotating,
    "rotating-simpleitk": _rotating_simpleitk,
}


def _peak_bytes() -> float:
    # Not getrusage: a child begins there with the peak of who started it.
    return peak_rss_mib(os.getpid()) * 2**20


def main() -> None:
    """Do it once and print what it took."""
    what, files, archive, series = sys.argv[1:]
    do = WHAT[what](Path(files), Path(archive), series)
    before = _peak_bytes()
    begin = time.perf_counter()
    made = do()
    seconds = time.perf_counter() - begin
    if what == "rotating-simpleitk":
        seconds *= FRAMES / _ITS_FRAMES
    peak = _peak_bytes() - before
    print(json.dumps({"seconds": seconds, "peak_bytes": peak, "kept": made is not None}))


if __name__ == "__main__":
    main()
