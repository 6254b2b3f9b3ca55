"""Resampled volumes as series: judged by dciodvfy, read back by GDCM and SimpleITK, and by our own rules."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radfuse.core.errors import InvalidGeometry, InvalidObject
from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.objects.checking import check, facts_of
from radfuse.objects.common import NewSeries, encode, read_provenance
from radfuse.objects.series import build_series
from radfuse.volume import Unit, Volume, read_stack, resample, stacks_of
from radfuse.volume.suv import SuvKind, suv_evidence
from tests.support import judges
from tests.support.resampled import FRAME, making, provenance, series, signal, sources, turned_grid, volume

MODALITIES = ("CT", "MR", "PT", "NM")


def built(made: Volume, images: list[Dataset], padding: float | None = None) -> list[Dataset]:
    return list(build_series(made, images, series(), provenance(images), making(), padding=padding))


def simple(modality: str, voxels: npt.NDArray[Any] | None = None, grid: Grid | None = None) -> list[Dataset]:
    values = signal(modality) if voxels is None else voxels
    return built(volume(modality, values, grid), sources(modality))


def written(images: list[Dataset], folder: Path) -> list[Path]:
    return [judges.written(ds, folder, f"{number:03}.dcm") for number, ds in enumerate(images)]


def values_of(ds: Dataset) -> npt.NDArray[np.float64]:
    """What any reader computes: stored times slope plus intercept."""
    kind = "<i2" if ds.PixelRepresentation else "<u2"
    shape = (int(ds.get("NumberOfFrames", 1)), ds.Rows, ds.Columns)
    stored = np.frombuffer(ds.PixelData, kind).reshape(shape).astype(np.float64)
    return stored * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))


def volume_of(images: list[Dataset]) -> npt.NDArray[np.float64]:
    return np.concatenate([values_of(ds) for ds in images])


def frame_of(ds: Dataset) -> FrameOfReference:
    return FrameOfReference(str(ds.FrameOfReferenceUID))


def steps_of(images: list[Dataset]) -> npt.NDArray[np.float64]:
    """Half a step of each slice."""
    slopes = [float(ds.get("RescaleSlope", 1)) for ds in images]
    return np.repeat(np.array(slopes) / 2, [int(ds.get("NumberOfFrames", 1)) for ds in images])[:, None, None]


# --- as others see them ---------------------------------------------------------------------------


@pytest.mark.parametrize("modality", MODALITIES)
def test_dciodvfy_and_our_own_rules_accept_every_modality(modality: str, tmp_path: Path) -> None:
    images = simple(modality)
    paths = written(images, tmp_path)
    assert judges.dciodvfy(paths[0]) == []
    assert judges.dciodvfy(paths[-1]) == []
    # The sources are not among the files.
    assert [line for line in judges.dcentvfy(*paths) if "Missing SOPInstanceUID that was referenced" not in line] == []
    assert [faults for faults in check(images, facts_of(sources(modality))) if faults] == []


@pytest.mark.parametrize("modality", MODALITIES)
def test_simpleitk_reads_the_same_geometry_and_values(modality: str, tmp_path: Path) -> None:
    import SimpleITK as sitk

    voxels, grid = signal(modality), turned_grid()
    images = simple(modality, voxels, grid)
    paths = [str(path) for path in written(images, tmp_path)]
    image: Any = sitk.ReadImage(paths if len(paths) > 1 else paths[0])
    assert image.GetSpacing() == pytest.approx(grid.spacing_mm, abs=1e-5)
    assert image.GetOrigin() == pytest.approx(tuple(grid.origin_mm), abs=1e-5)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    assert direction == pytest.approx(grid.directions, abs=1e-6)
    read = sitk.GetArrayFromImage(image).astype(np.float64)
    assert np.all(np.abs(read - voxels) <= steps_of(images) * 1.001)


def test_dcmdump_reads_what_was_written(tmp_path: Path) -> None:
    path = written(simple("PT"), tmp_path)[0]
    text = judges._run("dcmdump", "-q", path).stdout
    assert "[DERIVED\\PRIMARY]" in text
    assert "(0054,1001) CS [BQML]" in text


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e7])
def test_no_voxel_is_off_by_more_than_half_a_step(modality: str, scale: float) -> None:
    random = np.random.default_rng(11)
    voxels = (random.gamma(1.2, 3.0, (3, 6, 5)) * scale).astype(np.float32)
    if modality in ("CT", "MR"):
        voxels -= np.float32(2 * scale)
    images = simple(modality, voxels)
    assert np.all(np.abs(volume_of(images) - voxels) <= steps_of(images) * 1.0001)


def test_hu_are_stored_as_they_are_and_halves_are_rounded() -> None:
    voxels = np.array([-1024, -1000, 0, 3071, 32767, -32768], np.int16).reshape(1, 2, 3)
    (ds,) = simple("CT", voxels)
    assert (float(ds.RescaleSlope), float(ds.RescaleIntercept), ds.PixelRepresentation) == (1, 0, 1)
    assert volume_of([ds]).tolist() == voxels.tolist()
    (ds,) = simple("CT", np.full((1, 2, 3), 40.4, np.float32))
    assert volume_of([ds]).tolist() == [[[40.0] * 3] * 2]


def test_hu_beyond_16_signed_bits_get_an_intercept() -> None:
    voxels = np.array([0, 100, 50000, 65000], np.float32).reshape(1, 2, 2)
    (ds,) = simple("CT", voxels)
    assert float(ds.RescaleSlope) == 1
    assert float(ds.RescaleIntercept) == 32768
    assert volume_of([ds]).tolist() == voxels.tolist()


def test_whole_numbers_of_mr_and_nm_need_no_rescale() -> None:
    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4) * 100
    for modality in ("MR", "NM"):
        images = simple(modality, voxels)
        assert "RescaleSlope" not in images[0]
        assert volume_of(images).tolist() == voxels.tolist()


def test_each_pet_slice_has_its_own_slope_and_no_intercept() -> None:
    voxels = signal("PT")
    voxels[1] = 0
    images = simple("PT", voxels)
    assert len({str(ds.RescaleSlope) for ds in images}) == len(images)
    assert {float(ds.RescaleIntercept) for ds in images} == {0.0}
    assert np.abs(values_of(images[0])).max() == pytest.approx(voxels[0].max(), rel=1e-4)
    assert not values_of(images[1]).any()


def test_negative_pet_values_survive() -> None:
    voxels = signal("PT")
    voxels[0, 0, 0] = -250.0
    assert values_of(simple("PT", voxels)[0])[0, 0, 0] == pytest.approx(-250, abs=1)


def test_a_constant_volume_survives() -> None:
    for modality in MODALITIES:
        for value in (0.0, 0.37, -3.0 if modality != "NM" else 3.0):
            images = simple(modality, np.full((2, 3, 4), value, np.float32))
            assert np.abs(volume_of(images) - value).max() <= 0.5


def test_the_padding_value_is_written_as_the_stored_number() -> None:
    voxels = signal("CT")
    voxels[:, 0] = -2000
    ds = built(volume("CT", voxels), sources("CT"), padding=-2000)[0]
    assert ds["PixelPaddingValue"].VR == "SS"
    assert ds.PixelPaddingValue == -2000
    # MR is scaled: the stored number is not the value.
    signals = signal("MR")
    signals[:, 0] = -1
    ds = built(volume("MR", signals), sources("MR"), padding=-1)[0]
    assert ds.PixelPaddingValue == np.frombuffer(ds.PixelData, "<i2")[0]
    assert "PixelPaddingValue" not in simple("PT")[0]


# --- geometry ------------------------------------------------------------------------------------


def test_a_left_handed_grid_is_turned_round() -> None:
    grid = turned_grid()
    flip = Affine(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 4], [0, 0, 0, 1]], dtype=float))
    turned = Grid(grid.shape, grid.to_patient.after(flip), grid.frame)
    voxels = signal("NM")
    (as_it_is,), (turned_round,) = simple("NM", voxels, grid), simple("NM", voxels[::-1].copy(), turned)
    assert turned_round.PixelData == as_it_is.PixelData
    same = ("ImagePositionPatient", "ImageOrientationPatient")
    for keyword in same:
        first, second = (ds.DetectorInformationSequence[0][keyword].value for ds in (as_it_is, turned_round))
        assert np.array(second, float) == pytest.approx(np.array(first, float), abs=1e-5)
    assert float(turned_round.SpacingBetweenSlices) == pytest.approx(2.5)


def test_a_sheared_grid_is_refused_with_advice() -> None:
    shear = np.diag([1.0, 1.0, 2.0])
    shear[1, 2] = 0.4
    grid = Grid((5, 7, 9), Affine.of(shear, (0, 0, 0)), FRAME)
    with pytest.raises(InvalidGeometry, match="resample onto a regular grid first"):
        simple("CT", None, grid)


def test_an_unknown_frame_of_reference_is_refused() -> None:
    with pytest.raises(InvalidGeometry, match="no frame of reference"):
        simple("CT", None, turned_grid(frame=FrameOfReference()))


def test_positions_are_those_of_the_grid_in_its_frame() -> None:
    grid = turned_grid(frame=FrameOfReference("2.25.555"))
    images = simple("MR", None, grid)
    for index, ds in enumerate(images):
        expected = grid.to_patient.apply((0, 0, index))
        assert np.array(ds.ImagePositionPatient, float) == pytest.approx(expected, abs=1e-6)
        assert ds.FrameOfReferenceUID == "2.25.555"
        assert ds.PositionReferenceIndicator == ""  # the sources' is about another frame
    assert simple("MR")[0].PositionReferenceIndicator == "SN"


# --- headers -------------------------------------------------------------------------------------


def test_every_image_is_new_and_says_what_it_was_made_from() -> None:
    for modality in MODALITIES:
        images, originals = simple(modality), sources(modality)
        old = {str(ds.SOPInstanceUID) for ds in originals}
        assert len({ds.SOPInstanceUID for ds in images}) == len(images)
        assert not old & {ds.SOPInstanceUID for ds in images}
        assert {ds.SeriesInstanceUID for ds in images}.isdisjoint({ds.SeriesInstanceUID for ds in originals})
        assert len({ds.SeriesInstanceUID for ds in images}) == 1
        for ds in images:
            assert ds.ImageType[0] == "DERIVED"
            assert ds.StudyInstanceUID == originals[0].StudyInstanceUID
            assert {item.ReferencedSOPInstanceUID for item in ds.SourceImageSequence} <= old
            assert len(ds.SourceImageSequence) > 0
            assert ds.SourceImageSequence[0].PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
            assert ds.DerivationCodeSequence[0].CodeValue == "113085"
            assert read_provenance(ds) is not None


def test_a_slice_refers_to_the_source_images_beside_it_and_to_no_others() -> None:
    images = sources("CT", 40)
    grid = Grid((3, 4, 4), Affine.of(np.diag([1.0, 1.0, 2.0]), (0.0, 0.0, 30.5)), FRAME)
    ds = built(volume("CT", np.zeros((3, 4, 4), np.int16), grid), images)[0]
    named = {item.ReferencedSOPInstanceUID for item in ds.SourceImageSequence}
    places = sorted(float(image.ImagePositionPatient[2]) for image in images if image.SOPInstanceUID in named)
    assert places == [27.0, 30.0, 33.0]


def test_images_in_another_frame_refer_to_all_sources() -> None:
    ds = simple("CT", None, turned_grid(frame=FrameOfReference("2.25.555")))[0]
    assert len(ds.SourceImageSequence) == len(sources("CT"))


def test_mr_keeps_its_sequence_and_leaves_out_what_the_sources_do_not_share() -> None:
    images = sources("MR")
    images[2].FlipAngle = "20"
    ds = built(volume("MR", signal("MR")), images)[0]
    assert (ds.ScanningSequence, ds.EchoTime, ds.ImageType[2]) == ("GR", 4.6, "M")
    assert "FlipAngle" not in ds
    assert "InversionTime" not in ds


def test_ct_keeps_the_window_that_all_sources_share() -> None:
    ds = simple("CT")[0]
    assert (ds.WindowCenter, ds.WindowWidth, ds.KVP) == (40, 400, 120)
    images = sources("CT")
    images[0].WindowWidth = "1500"
    voxels = signal("CT")
    ds = built(volume("CT", voxels), images)[0]
    assert float(ds.WindowWidth) == int(voxels.max()) - int(voxels.min())


def test_what_breaks_the_standard_in_a_source_is_not_repeated(tmp_path: Path) -> None:
    images = sources("PT")
    for ds in images:
        tracer = ds.RadiopharmaceuticalInformationSequence[0]
        tracer.add(pydicom.DataElement(0x00181075, "DS", "6588.0000000000123", validation_mode=0))
        tracer.RadionuclideCodeSequence = Sequence([Dataset()])
        ds.PatientGantryRelationshipCodeSequence[0].MappingResource = "DCMR"  # without a context identifier
        ds.add(pydicom.DataElement(0x00181030, "LO", "x" * 90, validation_mode=0))
    made = built(volume("PT", signal("PT")), images)
    assert check(made, facts_of(images)) == ((),) * len(made)
    assert judges.dciodvfy(written(made, tmp_path)[0]) == []
    assert float(made[0].RadiopharmaceuticalInformationSequence[0].RadionuclideHalfLife) == pytest.approx(6588)
    assert "ProtocolName" not in made[0]


def test_lossy_compression_of_a_source_is_not_forgotten() -> None:
    images = sources("CT")
    images[1].LossyImageCompression, images[1].LossyImageCompressionRatio = "01", "12.5"
    images[1].LossyImageCompressionMethod = "ISO_15444_1"
    ds = built(volume("CT", signal("CT")), images)[0]
    assert (ds.LossyImageCompression, ds.LossyImageCompressionRatio) == ("01", 12.5)


def test_text_of_a_source_is_written_in_utf_8() -> None:
    images = sources("PT")
    for ds in images:
        ds.RadiopharmaceuticalInformationSequence[0].Radiopharmaceutical = "Fluorodésoxyglucose"
    content = encode(built(volume("PT", signal("PT")), images)[0])
    assert "Fluorodésoxyglucose".encode() in content


# --- PET -----------------------------------------------------------------------------------------


def test_everything_that_suv_are_computed_from_is_kept() -> None:
    original, ds = sources("PT")[0], simple("PT")[0]
    for keyword in ("SeriesDate", "SeriesTime", "DecayCorrection", "CorrectedImage", "PatientWeight", "PatientSize"):
        assert ds[keyword].value == original[keyword].value, keyword
    tracer, before = (it.RadiopharmaceuticalInformationSequence[0] for it in (ds, original))
    for keyword in ("RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime"):
        assert tracer[keyword].value == before[keyword].value, keyword
    assert ds.private_block(0x7053, "Philips PET Private Group")[0x00].value == "0.00031"
    assert (0x7053, 0x1000) in ds


def test_times_that_belong_together_come_from_the_nearest_source_image() -> None:
    images = sources("PT", 40)
    grid = Grid((2, 4, 4), Affine.of(np.diag([1.0, 1.0, 2.0]), (0.0, 0.0, 30.5)), FRAME)
    ds = built(volume("PT", np.ones((2, 4, 4), np.float32), grid), images)[0]
    source = images[10]  # 30 mm
    for keyword in ("AcquisitionTime", "FrameReferenceTime", "ActualFrameDuration", "DecayFactor"):
        assert ds[keyword].value == source[keyword].value, keyword


def test_times_come_from_the_first_acquired_image_where_frames_differ() -> None:
    images = list(reversed(sources("PT")))
    made = built(volume("PT", signal("PT"), turned_grid(frame=FrameOfReference("2.25.555"))), images)
    assert {ds.AcquisitionTime for ds in made} == {"101330"}


def test_a_frame_reference_time_that_the_sources_do_not_say_is_not_made_up() -> None:
    images = sources("PT")
    for ds in images:
        del ds.FrameReferenceTime
    made = built(volume("PT", signal("PT")), images)
    assert {str(fault) for faults in check(made) for fault in faults} == {
        "FrameReferenceTime: it is missing, and of type 1"
    }


def test_images_without_decay_correction_need_one_acquisition_time() -> None:
    images = sources("PT")
    for ds in images:
        ds.DecayCorrection = "NONE"
    with pytest.raises(InvalidObject, match="convert to SUV first"):
        built(volume("PT", signal("PT")), images)


@pytest.mark.parametrize(
    ("unit", "units", "suv_type"),
    [
        (Unit.SUV_BW, "GML", "BW"),
        (Unit.SUV_LBM_JANMA, "GML", "LBMJANMA"),
        (Unit.SUV_LBM_JAMES, "GML", "LBMJAMES128"),
        (Unit.SUV_BSA, "CM2ML", "BSA"),
    ],
)
def test_suv_say_which_they_are(unit: Unit, units: str, suv_type: str, tmp_path: Path) -> None:
    made = built(volume("PT", signal("PT") / 5000, unit=unit), sources("PT"))
    assert (made[0].Units, made[0].SUVType) == (units, suv_type)
    assert judges.dciodvfy(written(made, tmp_path)[0]) == []


# --- what is refused -----------------------------------------------------------------------------


def test_a_voxel_without_a_value_is_refused() -> None:
    voxels = signal("PT")
    voxels[2, 3, 4] = np.nan
    with pytest.raises(InvalidObject, match="a voxel has no value"):
        simple("PT", voxels)


@pytest.mark.parametrize(
    ("modality", "unit"),
    [("CT", Unit.SIGNAL), ("MR", Unit.HU), ("PT", Unit.STORED), ("NM", Unit.SUV_BW)],
)
def test_a_unit_that_is_not_the_modalitys_is_refused(modality: str, unit: Unit) -> None:
    with pytest.raises(InvalidObject, match="volume is in"):
        built(volume(modality, signal(modality), unit=unit), sources(modality))


def test_sources_of_another_modality_and_no_sources_are_refused() -> None:
    with pytest.raises(InvalidObject, match="must be CT images"):
        built(volume("CT", signal("CT")), sources("MR"))
    with pytest.raises(InvalidObject, match="needs the images"):
        list(build_series(volume("CT", signal("CT")), [], series(), provenance([]), making()))
    made = volume("CT", signal("CT"))
    other = dataclasses.replace(made, source=dataclasses.replace(made.source, modality="US"))
    with pytest.raises(InvalidObject, match="not US"):
        built(other, sources("CT"))


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = ([encode(ds) for ds in simple("PT")] for _ in range(2))
    assert first == second


def test_a_series_can_be_given_its_uid() -> None:
    images = sources("CT")
    made = build_series(volume("CT", signal("CT")), images, NewSeries("x", 7, "2.25.9"), provenance(images), making())
    assert {(ds.SeriesInstanceUID, ds.SeriesNumber) for ds in made} == {("2.25.9", 7)}


# --- with our own reader, the SUV engine, and real images ----------------------------------------


@pytest.mark.parametrize("modality", MODALITIES)
def test_our_own_volume_builder_reads_back_the_same_volume(modality: str, tmp_path: Path) -> None:
    voxels, grid = signal(modality), turned_grid()
    paths = written(simple(modality, voxels, grid), tmp_path)
    (stack,) = stacks_of(paths)
    read = read_stack(stack)
    assert read.grid.matches(grid, 1e-4)
    assert read.unit is volume(modality, voxels).unit
    half = steps_of([pydicom.dcmread(path) for path in paths])
    assert np.all(np.abs(read.voxels.astype(np.float64) - voxels) <= half * 1.01 + np.abs(voxels) * 1e-6)


def test_suv_computed_from_the_export_are_those_of_the_sources() -> None:
    images = sources("PT")
    before = suv_evidence(images, SuvKind.BW)
    after = suv_evidence(simple("PT"), SuvKind.BW)
    assert after.factor_for(0) == pytest.approx(before.factor_for(0), rel=1e-12)
    assert after.reference_time == before.reference_time


@pytest.fixture(scope="module")
def sts(shared_data: Path) -> tuple[list[Path], list[Path]]:
    """Real PET in BQML and the CT of the same patient in one frame of reference."""
    folder = shared_data / "petct"
    return sorted((folder / "sts-001-raw" / "pet").iterdir()), sorted((folder / "sts-001" / "ct").iterdir())


def test_a_real_pet_resampled_onto_its_ct_keeps_its_suv(sts: tuple[list[Path], list[Path]], tmp_path: Path) -> None:
    pet_paths, ct_paths = sts
    (pet_stack,), (ct_stack,) = stacks_of(pet_paths), stacks_of(ct_paths)
    pet = read_stack(pet_stack)
    assert ct_stack.grid is not None
    grid = ct_stack.grid.cropped((20, 20, 20), (6, 60, 60))
    made = resample.resample(pet, grid, None, outside=0.0)
    headers: list[Dataset] = [pydicom.dcmread(path, stop_before_pixels=True) for path in pet_paths]
    images = list(build_series(made, headers, series(), provenance(headers), making()))
    assert [faults for faults in check(images, facts_of(headers)) if faults] == []
    paths = written(images, tmp_path)
    assert judges.dciodvfy(paths[2]) == []
    read = read_stack(stacks_of(paths)[0], Unit.SUV_BW)
    before = suv_evidence(headers, SuvKind.BW)
    assert read.grid.matches(grid, 1e-3)
    expected = made.voxels * before.factor_for(0)
    assert np.abs(read.voxels - expected).max() <= np.abs(expected).max() / 65534 * 1.01


def test_the_suv_of_every_reference_object_survive_the_export(shared_data: Path) -> None:
    tried = 0
    for folder in sorted(path for path in (shared_data / "suv-dro").iterdir() if path.is_dir()):
        headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.rglob("*.dcm"))]
        images: list[Dataset] = [ds for ds in headers if ds.Modality == "PT"]
        if not images:
            continue
        unit = {"GML": Unit.SUV_BW, "CM2ML": Unit.SUV_BSA}.get(images[0].Units, Unit.BQML)
        if images[0].Units != "BQML" and images[0].get("SUVType", "BW") != "BW":
            continue  # its own unit is not body weight: read_stack names it, and it is written as it is
        made = built(volume("PT", signal("PT"), turned_grid(frame=frame_of(images[0])), unit), images)
        before, after = suv_evidence(images, SuvKind.BW), suv_evidence(made, SuvKind.BW)
        assert {after.factor_for(n) for n in range(len(made))} == {before.factor_for(0)}, folder.name
        tried += 1
    assert tried >= 7
