"""Dose in regions, against what ``radfuse measure`` says of the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Mask
from radfuse.roi import drawing
from radfuse.services.drawing import DoseAsk, RegionAsk, RegionDose, doses_in, make_region, rules
from radfuse.services.import_media import import_files
from radfuse.services.measure import FromObject, Image, MeasureAsk, dose_metric, measure
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing.showing import native_volume
from tests.support.generate import GeneratedSet, save
from tests.support.volumes import Shape, dose

METRICS = tuple(dose_metric(text) for text in ("D50", "V0.001Gy", "D500cc"))


@dataclass(frozen=True)
class Ward:
    """An archive with a CT, its structure set, and a dose in the frame of reference of both."""

    archive: Archive
    ct: SeriesView
    dose: SeriesView
    structures: str

    def doses(self, *regions: rules.Given | rules.OfObject) -> tuple[RegionDose, ...]:
        return doses_in(self.archive, DoseAsk(self.dose, regions, METRICS))


@pytest.fixture(scope="module")
def ward(generated_set: GeneratedSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    folder: Path = tmp_path_factory.mktemp("doses")
    (folder / "archive").mkdir()
    shape = Shape(30, 28, (2.5, 2.5, 3.0), first_mm=(-33.0, -34.0, -25.0))
    file = save(dose(shape, [3.0 * number for number in range(12)]), folder / "dose", "1.2.840.10008.1.2.1")
    with Archive(ArchiveSettings(folder / "archive")) as archive:
        for _ in import_files(archive, [*generated_set.ct, generated_set.rtstruct, file]):
            pass
        ct, of_dose = (SeriesView(str(dcmread(each).SeriesInstanceUID)) for each in (generated_set.ct[0], file))
        yield Ward(archive, ct, of_dose, str(dcmread(generated_set.rtstruct).SOPInstanceUID))


def test_a_structure_has_the_dose_that_measure_says(ward: Ward) -> None:
    (found,) = ward.doses(rules.OfObject(ward.structures, 1))
    ask = MeasureAsk((Image(ward.dose.series),), FromObject(ward.structures, "1"), dose=METRICS)
    said = measure(ward.archive, ask).images[0].dose
    assert said is not None
    assert (found.mean_gy, found.minimum_gy, found.maximum_gy) == (said.mean_gy, said.minimum_gy, said.maximum_gy)
    assert [(name, value) for name, value, _ in found.metrics] == [(each.name, each.value) for each in said.metrics]
    assert any(finding.startswith("no D500cc: ") for finding in found.findings)


def test_its_histogram_falls_from_all_of_it_to_nothing(ward: Ward) -> None:
    (found,) = ward.doses(rules.OfObject(ward.structures, 1))
    percents = np.array(found.curve_percent)
    assert percents[0] == pytest.approx(100)
    assert percents[-1] == 0
    assert (np.diff(percents) <= 0).all()
    assert len(percents) == len(found.curve_gy) <= 260
    assert found.mean_gy is not None
    # The area below it is the mean.
    assert np.trapezoid(percents / 100, found.curve_gy) == pytest.approx(found.mean_gy, rel=0.02)


def test_a_drawn_region_lies_on_its_own_voxels(ward: Ward) -> None:
    drawn = make_region(ward.archive, RegionAsk(ward.ct, rules.Ball((0.0, 0.0, -10.0), 16.0))).drawn
    (found,) = ward.doses(rules.Given(drawn.mask))
    assert found.volume_ml == pytest.approx(drawn.mask.volume_ml, rel=1e-6)


def test_a_region_beside_the_dose_says_so_and_the_others_have_theirs(ward: Ward) -> None:
    grid = native_volume(ward.archive, ward.dose).grid
    far = grid.cropped((0, 0, 0), (2, 2, 2))
    inside = drawing.mask_of(grid, drawing.sphere(np.array((0.0, 0.0, -10.0)), 8.0))
    nothing, found = ward.doses(rules.Given(Mask(far, np.zeros((2, 2, 2), dtype=np.bool_))), rules.Given(inside))
    assert (nothing.mean_gy, nothing.metrics) == (None, ())
    assert nothing.findings
    assert found.mean_gy is not None


def test_what_is_no_dose_is_refused(ward: Ward) -> None:
    with pytest.raises(InvalidRegion, match="the series is in HU"):
        doses_in(ward.archive, DoseAsk(ward.ct, (rules.OfObject(ward.structures, 1),)))
