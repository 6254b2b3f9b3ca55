"""The rules that hold before anything leaves, one fault at a time; whole objects: test_checking_mutations.py."""

from __future__ import annotations

import dataclasses
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from radfuse.core.errors import ConfigurationError, InvalidObject
from radfuse.objects.checking import Facts, check, facts_of, faults_of, place, require_valid, tables
from radfuse.objects.common import Code
from tests.support.resampled import sources
from tests.support.whole_objects import CT, EXAMPLES, PT


@cache
def _whole(name: str) -> Dataset:
    return EXAMPLES[name]()


def whole(name: str) -> Dataset:
    return deepcopy(_whole(name))


def raw(keyword: str, vr: str, value: Any) -> DataElement:
    return DataElement(keyword, vr, value, validation_mode=IGNORE)


def sentences(ds: Dataset, known: dict[str, Facts] | None = None) -> list[str]:
    return [str(fault) for fault in faults_of(ds, known)]


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "what"),
    [
        ("KVP", "DS", "120.00000000000001", "more than 16 characters"),
        ("AcquisitionNumber", "IS", "4294967296", "32 bits"),
        ("BodyPartExamined", "CS", "Chest", "capital letters"),
        ("BodyPartExamined", "CS", "A" * 17, "at most 16"),
        ("SeriesInstanceUID", "UI", "1.2.03", "no valid UID"),
        ("SeriesInstanceUID", "UI", "1.2." + "3" * 70, "no valid UID"),
        ("ContentDate", "DA", "20240230", "no date"),
        ("ContentDate", "DA", "2024022", "no date"),
        ("ContentTime", "TM", "246000", "no time"),
        ("ContentTime", "TM", "1", "no time"),
        ("AcquisitionDateTime", "DT", "2024-03-01", "no date and time"),
        ("SeriesDescription", "LO", "x" * 65, "more than 64"),
        ("SeriesDescription", "LO", "a\\b", "2 values, 1 are allowed"),
        ("SeriesDescription", "LO", "a\nb", "control"),
        ("DerivationDescription", "ST", "a\x00b", "control"),
        ("StationName", "SH", "x" * 17, "more than 16"),
        ("OperatorsName", "PN", "x" * 65, "longer than a name"),
        ("PixelSpacing", "DS", ["1"], "1 values, 2 are allowed"),
        ("WindowCenter", "LO", "40", "representation LO"),
        ("Rows", "US", 70000, "outside of what US"),
        ("RecommendedDisplayFrameRateInFloat", "FL", float("nan"), "finite"),
        ("RecommendedDisplayFrameRateInFloat", "FD", 1.0, "representation FD"),
    ],
)
def test_a_wrong_value_is_found(keyword: str, vr: str, value: Any, what: str) -> None:
    ds = whole("CT")
    ds.add(raw(keyword, vr, value))
    assert any(text.startswith(keyword) and what in text for text in sentences(ds)), sentences(ds)


def test_right_values_of_every_kind_are_not_complained_about() -> None:
    ds = whole("CT")
    for keyword, vr, value in (
        ("AcquisitionTime", "TM", "235960.123456"),
        ("AcquisitionTime", "TM", "10"),
        ("AcquisitionDateTime", "DT", "20240301123015.25+0100"),
        ("PatientComments", "LT", "two\r\nlines"),
        ("OperatorsName", "PN", ["A^B", "C^D=X^Y"]),
        ("KVP", "DS", "-1.25E-7"),
        ("PatientAge", "AS", "045Y"),
    ):
        ds.add(raw(keyword, vr, value))
        assert sentences(ds) == [], keyword


def test_the_identity_of_a_patient_is_not_judged() -> None:
    ds = whole("CT")
    ds.add(raw("PatientID", "LO", "x" * 80))
    ds.add(raw("AccessionNumber", "SH", "x" * 40))
    assert sentences(ds) == []


def test_no_value_of_a_patient_is_in_a_sentence() -> None:
    ds = whole("CT")
    ds.add(raw("OperatorsName", "PN", "Secretary^" + "x" * 90))
    ds.add(raw("StationName", "SH", "Secret-Place-of-Work"))
    text = "".join(sentences(ds))
    assert text
    assert "Secret" not in text


def test_text_beyond_ascii_needs_a_character_set() -> None:
    ds = whole("CT")
    ds.SeriesDescription = "Schädel"
    assert sentences(ds) == []
    del ds.SpecificCharacterSet
    assert any("SpecificCharacterSet" in text for text in sentences(ds))
    ds.SeriesDescription = "Head"
    assert sentences(ds) == []


def test_unknown_and_private_attributes_are_told_apart() -> None:
    ds = whole("CT")
    ds.add(DataElement(0x00089999, "LO", "x"))
    ds.add(DataElement(0x00111001, "LO", "x"))
    found = {fault.rule for fault in faults_of(ds)}
    assert found == {"unknown", "private"}
    ds.add(DataElement(0x00110010, "LO", "OWNER"))
    assert {fault.rule for fault in faults_of(ds)} == {"unknown"}


def test_a_value_that_cannot_be_read_is_a_fault_and_no_crash() -> None:
    ds = whole("CT")
    ds.add(raw("BitsStored", "US", b"abc"))
    assert {fault.rule for fault in faults_of(ds)} >= {"value"}


# --- attributes ----------------------------------------------------------------------------------


def test_an_optional_module_counts_once_one_of_its_attributes_is_there() -> None:
    ds = whole("CT")
    ds.ContrastBolusVolume = "80"
    assert sentences(ds) == ["ContrastBolusAgent: it is missing, and of type 2"]
    ds.ContrastBolusAgent = ""
    assert sentences(ds) == []


@pytest.mark.parametrize(
    ("name", "keyword", "gone"),
    [
        ("CT", "PatientPosition", "PatientPosition"),
        ("CT", "WindowWidth", "WindowWidth"),
        ("PT", "DecayFactor", "DecayFactor"),
        ("NM", "SliceVector", "SliceVector"),
        ("NM", "NumberOfRotations", "NumberOfRotations"),
        ("SC byte", "FrameTime", "FrameTime"),
        ("SC byte", "PresentationLUTShape", "PresentationLUTShape"),
        ("SC word", "PageNumberVector", "PageNumberVector"),
        ("SC true colour", "PlanarConfiguration", "PlanarConfiguration"),
        ("SC single", "PixelData", "PixelData"),
        ("SC single", "PatientOrientation", "PatientOrientation"),
        ("SEG fractional", "MaximumFractionalValue", "MaximumFractionalValue"),
        ("PR grayscale", "PresentationLUTShape", "PresentationLUTShape"),
    ],
)
def test_an_attribute_whose_condition_holds_is_required(name: str, keyword: str, gone: str) -> None:
    ds = whole(name)
    del ds[keyword]
    assert any(text.startswith(gone) and ("type" in text or "not there" in text) for text in sentences(ds))


def test_a_vector_needs_a_value_for_each_frame() -> None:
    ds = whole("SC word")
    ds.PageNumberVector = [1]
    assert sentences(ds) == ["PageNumberVector: it needs one value for each frame"]


@pytest.mark.parametrize(
    ("change", "keyword"),
    [
        (lambda code: delattr(code, "CodeValue"), "CodeValue"),
        (lambda code: setattr(code, "LongCodeValue", "x"), "CodeValue"),
        (lambda code: delattr(code, "CodingSchemeDesignator"), "CodingSchemeDesignator"),
        (lambda code: setattr(code, "ContextIdentifier", "7203"), "MappingResource"),
        (lambda code: setattr(code, "CodeMeaning", ""), "CodeMeaning"),
    ],
)
def test_a_code_needs_one_value_its_scheme_and_its_meaning(change: Any, keyword: str) -> None:
    ds = whole("CT")
    change(ds.DerivationCodeSequence[0])
    assert any(text.startswith(f"DerivationCodeSequence[1].{keyword}") for text in sentences(ds))


def test_a_class_without_rules_is_not_let_out() -> None:
    ds = whole("CT")
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.999"
    assert [fault.rule for fault in faults_of(ds)] == ["SOP class"]


def test_other_classes_of_the_tables_can_be_checked_too(shared_data: Path) -> None:
    ds = dcmread(shared_data / "sr" / "qin-headneck-0003" / "rwvm.dcm")
    assert sentences(ds) == []
    del ds.ContentLabel
    assert sentences(ds) == ["ContentLabel: it is missing, and of type 1"]


def test_missing_tables_are_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match="reinstall"):
        tables.plan_of("1.2.840.10008.5.1.4.1.1.481.2")


# --- identity, geometry and pixels ---------------------------------------------------------------


def test_uids_are_used_once() -> None:
    ds = whole("CT")
    ds.SOPInstanceUID = UID(ds.SeriesInstanceUID)
    assert any("share a UID" in text for text in sentences(ds))
    ds = whole("CT")
    ds.StudyInstanceUID = UID(ds.FrameOfReferenceUID)  # as the images say
    assert sentences(ds) == []
    faults = check([ds, ds])
    assert faults[0] == ()
    assert [fault.rule for fault in faults[1]] == ["UID"]


def test_the_file_meta_information_names_the_same_object() -> None:
    ds = whole("CT")
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    assert [fault.rule for fault in faults_of(ds)] == ["meta"]


@pytest.mark.parametrize(
    ("name", "keyword", "value", "what"),
    [
        ("CT", "ImageOrientationPatient", [1, 0, 0, 0, 1, 0.1], "right angle"),
        ("CT", "ImageOrientationPatient", [1, 0, 0, 0.1, 1, 0], "right angle"),
        ("CT", "PixelSpacing", [0, 1], "more than 0"),
        ("CT", "SliceThickness", -1, "more than 0"),
        ("CT", "Rows", 8, "the image needs"),
        ("CT", "Columns", 0, "more than 0"),
        ("CT", "BitsStored", 17, "do not fit together"),
        ("CT", "HighBit", 11, "do not fit together"),
        ("CT", "RescaleSlope", 0, "loses every value"),
        ("CT", "WindowWidth", 0, "1 or more"),
        ("NM", "NumberOfFrames", 4, "the image needs"),
    ],
)
def test_a_geometry_that_cannot_be_is_found(name: str, keyword: str, value: Any, what: str) -> None:
    ds = whole(name)
    setattr(ds, keyword, value)
    assert any(what in text for text in sentences(ds)), sentences(ds)


def test_planes_in_functional_groups_and_detectors_are_looked_at() -> None:
    ds = whole("SEG binary")
    ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [0, 1]
    assert "SharedFunctionalGroupsSequence[1].PixelMeasuresSequence[1].PixelSpacing" in sentences(ds)[0]
    ds = whole("NM")
    ds.DetectorInformationSequence[0].ImageOrientationPatient = [1, 0, 0, 1, 0, 0]
    assert "DetectorInformationSequence[1].ImageOrientationPatient" in sentences(ds)[0]


def test_a_contour_has_three_numbers_for_each_point() -> None:
    ds = whole("RTSTRUCT")
    ds.ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints = 5
    assert any("three numbers" in text for text in sentences(ds))


# --- functional groups ---------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["PixelMeasuresSequence", "PlaneOrientationSequence"])
def test_a_group_that_is_nowhere_is_found(group: str) -> None:
    ds = whole("SEG binary")
    del ds.SharedFunctionalGroupsSequence[0][group]
    assert any(group in text and "neither shared" in text for text in sentences(ds))


def test_a_group_that_is_given_twice_is_found() -> None:
    ds = whole("SEG binary")
    shared = ds.SharedFunctionalGroupsSequence[0]
    ds.PerFrameFunctionalGroupsSequence[0].PixelMeasuresSequence = shared.PixelMeasuresSequence
    assert any("is shared and given for a frame too" in text for text in sentences(ds))


def test_frames_and_their_groups_are_as_many() -> None:
    ds = whole("SEG binary")
    del ds.PerFrameFunctionalGroupsSequence[0]
    assert any("one item for each frame" in text for text in sentences(ds))
    ds = whole("SEG binary")
    ds.PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0].DimensionIndexValues = [1]
    assert any("one value for each dimension" in text for text in sentences(ds))
    ds = whole("SEG binary")
    del ds.PerFrameFunctionalGroupsSequence[0].FrameContentSequence
    assert any("each frame needs this group" in text for text in sentences(ds))


# --- content trees -------------------------------------------------------------------------------


def item(kind: str, **values: Any) -> Dataset:
    made = Dataset()
    made.RelationshipType, made.ValueType = "CONTAINS", kind
    made.ConceptNameCodeSequence = Sequence([Code("121106", "DCM", "Comment").item()])
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (item("TEXT"), "TextValue: it is missing"),
        (item("NUM"), "MeasuredValueSequence: it is missing"),
        (item("NUM", MeasuredValueSequence=[Dataset()]), "NumericValue: it is missing"),
        (item("CODE"), "ConceptCodeSequence: it is missing"),
        (item("IMAGE", ReferencedSOPSequence=[Dataset()]), "ReferencedSOPClassUID: it is missing"),
        (item("SCOORD", GraphicType="POINT", GraphicData=[1.0, 2.0]), "do not say which"),
        (item("SCOORD", GraphicType="ELLIPSE", GraphicData=[1.0, 2.0]), "wrong number of coordinates"),
        (item("SCOORD3D", GraphicType="POINT", GraphicData=[1.0, 2.0, 3.0]), "must not hold coordinates in space"),
        (item("NONSENSE"), "ValueType: it is missing or unknown"),
        (item("TEXT", TextValue="x", ConceptNameCodeSequence=[]), "needs a concept name"),
        (item("TEXT", TextValue="x", RelationshipType=""), "RelationshipType: it is missing"),
    ],
)
def test_a_wrong_content_item_is_found(content: Dataset, what: str) -> None:
    ds = whole("SR")
    ds.ContentSequence.append(content)
    assert any(what in text for text in sentences(ds)), sentences(ds)


def test_a_right_content_item_is_not_complained_about() -> None:
    ds = whole("SR")
    ds.ContentSequence.append(item("TEXT", TextValue="x"))
    ds.ContentSequence.append(item("NUM", MeasuredValueSequence=[]))  # a number that is not known
    reference = Dataset()
    reference.RelationshipType, reference.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 1]
    ds.ContentSequence[-1].ContentSequence = Sequence([reference])
    assert sentences(ds) == []


def test_content_that_is_nested_without_end_is_refused() -> None:
    ds = whole("SR")
    holder = ds
    for _ in range(70):
        holder.ContentSequence = Sequence([item("CONTAINER", ContinuityOfContent="SEPARATE")])
        holder = holder.ContentSequence[0]
    assert any("nested too deep" in text for text in sentences(ds))


def test_a_document_needs_a_container_with_a_title() -> None:
    ds = whole("KO")
    ds.ConceptNameCodeSequence = []
    ds.ValueType = "TEXT"
    text = " ".join(sentences(ds))
    assert "needs a title" in text
    assert "is a container" in text


# --- references ----------------------------------------------------------------------------------

KNOWN = {**facts_of(CT), **facts_of(PT)}


def changed(**values: Any) -> dict[str, Facts]:
    """What is known, with other facts of the CT images."""
    return {uid: dataclasses.replace(facts, **values) for uid, facts in facts_of(CT).items()}


@pytest.mark.parametrize("name", ["CT", "SEG binary", "RTSTRUCT", "SR", "KO", "PDF", "PR grayscale", "PR blending"])
def test_references_to_what_is_known_are_right_and_to_what_is_not_are_found(name: str) -> None:
    assert sentences(whole(name), KNOWN) == []
    assert any("neither here nor stored with it" in text for text in sentences(whole(name), {}))


@pytest.mark.parametrize(
    ("name", "facts", "what"),
    [
        ("CT", {"sop_class_uid": "1.2.840.10008.5.1.4.1.1.4"}, "another SOP class"),
        ("CT", {"patient_id": "SOMEBODY-ELSE"}, "differ in the patient"),
        ("CT", {"study_uid": "2.25.1"}, "study of none"),
        ("SEG binary", {"series_uid": "2.25.1"}, "another series"),
        ("SEG binary", {"frame_uid": "2.25.1"}, "not that of the images"),
        ("RTSTRUCT", {"frame_uid": "2.25.1"}, "another frame of reference"),
        ("SR", {"study_uid": "2.25.1"}, "another study"),
    ],
)
def test_what_an_object_says_of_its_sources_must_be_so(name: str, facts: dict[str, str], what: str) -> None:
    found = sentences(whole(name), changed(**facts))
    assert any(what in text for text in found), found
    assert "SOMEBODY" not in "".join(found)


def test_frames_and_segments_that_are_not_there_are_found() -> None:
    ds = whole("CT")
    ds.SourceImageSequence[0].ReferencedFrameNumber = 3
    assert any("no such frame" in text for text in sentences(ds, changed(frames=2)))
    assert sentences(ds, changed(frames=3)) == []
    ds.SourceImageSequence[0].ReferencedSegmentNumber = [1, 4]
    assert any("no such segment" in text for text in sentences(ds, changed(segments=(1, 2))))


def test_blended_images_in_different_frames_need_a_registration() -> None:
    known = {**facts_of(CT), **{uid: dataclasses.replace(it, frame_uid="2.25.1") for uid, it in facts_of(PT).items()}}
    assert any("no registration" in text for text in sentences(whole("PR blending"), known))


def test_objects_of_one_batch_may_refer_to_each_other() -> None:
    first, second = whole("CT"), whole("CT")
    second.SOPInstanceUID = "2.25.9999"
    second.SourceImageSequence[0].ReferencedSOPInstanceUID = first.SOPInstanceUID
    assert check([first, second], KNOWN) == ((), ())
    assert check([second], KNOWN) != ((),)


def test_images_that_share_their_sources_are_all_checked() -> None:
    images = [whole("CT") for _ in range(3)]
    for number, ds in enumerate(images):
        ds.SOPInstanceUID = f"2.25.999{number}"
        ds.SourceImageSequence = images[0].SourceImageSequence
    assert check(images, KNOWN) == ((), (), ())
    del images[2].Rows
    assert [len(faults) for faults in check(images, KNOWN)] == [0, 0, 1]
    images[0].SourceImageSequence[0].add(raw("ReferencedSOPClassUID", "UI", "1.2.03"))
    assert [len(faults) for faults in check(images)] == [1, 1, 2]


def test_segments_and_regions_refer_to_those_of_their_object() -> None:
    ds = whole("SEG binary")
    for group in (*ds.SharedFunctionalGroupsSequence, *ds.PerFrameFunctionalGroupsSequence):
        if "SegmentIdentificationSequence" in group:
            group.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 7
    assert any("does not have" in text for text in sentences(ds, KNOWN))
    ds = whole("RTSTRUCT")
    ds.ROIContourSequence[0].ReferencedROINumber = 7
    assert any("does not have" in text for text in sentences(ds, KNOWN))
    ds = whole("RTSTRUCT")
    ds.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = "2.25.5"
    assert any("the region's frame" in text for text in sentences(ds, KNOWN))
    ds = whole("RTSTRUCT")
    ds.StructureSetROISequence.append(deepcopy(ds.StructureSetROISequence[0]))
    assert any("the same number" in text for text in sentences(ds, KNOWN))


# --- how it is told ------------------------------------------------------------------------------


def test_an_invalid_object_raises_with_every_place() -> None:
    ds = whole("CT")
    del ds.Rows, ds.Modality
    with pytest.raises(InvalidObject) as refused:
        require_valid([ds])
    assert {text.split(":")[0] for text in refused.value.faults} >= {"Rows", "Modality"}
    require_valid([whole("CT")])


def test_a_long_list_of_faults_is_cut() -> None:
    ds = whole("CT")
    for keyword in [element.keyword for element in ds if element.keyword not in ("SOPClassUID", "")]:
        del ds[keyword]
    with pytest.raises(InvalidObject) as refused:
        require_valid([ds])
    assert len(refused.value.faults) == 21
    assert refused.value.faults[-1].startswith("and ")


def test_a_place_is_named_by_keywords_or_tags() -> None:
    assert place((0x00081115, "[2]", 0x0020000E)) == "ReferencedSeriesSequence[2].SeriesInstanceUID"
    assert place((0x00111001,)) == "(0011,1001)"


def test_what_real_images_and_objects_lack_is_what_dciodvfy_says_too(shared_data: Path) -> None:
    for name in ("liver.dcm", "partial_overlaps.dcm", "sparse-labelmap-noppv.dcm"):
        assert sentences(dcmread(shared_data / "seg" / "dcmqi" / name)) == [], name
    old = dcmread(shared_data / "seg" / "ucsf-br-06" / "seg.dcm")
    assert sentences(old) == ["DeviceSerialNumber: it is missing, and of type 1"]
    assert facts_of(sources("CT")) == facts_of(CT)
