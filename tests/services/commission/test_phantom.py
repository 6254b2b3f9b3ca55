"""The phantoms: what is known of them is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radfuse.archive import Archive
from radfuse.geometry import Affine, Grid
from radfuse.services.commission import anatomy
from radfuse.services.commission.bench import Bench, filled, known_regions
from radfuse.services.commission.scans import CT, MR, PT, Scan, acquired, frame_of, images_of
from radfuse.services.commission.warp import Warp, rigid_motion
from radfuse.volume import Unit
from tests.support.judges import dciodvfy, written

POINTS = np.random.default_rng(5).uniform((-115, -90, -120), (115, 90, 120), (5000, 3))


def oblique(name: str, steps: tuple[float, float, float] = (14.0, 13.0, 15.0)) -> Grid:
    """A coarse grid around the origin, turned."""
    axes = rigid_motion((8, -5, 4), (0, 0, 0)).linear
    shape = (16, 15, 17)
    half = axes @ ((np.array(shape[::-1]) - 1) / 2 * steps)
    return Grid(shape, Affine.of(axes * steps, -half), frame_of(name))


def test_the_way_back_through_the_deformation_ends_where_it_began() -> None:
    moved = Warp().apply(POINTS)
    assert np.linalg.norm(moved - POINTS, axis=1).max() > 9
    assert np.abs(Warp().back(moved) - POINTS).max() < 1e-9
    assert np.abs(Warp().apply(Warp().back(POINTS)) - POINTS).max() < 1e-9


def test_the_jacobian_is_that_of_the_deformation() -> None:
    step_mm = 1e-4
    slopes = [Warp().apply(POINTS + step_mm * axis) - Warp().apply(POINTS - step_mm * axis) for axis in np.eye(3)]
    measured = np.linalg.det(np.stack(slopes, axis=-1) / (2 * step_mm))
    known = Warp().jacobian(POINTS)
    assert np.abs(measured - known).max() < 1e-7
    assert 0.7 < known.min() < 0.8
    assert 1.25 < known.max() < 1.4


def test_a_warp_of_no_strength_moves_nothing() -> None:
    assert np.array_equal(Warp(0).apply(POINTS), POINTS)
    assert np.array_equal(Warp(0).jacobian(POINTS), np.ones(len(POINTS)))


def test_a_rigid_motion_turns_about_x_first() -> None:
    moved = rigid_motion((90, 0, 90), (1, 2, 3))
    assert moved.is_rigid
    assert moved.apply((0, 0, 1)) == pytest.approx((2, 2, 3))  # z to -y, then to x; and the shift


def test_the_anatomy_is_the_same_on_every_grid() -> None:
    whole = anatomy.shown(POINTS)
    part = anatomy.shown(POINTS[100:103])
    for one, other in ((whole.hu, part.hu), (whole.signal, part.signal), (whole.suv, part.suv)):
        assert np.abs(one[100:103] - other).max() < 1e-2  # waves are summed in single precision


def test_the_texture_varies_by_one_around_nothing() -> None:
    waves = anatomy.texture(POINTS)
    assert abs(float(waves.mean())) < 0.1
    assert float(waves.std()) == pytest.approx(1, abs=0.1)


def test_no_formula_takes_ct_to_mr() -> None:
    seen = anatomy.shown(POINTS[anatomy.BODY.inside(POINTS)])
    assert abs(float(np.corrcoef(seen.hu, seen.signal)[0, 1])) < 0.5


def test_a_scan_is_the_same_in_every_run() -> None:
    scan = Scan("twice", MR, oblique("twice"), lambda points: points)
    assert np.array_equal(acquired(scan), acquired(scan))


@pytest.mark.parametrize(("modality", "unit"), [(CT, Unit.HU), (MR, Unit.SIGNAL), (PT, Unit.SUV_BW)])
def test_a_scan_comes_back_with_its_geometry_and_its_unit(archive: Archive, modality: str, unit: Unit) -> None:
    scan = Scan(f"scan {modality}", modality, oblique(modality), lambda points: points)
    series = Bench(archive).scanned(scan)
    assert series.volume.unit is unit
    assert series.volume.grid.matches(scan.grid, 1e-3)
    assert series.volume.findings == ()
    made = acquired(scan)
    step = made.max() / 32767 if modality == PT else 1
    inside = made < 3000  # 12 bits of CT
    assert np.abs(series.volume.voxels - np.maximum(made, -1024))[inside].max() <= 0.51 * step


@pytest.mark.parametrize("modality", [CT, MR, PT])
def test_dciodvfy_accepts_the_images(tmp_path: Path, modality: str) -> None:
    scan = Scan(f"judged {modality}", modality, oblique(modality), lambda points: points)
    assert dciodvfy(written(next(images_of(scan)), tmp_path)) == []


def test_contours_of_known_regions_come_back_to_the_voxel(archive: Archive) -> None:
    bench = Bench(archive)
    series = bench.scanned(Scan("contoured", CT, oblique("contoured", (6.0, 6.0, 12.0)), Warp().apply))
    known = {name: mask for name, mask in known_regions(series.scan).items() if mask.voxels}
    back = filled(bench.contoured(series, known), series)
    assert "liver" in back
    assert all(np.array_equal(back[name].inside, mask.inside) for name, mask in known.items())
