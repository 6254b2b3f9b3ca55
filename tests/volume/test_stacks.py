"""Hard series, made up: what each becomes, or why it is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from radfuse.core.errors import CannotBuildVolume
from radfuse.volume import FindingKind, Repair, Stack, Volume, read_stack, stacks_of
from tests.support.volumes import Edit, Shape, image, pixels_of, put_pixels, write_series

OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)


def only(files: list[Path]) -> Stack:
    stacks = stacks_of(files)
    assert len(stacks) == 1, [stack.title for stack in stacks]
    return stacks[0]


def kinds(stack: Stack | Volume) -> list[FindingKind]:
    return [finding.kind for finding in stack.findings]


def at(places: list[float], shape: Shape | None = None) -> Edit:
    """Puts slice k at ``places[k]`` steps."""
    return lambda ds, number: setattr(ds, "ImagePositionPatient", (shape or Shape()).position(places[number]))


def hounsfield(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return pixels_of(Shape(), number).astype(np.int16) - 1024


# --- regular ---------------------------------------------------------------------------------


def test_a_regular_series_is_one_volume_without_findings(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 4))
    volume = read_stack(stack)
    assert stack.refusal is None
    assert stack.label == ""
    assert volume.findings == ()
    assert volume.grid.shape == (4, 6, 5)
    assert volume.grid.spacing_mm == pytest.approx((2.0, 1.5, 3.0))
    assert volume.grid.origin_mm == pytest.approx((-10, -20, -30))
    assert volume.voxels.dtype == np.int16
    assert all(np.array_equal(volume.voxels[k], hounsfield(k)) for k in range(4))


def test_slices_are_sorted_by_place_and_not_by_number(tmp_path: Path) -> None:
    files = write_series(tmp_path, 4, edit=lambda ds, number: setattr(ds, "InstanceNumber", 4 - number))
    volume = read_stack(only(files))
    assert [int(uid[-1]) for uid in volume.source.instance_uids] == [1, 2, 3, 4]
    assert all(np.array_equal(volume.voxels[k], hounsfield(k)) for k in range(4))


@pytest.mark.parametrize("orientation", [OBLIQUE, (0, 1, 0, 0, 0, -1), (-1, 0, 0, 0, 1, 0), (1, 0, 0, 0, -1, 0)])
def test_every_grid_is_right_handed_and_keeps_the_images_directions(
    tmp_path: Path, orientation: tuple[float, ...]
) -> None:
    shape = Shape(orientation=orientation)
    grid = only(write_series(tmp_path, 3, shape)).grid
    assert grid is not None
    assert np.linalg.det(grid.to_patient.linear) > 0
    assert grid.directions[:, :2].T.ravel() == pytest.approx(orientation)
    assert grid.to_patient.apply([0, 0, 2]) == pytest.approx(shape.position(2))


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(order=st.permutations(range(6)))
def test_any_order_of_files_gives_the_same_volume(series: list[Path], order: list[int]) -> None:
    first, again = only(series), only([series[place] for place in order])
    assert first.source == again.source
    assert first.grid is not None
    assert again.grid is not None
    assert np.array_equal(first.grid.to_patient.matrix, again.grid.to_patient.matrix)
    assert np.array_equal(read_stack(first).voxels, read_stack(again).voxels)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    jitter = np.random.default_rng(3).normal(0, 0.005, 6)
    places = [number + float(off) for number, off in enumerate(jitter)]
    return write_series(tmp_path_factory.mktemp("series"), 6, edit=at(places))


def test_a_micrometre_of_jitter_is_nothing_to_say(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 5, edit=at([0, 1.0003, 2, 2.9997, 4])))
    assert stack.findings == ()
    assert stack.grid is not None
    assert stack.grid.spacing_mm[2] == pytest.approx(3.0, abs=1e-3)


def test_jitter_within_5_percent_is_fitted_and_said(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 5, edit=at([0, 1.03, 2, 3, 4])))
    assert stack.refusal is None
    assert kinds(stack) == [FindingKind.JITTER]
    assert "0.0" in stack.findings[0].sentence
    assert 1 in stack.findings[0].slices


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    grid = only(write_series(tmp_path, 3, Shape(between_mm=(0.5, 2.0, 1.0)))).grid
    assert grid is not None
    assert grid.spacing_mm == pytest.approx((2.0, 0.5, 1.0))


def test_one_slice_is_as_thick_as_it_says(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 1))
    assert kinds(stack) == [FindingKind.SINGLE]
    assert stack.grid is not None
    assert stack.grid.spacing_mm[2] == 3.0


def test_a_wrong_spacing_between_slices_is_said_and_not_believed(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 3, edit=lambda ds, _: setattr(ds, "SpacingBetweenSlices", 0.5)))
    assert kinds(stack) == [FindingKind.HEADER]
    assert stack.grid is not None
    assert stack.grid.spacing_mm[2] == pytest.approx(3.0)


def test_slices_much_further_apart_than_thick_are_said(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 3, edit=lambda ds, _: setattr(ds, "SliceThickness", 1)))
    assert [finding.sentence for finding in stack.findings] == [
        "the slices are 1 mm thick and 3 mm apart: most of the body lies between them"
    ]


def test_a_tilted_gantry_keeps_its_shear(tmp_path: Path) -> None:
    def tilt(ds: Dataset, number: int) -> None:
        x, y, z = Shape().position(number)
        ds.ImagePositionPatient = [x, y + number * 3 * np.tan(np.radians(15)), z]

    stack = only(write_series(tmp_path, 5, edit=tilt))
    assert kinds(stack) == [FindingKind.SHEARED]
    assert "15.0 degrees" in stack.findings[0].sentence
    assert stack.grid is not None
    assert stack.grid.is_sheared
    assert stack.grid.spacing_mm[2] == pytest.approx(3.0)
    assert stack.grid.to_patient.apply([0, 0, 4])[1] == pytest.approx(-20 + 12 * np.tan(np.radians(15)))


def test_images_without_instance_uids_have_an_order_too(tmp_path: Path) -> None:
    files = write_series(tmp_path / "images", 3)
    for file in files:
        ds = dcmread(file)
        del ds.SOPInstanceUID
        ds.save_as(file)
    (tmp_path / "later").mkdir()
    twins = [tmp_path / "later" / file.name for file in files]
    for file, copy in zip(files, twins, strict=True):
        shutil.copy(file, copy)
    for order in ([*files, *twins], [*twins, *files]):
        stack = only(order)
        assert kinds(stack) == [FindingKind.DUPLICATE]
        assert not set(twins) & set(stack.paths)


# --- gaps and other distances ----------------------------------------------------------------


def test_a_missing_slice_is_refused_and_filled_only_when_asked_for(tmp_path: Path) -> None:
    files = write_series(tmp_path, 5)
    stack = only([*files[:2], *files[3:]])
    assert stack.repair is Repair.GAPS
    assert stack.refusal is not None
    assert "slice 3" in stack.refusal
    for repairs in (frozenset[Repair](), frozenset({Repair.VARIABLE})):
        with pytest.raises(CannotBuildVolume, match="repair: gaps"):
            read_stack(stack, repairs=repairs)
    volume = read_stack(stack, repairs=frozenset({Repair.GAPS}))
    whole = read_stack(only(files))
    (finding,) = volume.findings
    assert (finding.kind, finding.slices, finding.repaired) == (FindingKind.GAP, (2,), True)
    assert volume.source.instance_uids[2] == ""
    assert "" not in volume.source.instance_uids[:2] + volume.source.instance_uids[3:]
    assert volume.grid.matches(whole.grid)
    assert np.array_equal(volume.voxels, whole.voxels)  # the pixels are linear from slice to slice


def test_two_missing_slices_in_a_row_are_weighted_by_distance(tmp_path: Path) -> None:
    files = write_series(tmp_path, 10, modality="PT")
    stack = only([*files[:3], *files[5:]])
    volume = read_stack(stack, repairs=frozenset({Repair.GAPS}))
    assert volume.findings[0].slices == (3, 4)
    expected = 2.5 * pixels_of(Shape(), 3)
    assert np.allclose(volume.voxels[3], expected, rtol=1e-6)


def test_two_spacings_are_variable_and_resampled_only_when_asked_for(tmp_path: Path) -> None:
    places = [0, 1, 2, 3.5, 5, 6.5]
    stack = only(write_series(tmp_path, 6, modality="PT", edit=at(places)))
    assert stack.repair is Repair.VARIABLE
    with pytest.raises(CannotBuildVolume, match=r"3 to 4\.5 mm apart.*repair: variable"):
        read_stack(stack)
    volume = read_stack(stack, repairs=frozenset({Repair.VARIABLE}))
    assert volume.grid.spacing_mm[2] == pytest.approx(3.0)
    assert len(volume.voxels) == 7
    assert kinds(volume) == [FindingKind.VARIABLE]
    assert volume.findings[0].slices == (3, 4, 6)
    assert volume.source.instance_uids[2:7:3] == (stack.source.instance_uids[2], stack.source.instance_uids[4])
    # At 3 steps: two thirds of the way from the slice at 2 (number 2) to that at 3.5 (number 3).
    expected = 2.5 * (pixels_of(Shape(), 2) * 1 / 3 + pixels_of(Shape(), 3) * 2 / 3)
    assert np.allclose(volume.voxels[3], expected, rtol=1e-5)


def test_every_other_slice_missing_is_variable_and_no_gap(tmp_path: Path) -> None:
    assert only(write_series(tmp_path, 6, edit=at([0, 1, 2, 4, 6, 8]))).repair is Repair.VARIABLE


def test_slices_shifted_sideways_are_refused(tmp_path: Path) -> None:
    def shift(ds: Dataset, number: int) -> None:
        if number == 2:
            ds.ImagePositionPatient = [-5.0, *Shape().position(2)[1:]]

    stack = only(write_series(tmp_path, 5, edit=shift))
    assert stack.repair is None
    assert stack.refusal is not None
    assert "sideways" in stack.refusal
    with pytest.raises(CannotBuildVolume, match="sideways"):
        read_stack(stack, repairs=frozenset(Repair))


# --- the same place twice --------------------------------------------------------------------


def twin(folder: Path, file: Path, edit: Callable[[Dataset], None] | None = None) -> Path:
    """The same image under another SOP Instance UID."""
    ds = dcmread(file)
    ds.SOPInstanceUID = UID(f"{ds.SOPInstanceUID}.9")
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    if edit is not None:
        edit(ds)
    path = folder / f"twin-{file.name}"
    ds.save_as(path)
    return path


def test_the_same_slice_twice_is_left_out_and_said(tmp_path: Path) -> None:
    files = write_series(tmp_path, 4)
    stack = only([*files, twin(tmp_path, files[1])])
    assert stack.refusal is None
    (finding,) = stack.findings
    assert (finding.kind, finding.slices) == (FindingKind.DUPLICATE, (1,))
    assert np.array_equal(read_stack(stack).voxels, read_stack(only(files)).voxels)


def test_two_different_slices_at_one_place_are_refused(tmp_path: Path) -> None:
    def brighter(ds: Dataset) -> None:
        put_pixels(ds, pixels_of(Shape(), 17))

    files = write_series(tmp_path, 4)
    stack = only([*files, twin(tmp_path, files[1], brighter)])
    assert stack.refusal is not None
    assert "shown up to 2 times by different images" in stack.refusal
    with pytest.raises(CannotBuildVolume, match="nothing in them says which belong together"):
        read_stack(stack, repairs=frozenset(Repair))


def test_two_files_of_one_instance_are_one_slice(tmp_path: Path) -> None:
    files = write_series(tmp_path, 3)
    copy = tmp_path / "zz.dcm"
    shutil.copy(files[0], copy)
    for order in ([*files, copy], [copy, *files]):
        stack = only(order)
        assert kinds(stack) == [FindingKind.DUPLICATE]
        assert copy not in stack.paths
        assert len(stack.frames) == 3


TELLING: list[tuple[str, str, list[object]]] = [
    ("EchoTime", "echo time 2 of 2, TE 4.6 ms", ["2.3", "4.6"]),
    ("AcquisitionNumber", "acquisition 2 of 2, number 2", [1, 2]),
    ("TemporalPositionIdentifier", "temporal position 2 of 2, number 2", [1, 2]),
    ("TriggerTime", "trigger time 2 of 2, 330 ms", ["0", "330"]),
    ("FrameReferenceTime", "frame reference time 2 of 2, 60000 ms", ["0", "60000"]),
    ("InversionTime", "inversion time 2 of 2, TI 900 ms", ["100", "900"]),
    ("FlipAngle", "flip angle 2 of 2, 30 degrees", ["5", "30"]),
    ("AcquisitionTime", "acquisition time 2 of 2", ["101500", "101600"]),
    ("ContentTime", "content time 2 of 2", ["101500", "101600"]),
    ("DiffusionBValue", "b-value 2 of 2, b 1000 s/mm2", [0.0, 1000.0]),
    ("ImageType", "image type 2 of 2, P", [["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]]),
]


@pytest.mark.parametrize(("keyword", "label", "values"), TELLING, ids=[row[0] for row in TELLING])
def test_what_tells_two_slices_of_one_place_apart_splits_the_series(
    tmp_path: Path, keyword: str, label: str, values: list[object]
) -> None:
    def tell(ds: Dataset, number: int) -> None:
        ds.ImagePositionPatient = Shape().position(number // 2)
        setattr(ds, keyword, values[number % 2])

    stacks = stacks_of(write_series(tmp_path, 8, modality="MR", edit=tell))
    assert [len(stack.frames) for stack in stacks] == [4, 4]
    assert stacks[1].label == label
    assert all(stack.refusal is None and kinds(stack) == [FindingKind.SPLIT] for stack in stacks)
    second = read_stack(stacks[1])
    assert all(np.array_equal(second.voxels[k], pixels_of(Shape(), 2 * k + 1)) for k in range(4))


def test_two_things_that_differ_at_once_are_told_apart_together(tmp_path: Path) -> None:
    def tell(ds: Dataset, number: int) -> None:
        ds.ImagePositionPatient = Shape().position(number // 4)
        ds.TriggerTime, ds.FlipAngle = str(100 * (number % 2)), str(5 + number // 2 % 2)

    stacks = stacks_of(write_series(tmp_path, 12, modality="MR", edit=tell))
    assert [stack.label for stack in stacks] == [
        f"trigger time and flip angle {number} of 4, {time} ms, {angle} degrees"
        for number, (time, angle) in enumerate(((0, 5), (0, 6), (100, 5), (100, 6)), 1)
    ]


def test_rounds_of_slices_with_times_of_their_own_are_time_points(tmp_path: Path) -> None:
    def tell(ds: Dataset, number: int) -> None:
        ds.ImagePositionPatient = Shape().position(number % 4)
        ds.AcquisitionTime = f"1015{number:02}"
        del ds.AcquisitionNumber

    stacks = stacks_of(write_series(tmp_path, 12, modality="MR", edit=tell))
    assert [stack.label for stack in stacks] == [f"acquisition time {number} of 3" for number in (1, 2, 3)]
    assert np.array_equal(read_stack(stacks[2]).voxels[0], pixels_of(Shape(), 8))


def test_times_that_run_into_each_other_are_no_time_points(tmp_path: Path) -> None:
    def tell(ds: Dataset, number: int) -> None:
        ds.ImagePositionPatient = Shape().position(number // 2)
        ds.AcquisitionTime = f"1015{number:02}"
        ds.ContentTime = ds.AcquisitionTime

    stack = only(write_series(tmp_path, 8, modality="MR", edit=tell))
    assert stack.refusal is not None


@pytest.mark.parametrize(
    ("creator", "block", "element", "vr", "values"),
    [
        ("SIEMENS MR HEADER", 0x0019, 0x0C, "IS", [0, 1000]),
        ("Philips Imaging DD 001", 0x2001, 0x03, "FL", [0.0, 1000.0]),
        ("GEMS_PARM_01", 0x0043, 0x39, "IS", [0, 1000001000]),
    ],
)
def test_b_values_are_found_where_vendors_put_them(
    tmp_path: Path, creator: str, block: int, element: int, vr: str, values: list[float]
) -> None:
    def tell(ds: Dataset, number: int) -> None:
        ds.ImagePositionPatient = Shape().position(number // 2)
        ds.private_block(block, creator, create=True).add_new(element, vr, values[number % 2])

    stacks = stacks_of(write_series(tmp_path, 4, modality="MR", edit=tell))
    assert [stack.label for stack in stacks] == ["b-value 1 of 2, b 0 s/mm2", "b-value 2 of 2, b 1000 s/mm2"]


def test_gates_of_pet_are_told_by_image_index(tmp_path: Path) -> None:
    def tell(ds: Dataset, number: int) -> None:
        ds.ImagePositionPatient = Shape().position(number % 3)
        ds.SeriesType, ds.NumberOfSlices, ds.ImageIndex = ["GATED", "IMAGE"], 3, number + 1

    stacks = stacks_of(write_series(tmp_path, 6, modality="PT", edit=tell))
    assert [stack.label for stack in stacks] == ["gate 1 of 2, number 1", "gate 2 of 2, number 2"]


# --- what does not belong together -----------------------------------------------------------


def test_a_scout_is_set_aside_with_a_reason(tmp_path: Path) -> None:
    def scout(ds: Dataset, number: int) -> None:
        if number == 4:
            ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
            ds.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    slices, aside = stacks_of(write_series(tmp_path, 5, edit=scout))
    assert slices.refusal is None
    assert len(slices.frames) == 4
    assert aside.refusal == "a localizer (scout) is a projection, no slice"
    with pytest.raises(CannotBuildVolume, match="localizer"):
        read_stack(aside)


def _turned(ds: Dataset) -> None:
    ds.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    ds.ImagePositionPatient = [-10 + 3 * int(ds.InstanceNumber), -20, -30]


def _smaller(ds: Dataset) -> None:
    put_pixels(ds, pixels_of(Shape(rows=4), 0))


def _finer(ds: Dataset) -> None:
    ds.PixelSpacing = [0.5, 0.5]


def _elsewhere(ds: Dataset) -> None:
    ds.FrameOfReferenceUID = "2.25.9"


@pytest.mark.parametrize(
    ("change", "label"),
    [
        (_turned, "orientation 1 of 2, sagittal"),
        (_smaller, "image size 1 of 2, 4 rows x 5 columns"),
        (_finer, "pixel spacing 1 of 2, 0.5 x 0.5 mm"),
        (_elsewhere, "frame of reference 2 of 2"),
    ],
)
def test_slices_of_different_geometry_become_stacks_of_their_own(
    tmp_path: Path, change: Callable[[Dataset], None], label: str
) -> None:
    stacks = stacks_of(write_series(tmp_path, 6, edit=lambda ds, number: change(ds) if number > 3 else None))
    assert label in [stack.label for stack in stacks]
    assert sorted(len(stack.frames) for stack in stacks) == [2, 4]


def test_two_series_are_two_stacks(tmp_path: Path) -> None:
    files = [*write_series(tmp_path / "ct", 3), *write_series(tmp_path / "mr", 3, modality="MR")]
    for number, ds in enumerate(image(Shape(), "CT", n, series=2) for n in range(3)):
        ds.save_as(tmp_path / f"{number}.dcm", implicit_vr=False, little_endian=True, enforce_file_format=False)
        files.append(tmp_path / f"{number}.dcm")
    assert sorted(stack.source.modality for stack in stacks_of(files)) == ["CT", "CT", "MR"]


# --- headers that cannot be used -------------------------------------------------------------


def _without(keyword: str) -> Edit:
    return lambda ds, _: delattr(ds, keyword)


def _with(keyword: str, value: object) -> Edit:
    return lambda ds, _: setattr(ds, keyword, value)


REFUSED: list[tuple[str, Edit, str]] = [
    ("no position", _without("ImagePositionPatient"), r"no valid Image Position \(Patient\)"),
    ("no orientation", _without("ImageOrientationPatient"), r"no valid Image Orientation \(Patient\)"),
    ("no spacing", _without("PixelSpacing"), "no valid Pixel Spacing"),
    ("spacing 0", _with("PixelSpacing", [0, 1]), "Pixel Spacing is not above 0"),
    ("bent", _with("ImageOrientationPatient", [1, 0, 0, 0.5, 0.9, 0]), "not two unit vectors"),
    ("zero rows", _with("Rows", 0), "no rows or no columns"),
    ("absurd size", _with("Rows", 60000), "shorter than rows, columns and frames say"),
    ("too much data", _with("Rows", 4), "longer than rows, columns and frames say"),
    ("absurd slope", _with("RescaleSlope", "1e35"), "beyond all that can be measured"),
    ("no pixels", _without("PixelData"), "there is no Pixel Data"),
    ("colour", _with("SamplesPerPixel", 3), "in colour"),
    ("palette", _with("PhotometricInterpretation", "PALETTE COLOR"), "in colour"),
    ("bits", _with("BitsStored", 20), "cannot be"),
    ("frames", _with("NumberOfFrames", 2), "shorter than"),
    ("mosaic", _with("ImageType", ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), "mosaic"),
    ("ultrasound", _with("Modality", "US"), "no slices of a volume"),
]


@pytest.mark.parametrize(("edit", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_images_that_are_no_slices_are_refused_with_a_sentence(tmp_path: Path, edit: Edit, reason: str) -> None:
    stack = only(write_series(tmp_path, 2, edit=edit))
    assert stack.refusal is not None
    with pytest.raises(CannotBuildVolume, match=reason):
        read_stack(stack, repairs=frozenset(Repair))


def test_rescales_of_different_types_are_refused(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 2, edit=lambda ds, number: setattr(ds, "RescaleType", ["HU", "US"][number])))
    assert stack.refusal == "its slices have different Rescale Types (HU, US): they are not in one unit"


def test_a_slope_of_0_is_refused(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 2, edit=_with("RescaleSlope", "0")))
    assert stack.refusal == "Rescale Slope is 0 in some slices: their numbers are lost"


def test_a_single_slice_without_thickness_is_refused(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 1, edit=_with("SliceThickness", None)))
    assert stack.refusal is not None
    assert "without Slice Thickness" in stack.refusal


def test_a_cut_file_is_said_and_its_slice_is_missing(tmp_path: Path) -> None:
    files = write_series(tmp_path, 6)
    files[2].write_bytes(files[2].read_bytes()[:-10])
    rest, cut = stacks_of(files)
    assert rest.repair is Repair.GAPS
    assert cut.refusal is not None
    assert "cut off inside its Pixel Data" in cut.refusal
    assert cut.paths == (files[2],)


def test_files_that_are_no_images_come_back_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("not an image, but a text of some length " * 10)
    reasons = {stack.refusal for stack in stacks_of(sorted(tmp_path.iterdir()))}
    assert reasons == {"a file cannot be read, or is empty", "a file is not DICOM"}


def test_another_kind_of_object_is_named(generated_set: object) -> None:
    from tests.support.generate import GeneratedSet

    assert isinstance(generated_set, GeneratedSet)
    assert only([generated_set.rtstruct]).refusal == "RT Structure Set objects hold no images"


def test_no_sentence_holds_a_patients_name(tmp_path: Path) -> None:
    files = write_series(tmp_path, 6, edit=_with("RescaleType", "GEN-0001"))
    stack = only([*files[:2], *files[3:]])
    volume = read_stack(stack, repairs=frozenset(Repair))
    said = " ".join([stack.title, stack.refusal or "", *(finding.sentence for finding in volume.findings)])
    assert "Generated" not in said
    assert "2.25" not in said


def test_slices_nearly_at_one_place_are_told_apart_like_those_at_one(tmp_path: Path) -> None:
    def tell(ds: Dataset, number: int) -> None:
        ds.ImagePositionPatient = Shape().position(number // 2 + 0.03 * (number % 2))
        ds.AcquisitionNumber = number % 2 + 1

    assert [len(stack.frames) for stack in stacks_of(write_series(tmp_path, 8, modality="MR", edit=tell))] == [4, 4]


def test_one_far_slice_makes_no_others_one_place(tmp_path: Path) -> None:
    stack = only(write_series(tmp_path, 4, edit=at([0, 1, 2, 5000])))
    assert stack.refusal is not None
    assert "3 to 14994 mm apart" in stack.refusal
