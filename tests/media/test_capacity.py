"""Plans of volumes hold everything once, fit, keep studies whole, and say what cannot fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radfuse.core.errors import DoesNotFit
from radfuse.media.capacity import SeriesSize, StudySize, plan_volumes
from radfuse.media.disc_images import write_disc_image
from radfuse.media.file_ids import Place, new_file_ids
from radfuse.media.file_systems import CD_R, FAT16, ISO_9660, UDF_150, UDF_250, FileSystem

CD = CD_R.capacity_bytes
MEBIBYTE = 1 << 20


def study(name: str, *series: tuple[int, ...]) -> StudySize:
    return StudySize(name, tuple(SeriesSize(f"{name}.{number}", sizes) for number, sizes in enumerate(series)))


def test_studies_that_fit_share_one_volume() -> None:
    (volume,) = plan_volumes([study("a", (MEBIBYTE,) * 100), study("b", (MEBIBYTE,) * 100)], ISO_9660, CD)
    assert volume.studies == ("a", "b")
    assert volume.size_bytes > 200 * MEBIBYTE


def test_a_study_is_not_split_while_it_fits_on_a_volume() -> None:
    parts = [study(name, (MEBIBYTE,) * 200, (MEBIBYTE,) * 200) for name in "abc"]
    volumes = plan_volumes([*parts, study("d", (MEBIBYTE,) * 100)], ISO_9660, CD)
    assert [volume.studies for volume in volumes] == [("a", "d"), ("b",), ("c",)]


def test_a_study_larger_than_a_medium_is_split_between_series() -> None:
    large = study("large", *[(MEBIBYTE,) * 300] * 5)
    volumes = plan_volumes([study("a", (MEBIBYTE,)), large, study("b", (MEBIBYTE,))], ISO_9660, CD)
    assert [volume.studies for volume in volumes] == [("a", "b"), ("large",), ("large",), ("large",)]
    assert [uid for volume in volumes for _, uid in volume.series if uid.startswith("large")] == [
        f"large.{number}" for number in range(5)
    ]


def test_a_series_that_no_medium_holds_is_refused_with_what_to_do() -> None:
    with pytest.raises(DoesNotFit, match=r"series huge\.0 needs .* choose a larger medium"):
        plan_volumes([study("huge", (MEBIBYTE,) * 703)], ISO_9660, CD)


def test_without_a_size_the_file_systems_own_limit_counts() -> None:
    gibibyte = study("a", (MEBIBYTE,) * 1000)
    assert len(plan_volumes([gibibyte, study("b", (MEBIBYTE,) * 1500)], FAT16, None)) == 2
    assert len(plan_volumes([gibibyte, study("b", (MEBIBYTE,) * 1500)], UDF_250, None)) == 1
    assert len(plan_volumes([gibibyte, study("b", (MEBIBYTE,) * 1500)], FAT16, 64 << 30)) == 2


@pytest.mark.parametrize(("file_system", "each"), [(ISO_9660, 2048), (UDF_150, 4096), (FAT16, 32768)])
def test_small_files_cost_whole_units(file_system: FileSystem, each: int) -> None:
    (one,) = plan_volumes([study("a", (1,))], file_system, None)
    (many,) = plan_volumes([study("a", (1,) * 1001)], file_system, None)
    assert each * 1000 <= many.size_bytes - one.size_bytes <= (each + 1500) * 1000


def test_nothing_needs_no_volume() -> None:
    assert plan_volumes([], ISO_9660, CD) == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.lists(st.integers(0, 60 * MEBIBYTE), min_size=1, max_size=4), max_size=4), max_size=8))
def test_every_series_is_on_exactly_one_volume_and_no_volume_is_too_full(sizes: list[list[list[int]]]) -> None:
    capacity = 260 * MEBIBYTE
    studies = [study(f"s{number}", *map(tuple, series)) for number, series in enumerate(sizes)]
    volumes = plan_volumes(studies, ISO_9660, capacity)
    assert sorted(pair for volume in volumes for pair in volume.series) == sorted(
        (each.study_uid, series.series_uid) for each in studies for series in each.series
    )
    by_uid = {series.series_uid: series.sizes_bytes for each in studies for series in each.series}
    for volume in volumes:
        held = sum(sum(by_uid[uid]) for _, uid in volume.series)
        assert held < volume.size_bytes <= capacity


@pytest.mark.parametrize("file_system", [ISO_9660, UDF_150, UDF_250], ids=lambda system: system.name)
@pytest.mark.parametrize("size", [10, 3000])
def test_the_plan_is_never_smaller_than_the_image_and_not_much_larger(
    tmp_path: Path, file_system: FileSystem, size: int
) -> None:
    places = [Place("p", str(number % 4), str(number % 12)) for number in range(600)]
    for file_id in new_file_ids(places):
        path = tmp_path.joinpath("set", *file_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    # As large a directory as such a set can have.
    (tmp_path / "set" / "DICOMDIR").write_bytes(bytes(700 * 620))
    (tmp_path / "set" / "SHA256.TXT").write_bytes(bytes(115 * 601))
    write_disc_image(tmp_path / "set", tmp_path / "image", file_system)
    (volume,) = plan_volumes([study(str(number), *[(size,) * 50] * 3) for number in range(4)], file_system, None)
    held = (tmp_path / "image").stat().st_size
    assert held <= volume.size_bytes <= 1.5 * held + 1_000_000
