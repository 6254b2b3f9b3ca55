"""A commission sees what is wrong: rows fail when the installation measures badly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radfuse.archive import Archive
from radfuse.geometry import Affine, Chain
from radfuse.roi import filling
from radfuse.services.commission import SMALL, Row, quantities, rigid
from radfuse.services.commission.bench import Bench
from radfuse.services.commission.scans import CT, Scan, Voxels
from radfuse.services.commission.sizes import Size, grid_of
from radfuse.services.commission.warp import rigid_motion

FEW: Size = replace(SMALL, spheres_mm=(11.0,), sphere_voxel_mm=4.0)


def failing(rows: list[Row]) -> set[str]:
    """The quantities beyond their limits."""
    return {row.quantity for row in rows if not row.passed}


def test_a_wrong_activity_is_seen(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    right = quantities._activity

    def two_percent_more(*arguments: object) -> Voxels:
        return right(*arguments) * np.float32(1.02)  # type: ignore[arg-type]

    monkeypatch.setattr(quantities, "_activity", two_percent_more)
    seen = failing(list(quantities.quantity_rows(Bench(archive), replace(FEW, spheres_mm=(11.0, 14.0)))))
    assert {"error of SUVmax", "error of SUVpeak", "error of SUVmean"} <= seen


def test_contours_half_a_voxel_off_are_seen(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    right = filling.mask_of

    def shifted(*arguments: object) -> object:
        mask = right(*arguments)  # type: ignore[arg-type]
        return replace(mask, inside=np.roll(mask.inside, 1, axis=2))

    monkeypatch.setattr(filling, "mask_of", shifted)
    seen = failing(list(quantities.quantity_rows(Bench(archive), replace(FEW, spheres_mm=(11.0, 14.0)))))
    assert "voxels that differ" in seen


def test_a_registration_that_is_read_the_wrong_way_round_is_seen(
    archive: Archive,
) -> None:
    bench, motion = Bench(archive), rigid_motion((5, 0, 0), (3, 0, 0))
    coarse = replace(SMALL, box_mm=(60.0, 60.0, 60.0), voxels_mm={CT: (15.0, 15.0, 15.0)})
    fixed, moving = (
        bench.scanned(Scan(name, CT, grid_of(coarse, CT, name), lambda points: points)) for name in ("one", "other")
    )
    kept = rigid.written(bench, fixed, moving, Chain((motion,)))
    assert rigid._most(kept.apply(rigid.CUBE_MM), motion) < 1e-6
    assert rigid._most(kept.inverse().apply(rigid.CUBE_MM), motion) > 5


def test_a_misplaced_registration_fails_its_row() -> None:
    truth = Affine.identity()
    off = rigid._most(rigid.CUBE_MM + np.array((0.0, 0.0, 2.6)), truth)
    assert off == pytest.approx(2.6)
    assert not Row("rigid", "", "largest error at a corner", "mm", 2.5, off).passed
