"""Measuring regions: from files and archives, in one image and several, as JSON and as objects that others read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread

from radfuse.archive import Archive
from radfuse.core.errors import CannotComputeSUV, FramesDiffer, InvalidRegion, UnknownEntity, UnreadableObject
from radfuse.objects.common import Making
from radfuse.objects.seg import read_segmentation
from radfuse.objects.sr import measurements_of, read_report
from radfuse.roi.metabolic import ThresholdKind
from radfuse.services.import_media import import_files
from radfuse.services.measure import (
    DrawnSphere,
    Everywhere,
    Exclude,
    FromMaskFile,
    FromObject,
    Image,
    Limit,
    MeasureAsk,
    Measured,
    dose_metric,
    measure,
    report_objects,
)
from radfuse.services.store_results import store
from radfuse.services.volumes import open_volume
from radfuse.volume import Unit
from tests.support.generate import GeneratedSet, save
from tests.support.judges import dciodvfy, dsrdump, written
from tests.support.volumes import Shape, dose, write_series

sitk: Any = SimpleITK

BY_MAXIMUM = ThresholdKind.PERCENT_OF_MAXIMUM
DISC = "Disc"


def images(generated_set: GeneratedSet, *names: str) -> tuple[Image, ...]:
    return tuple(Image(list(getattr(generated_set, name))) for name in names)


def disc(generated_set: GeneratedSet) -> FromObject:
    return FromObject(generated_set.rtstruct, DISC)


def making() -> Making:
    number = count(1)
    return Making(datetime(2024, 3, 1, 12, tzinfo=UTC), lambda: f"2.25.99.{next(number)}")


def test_one_region_is_measured_in_suv_and_hu(generated_set: GeneratedSet) -> None:
    found = measure(None, MeasureAsk(images(generated_set, "pet", "ct"), disc(generated_set)))
    pet, ct = found.images
    assert (pet.unit, ct.unit) == (Unit.SUV_BW, Unit.HU)
    # A square of 16 mm in one plane: 64 voxels of 2 x 2 x 4 mm.
    for numbers in (pet, ct):
        assert numbers.statistics is not None
        assert numbers.statistics.voxels == 64
        assert numbers.statistics.volume_ml == pytest.approx(1.024)
    volume = open_volume(None, list(generated_set.pet), Unit.SUV_BW)
    x, y = (slice(12, 20), slice(12, 20))
    assert pet.statistics is not None
    assert pet.statistics.mean == pytest.approx(volume.voxels[0, y, x].mean(), rel=1e-6)
    assert (found.region.kind, found.region.name, found.region.number) == ("structure", DISC, 1)


def test_the_result_says_everything_that_led_to_it(generated_set: GeneratedSet) -> None:
    ask = MeasureAsk(
        images(generated_set, "pet"), disc(generated_set), Limit(BY_MAXIMUM, 41), peak=True, diameters=True
    )
    plain = json.loads(json.dumps(measure(None, ask).as_json()))
    assert plain["Software"].startswith("Radfuse ")
    assert plain["Region"]["SourceUID"]
    (image,) = plain["Images"]
    assert len(image["InstanceUIDs"]) == 5
    assert image["SUV"]["Attributes"]
    assert image["Unit"] == "SUVbw"
    assert image["Above"]["Threshold"] == {"Kind": "percent of maximum", "Value": 41, "Unit": "SUVbw"}
    assert image["Peak"]["VolumeMl"] < 1
    assert image["Diameters"]["LongAxis"]["LengthMm"] == pytest.approx(np.hypot(16, 14), abs=1)
    assert plain["Definitions"]["Peak"]


@pytest.mark.parametrize("name", ["Disc", "disc", "1"])
def test_a_structure_is_found_by_name_whatever_its_case_or_by_number(generated_set: GeneratedSet, name: str) -> None:
    found = measure(None, MeasureAsk(images(generated_set, "ct"), FromObject(generated_set.rtstruct, name)))
    assert found.region.name == DISC


def test_a_structure_that_is_not_there_is_refused(generated_set: GeneratedSet) -> None:
    with pytest.raises(InvalidRegion, match="none of its 1 regions"):
        measure(None, MeasureAsk(images(generated_set, "ct"), FromObject(generated_set.rtstruct, "Liver")))
    with pytest.raises(UnreadableObject, match="RT Structure Sets and Segmentations"):
        measure(None, MeasureAsk(images(generated_set, "ct"), FromObject(generated_set.ct[0], "1")))
    with pytest.raises(UnknownEntity):
        measure(None, MeasureAsk(images(generated_set, "ct"), FromObject("2.25.1", "1")))


def test_what_is_no_dicom_object_holds_no_region(generated_set: GeneratedSet, tmp_path: Path) -> None:
    (tmp_path / "text.dcm").write_text("no DICOM")
    with pytest.raises(UnreadableObject, match="no DICOM object"):
        measure(None, MeasureAsk(images(generated_set, "ct"), FromObject(tmp_path / "text.dcm", "1")))


def test_a_sphere_lies_in_the_frame_of_reference_of_the_first_image(
    generated_set: GeneratedSet, tmp_path: Path
) -> None:
    sphere = DrawnSphere((0, 0, -2), 7)
    found = measure(None, MeasureAsk(images(generated_set, "ct", "mr"), sphere))
    for numbers in found.images:
        assert numbers.statistics is not None
        assert numbers.statistics.volume_ml == pytest.approx(4 / 3 * np.pi * 0.7**3, rel=0.15)
        assert numbers.statistics.centre_mm == pytest.approx((0, 0, -2), abs=1)

    def elsewhere(ds: object, _number: int) -> None:
        ds.FrameOfReferenceUID = "2.25.31"  # type: ignore[attr-defined]

    other = write_series(tmp_path / "other", 4, edit=elsewhere)
    with pytest.raises(FramesDiffer):
        measure(None, MeasureAsk((*images(generated_set, "ct"), Image(other)), sphere))


def test_a_sphere_beside_the_image_is_refused(generated_set: GeneratedSet) -> None:
    with pytest.raises(InvalidRegion, match="outside the image"):
        measure(None, MeasureAsk(images(generated_set, "ct"), DrawnSphere((500, 0, 0), 5)))


@pytest.mark.parametrize(("radius_mm", "notes"), [(5, ()), (8, ("part of the sphere lies outside the image",))])
def test_a_sphere_partly_beside_the_image_says_so(
    generated_set: GeneratedSet, radius_mm: float, notes: tuple[str, ...]
) -> None:
    sphere = DrawnSphere((-26, -26, -6), radius_mm)
    assert measure(None, MeasureAsk(images(generated_set, "ct"), sphere)).images[0].notes == notes
    limit = Limit(ThresholdKind.PERCIST_LIVER, reference=sphere)
    reference = measure(None, MeasureAsk(images(generated_set, "pet"), limit=limit)).images[0].reference
    assert reference is not None
    assert reference.notes[: len(notes)] == tuple(f"reference region: {note}" for note in notes)


def test_a_mask_file_is_a_region(generated_set: GeneratedSet, tmp_path: Path) -> None:
    from radfuse.volume.image_files import write_image_file

    volume = open_volume(None, list(generated_set.ct))
    inside = np.zeros(volume.grid.shape, dtype=np.float32)
    inside[1:3, 4:9, 5:11] = 1
    write_image_file(tmp_path / "mask.nii.gz", replace(volume, voxels=inside, unit=Unit.FRACTION))
    found = measure(None, MeasureAsk(images(generated_set, "ct"), FromMaskFile(tmp_path / "mask.nii.gz")))
    numbers = found.images[0].statistics
    assert numbers is not None
    assert numbers.voxels == 60
    assert numbers.mean == pytest.approx(volume.voxels[1:3, 4:9, 5:11].mean())


def test_without_a_region_the_whole_image_is_measured(generated_set: GeneratedSet) -> None:
    numbers = measure(None, MeasureAsk(images(generated_set, "ct"))).images[0].statistics
    assert numbers is not None
    assert numbers.voxels == 5 * 32 * 32


def test_a_threshold_is_meant_for_suv_unless_a_unit_was_asked_for(generated_set: GeneratedSet) -> None:
    pet = list(generated_set.pet)
    ask = MeasureAsk((Image(pet, Unit.BQML),), limit=Limit(ThresholdKind.ABSOLUTE, 400))
    above = measure(None, ask).images[0].above
    assert above is not None
    assert (above.unit, above.threshold.unit) == (Unit.BQML, Unit.BQML)
    suv = measure(None, replace(ask, images=(Image(pet),), limit=Limit(ThresholdKind.ABSOLUTE, 0.1))).images[0].above
    assert suv is not None
    assert suv.threshold.unit is Unit.SUV_BW
    assert suv.mtv_ml == pytest.approx(above.mtv_ml)


def test_pet_whose_suv_would_be_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotComputeSUV):
        measure(None, MeasureAsk((Image(write_series(tmp_path / "pet", 3, modality="PT")),)))


def test_percist_takes_its_threshold_from_the_liver(generated_set: GeneratedSet) -> None:
    limit = Limit(ThresholdKind.PERCIST_LIVER, reference=DrawnSphere((-26, -26, -2), 5))
    numbers = measure(None, MeasureAsk(images(generated_set, "pet"), limit=limit)).images[0]
    assert numbers.reference is not None
    assert numbers.above is not None
    assert numbers.above.level == numbers.reference.threshold.value
    assert numbers.reference.threshold.value == pytest.approx(1.5 * numbers.reference.mean + 2 * numbers.reference.sd)


def test_lesions_are_found_and_exclusions_said(generated_set: GeneratedSet) -> None:
    ask = MeasureAsk(images(generated_set, "pet"), limit=Limit(BY_MAXIMUM, 41), total_tumour=True, minimum_ml=0.1)
    tumour = measure(None, ask).images[0].tumour
    assert tumour is not None
    assert len(tumour.lesions) == 1
    exclude = Exclude("left half", DrawnSphere((30, 0, 0), 30))
    cut = measure(None, replace(ask, exclusions=(exclude,))).images[0].tumour
    assert cut is not None
    assert cut.mtv_ml < tumour.mtv_ml
    assert cut.mtv_ml + cut.exclusions[0].removed_ml + cut.too_small_ml == pytest.approx(tumour.mtv_ml)


@pytest.fixture
def dose_file(tmp_path: Path) -> Path:
    """A dose whose values tell their places, around the generated structure."""
    shape = Shape(30, 28, (2.5, 2.5, 3.0), first_mm=(-33.0, -34.0, -25.0))
    return save(dose(shape, [3.0 * number for number in range(12)]), tmp_path / "dose", "1.2.840.10008.1.2.1")


def test_a_structure_in_a_dose_gets_its_histogram_and_metrics(generated_set: GeneratedSet, dose_file: Path) -> None:
    metrics = tuple(dose_metric(text) for text in ("D50", "D0.1cc", "V0.001Gy", "V0.001Gycc", "D500cc"))
    found = measure(None, MeasureAsk((Image([dose_file]),), disc(generated_set), dose=metrics)).images[0]
    assert found.unit is Unit.GY
    assert found.dose is not None
    assert found.dose.volume_ml == pytest.approx(16 * 16 * 3 / 1000, rel=0.05)
    assert max(found.dose.step_mm) <= 1 + 1e-9
    values = {metric.name: metric for metric in found.dose.metrics}
    assert found.dose.minimum_gy <= values["D50"].value <= values["D0.1cc"].value <= found.dose.maximum_gy  # type: ignore[operator]
    assert values["V0.001Gy"].value == pytest.approx(100)
    assert values["V0.001Gycc"].value == pytest.approx(found.dose.volume_ml)
    assert values["D500cc"].value is None
    assert "500 ml of a structure" in values["D500cc"].reason
    volume = open_volume(None, [dose_file])
    index = volume.grid.from_patient.apply((0, 0, -10))
    assert found.dose.mean_gy == pytest.approx(float(at(volume.voxels, index)), rel=0.05)


def test_contours_on_whole_millimetres_are_no_larger_in_a_dose(generated_set: GeneratedSet, tmp_path: Path) -> None:
    """Its voxels of 3 mm are divided into 1 mm: nobody drew on those, though all corners are centres of them."""
    structures = dcmread(generated_set.rtstruct)
    (contour,) = structures.ROIContourSequence[0].ContourSequence
    z = contour.ContourData[2]
    contour.ContourData = [-9, -9, z, 10, -9, z, 10, 10, z, -9, 10, z]
    contour.NumberOfContourPoints = 4
    structures.save_as(tmp_path / "square.dcm")
    shape = Shape(30, 28, (3.0, 3.0, 3.0), first_mm=(-33.0, -33.0, -25.0))
    file = save(dose(shape, [3.0 * number for number in range(12)]), tmp_path / "dose", "1.2.840.10008.1.2.1")
    found = measure(None, MeasureAsk((Image([file]),), FromObject(tmp_path / "square.dcm", DISC))).images[0]
    assert found.dose is not None
    assert found.dose.volume_ml == pytest.approx(19 * 19 * 3 / 1000)


def test_a_pet_in_no_known_unit_is_not_measured_as_it_is_unless_asked_for(tmp_path: Path) -> None:
    files = write_series(tmp_path, 2, modality="PT", edit=lambda ds, _: setattr(ds, "Units", "PROPCPS"))
    with pytest.raises(CannotComputeSUV, match="PROPCPS"):
        measure(None, MeasureAsk((Image(files),)))
    assert measure(None, MeasureAsk((Image(files, Unit.SIGNAL),))).images[0].unit is Unit.SIGNAL


def at(voxels: np.ndarray, index: np.ndarray) -> float:
    x, y, z = np.round(index).astype(int)
    return float(voxels[z, y, x])


def test_what_a_dose_does_not_have_is_refused(generated_set: GeneratedSet, dose_file: Path) -> None:
    for ask in (MeasureAsk((Image([dose_file]),), peak=True), MeasureAsk((Image([dose_file]),), diameters=True)):
        with pytest.raises(InvalidRegion, match="of a dose there are no"):
            measure(None, ask)
    with pytest.raises(InvalidRegion, match="the image is in HU"):
        measure(None, MeasureAsk(images(generated_set, "ct"), dose=(dose_metric("D95"),)))


@pytest.mark.parametrize("text", ["D", "95", "D101", "V20", "VGy", "D-5", "V20Gyxx", ""])
def test_what_is_no_dose_metric_is_refused(text: str) -> None:
    with pytest.raises(InvalidRegion, match="no dose metric"):
        dose_metric(text)


@pytest.mark.parametrize(
    ("text", "is_dose", "in_ml", "of", "unit"),
    [("D95", True, False, 95, "Gy"), ("D95%", True, False, 95, "Gy"), ("D0.1cc", True, True, 0.1, "Gy"),
     ("V20Gy", False, False, 20, "%"), ("v20gyML", False, True, 20, "ml")],
)  # fmt: skip
def test_dose_metrics_are_read_as_people_write_them(
    text: str, is_dose: bool, in_ml: bool, of: float, unit: str
) -> None:
    metric = dose_metric(text)
    assert (metric.is_dose, metric.in_ml, metric.of, metric.unit) == (is_dose, in_ml, of, unit)


def test_questions_that_make_no_sense_are_refused(generated_set: GeneratedSet) -> None:
    pet = images(generated_set, "pet")
    for wrong in (
        lambda: MeasureAsk(()),
        lambda: MeasureAsk(pet, total_tumour=True),
        lambda: MeasureAsk(pet, exclusions=(Exclude("x", Everywhere()),)),
        lambda: Limit(ThresholdKind.PERCIST_LIVER, 2.0),
        lambda: Limit(ThresholdKind.ABSOLUTE, 2.0, Everywhere()),
        lambda: Limit(BY_MAXIMUM, 0),
    ):
        with pytest.raises(InvalidRegion):
            wrong()


# --- as objects ------------------------------------------------------------------------------


@pytest.fixture
def kept(archive: Archive, generated_set: GeneratedSet) -> Archive:
    """The archive with the generated CT, PET and structure set."""
    for _ in import_files(archive, [*generated_set.ct, *generated_set.pet, generated_set.rtstruct]):
        pass
    return archive


def from_archive(generated_set: GeneratedSet, **more: object) -> MeasureAsk:
    from pydicom import dcmread

    uids = [str(dcmread(files[0]).SeriesInstanceUID) for files in (generated_set.pet, generated_set.ct)]
    structures = str(dcmread(generated_set.rtstruct).SOPInstanceUID)
    ask = MeasureAsk(tuple(Image(uid) for uid in uids), FromObject(structures, DISC))
    return replace(ask, **more)  # type: ignore[arg-type]


def test_the_report_is_a_standard_object_with_the_same_numbers(
    kept: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    ask = from_archive(generated_set, limit=Limit(BY_MAXIMUM, 41), peak=True, diameters=True)
    measured = measure(kept, ask)
    objects = report_objects(kept, measured, making())
    assert [ds.Modality for ds in objects] == ["SEG", "SEG", "SR"]
    for number, ds in enumerate(objects):
        assert dciodvfy(written(ds, tmp_path, f"{number}.dcm")) == []
    pet = measured.images[0]
    assert pet.statistics is not None
    assert pet.above is not None
    assert pet.peak is not None
    groups = measurements_of(read_report((tmp_path / "2.dcm").read_bytes()))
    assert len(groups) == 3
    values = {
        (each.name.meaning, each.derivation.meaning if each.derivation else ""): each for each in groups[0].measurements
    }
    assert values["SUVbw", "Mean"].value == pytest.approx(pet.statistics.mean, rel=1e-6)
    assert values["SUVbw", "Maximum"].value == pytest.approx(pet.statistics.maximum, rel=1e-6)
    assert values["SUVbw", "Peak Value Within ROI"].value == pytest.approx(pet.peak.value, rel=1e-6)
    assert values["SUVbw", "Mean"].unit.value == "g/ml{SUVbw}"
    lesion = {each.name.meaning: each for each in groups[1].measurements}
    assert lesion["Metabolic Volume"].value == pytest.approx(pet.above.mtv_ml)
    assert lesion["Total Lesion Glycolysis"].value == pytest.approx(pet.above.tlg, rel=1e-6)
    assert lesion["Metabolic Volume"].algorithm is not None
    assert "threshold = 41 % of the maximum" in lesion["Metabolic Volume"].algorithm.parameters
    segmentation = read_segmentation(objects[0])
    assert [segmentation.mask(number).voxels for number in (1, 2)] == [pet.statistics.voxels, pet.above.voxels]
    assert "Total Lesion Glycolysis" in dsrdump(tmp_path / "2.dcm")


def test_the_report_enters_the_archive_like_any_guest_and_its_segment_can_be_measured_again(
    kept: Archive, generated_set: GeneratedSet
) -> None:
    ask = from_archive(generated_set)
    measured = measure(kept, ask)
    stored = store(kept, report_objects(kept, measured, making())).stored
    assert len(stored) == 3
    again = measure(kept, replace(ask, region=FromObject(stored[0], DISC)))
    assert again.images[0].statistics is not None
    first = measured.images[0].statistics
    assert first is not None
    assert replace(again.images[0].statistics, region_ml=first.region_ml) == first
    assert again.region.kind == "segment"


def test_lesions_are_reported_with_their_totals(kept: Archive, generated_set: GeneratedSet, tmp_path: Path) -> None:
    ask = from_archive(generated_set, region=Everywhere(), limit=Limit(BY_MAXIMUM, 41), total_tumour=True)
    measured = measure(kept, replace(ask, images=ask.images[:1]))
    objects = report_objects(kept, measured, making())
    groups = measurements_of(read_report(written(objects[-1], tmp_path).read_bytes()))
    assert [group.tracking_id for group in groups] == ["Lesions", "Lesion 1"]
    tumour = measured.images[0].tumour
    assert tumour is not None
    assert read_segmentation(objects[0]).mask(1).voxels == tumour.mask.voxels


def test_images_that_are_not_in_the_archive_cannot_be_reported(archive: Archive, generated_set: GeneratedSet) -> None:
    measured = measure(None, MeasureAsk(images(generated_set, "ct"), disc(generated_set)))
    with pytest.raises(UnknownEntity):
        report_objects(archive, measured, making())


def test_a_unit_without_a_code_is_refused_in_a_report(kept: Archive, generated_set: GeneratedSet) -> None:
    ask = from_archive(generated_set)
    measured = measure(kept, replace(ask, images=(replace(ask.images[0], unit=Unit.BQML),)))
    with pytest.raises(InvalidRegion, match="no code for Bq/ml"):
        report_objects(kept, measured, making())


# --- real data -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sarcoma(shared_data: Path) -> Measured:
    """The tumour of sts-001, in SUV and HU."""
    folder = shared_data / "petct" / "sts-001"
    if not folder.is_dir():
        pytest.skip("no sts-001 among the real data")
    region = FromObject(folder / "rtstruct-ct.dcm", "1")
    return measure(None, MeasureAsk((Image([folder / "pet"]), Image([folder / "ct"])), region, peak=True))


def test_the_tumour_of_sts_001_has_the_volume_of_its_manifest(sarcoma: Measured) -> None:
    pet, ct = (numbers.statistics for numbers in sarcoma.images)
    assert pet is not None
    assert ct is not None
    assert ct.volume_ml == pytest.approx(365.3, abs=0.1)
    assert pet.volume_ml == pytest.approx(365.3, rel=0.01)
    assert pet.maximum == pytest.approx(7.91, abs=0.01)
    assert sarcoma.images[0].peak is not None
    assert pet.mean < sarcoma.images[0].peak.value_at_voxels <= sarcoma.images[0].peak.value < pet.maximum


def test_the_numbers_of_sts_001_are_those_of_simpleitk_on_the_mask_of_its_authors(
    sarcoma: Measured, shared_data: Path
) -> None:
    folder = shared_data / "petct" / "sts-001"
    mask = sitk.ReadImage(str(folder / "nifti" / "ct-mask.nii.gz"), sitk.sitkUInt8)
    volume = open_volume(None, [folder / "ct"])
    judge = sitk.LabelStatisticsImageFilter()
    image = sitk.GetImageFromArray(volume.voxels)
    image.CopyInformation(mask)
    judge.Execute(image, mask)
    numbers = sarcoma.images[1].statistics
    assert numbers is not None
    assert numbers.voxels == pytest.approx(judge.GetCount(1), rel=0.002)
    assert numbers.mean == pytest.approx(judge.GetMean(1), abs=0.1)
    assert numbers.sd == pytest.approx(judge.GetSigma(1), abs=0.1)
    assert (numbers.minimum, numbers.maximum) == (judge.GetMinimum(1), judge.GetMaximum(1))
