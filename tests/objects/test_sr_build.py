"""Measurement reports, judged by dciodvfy, DCMTK, dcmqi, highdicom and our own reader."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import Code, encode
from radfuse.objects.sr import (
    Coordinates,
    Measurement,
    MeasurementGroup,
    MeasurementReport,
    ObjectReference,
    Region,
    build_measurement_report,
    codes,
    container_item,
    measurements_of,
    read_report,
    text_item,
)
from tests.objects.documents import (
    GROUPS,
    IMAGES,
    LINE_GROUP,
    PROVENANCE,
    REFERENCES,
    SEGMENT_GROUP,
    SERIES,
    SHAPE_GROUP,
    making,
    report_of,
)
from tests.support import judges


@pytest.fixture(scope="module")
def document() -> Dataset:
    return report_of(*GROUPS)


@pytest.fixture(scope="module")
def path(document: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return judges.written(document, tmp_path_factory.mktemp("sr"))


def test_dciodvfy_accepts_the_report(path: Path) -> None:
    assert judges.dciodvfy(path) == []


def test_dcmtk_reads_every_value(path: Path) -> None:
    text = judges.dsrdump(path, "-q")
    for line in (
        '="8.21234567890123" (g/ml{SUVbw},UCUM,"Standardized Uptake Value body weight")',
        '<has properties NUM:(,,"Threshold Value")="41" (%,UCUM,"percent")>',
        '<has concept mod TEXT:(,,"Algorithm Parameters")="threshold = 41 % of SUVmax">',
        '<contains IMAGE:(,,"Referenced Segment")=(SG image,,1)>',
        '<has concept mod CODE:(,,"Laterality")=(7771000,SCT,"Left")>',
        '<inferred from SCOORD:(,,"Source of Measurement")=(POLYLINE,1.5/2,...)>',
    ):
        assert line in text


def test_dcmqi_reads_the_values_of_the_segment(document: Dataset, tmp_path: Path) -> None:
    path = judges.written(report_of(SEGMENT_GROUP), tmp_path)
    found: dict[str, Any] = json.loads(judges.tid1500reader(path, tmp_path / "read.json"))
    (group,) = found["Measurements"]
    assert (group["TrackingIdentifier"], group["ReferencedSegment"]) == ("lesion 1", 1)
    assert group["FindingSite"]["CodeMeaning"] == "Lung"
    values = {
        (item["quantity"]["CodeMeaning"], item.get("derivationModifier", {}).get("CodeMeaning")): item["value"]
        for item in group["measurementItems"]
        if "value" in item
    }
    assert values["SUVbw", "Maximum"] == "8.21234567890123"
    assert values["Metabolic Volume", None] == "12.5"


def test_highdicom_reads_segment_shape_and_line(path: Path) -> None:
    from highdicom.sr import ComprehensiveSR

    content: Any = ComprehensiveSR.from_dataset(pydicom.dcmread(path)).content
    (volumetric,) = content.get_volumetric_roi_measurement_groups()
    assert volumetric.referenced_segment.referenced_sop_instance_uid == "2.25.900"
    assert volumetric.get_measurements()[0].value == 8.212345678901234
    assert volumetric.finding_sites[0].laterality.meaning == "Left"
    (planar,) = content.get_planar_roi_measurement_groups()
    assert planar.roi.value.tolist() == [[1, 4], [9, 4], [5, 2], [5, 6]]
    (line,) = content.get_image_measurement_groups()
    assert line.get_measurements()[0].referenced_coordinates[0].value.tolist() == [[1.5, 2], [3, 4.5]]


def test_what_was_put_in_comes_out_again(document: Dataset) -> None:
    report = read_report(encode(document))
    assert report.findings == ()
    assert measurements_of(report) == GROUPS


def test_a_number_that_no_decimal_string_holds_is_exact_all_the_same(document: Dataset) -> None:
    (group, *_) = measurements_of(read_report(encode(document)))
    assert group.measurements[0].value == 8.212345678901234


def test_a_number_that_could_not_be_had_says_why(tmp_path: Path) -> None:
    why = Code("114006", "DCM", "Measurement failure")
    group = replace(LINE_GROUP, measurements=(Measurement(codes.ANGLE, None, codes.ONE, missing=why),))
    path = judges.written(report_of(group), tmp_path)
    assert judges.dciodvfy(path) == []
    assert '(,,"Angle")=empty (114006,DCM,"Measurement failure")' in judges.dsrdump(path, "-q")
    assert measurements_of(read_report(path.read_bytes())) == (group,)


def test_the_same_report_is_the_same_bytes() -> None:
    assert encode(report_of(*GROUPS)) == encode(report_of(*GROUPS))


def test_the_evidence_names_images_and_segmentation_by_study_and_series(document: Dataset) -> None:
    (study,) = document.CurrentRequestedProcedureEvidenceSequence
    named = {(series.SeriesInstanceUID, len(series.ReferencedSOPSequence)) for series in study.ReferencedSeriesSequence}
    assert named == {(IMAGES[0].SeriesInstanceUID, 3), ("2.25.901", 1)}
    assert "PertinentOtherEvidenceSequence" not in document


def test_texts_and_tables_go_into_further_sections() -> None:
    remarks = container_item("CONTAINS", codes.FINDINGS, [text_item("CONTAINS", codes.FINDING, "nothing new\nat all")])
    report = MeasurementReport((LINE_GROUP,), sections=(remarks,), procedures=(codes.IMAGING_PROCEDURE,))
    ds = build_measurement_report(report, IMAGES[:1], REFERENCES, provenance=PROVENANCE, series=SERIES, making=making())
    root = read_report(encode(ds)).root
    assert root.children[-1] == remarks
    assert root.first_of(codes.PROCEDURE_REPORTED) is not None


@pytest.mark.parametrize(
    ("group", "fault"),
    [
        (MeasurementGroup("nothing", "2.25.1"), "empty"),
        (replace(LINE_GROUP, measurements=(Measurement(codes.ANGLE, float("nan"), codes.DEGREE),)), "not finite"),
        (replace(LINE_GROUP, measurements=(Measurement(codes.ANGLE, None, codes.DEGREE),)), "no reason"),
        (
            replace(SHAPE_GROUP, region=(Region(Coordinates("POINT", ((1.0, 2.0),)), ObjectReference("1.2", "1.3")),)),
            "study and series",
        ),
        (
            replace(
                SHAPE_GROUP,
                region=(Region(Coordinates("POINT", ((1.0, 2.0, 3.0),), "2.25.5"), ObjectReference("1.2", "1.3")),),
            ),
            "3D",
        ),
    ],
    ids=["nothing in it", "not a number", "no number and no reason", "an image nobody named", "a point in space"],
)
def test_what_cannot_be_written_is_refused(group: MeasurementGroup, fault: str) -> None:
    with pytest.raises(InvalidObject, match=fault):
        report_of(group)


def test_a_report_about_nothing_is_refused() -> None:
    with pytest.raises(InvalidObject, match="at least one image"):
        build_measurement_report(
            MeasurementReport(()), [], REFERENCES, provenance=PROVENANCE, series=SERIES, making=making()
        )


def test_a_code_of_any_length_and_a_text_of_any_script_is_kept() -> None:
    code = Code("a code that is longer than sixteen characters", "99TEST", "μέτρηση")
    group = replace(LINE_GROUP, tracking_id="病変 1", finding=code)
    (read,) = measurements_of(read_report(encode(report_of(group))))
    assert read == group
    assert read.finding is not None
    assert read.finding.meaning == "μέτρηση"
