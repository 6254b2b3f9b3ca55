"""Series as they are looked at: opened once, and kept open as far as that is cheap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.errors import UnknownEntity
from radfuse.services import series_views
from radfuse.services.series_views import SeriesView, mapped_volume
from radfuse.services.stack_facts import stack_facts
from radfuse.volume import Unit
from tests.support.graphs import Scene


@pytest.fixture(params=[1 << 30, 0], ids=["a cache", "no cache"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with Archive(ArchiveSettings(tmp_path, volume_cache_bytes=request.param)) as archive:
        yield Scene(archive)


def test_a_series_is_opened_once_whether_there_is_a_cache_or_not(scene: Scene) -> None:
    view = SeriesView(scene.uid("ct"))
    first = mapped_volume(scene.archive, view)
    assert mapped_volume(scene.archive, view) is first
    assert mapped_volume(scene.archive, SeriesView(scene.uid("ct"), Unit.HU, 1)) is first  # the same, said in full
    with pytest.raises(UnknownEntity):
        mapped_volume(scene.archive, SeriesView("2.25.404"))


def test_an_image_more_makes_another_volume(scene: Scene) -> None:
    view = SeriesView(scene.uid("ct"))
    before = mapped_volume(scene.archive, view).volume.grid.shape
    more = scene.of("ct")[-1]
    more.SOPInstanceUID = "2.25.4711"
    more.ImagePositionPatient = [*more.ImagePositionPatient[:2], more.ImagePositionPatient[2] + 20]
    scene.keep(more)
    assert mapped_volume(scene.archive, view).volume.grid.shape[0] == before[0] + 1
    assert stack_facts(scene.archive, view.series)[0].grid is not None


def test_what_takes_memory_is_let_go_before_what_is_mapped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_views, "_MOST_IN_MEMORY", 1)
    first = mapped_volume(scene.archive, SeriesView(scene.uid("a")))
    second = mapped_volume(scene.archive, SeriesView(scene.uid("b")))
    assert (mapped_volume(scene.archive, SeriesView(scene.uid("a"))) is first) is first.is_cached
    assert (mapped_volume(scene.archive, SeriesView(scene.uid("b"))) is second) is second.is_cached


def test_pet_without_suv_is_in_the_unit_of_its_images_and_its_headers_are_judged_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.add_series("pet", modality="PT")
    view = SeriesView(scene.uid("pet"))
    found = mapped_volume(scene.archive, view)
    assert found.volume.unit is Unit.BQML
    monkeypatch.setattr("radfuse.volume.suv.suv_evidence", None)
    assert mapped_volume(scene.archive, view) is found
