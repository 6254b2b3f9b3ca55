"""Where a series that is drawn on lies beside the one on the screen."""

from __future__ import annotations

from pathlib import Path

from radfuse.archive import Archive, ArchiveSettings
from radfuse.services.drawing.frames import same_frame
from tests.support.graphs import Scene


def test_one_frame_of_reference_of_two_patients_is_asked_about(tmp_path: Path) -> None:
    with Archive(ArchiveSettings(tmp_path)) as archive:
        scene = Scene(archive)
        scene.add_series("pet", frame=scene.frame("ct"))
        scene.add_series("other", patient="GEN-0002", frame=scene.frame("ct"))
        assert same_frame(archive, scene.uid("ct"), scene.uid("pet"))
        assert not same_frame(archive, scene.uid("ct"), scene.uid("other"))
        assert not same_frame(archive, scene.uid("ct"), scene.uid("mr"))
