"""Every rule of every profile accepts what it allows and refuses what it does not."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from radfuse.core.errors import CannotTranscode, NotInProfile
from radfuse.core.sop_classes import NON_PATIENT_CLASSES, STORAGE_CLASS_NAMES
from radfuse.core.transfer_syntaxes import TRANSFER_SYNTAXES
from radfuse.dicom import transcode
from radfuse.media import PROFILES, Described, Profile, describe, problems, target_syntax
from radfuse.media.profiles import (
    CT_IMAGE,
    GRAYSCALE_PRESENTATION_STATE,
    MR_IMAGE,
    RADIATION_DOSE_SR,
    SECONDARY_CAPTURE,
    SEGMENTATION,
)

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BASELINE = "1.2.840.10008.1.2.4.50"
EXTENDED = "1.2.840.10008.1.2.4.51"
LOSSLESS = "1.2.840.10008.1.2.4.57"
LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
J2K_LOSSLESS = "1.2.840.10008.1.2.4.90"
J2K = "1.2.840.10008.1.2.4.91"
VIDEO = "1.2.840.10008.1.2.4.100"
RLE = "1.2.840.10008.1.2.5"

IMAGE: dict[str, Any] = {
    "Modality": "CT",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "Rows": 2,
    "Columns": 2,
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
}
MR = {"SOPClassUID": MR_IMAGE, "Modality": "MR"}
CAPTURE = {"SOPClassUID": SECONDARY_CAPTURE, "Modality": "OT", "BitsStored": 16, "HighBit": 15}
PALETTE = CAPTURE | {
    "PhotometricInterpretation": "PALETTE COLOR",
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
}
CTMR = [profile for profile in PROFILES.values() if profile.rules]
NAMES = list(PROFILES)


def written(syntax: str = EXPLICIT, frames: list[bytes] | None = None, **values: Any) -> bytes:
    """The bytes of an image; ``frames``: its encapsulated pixels."""
    ds = Dataset()
    for keyword, value in ({"SOPClassUID": CT_IMAGE, "SOPInstanceUID": "2.25.1"} | IMAGE | values).items():
        if value is not None:
            setattr(ds, keyword, value)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.2", "2.25.3"
    if UID(syntax).is_encapsulated:
        ds.PixelData = encapsulate(frames or [b"\xff\xd8\xff\xd9"])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
    else:
        ds.PixelData = bytes(8)
        ds["PixelData"].VR = "OW"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    out = io.BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def described(syntax: str = EXPLICIT, **values: Any) -> Described:
    return describe(written(syntax, **values))


def bare(sop_class_uid: str, syntax: str = EXPLICIT, size_bytes: int = 100) -> Described:
    """An object of a class with nothing but what every record needs."""
    values = {0x0020_000D: b"2.25.2", 0x0020_000E: b"2.25.3", 0x0028_0010: b"\2\0", 0x0028_0011: b"\2\0"}
    return Described(sop_class_uid, "2.25.1", syntax, size_bytes, 0, values)


def broken_rules(profile: Profile, what: Described) -> set[str]:
    return {problem.rule for problem in problems(profile, what)}


# --- classes and syntaxes, profile by profile -----------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_takes_its_classes_and_refuses_every_other(name: str) -> None:
    profile = PROFILES[name]
    for uid, class_name in STORAGE_CLASS_NAMES.items():
        what = bare(uid)
        is_taken = profile.sop_classes is None or uid in profile.sop_classes
        assert ("class" not in broken_rules(profile, what)) == is_taken, class_name
        if not is_taken:
            with pytest.raises(NotInProfile, match=name):
                target_syntax(profile, what)
    private = bare("1.2.3.4")
    assert "class" in broken_rules(profile, private)


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_keeps_its_syntaxes_and_converts_every_other(name: str) -> None:
    profile = PROFILES[name]
    for syntax in (*TRANSFER_SYNTAXES, RLE, *transcode.LOSSLESS):
        target = target_syntax(profile, described(syntax))
        assert target in profile.syntaxes
        assert (target == syntax) == (syntax in profile.syntaxes)
        assert target == syntax or transcode.can_transcode(syntax, target)
        assert problems(profile, described(syntax)) == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_refuses_what_cannot_be_converted(name: str) -> None:
    video = described(VIDEO, SamplesPerPixel=3, PhotometricInterpretation="YBR_PARTIAL_420")
    with pytest.raises(CannotTranscode):
        target_syntax(PROFILES[name], video)
    assert "transfer syntax" in broken_rules(PROFILES[name], video)


def test_what_is_compressed_without_loss_stays_compressed_where_the_profile_allows_it() -> None:
    jpeg, j2k, plain = (PROFILES[f"STD-GEN-{name}"] for name in ("DVD-JPEG", "DVD-J2K", "CD"))
    assert target_syntax(jpeg, described(J2K_LOSSLESS)) == LOSSLESS_SV1
    assert target_syntax(j2k, described(LOSSLESS)) == J2K_LOSSLESS
    assert target_syntax(plain, described(LOSSLESS)) == EXPLICIT
    assert target_syntax(jpeg, described(J2K_LOSSLESS, BitsAllocated=32, BitsStored=32, HighBit=31)) == EXPLICIT
    assert target_syntax(jpeg, described(J2K)) == EXPLICIT
    assert target_syntax(jpeg, described(IMPLICIT)) == EXPLICIT


@pytest.mark.parametrize("uid", sorted(NON_PATIENT_CLASSES & STORAGE_CLASS_NAMES.keys()))
def test_implant_templates_are_on_media_for_all_classes(uid: str) -> None:
    what = bare(uid, IMPLICIT)
    assert target_syntax(PROFILES["STD-GEN-BD"], what) == EXPLICIT
    # What a template must say for its record is not said here.
    assert broken_rules(PROFILES["STD-GEN-BD"], what) == {"directory keys"}
    assert broken_rules(PROFILES["STD-CTMR-CD"], what) == {"class", "directory keys"}


# --- the image rules, clause by clause -------------------------------------------------------------

CLAUSES: dict[str, list[tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "CT/MR: Modality CT/MR and MONOCHROME2": [
        ("modality", {}, {"Modality": "PT"}),
        ("modality", {}, {"Modality": None}),
        ("modality", MR, MR | {"Modality": "CT"}),
        ("photometric", {}, {"PhotometricInterpretation": "MONOCHROME1"}),
        ("photometric", MR, MR | {"PhotometricInterpretation": "PALETTE COLOR"}),
    ],
    "MR Bits Stored 8 or 12-16 and High Bit = Bits Stored - 1": [
        ("bits stored", MR | {"BitsStored": 8, "HighBit": 7}, MR | {"BitsStored": 10, "HighBit": 9}),
        ("bits stored", MR | {"BitsStored": 12, "HighBit": 11}, MR | {"BitsStored": 11, "HighBit": 10}),
        ("bits stored", MR | {"BitsStored": 16, "HighBit": 15}, MR | {"BitsStored": 9, "HighBit": 8}),
        ("high bit", MR, MR | {"HighBit": 15}),
        ("high bit", MR, MR | {"HighBit": None}),
    ],
    "SC gray: 1 sample, MONOCHROME2, Bits Allocated 8/16 = Bits Stored": [
        ("samples", CAPTURE, CAPTURE | {"SamplesPerPixel": 3}),
        ("photometric", CAPTURE, CAPTURE | {"PhotometricInterpretation": "RGB"}),
        ("bits allocated", CAPTURE, CAPTURE | {"BitsAllocated": 32, "BitsStored": 32}),
        ("bits stored", CAPTURE, CAPTURE | {"BitsStored": 12}),
        ("bits stored", CAPTURE | {"BitsAllocated": 8, "BitsStored": 8}, CAPTURE | {"BitsAllocated": 8}),
    ],
    "SC colour: PALETTE COLOR 8/8/7": [
        ("bits allocated", PALETTE, PALETTE | {"BitsAllocated": 16}),
        ("bits stored", PALETTE, PALETTE | {"BitsStored": 7}),
        ("high bit", PALETTE, PALETTE | {"HighBit": 6}),
        ("samples", PALETTE, PALETTE | {"SamplesPerPixel": 3}),
    ],
    "single frame": [
        ("single frame", {"NumberOfFrames": "1"}, {"NumberOfFrames": "2"}),
        ("single frame", MR, MR | {"NumberOfFrames": "2"}),
        ("single frame", CAPTURE, CAPTURE | {"NumberOfFrames": "30"}),
    ],
    "GSPS and dose SR uncompressed only": [],
    "multi-frame JPEG uses interchange format with tables in every frame": [],
}
"""Each clause of the table's column ``image_rules``: (rule, what it accepts, what it refuses). The two without have
tests of their own below."""

CASES = [(clause, *case) for clause, cases in CLAUSES.items() for case in cases]


def test_every_clause_of_the_table_has_its_cases(conformance_tables: Path) -> None:
    with (conformance_tables / "media_profiles.csv").open(encoding="utf-8", newline="") as table:
        rules = {row["profile"]: row["image_rules"] for row in csv.DictReader(table)}
    clauses = {clause.strip() for text in rules.values() for clause in text.split(";") if clause.strip()}
    assert clauses == set(CLAUSES)
    assert {name for name, text in rules.items() if "single frame" in text} == {profile.name for profile in CTMR}
    with_jpeg = {name for name, profile in PROFILES.items() if BASELINE in profile.syntaxes}
    assert {name for name, text in rules.items() if "interchange" in text} == with_jpeg


@pytest.mark.parametrize("profile", CTMR, ids=lambda profile: profile.name)
@pytest.mark.parametrize(("clause", "rule", "accepted", "refused"), CASES)
def test_an_image_rule_accepts_and_refuses(
    profile: Profile, clause: str, rule: str, accepted: dict[str, Any], refused: dict[str, Any]
) -> None:
    assert problems(profile, described(**accepted)) == ()
    assert rule in broken_rules(profile, described(**refused)), clause


def test_every_rule_in_the_code_is_refused_by_some_case() -> None:
    refused = {
        problem.sentence.partition(", here")[0]
        for *_, case in CASES
        for problem in problems(PROFILES["STD-CTMR-CD"], described(**case))
    }
    assert refused >= {rule.reason for rule in PROFILES["STD-CTMR-CD"].rules}


def test_other_profiles_take_images_as_they_are() -> None:
    for profile in PROFILES.values():
        if profile not in CTMR:
            assert problems(profile, described(PhotometricInterpretation="MONOCHROME1", NumberOfFrames="3")) == ()


@pytest.mark.parametrize("profile", CTMR, ids=lambda profile: profile.name)
@pytest.mark.parametrize("uid", [GRAYSCALE_PRESENTATION_STATE, RADIATION_DOSE_SR])
def test_presentation_states_and_dose_reports_are_uncompressed_and_have_no_image_rules(
    profile: Profile, uid: str
) -> None:
    assert profile.syntaxes_of(uid) == (EXPLICIT,)
    assert LOSSLESS_SV1 in profile.syntaxes_of(CT_IMAGE)
    for syntax in (EXPLICIT, IMPLICIT, LOSSLESS_SV1):
        what = bare(uid, syntax)
        assert target_syntax(profile, what) == EXPLICIT
        assert broken_rules(profile, what) <= {"directory keys"}
    assert target_syntax(profile, described(LOSSLESS_SV1)) == LOSSLESS_SV1


TABLES = b"\xff\xdb\x00\x04\0\0\xff\xc4\x00\x04\0\0"
FRAME_HEADER = b"\xff\xc0\x00\x0b\x08\0\2\0\2\1\1\x11\0"
WHOLE = b"\xff\xd8" + TABLES + FRAME_HEADER + b"\xff\xda\x00\x04\0\0\xff\xd9"
ABBREVIATED = b"\xff\xd8" + FRAME_HEADER + b"\xff\xda\x00\x04\0\0\xff\xd9"
NO_QUANTIZATION = WHOLE.replace(TABLES[:6], b"")
DAMAGED = b"\xff\xd8\x00\x00\x00\x00"


@pytest.mark.parametrize("name", [name for name in NAMES if BASELINE in PROFILES[name].syntaxes])
def test_each_frame_of_multi_frame_jpeg_needs_its_tables(name: str) -> None:
    def rules(syntax: str, *frames: bytes) -> set[str]:
        data = written(syntax, list(frames), NumberOfFrames=str(len(frames)), BitsAllocated=8, BitsStored=8)
        return {problem.rule for problem in problems(PROFILES[name], describe(data), data)}

    assert rules(BASELINE, WHOLE, WHOLE) == set()
    assert rules(BASELINE, WHOLE, ABBREVIATED) == {"interchange format"}
    assert rules(BASELINE, WHOLE, DAMAGED) == {"interchange format"}
    assert rules(BASELINE, WHOLE, NO_QUANTIZATION) == {"interchange format"}
    assert rules(LOSSLESS_SV1, NO_QUANTIZATION, NO_QUANTIZATION) == set()
    assert rules(BASELINE, ABBREVIATED) == set(), "the rule is one of multi-frame images"
    assert rules(J2K_LOSSLESS, ABBREVIATED, ABBREVIATED) == set(), "it is converted"


@pytest.mark.parametrize("name", NAMES)
def test_an_image_without_a_key_that_its_record_must_have_is_refused(name: str) -> None:
    lacks = problems(PROFILES[name], described(Rows=None))
    if PROFILES[name].keys_table == "D.3-2":
        assert lacks == ()
    else:
        assert [problem.rule for problem in lacks] == ["directory keys"]
        assert "IMAGE record needs Rows (0028,0010)" in lacks[0].sentence


# --- sizes, loss ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "largest"),
    [("STD-GEN-CD", 2**32 - 1), ("STD-GEN-SD-JPEG", 2**31 - 1), ("STD-GEN-USB-J2K", 2**32 - 1)],
)
def test_a_file_that_the_file_system_cannot_hold_is_refused(name: str, largest: int) -> None:
    assert problems(PROFILES[name], bare(CT_IMAGE, size_bytes=largest)) == ()
    too_large = bare(CT_IMAGE, size_bytes=largest + 1)
    assert broken_rules(PROFILES[name], too_large) == {"file size"}


@pytest.mark.parametrize(
    ("name", "syntax", "values", "target"),
    [
        ("STD-GEN-DVD-JPEG", EXPLICIT, {"BitsAllocated": 8, "BitsStored": 8}, BASELINE),
        ("STD-GEN-DVD-JPEG", EXPLICIT, {}, EXTENDED),
        ("STD-GEN-DVD-JPEG", LOSSLESS_SV1, {}, EXTENDED),
        ("STD-GEN-DVD-JPEG", EXPLICIT, {"PixelRepresentation": 1}, EXPLICIT),
        ("STD-GEN-DVD-JPEG", EXPLICIT, {"BitsStored": 16}, EXPLICIT),
        ("STD-GEN-DVD-JPEG", EXPLICIT, {"PhotometricInterpretation": "PALETTE COLOR", "BitsStored": 8}, EXPLICIT),
        ("STD-GEN-DVD-JPEG", BASELINE, {"BitsStored": 8}, BASELINE),
        ("STD-GEN-DVD-JPEG", EXPLICIT, {"SOPClassUID": SEGMENTATION, "BitsStored": 8}, EXPLICIT),
        ("STD-GEN-DVD-J2K", EXPLICIT, {"BitsStored": 16, "PixelRepresentation": 1}, J2K),
        ("STD-GEN-DVD-J2K", EXPLICIT, {"BitsAllocated": 1, "BitsStored": 1}, EXPLICIT),
        ("STD-GEN-DVD-J2K", J2K, {}, J2K),
        ("STD-GEN-CD", EXPLICIT, {}, EXPLICIT),
        ("STD-CTMR-CD", EXPLICIT, {}, EXPLICIT),
    ],
)
def test_loss_is_chosen_only_when_it_was_asked_for_and_the_image_bears_it(
    name: str, syntax: str, values: dict[str, Any], target: str
) -> None:
    what = described(syntax, **values)
    assert target_syntax(PROFILES[name], what, with_loss=True) == target
    assert target_syntax(PROFILES[name], what) == (syntax if syntax in PROFILES[name].syntaxes else EXPLICIT)


def test_an_object_without_pixels_is_never_compressed() -> None:
    pixelless = described(BitsStored=8, BitsAllocated=8)
    assert pixelless.has_pixels
    pixelless = replace(pixelless, has_pixels=False)
    for name in ("STD-GEN-DVD-JPEG", "STD-GEN-DVD-J2K"):
        assert target_syntax(PROFILES[name], pixelless, with_loss=True) == EXPLICIT
        assert target_syntax(PROFILES[name], replace(pixelless, transfer_syntax_uid=LOSSLESS)) == EXPLICIT
