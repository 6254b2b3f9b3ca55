"""An archive with series that belong together in every way there is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from radfuse.archive import Archive, ArchiveSettings
from radfuse.geometry import Affine, Chain
from tests.support.graphs import Scene, bend, shift

TURN = Affine.of(np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]), (3, -4, 5))
"""From the frame of "ct" to that of "mr"."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """ "pet" lies in the frame of "ct"; "mr" is registered rigidly, "wide" with a shear, "bent" deformably,
    "poor" by a registration that failed, "far" not at all, "other" is of another patient; "left" and
    "right" are two knees.
    """
    with Archive(ArchiveSettings(tmp_path_factory.mktemp("viewing"))) as archive:
        scene = Scene(archive)
        scene.add_series("pet", frame=scene.frame("ct"), modality="MR")
        scene.judge(scene.register("ct", "mr", Chain((TURN,)), when=1), "PASS", "measured")
        scene.register("ct", "wide", Chain((Affine.of(TURN.linear @ np.diag((1.0, 1.1, 1.0)), (0, 0, 0)),)), when=2)
        scene.register("ct", "bent", bend(scene.frame("ct")), when=3)
        scene.judge(scene.register("ct", "poor", shift(3), when=4), "FAIL", "far off")
        scene.of("far")
        scene.add_series("other", patient="GEN-0002", frame=scene.frame("ct"))
        scene.add_series("left", laterality="L")
        scene.add_series("right", laterality="R")
        scene.judge(scene.register("left", "right", shift(1), when=5), "PASS", "measured")
        scene.register("ct", "right", shift(2), when=6)
        yield scene
