"""The objects of a session, judged and read by other people's programs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import highdicom
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.web.api.region_shapes import RegionShape
from tests.support import judges
from tests.support.saved import SessionDesk, files_of, session_desk


class Session:
    """What was made of a draft, by the label of the object."""

    def __init__(self, desk: SessionDesk, folder: Path) -> None:
        self.draft = desk.draft()
        self.folder = folder
        uids = {each["SOPInstanceUID"]: each["label"] for each in desk.saved(self.draft)["objects"]}
        found = {ds.SOPInstanceUID: ds for ds in map(dcmread, map(io.BytesIO, files_of(desk)))}
        self.all = found
        self.objects = {label.split(":")[0]: found[uid] for uid, label in uids.items()}

    def path(self, label: str) -> Path:
        return judges.written(self.objects[label], self.folder, f"{label}.dcm")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("judged")
    with session_desk(folder / "data") as desk:
        yield Session(desk, folder)


@pytest.mark.parametrize("label", ["segmentation", "report", "fused view", "view", "picture", "key object"])
def test_dciodvfy_accepts_each_of_them(session: Session, label: str) -> None:
    assert judges.dciodvfy(session.path(label)) == []


def test_they_do_not_contradict_each_other(session: Session) -> None:
    folder = session.folder / "all"
    folder.mkdir()
    paths = [judges.written(ds, folder, f"{number}.dcm") for number, ds in enumerate(session.all.values())]
    assert judges.dcentvfy(*paths) == []


def test_dcmtk_reads_the_manifest_and_the_report(session: Session) -> None:
    manifest = judges.dsrdump(session.path("key object"), "+Pc")
    assert '(113030,DCM,"Manifest")' in manifest
    assert "Baseline (version 1)" in manifest
    report = judges.dsrdump(session.path("report"))
    assert report.count("Measurement Group") == 5  # two regions on PET and CT, and a line
    assert '"Length")="50" (mm' in report


def test_highdicom_reads_the_voxels_of_the_regions(session: Session) -> None:
    segmentation = highdicom.seg.Segmentation.from_dataset(session.objects["segmentation"])
    assert [segmentation.get_segment_description(number).segment_label for number in (1, 2)] == ["Lesion 1", "Lesion 2"]
    volume = segmentation.get_volume(combine_segments=False)
    for number, region in enumerate(session.draft["state"]["regions"]):
        shape = RegionShape.model_validate(region["shape"])
        assert int(volume.array[..., number].sum()) == shape.mask().voxels


def test_highdicom_reads_the_numbers_that_were_on_the_screen(session: Session) -> None:
    report = highdicom.sr.ComprehensiveSR.from_dataset(session.objects["report"])
    content = cast(highdicom.sr.MeasurementReport, report.content)
    groups = content.get_volumetric_roi_measurement_groups()
    found = {}
    for group in groups:
        (name,) = {group.tracking_identifier}
        for measurement in group.get_measurements():
            derivation = measurement.derivation.meaning if measurement.derivation else ""
            found[name, measurement.name.meaning, derivation] = measurement.value
    for region in session.draft["state"]["regions"]:
        numbers = region["numbers"][0]
        for derivation, field in (("Maximum", "max"), ("Mean", "mean"), ("Peak Value Within ROI", "peak")):
            assert found[region["name"], "SUVbw", derivation] == pytest.approx(numbers[field], rel=1e-12)


def test_the_window_of_pet_is_in_the_values_of_its_images(session: Session) -> None:
    fused: Dataset = session.objects["fused view"]
    below, above = fused.BlendingSequence
    assert [float(below.SoftcopyVOILUTSequence[0][name].value) for name in ("WindowCenter", "WindowWidth")] == [40, 400]
    width = float(above.SoftcopyVOILUTSequence[0].WindowWidth)
    weight_g, dose_bq, decay = 70_000, 350e6, 2 ** (-3600 / 6586.2)
    assert width == pytest.approx(7.0 * dose_bq * decay / weight_g, rel=1e-6)


def test_the_picture_of_a_bookmark_shows_the_fused_plane(session: Session) -> None:
    picture = session.objects["picture"]
    pixels = picture.pixel_array
    assert pixels.shape == (512, 512, 3)
    assert np.ptp(pixels.astype(int), axis=2).max() > 100  # the overlay is in colours
    assert picture.BurnedInAnnotation == "NO"
