"""Volumes on disk: whole or a miss, bounded, safe between processes, gone with their objects."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radfuse.geometry import Grid
from radfuse.volume import Finding, FindingKind, Source, Unit, Volume, cache
from radfuse.volume.cache import CacheKey, VolumeCache
from tests.volume.made import FRAME, tilted_grid

DIGESTS = [bytes([number]) * 16 for number in range(3)]


def key(**changes: Any) -> CacheKey:
    """A key; ``changes`` make another one."""
    return replace(CacheKey("2.25.20", DIGESTS, Unit.HU, frozenset(), None), **changes)


def a_volume(number: int = 1, kind: Any = np.int16) -> Volume:
    """Sheared, with everything that a volume may say."""
    grid = tilted_grid((3, 40, 50))
    voxels = (np.arange(6000).reshape(grid.shape) + number).astype(kind)
    source = Source("CT", "1.2", "2.25.1", "2.25.20", ("2.25.3", "", "2.25.5"), (1, 2, 3))
    findings = (
        Finding(FindingKind.GAP, "slice 2 was filled in", (1,), repaired=True),
        Finding(FindingKind.SHEARED, "tilt — 20°"),
    )
    return Volume(voxels, grid, Unit.HU, source, findings)


def the_file(folder: Path) -> Path:
    """The only file of the cache."""
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_a_volume_comes_back_as_it_was(tmp_path: Path, kind: type) -> None:
    kept = VolumeCache(tmp_path / "volumes")
    assert kept.find(key()) is None
    assert kept.keep(key(), a_volume(kind=kind), 4)
    found = kept.find(key())
    assert found is not None
    assert found.stacks == 4
    volume, before = found.volume, a_volume(kind=kind)
    assert volume.voxels.dtype == kind
    assert (volume.voxels == before.voxels).all()
    assert (volume.grid.to_patient.matrix == before.grid.to_patient.matrix).all()
    assert volume.grid.frame == before.grid.frame
    assert (volume.unit, volume.source, volume.findings) == (before.unit, before.source, before.findings)
    with pytest.raises(ValueError, match="read-only"):
        volume.voxels[0, 0, 0] = 1


@pytest.mark.parametrize(
    "changes",
    [
        {"series_uid": "2.25.21"},
        {"digests": DIGESTS[:2]},
        {"digests": [*DIGESTS[:2], b"x" * 16]},
        {"unit": None},
        {"unit": Unit.STORED},
        {"repairs": frozenset({"gaps"})},
        {"stack": 1},
    ],
)
def test_another_question_is_a_miss(tmp_path: Path, changes: dict[str, Any]) -> None:
    kept = VolumeCache(tmp_path)
    kept.keep(key(), a_volume(), 1)
    assert kept.find(key(**changes)) is None
    assert kept.find(key(digests=DIGESTS[::-1])) is not None


def test_another_version_of_ours_is_a_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    VolumeCache(tmp_path).keep(key(), a_volume(), 1)
    monkeypatch.setattr(cache, "__version__", "99.0")
    assert VolumeCache(tmp_path).find(key()) is None


@pytest.mark.parametrize("place", [0, 10, 30, 100, 4100, -1])
def test_a_changed_byte_is_a_miss_and_the_file_goes(tmp_path: Path, place: int) -> None:
    kept = VolumeCache(tmp_path)
    kept.keep(key(), a_volume(), 1)
    path = the_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert kept.find(key()) is None
    assert not path.exists()


@pytest.mark.parametrize("length", [0, 20, 300, 4096, 5000, -1])
def test_a_cut_file_is_a_miss_and_goes(tmp_path: Path, length: int) -> None:
    kept = VolumeCache(tmp_path)
    kept.keep(key(), a_volume(), 1)
    path = the_file(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    assert kept.find(key()) is None
    assert not path.exists()


def test_a_volume_in_use_outlives_its_file(tmp_path: Path) -> None:
    kept = VolumeCache(tmp_path)
    kept.keep(key(), a_volume(), 1)
    found = kept.find(key())
    assert found is not None
    the_file(tmp_path).unlink()
    assert (found.volume.voxels == a_volume().voxels).all()


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    size = 20_000
    kept = VolumeCache(tmp_path, 3 * size)
    for number in range(3):
        kept.keep(key(series_uid=f"2.25.{number}"), a_volume(number), 1)
        path = tmp_path / key(series_uid=f"2.25.{number}").name
        os.utime(path, (1000 + number, 1000 + number))
    assert kept.find(key(series_uid="2.25.0")) is not None  # used again
    kept.keep(key(series_uid="2.25.3"), a_volume(3), 1)
    there = [number for number in range(4) if (tmp_path / key(series_uid=f"2.25.{number}").name).exists()]
    assert there in ([0, 3], [0, 2, 3])
    assert kept.size_bytes() <= 3 * size


def test_a_bound_of_nothing_and_a_volume_beyond_the_bound_keep_nothing(tmp_path: Path) -> None:
    assert not VolumeCache(tmp_path / "a", 0).keep(key(), a_volume(), 1)
    assert not VolumeCache(tmp_path / "a", 100).keep(key(), a_volume(), 1)
    assert not (tmp_path / "a").exists()
    assert VolumeCache(tmp_path / "b").keep(key(), a_volume(), 1)
    assert VolumeCache(tmp_path / "b", 0).find(key()) is None
    assert not VolumeCache(tmp_path / "b", 0).keep(key(), a_volume(), 1)
    assert list((tmp_path / "b").iterdir()) == []


def test_a_disk_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    assert not VolumeCache(tmp_path / "file" / "volumes").keep(key(), a_volume(), 1)
    monkeypatch.setattr(cache, "_FREE_SHARE", 2.0)
    monkeypatch.setattr(cache, "_FREE_BYTES", 1 << 62)
    assert not VolumeCache(tmp_path / "full").keep(key(), a_volume(), 1)
    assert list((tmp_path / "full").iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """A quota of the process on file size stands for a full disk: the write fails in the middle."""
    code = (
        "import resource, signal, sys; from pathlib import Path; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from tests.volume.test_cache import a_volume, key\n"
        "from radfuse.volume.cache import VolumeCache\n"
        "before = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))\n"
        "is_kept = VolumeCache(Path(sys.argv[1])).keep(key(), a_volume(), 1)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, before)  # what measures coverage writes at the end\n"
        "sys.exit(is_kept)\n"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{root / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, cwd=root, check=False)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_what_was_never_finished_goes_after_an_hour(tmp_path: Path) -> None:
    for name, age in (("old.part", 1000), ("new.part", None)):
        (tmp_path / name).touch()
        if age is not None:
            os.utime(tmp_path / name, (age, age))
    VolumeCache(tmp_path).prune()
    assert [path.name for path in tmp_path.iterdir()] == ["new.part"]


def test_volumes_of_deleted_objects_are_removed_and_others_stay(tmp_path: Path) -> None:
    kept = VolumeCache(tmp_path)
    kept.keep(key(), a_volume(1), 1)
    kept.keep(key(stack=2), a_volume(2), 2)
    kept.keep(key(series_uid="2.25.30", digests=[b"y" * 16]), a_volume(3), 1)
    assert kept.forget([b"z" * 16]) == 0
    assert kept.forget([DIGESTS[1]]) == 2
    assert the_file(tmp_path).name == key(series_uid="2.25.30", digests=[b"y" * 16]).name


def test_what_a_series_was_before_goes_when_it_is_kept_anew(tmp_path: Path) -> None:
    kept = VolumeCache(tmp_path)
    kept.keep(key(digests=DIGESTS[:2]), a_volume(1), 1)
    kept.keep(key(unit=None), a_volume(2), 1)
    kept.keep(key(), a_volume(3), 1)
    assert len(list(tmp_path.iterdir())) == 2


def test_threads_that_keep_find_and_prune_never_see_half_a_volume(tmp_path: Path) -> None:
    wrong: list[str] = []

    def work(seed: int) -> None:
        kept = VolumeCache(tmp_path, 40_000)
        for turn in range(25):
            number = (seed + turn) % 4
            asked = key(series_uid=f"2.25.{number}")
            found = kept.find(asked)
            if found is None:
                kept.keep(asked, a_volume(number), 1)
            elif found.volume.voxels[0, 0, 0] != number:
                wrong.append(f"{number}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not list(tmp_path.glob("*.part"))


def test_file_names_say_nothing_of_the_patient(tmp_path: Path) -> None:
    VolumeCache(tmp_path).keep(key(series_uid="1.2.840.99"), a_volume(), 1)
    assert "1.2.840.99" not in the_file(tmp_path).name
    assert the_file(tmp_path).stat().st_mode & 0o007 == 0


def test_a_grid_is_kept_to_the_last_bit(tmp_path: Path) -> None:
    volume = a_volume()
    grid = Grid.of(volume.grid.shape, (0.1 + 0.2, 1 / 3, np.pi), (1e-17, -123.456789012345678, 0), FRAME)
    VolumeCache(tmp_path).keep(key(), replace(volume, grid=grid), 1)
    found = VolumeCache(tmp_path).find(key())
    assert found is not None
    assert (found.volume.grid.to_patient.matrix == grid.to_patient.matrix).all()
