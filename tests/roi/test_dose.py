"""Dose in structures: against linear doses, where every Dx and Vx is known, and plastimatch."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import Affine, FrameOfReference, Grid, Mask
from radfuse.roi.dose import dose_in
from radfuse.volume import Unit, Volume
from tests.support.measuring import FRAME, ball_mask, box_mask, everything, grid_of, oblique_grid, points_of, volume_of

sitk: Any = SimpleITK


def dose_of(grid: Grid, gradient: tuple[float, float, float] = (1, 0, 0), at_origin_gy: float = 0) -> Volume:
    """A dose that rises by ``gradient`` in Gy for each mm along x, y, z."""
    return volume_of(grid, lambda points: at_origin_gy + points @ np.array(gradient), Unit.GY)


DOSE_GRID = grid_of((20, 30, 40), (2.5, 2.5, 3), (0, 0, 0))


@pytest.fixture(scope="module")
def in_a_box() -> object:
    """A box of 40 x 20 x 10 mm in a dose that rises by 1 Gy for each mm from 20 Gy at its left side to 60 Gy."""
    structure = box_mask(grid_of((10, 40, 80), (1, 1, 1), (0.5, 0.5, 0.5)), (0, 10, 20), (10, 30, 60))
    return dose_in(dose_of(DOSE_GRID), structure)


@pytest.mark.parametrize("percent", [0, 2, 3.75, 8.75, 50, 91.25, 98, 100])
def test_the_dose_to_a_part_of_a_box_in_a_linear_dose_is_exact(in_a_box, percent: float) -> None:  # type: ignore[no-untyped-def]
    # A layer of samples has one dose: exact at its middle, within half a step (0.5 mm, 0.5 Gy) elsewhere.
    assert in_a_box.dose_to_percent(percent) == pytest.approx(60 - 0.4 * percent, abs=1e-4 if 2 < percent < 98 else 0.5)


@pytest.mark.parametrize("dose_gy", [0, 20, 25, 40, 59, 60.1, 100])
def test_the_volume_above_a_dose_is_exact(in_a_box, dose_gy: float) -> None:  # type: ignore[no-untyped-def]
    percent = float(np.clip((60 - dose_gy) / 40 * 100, 0, 100))
    assert in_a_box.percent_above(dose_gy) == pytest.approx(percent, abs=1e-6)
    assert in_a_box.volume_above_ml(dose_gy) == pytest.approx(percent / 100 * 8, abs=1e-6)


def test_volume_mean_and_extremes_are_those_of_the_box(in_a_box) -> None:  # type: ignore[no-untyped-def]
    assert in_a_box.volume_ml == pytest.approx(8)
    assert in_a_box.mean_gy == pytest.approx(40)
    assert (in_a_box.minimum_gy, in_a_box.maximum_gy) == pytest.approx((20.5, 59.5))
    assert in_a_box.step_mm == (1, 1, 1)
    assert (in_a_box.outside_ml, in_a_box.notes) == (0, ())


def test_the_dose_to_an_absolute_volume_is_exact_and_more_than_there_is_is_refused(in_a_box) -> None:  # type: ignore[no-untyped-def]
    assert in_a_box.dose_to_ml(2) == pytest.approx(50)
    assert in_a_box.dose_to_ml(0.8) == pytest.approx(56)
    with pytest.raises(InvalidRegion, match="9 ml of a structure of 8 ml"):
        in_a_box.dose_to_ml(9)
    with pytest.raises(InvalidRegion, match="0 to 100 per cent"):
        in_a_box.dose_to_percent(101)


def test_the_histogram_falls_from_all_to_nothing_and_its_parts_sum_to_the_volume(in_a_box) -> None:  # type: ignore[no-untyped-def]
    histogram = in_a_box.histogram(0.25)
    assert histogram.cumulative_ml[0] == pytest.approx(8)
    assert histogram.cumulative_ml[-1] == 0
    assert histogram.differential_ml.sum() == pytest.approx(8)
    at_40 = int(np.searchsorted(histogram.edges_gy, 40))
    assert histogram.cumulative_ml[at_40] == pytest.approx(4)
    for width in (0, -1, np.nan, 1e-9):
        with pytest.raises(InvalidRegion, match="bins"):
            in_a_box.histogram(width)


def test_a_ball_in_a_linear_dose_has_the_histogram_of_its_caps() -> None:
    grid = grid_of((60, 60, 60), (1, 1, 1), (0.5, 0.5, 0.5))
    found = dose_in(dose_of(DOSE_GRID), ball_mask(grid, (30, 30, 30), 20), step_mm=0.5)
    assert found.step_mm == (0.5, 0.5, 0.5)
    for dose_gy in (15, 22, 30, 41):
        height = 50 - dose_gy
        cap_ml = np.pi * height**2 * (60 - height) / 3 / 1000
        assert found.volume_above_ml(dose_gy) == pytest.approx(cap_ml, rel=0.005)
    assert found.mean_gy == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize(
    "grid",
    [
        oblique_grid((30, 30, 30), (3, 4, 5)),
        Grid((30, 30, 30), Affine.of(np.array([[3, 0, 1], [0, 4, 0.5], [0, 0, 5]]), (-60, -50, 400)), FRAME),
        Grid((30, 30, 30), Affine.of(np.diag((3, 4, -5)), (-40, -50, 560)), FRAME),
    ],
)
def test_oblique_sheared_and_left_handed_dose_grids_are_read_between_their_points(grid: Grid) -> None:
    gradient = (0.3, -0.2, 0.1)
    middle = grid.to_patient.apply((14.5, 14.5, 14.5))
    structure = ball_mask(grid_of((20, 20, 20), (1, 1, 1), (middle - 9.5).tolist()), middle.tolist(), 8)
    found = dose_in(dose_of(grid, gradient, 40), structure)
    inside = points_of(structure.grid)[structure.inside]
    expected = 40 + inside @ np.array(gradient)
    assert found.mean_gy == pytest.approx(expected.mean(), abs=1e-4)
    assert found.outside_ml == 0


def test_the_part_outside_the_dose_grid_is_counted_and_said_never_zero() -> None:
    grid = grid_of((10, 10, 20))
    dose = volume_of(grid_of((10, 10, 10)), 50.0, Unit.GY)
    found = dose_in(dose, everything(grid))
    assert found.outside_ml == pytest.approx(1.0)
    assert found.volume_ml == pytest.approx(1.0)
    assert found.minimum_gy == 50
    assert found.percent_above(50) == 100
    assert found.notes == ("1 ml (50 %) of the structure have no dose: the dose grid ends before them",)


def test_a_dose_without_a_value_is_no_dose() -> None:
    grid = grid_of((4, 4, 4))
    values = np.full(grid.shape, 10.0)
    values[:2] = np.nan
    found = dose_in(volume_of(grid, values, Unit.GY), everything(grid))
    assert found.outside_ml == pytest.approx(0.032)
    assert found.minimum_gy == 10


def test_a_dose_that_float32_cannot_hold_exactly_is_reached() -> None:
    grid = grid_of((4, 4, 4))
    dose = Volume(np.full(grid.shape, 20.1, dtype=np.float32), grid, Unit.GY, volume_of(grid, 0).source)
    assert float(np.float32(20.1)) != 20.1
    for factor in (1, 1 + 1e-7, 1 - 1e-7):
        assert dose_in(dose, everything(grid)).percent_above(20.1 * factor) == 100


def test_fractions_weigh_the_voxels() -> None:
    grid = grid_of((1, 1, 3))
    dose = volume_of(grid, [[[10, 20, 30]]], Unit.GY)
    fractions = np.array([[[1, 0.5, 0]]], dtype=np.float32)
    found = dose_in(dose, everything(grid), fractions, step_mm=1)
    assert found.volume_ml == pytest.approx(0.0015)
    assert found.mean_gy == pytest.approx(20 / 1.5)
    assert found.volume_above_ml(15) == pytest.approx(0.0005)
    for wrong in (fractions * 2, fractions * 0, fractions[:, :, :2]):
        with pytest.raises(InvalidRegion, match="fractions"):
            dose_in(dose, everything(grid), wrong)


def test_voxels_without_weight_do_not_decide_the_extremes() -> None:
    grid = grid_of((1, 1, 3))
    dose = volume_of(grid, [[[10, 20, 30]]], Unit.GY)
    found = dose_in(dose, everything(grid), np.array([[[0, 1, 0]]], dtype=np.float32))
    assert (found.minimum_gy, found.maximum_gy) == (20, 20)


def test_the_equivalent_uniform_dose_is_its_formula() -> None:
    grid = grid_of((1, 1, 2))
    found = dose_in(volume_of(grid, [[[10, 30]]], Unit.GY), everything(grid))
    assert found.equivalent_uniform_gy(1) == pytest.approx(20)
    assert found.equivalent_uniform_gy(8) == pytest.approx(((10**8 + 30**8) / 2) ** (1 / 8))
    assert found.equivalent_uniform_gy(-10) == pytest.approx(((10.0**-10 + 30.0**-10) / 2) ** (-1 / 10))
    assert found.equivalent_uniform_gy(500) == pytest.approx(30, rel=0.01)
    with pytest.raises(InvalidRegion, match="other than 0"):
        found.equivalent_uniform_gy(0)
    cold = dose_in(volume_of(grid, [[[0, 30]]], Unit.GY), everything(grid))
    assert cold.equivalent_uniform_gy(-10) == 0


def test_a_large_structure_is_divided_less(monkeypatch: pytest.MonkeyPatch) -> None:
    from radfuse.roi import dose as module

    monkeypatch.setattr(module, "_MOST_SAMPLES", 3000)
    found = dose_in(
        dose_of(DOSE_GRID), box_mask(grid_of((10, 10, 10), (3, 3, 3), (10, 10, 10)), (0, 0, 0), (10, 10, 10))
    )
    assert found.step_mm == (3, 3, 1.5)
    assert found.volume_ml == pytest.approx(27)


def test_what_is_no_dose_or_lies_elsewhere_is_refused() -> None:
    grid = grid_of((3, 3, 3))
    with pytest.raises(InvalidRegion, match="the volume is in HU"):
        dose_in(volume_of(grid, 1.0, Unit.HU), everything(grid))
    with pytest.raises(InvalidRegion, match="empty"):
        dose_in(dose_of(grid), Mask(grid, np.zeros(grid.shape, dtype=np.bool_)))
    with pytest.raises(InvalidRegion, match="outside the dose grid"):
        dose_in(dose_of(grid), everything(grid_of((3, 3, 3), origin_mm=(50, 0, 0))))
    with pytest.raises(FramesDiffer):
        dose_in(dose_of(grid), everything(grid_of((3, 3, 3), frame=FrameOfReference("2.25.8"))))
    with pytest.raises(InvalidRegion, match="step"):
        dose_in(dose_of(grid), everything(grid), step_mm=0)


def test_plastimatch_computes_the_same_histogram(tmp_path: Path) -> None:
    program = shutil.which("plastimatch")
    if program is None:
        pytest.skip("plastimatch is not installed (apt-get install plastimatch)")
    random = np.random.default_rng(3)
    grid = grid_of((20, 24, 28), (2, 2, 2.5), (-20, -30, 100))
    blurred = sitk.GetArrayFromImage(
        sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(random.normal(30, 100, grid.shape)), 2.0)
    )
    dose = volume_of(grid, np.clip(blurred, 0, None), Unit.GY)
    mask = ball_mask(grid, (8, -6, 124), 15)
    for name, voxels in (("dose", dose.voxels), ("mask", mask.inside.astype(np.uint32))):
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing(grid.spacing_mm)
        image.SetOrigin(grid.origin_mm.tolist())
        sitk.WriteImage(image, str(tmp_path / f"{name}.nrrd"))
    (tmp_path / "list.txt").write_text("0|255 0 0|target\n")
    asked = ["--input-ss-img", "mask.nrrd", "--input-ss-list", "list.txt", "--input-dose", "dose.nrrd"]
    shape = ["--output-csv", "dvh.csv", "--num-bins", "200", "--bin-width", "0.5", "--cumulative"]
    subprocess.run([program, "dvh", *asked, *shape], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    rows = [line.split(",") for line in (tmp_path / "dvh.csv").read_text().splitlines()[1:]]
    theirs = np.array([[float(cell) for cell in row[:2]] for row in rows if len(row) > 1])
    # As plastimatch: one sample at the centre of each voxel of the mask; its bins reach half a width to both sides.
    ours = dose_in(dose, mask, step_mm=10)
    assert ours.step_mm == grid.spacing_mm
    percents = [ours.percent_above(dose_gy - 0.25) for dose_gy in theirs[:, 0]]
    assert np.ptp(percents) > 99
    one_voxel = 100 / mask.voxels  # may lie on the edge of a bin
    assert np.abs(percents - 100 * theirs[:, 1]).max() < 1.01 * one_voxel
    assert np.abs(percents - 100 * theirs[:, 1]).mean() < 0.1 * one_voxel


@pytest.mark.parametrize("dose_gy", [0.3, 0.7, 4.1])
def test_a_histogram_reaches_the_edge_that_the_dose_is(dose_gy: float) -> None:
    """As float32 numbers they are a little more or less, and as multiples of the bin too."""
    grid = grid_of((4, 4, 4), (2, 2, 2))
    found = dose_in(volume_of(grid, dose_gy, Unit.GY), everything(grid))
    histogram = found.histogram()
    at = round(dose_gy * 10)
    assert histogram.cumulative_ml[at] == pytest.approx(found.volume_above_ml(dose_gy)) == pytest.approx(0.512)
    assert histogram.cumulative_ml[at + 1] == 0
    assert len(histogram.edges_gy) == len(histogram.cumulative_ml) == at + 2
