"""What every object of ours carries."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes as pydicom_codes
from pydicom.tag import Tag

from radfuse import __version__
from radfuse.core.errors import InvalidObject, UnreadableObject
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID
from radfuse.objects.common import (
    Code,
    Item,
    Making,
    NewSeries,
    Provenance,
    Reference,
    add_common_instance_reference,
    add_provenance,
    codes,
    decimal,
    encode,
    new_object,
    read_native,
    read_provenance,
    reference_to,
)
from radfuse.objects.common.colour import lab_of, rgb_of
from tests.support.generate import CT_IMAGE, RT_STRUCTURE_SET, base_instance
from tests.support.made import WHEN, made_from, making

_SERIES = NewSeries("Made here")


def _made(source: Dataset, series: NewSeries = _SERIES, operator: str = "") -> Dataset:
    circumstances = making(operator)
    ds = new_object(RT_STRUCTURE_SET, "RTSTRUCT", source, series=series, making=circumstances)
    add_provenance(ds, made_from([source], threshold="41 %"), circumstances)
    return dcmread(io.BytesIO(encode(ds)))


@pytest.fixture
def source() -> Dataset:
    return base_instance(CT_IMAGE, "CT", 3, 1)


def _unchecked(ds: Dataset, tag: int, vr: str, value: str) -> None:
    raw = value.encode("ascii") + b" " * (len(value) % 2)
    ds[tag] = RawDataElement(Tag(tag), vr, len(raw), raw, 0, False, True)


def test_patient_and_study_are_those_of_the_source(source: Dataset) -> None:
    ds = _made(source)
    patient = ["PatientID", "PatientName", "PatientBirthDate", "PatientSex"]
    study = ["StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "StudyDescription"]
    shared = [*patient, *study, "ReferringPhysicianName"]
    for keyword in shared:
        assert ds[keyword].value == source[keyword].value, keyword


def test_series_instance_and_equipment_are_ours(source: Dataset) -> None:
    ds = _made(source, operator="Röntgen^Wilhelm")
    assert ds.SeriesInstanceUID == "2.25.91.2"
    assert ds.SOPInstanceUID == "2.25.91.1"
    assert (ds.SeriesNumber, ds.SeriesDescription, ds.Modality) == (9003, "Made here", "RTSTRUCT")
    assert (ds.Manufacturer, ds.SoftwareVersions, ds.DeviceSerialNumber) == ("Radfuse", __version__, "0")
    assert ds.OperatorsName == "Röntgen^Wilhelm"
    assert (ds.ContentDate, ds.ContentTime) == ("20261122", "143015.250000")


def test_objects_of_one_series_share_its_uid_and_number(source: Dataset) -> None:
    ds = _made(source, NewSeries("Made here", number=17, uid="2.25.5", instance_number=4))
    assert (ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber) == ("2.25.5", 17, 4)


def test_the_same_circumstances_give_the_same_bytes(source: Dataset) -> None:
    first, second = (encode(_made(source, operator="A^B")) for _ in range(2))
    assert first == second


def test_the_file_names_our_implementation_and_no_sender(source: Dataset) -> None:
    meta = _made(source).file_meta
    assert str(meta.ImplementationClassUID) == IMPLEMENTATION_CLASS_UID
    assert meta.MediaStorageSOPInstanceUID == "2.25.91.1"
    assert "SourceApplicationEntityTitle" not in meta


@pytest.mark.peers
def test_names_of_every_character_set_read_as_dcmtk_reads_the_source(
    shared_data: Path, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    judged = 0
    for path in sorted((shared_data / "charsets").glob("chr*.dcm")):
        ds = dcmread(path)
        if "StudyInstanceUID" not in ds:
            continue
        ours = tmp_path / path.name
        ours.write_bytes(encode(_made(ds)))
        source, made = (_name(dcmtk("dcmdump"), file) for file in (path, ours))
        if source:  # DCMTK knows no Japanese sets with this iconv
            assert source == made, path.name
            judged += 1
    assert judged >= 10


def _name(dcmdump: str, path: Path) -> str:
    """The patient's name as DCMTK converts it to UTF-8; empty when it cannot."""
    command = [dcmdump, "+U8", "-Un", "+P", "PatientName", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    return done.stdout.partition("[")[2].partition("]")[0].rstrip("=") if done.returncode == 0 else ""


def test_text_inside_a_sequence_is_decoded_by_the_set_around_it() -> None:
    source = base_instance(CT_IMAGE, "CT", 1, 1)
    source.SpecificCharacterSet = "ISO_IR 144"
    issuer = Dataset()
    issuer.PatientID, issuer.IssuerOfPatientID = "2", "Люксембург"
    source.OtherPatientIDsSequence = Sequence([issuer])
    buffer = io.BytesIO()
    source.save_as(buffer, implicit_vr=False, little_endian=True)
    read = dcmread(io.BytesIO(buffer.getvalue()), force=True)
    assert _made(read).OtherPatientIDsSequence[0].IssuerOfPatientID == "Люксембург"


def test_values_that_their_vr_forbids_are_left_out_and_a_patient_id_never() -> None:
    source = base_instance(CT_IMAGE, "CT", 1, 1)
    _unchecked(source, 0x00100030, "DA", "31.1.1970")
    _unchecked(source, 0x00080020, "DA", "2024.02.29")
    _unchecked(source, 0x00200010, "SH", "A study id of more than 16")
    _unchecked(source, 0x00081030, "LO", "word " * 20)
    _unchecked(source, 0x00100020, "LO", "7" * 70)
    _unchecked(source, 0x00100040, "CS", "female")
    _unchecked(source, 0x00101030, "DS", "heavy")
    ds = new_object(RT_STRUCTURE_SET, "RTSTRUCT", source, series=_SERIES, making=making())
    assert (ds.PatientBirthDate, ds.StudyID, ds.PatientSex) == ("", "", "")
    assert "PatientWeight" not in ds
    assert ds.StudyDate == "20240229"
    assert ds.StudyDescription.startswith("word word") and len(ds.StudyDescription) <= 64
    assert ds.PatientID == "7" * 70


@pytest.mark.parametrize("character_set", ["ISO_IR 999", "ISO_IR 192", "", "ISO 2022 IR 87"])
def test_text_that_is_not_of_its_character_set_becomes_text_all_the_same(character_set: str) -> None:
    source = base_instance(CT_IMAGE, "CT", 1, 1)
    _unchecked(source, 0x00080005, "CS", character_set)
    name = b"M\xfcller^\x1b$)Q\xff "
    source[0x00100010] = RawDataElement(Tag(0x00100010), "PN", len(name), name, 0, False, True)
    ds = _made(source)
    assert ds.SpecificCharacterSet == "ISO_IR 192"
    assert str(ds.PatientName).startswith("M")


def test_every_damaged_image_is_a_source_or_refused(shared_data: Path) -> None:
    outcomes = {True: 0, False: 0}
    for path in sorted((shared_data / "malformed").rglob("*")):
        try:
            source = dcmread(path)
        except Exception:  # noqa: S112 - no DICOM for pydicom either
            continue
        try:
            assert _made(source).PatientID == Item(source).text("PatientID")
            outcomes[True] += 1
        except UnreadableObject:
            outcomes[False] += 1
    assert min(outcomes.values()) > 0


@pytest.mark.parametrize(
    ("date", "kept"), [("19700131", "19700131"), ("99990101", ""), ("19700231", ""), ("00010101", "")]
)
def test_only_dates_of_the_calendar_are_repeated(date: str, kept: str) -> None:
    source = base_instance(CT_IMAGE, "CT", 1, 1)
    _unchecked(source, 0x00100030, "DA", date)
    assert _made(source).PatientBirthDate == kept


def test_an_identity_is_said_to_be_removed_only_together_with_the_method(source: Dataset) -> None:
    source.PatientIdentityRemoved = "YES"
    assert "PatientIdentityRemoved" not in _made(source)
    _unchecked(source, 0x00120063, "LO", "by hand " * 20)
    ds = _made(source)
    assert (ds.PatientIdentityRemoved, len(ds.DeidentificationMethod)) == ("YES", 63)


def test_a_source_without_a_study_is_refused() -> None:
    source = base_instance(CT_IMAGE, "CT", 1, 1)
    del source.StudyInstanceUID
    with pytest.raises(UnreadableObject, match="which study"):
        _made(source)


def test_times_are_written_in_the_zone_of_the_source(source: Dataset) -> None:
    source.TimezoneOffsetFromUTC = "+0530"
    ds = _made(source)
    assert (ds.TimezoneOffsetFromUTC, ds.ContentTime) == ("+0530", "200015.250000")
    source.TimezoneOffsetFromUTC = "9999"
    assert "TimezoneOffsetFromUTC" not in _made(source)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Making(datetime(2026, 1, 1), str)


def test_provenance_is_there_for_people_and_for_programs(source: Dataset) -> None:
    ds = _made(source, operator="A^B")
    equipment = ds.ContributingEquipmentSequence[0]
    assert equipment.PurposeOfReferenceCodeSequence[0].CodeValue == "109102"
    assert equipment.ContributionDescription == "test (threshold: 41 %)"
    assert equipment.ContributionDateTime == WHEN.strftime("%Y%m%d%H%M%S.%f+0000")
    assert read_provenance(ds) == {
        "inputs": [{"series": source.SeriesInstanceUID, "instances": 1}],
        "parameters": {"threshold": "41 %"},
        "purpose": "test",
        "software": f"Radfuse {__version__}",
    }


def test_objects_of_others_and_damaged_provenance_have_none(source: Dataset) -> None:
    assert read_provenance(source) is None
    ds = _made(source)
    ds.private_block(0x7FD1, "RADFUSE PROVENANCE")[1].value = "{"
    assert read_provenance(ds) is None


def test_a_long_provenance_is_cut_for_people_alone() -> None:
    provenance = Provenance("p", {"list": "x" * 2000})
    assert len(provenance.sentence()) == 1024
    assert "x" * 2000 in provenance.as_json()


def test_references_are_grouped_by_study_and_series(source: Dataset) -> None:
    ds = new_object(RT_STRUCTURE_SET, "RTSTRUCT", source, series=_SERIES, making=making())
    own = reference_to(source)
    twin = Reference(CT_IMAGE, "2.25.8", own.series_uid, own.study_uid, frames=(2, 3))
    other = Reference(CT_IMAGE, "2.25.9", "2.25.10", "2.25.11")
    add_common_instance_reference(ds, [own, twin, twin, other])
    (series,) = ds.ReferencedSeriesSequence
    assert [item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence] == [
        source.SOPInstanceUID, "2.25.8",
    ]  # fmt: skip
    (study,) = ds.StudiesContainingOtherReferencedInstancesSequence
    assert study.StudyInstanceUID == "2.25.11"
    assert study.ReferencedSeriesSequence[0].SeriesInstanceUID == "2.25.10"
    assert list(twin.item(codes.SOURCE_IMAGE).ReferencedFrameNumber) == [2, 3]


_GROUPS = {
    "cid7005": (codes.PROCESSING_EQUIPMENT,),
    "cid7202": (codes.SOURCE_IMAGE,),
    "cid7203": (codes.MULTIPLANAR_REFORMATTING, codes.SEGMENTATION, codes.MAXIMUM_INTENSITY_PROJECTION,
                codes.SPATIAL_RESAMPLING, codes.DEFORMED_FOR_REGISTRATION),
    "cid7150": (codes.ANATOMICAL_STRUCTURE, codes.MORPHOLOGICALLY_ABNORMAL, codes.FUNCTION, codes.PHYSICAL_OBJECT,
                codes.SPATIAL_CONCEPT, codes.TISSUE, codes.BODY_SUBSTANCE, codes.SUBSTANCE),
}  # fmt: skip


@pytest.mark.parametrize("group", _GROUPS)
def test_our_terms_are_those_of_the_context_groups(group: str) -> None:
    collection = getattr(pydicom_codes, group)
    standard = {(one.value, one.scheme_designator): one.meaning
                for one in (getattr(collection, name) for name in collection.dir())}  # fmt: skip
    for code in _GROUPS[group]:
        assert standard[code.value, code.scheme] == code.meaning


def test_terms_are_equal_by_value_and_scheme() -> None:
    assert Code("1", "DCM", "a") == Code("1", "DCM", "b")
    assert len({Code("1", "DCM", "a"), Code("1", "DCM", "b"), Code("1", "SCT", "a")}) == 2
    assert Code("1", "DCM", "a") != "1"


@pytest.mark.parametrize(
    ("value", "keyword"),
    [("1", "CodeValue"), ("123456789012345678", "LongCodeValue"), ("urn:oid:1.2", "URNCodeValue")],
)
def test_a_term_is_written_by_its_length_and_read_back(value: str, keyword: str) -> None:
    item = Code(value, "DCM", "meaning").item()
    assert item[keyword].value == value
    holder = Dataset()
    holder.ConceptNameCodeSequence = Sequence([item])
    assert Item(holder).code("ConceptNameCodeSequence") == Code(value, "DCM", "")
    assert Item(Dataset()).code("ConceptNameCodeSequence") is None


@given(st.floats(-1e12, 1e12))
def test_a_decimal_string_has_16_characters_at_most_and_says_the_number(number: float) -> None:
    text = decimal(number)
    assert len(text) <= 16
    assert float(text) == pytest.approx(number, abs=5.01e-7, rel=1e-9)


@pytest.mark.parametrize(("number", "text"), [(-0.0, "0"), (1e-12, "1e-12"), (100.0, "100"), (1 / 3, "0.333333")])
def test_decimal_strings_are_short(number: float, text: str) -> None:
    assert decimal(number) == text


def test_what_is_no_number_is_not_written() -> None:
    with pytest.raises(InvalidObject):
        decimal(float("nan"))


def test_numbers_that_cannot_be_read_are_none() -> None:
    ds = Dataset()
    _unchecked(ds, 0x30060050, "DS", "1\\two\\3")
    _unchecked(ds, 0x00280030, "DS", "1\\\\3")
    item = Item(ds)
    assert item.numbers("ContourData") == []
    assert item.numbers("PixelSpacing") == []
    assert item.whole("Rows") is None


@pytest.mark.parametrize(
    "value",
    [
        b"no item here",
        b"\xfe\xff\x00\xe0\x0c\0\0\0\x08\x00\x15\x11SQ\0\0\xff\0\0\0",
    ],
    ids=["no item", "sequence longer than its item"],
)
def test_a_damaged_sequence_is_said_so(value: bytes) -> None:
    element = b"\x08\x00\x15\x11SQ\0\0" + len(value).to_bytes(4, "little") + value
    item = Item(dcmread(io.BytesIO(bytes(128) + b"DICM" + element), force=True))
    with pytest.raises(UnreadableObject):
        for inner in item.items("ReferencedSeriesSequence"):
            inner.items("ReferencedSeriesSequence")


def test_an_empty_sequence_has_no_items() -> None:
    element = b"\x08\x00\x15\x11SQ\0\0\x08\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    item = Item(dcmread(io.BytesIO(bytes(128) + b"DICM" + element), force=True))
    assert item.items("ReferencedSeriesSequence") == []


def test_a_text_that_the_file_ends_in_is_not_half_read() -> None:
    ds = Dataset()
    ds[0x00081030] = RawDataElement(Tag(0x00081030), "LO", 20, b"Half a st", 0, False, True)
    with pytest.raises(UnreadableObject, match="cut off"):
        Item(ds).text("StudyDescription")


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_display_colours_survive_cielab(rgb: tuple[int, int, int]) -> None:
    assert rgb_of(lab_of(rgb)) == rgb


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((10, 10, 10), (2.742, 0, 0)),
        ((255, 0, 0), (54.29, 80.81, 69.89)),
        ((0, 255, 0), (87.82, -79.27, 80.99)),
        ((0, 0, 255), (29.57, 68.30, -112.03)),
    ],
)
def test_cielab_is_that_of_the_white_of_profile_connection_spaces(
    rgb: tuple[int, int, int], lab: tuple[float, float, float]
) -> None:
    stored = lab_of(rgb)
    assert (stored[0] * 100 / 65535, stored[1] * 255 / 65535 - 128, stored[2] * 255 / 65535 - 128) == pytest.approx(
        lab, abs=0.02
    )


def test_a_file_cut_off_in_compressed_pixels_is_refused(tmp_path: Path) -> None:
    from radfuse.dicom import Transcoder

    path = tmp_path / "cut.dcm"
    path.write_bytes(bytes(128) + b"DICM")
    with Transcoder() as transcoder, pytest.raises(UnreadableObject, match="damaged"):
        read_native(path, transcoder, tmp_path)
